//! The recordings `crud.json` and `deployment-validation.json`.

use serde_json::json;

use super::replay::{Aliases, Recording};
use super::{mk_namespace, mk_server, mk_service_account, post, recording};
use crate::cluster::apiserver::ApiServer;

/// Steps that are not sent, by their number.
type Skipped = &'static [(usize, &'static str)];

const VALIDATION_SKIPPED: Skipped = &[
    (29, "HorizontalPodAutoscalers are not served"),
    (30, "ResourceQuotas are not served"),
    (31, "ResourceQuotas are not served"),
];

#[tokio::test]
async fn objects_are_created_read_changed_and_deleted_as_recorded() {
    let recording = Recording::read(recording!("crud.json"));
    let server = mk_server([10, 96, 0, 0], 16);
    let mut aliases = Aliases::default();
    let mut failures = Vec::new();
    for (index, step) in recording.steps.iter().enumerate() {
        if index == 1 {
            put_what_controllers_put(&server).await;
        }
        let answer = step.send(&server, &aliases).await;
        if let Some(difference) = step.difference(&answer, &mut aliases) {
            failures.push(format!("{index} {}: {difference}", step.title()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What the controllers put into a new namespace.
async fn put_what_controllers_put(server: &ApiServer) {
    let certificate = json!({
        "metadata": {
            "name": "kube-root-ca.crt",
            "annotations": {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the \
                    kube-apiserver when using internal endpoints such as the internal service IP \
                    or kubernetes.default.svc. No other usage is guaranteed across distributions \
                    of Kubernetes clusters.",
            },
        },
        "data": {"ca.crt": "certificate"},
    });
    let path = "/api/v1/namespaces/rec-crud/configmaps?fieldManager=kube-controller-manager";
    post(server, path, &certificate).await;
    mk_service_account(server, "rec-crud").await;
}

#[tokio::test]
async fn deployments_and_services_are_completed_and_refused_as_recorded() {
    let recording = Recording::read(recording!("deployment-validation.json"));
    // A block without the address that a later step asks for.
    let server = mk_server([10, 96, 160, 0], 20);
    mk_namespace(&server, "rec-val").await;
    let mut aliases = Aliases::default();
    let mut failures = Vec::new();
    for (index, step) in recording.steps.iter().enumerate() {
        if index == 28 {
            let path = "/api/v1/namespaces/rec-val/services";
            let service = json!({
                "metadata": {"name": "s13"},
                "spec": {
                    "type": "ExternalName",
                    "externalName": "example.com",
                    "ports": [{"port": 80}],
                    "selector": {"app": "x"},
                },
            });
            post(&server, path, &service).await;
        }
        if VALIDATION_SKIPPED
            .iter()
            .any(|(number, _)| *number == index)
        {
            continue;
        }
        let answer = step.send(&server, &aliases).await;
        if let Some(difference) = step.difference(&answer, &mut aliases) {
            failures.push(format!("{index} {}: {difference}", step.title()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
