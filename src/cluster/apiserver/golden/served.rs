//! Objects as Kubernetes serves them after defaulting and admission: `served.json` and
//! `template-defaults.json`.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{mk_namespace, mk_server, post, recording, send};
use crate::cluster::apiserver::ApiServer;

fn all() -> Value {
    serde_json::from_str(recording!("served.json")).unwrap()
}

async fn mk_lab() -> ApiServer {
    let server = mk_server([10, 97, 0, 0], 16);
    mk_namespace(&server, "j1").await;
    server
}

/// The manifest from which an object was applied.
fn applied(object: &Value) -> Value {
    let annotations = &object["metadata"]["annotations"];
    let manifest = &annotations["kubectl.kubernetes.io/last-applied-configuration"];
    serde_json::from_str(manifest.as_str().unwrap()).unwrap()
}

/// An object without what the server gave it, to be created again.
fn fresh(object: &Value) -> Value {
    let mut fresh = object.clone();
    for key in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
        fresh["metadata"].as_object_mut().unwrap().remove(key);
    }
    fresh
}

#[derive(Deserialize)]
struct Template {
    name: String,
    given: Value,
    served: Value,
}

#[tokio::test]
async fn templates_are_completed_as_recorded() {
    let templates: Vec<Template> =
        serde_json::from_str(recording!("template-defaults.json")).unwrap();
    let server = mk_lab().await;
    for (index, template) in templates.into_iter().enumerate() {
        let deployment = json!({
            "metadata": {"name": format!("d{index}")},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template.given},
        });
        let path = "/apis/apps/v1/namespaces/j1/deployments";
        let created = post(&server, path, &deployment).await;
        assert_eq!(
            created["spec"]["template"], template.served,
            "{}",
            template.name
        );
    }
}

#[tokio::test]
async fn deployments_and_replica_sets_are_served_as_recorded() {
    let server = mk_lab().await;
    let recorded = all();
    let path = "/apis/apps/v1/namespaces/j1";
    let deployment = applied(&recorded["deployment"]);
    let created = post(&server, &format!("{path}/deployments"), &deployment).await;
    assert_eq!(created["spec"], recorded["deployment"]["spec"]);

    let set = fresh(&recorded["replicaset"]);
    let created = post(&server, &format!("{path}/replicasets"), &set).await;
    assert_eq!(created["spec"], recorded["replicaset"]["spec"]);
    assert_eq!(created["status"], json!({"replicas": 0}));
    assert_eq!(created["metadata"]["generation"], 1);

    let name = set["metadata"]["name"].as_str().unwrap();
    let path = format!("{path}/replicasets/{name}/status");
    let mut with_status = created;
    with_status["status"] = recorded["replicaset"]["status"].clone();
    let body = with_status.to_string();
    let answer = send(&server, Method::PUT, &path, None, body).await;
    assert_eq!(answer.json()["status"], recorded["replicaset"]["status"]);
}

#[tokio::test]
async fn a_pod_is_served_as_recorded() {
    let server = mk_lab().await;
    let all = all();
    let recorded = &all["pod"];
    let mut pod = json!({
        "metadata": fresh(recorded)["metadata"].clone(),
        "spec": all["replicaset"]["spec"]["template"]["spec"].clone(),
    });
    pod["metadata"].as_object_mut().unwrap().remove("name");
    let path = "/api/v1/namespaces/j1/pods";
    let created = post(&server, path, &pod).await;
    let volume = created["spec"]["volumes"][0]["name"].as_str().unwrap();
    let recorded_volume = recorded["spec"]["volumes"][0]["name"].as_str().unwrap();
    assert!(volume.starts_with("kube-api-access-") && volume.len() == recorded_volume.len());
    let mut spec = recorded["spec"].clone();
    spec.as_object_mut().unwrap().remove("nodeName");
    let spec = spec.to_string().replace(recorded_volume, volume);
    assert_eq!(
        created["spec"],
        serde_json::from_str::<Value>(&spec).unwrap()
    );
    assert_eq!(
        created["status"],
        json!({"phase": "Pending", "qosClass": "Burstable"})
    );
    assert_eq!(created["metadata"]["generation"], 1);

    let name = created["metadata"]["name"].as_str().unwrap();
    let binding = json!({"target": {"kind": "Node", "name": "node2"}});
    let to_node = format!("{path}/{name}/binding");
    post(&server, &to_node, &binding).await;
    let mut bound = json!({"metadata": {"name": name}});
    bound["status"] = recorded["status"].clone();
    let to_status = format!("{path}/{name}/status");
    let answer = send(&server, Method::PUT, &to_status, None, bound.to_string()).await;
    let written = answer.json();
    assert_eq!(written["status"], recorded["status"]);
    assert_eq!(written["spec"]["nodeName"], "node2");
    assert_eq!(
        written["metadata"]["generation"], 1,
        "binding is no change of the spec"
    );
}

#[tokio::test]
async fn a_service_is_served_as_recorded() {
    let server = mk_lab().await;
    let recorded = &all()["service"];
    let path = "/api/v1/namespaces/j1/services";
    let created = post(&server, path, &applied(recorded)).await;
    let address = created["spec"]["clusterIP"].as_str().unwrap();
    assert!(address.starts_with("10.97."), "{address}");
    let spec = recorded["spec"]
        .to_string()
        .replace("10.97.37.221", address);
    assert_eq!(
        created["spec"],
        serde_json::from_str::<Value>(&spec).unwrap()
    );
    assert_eq!(created["status"], recorded["status"]);
}

#[tokio::test]
async fn slices_events_nodes_and_accounts_come_back_as_they_were_written() {
    let server = mk_lab().await;
    let all = all();
    for (key, path) in [
        (
            "endpointslice",
            "/apis/discovery.k8s.io/v1/namespaces/j1/endpointslices",
        ),
        ("event", "/api/v1/namespaces/j1/events"),
        ("oldEvent", "/api/v1/namespaces/j1/events"),
        ("nodes", "/api/v1/nodes"),
    ] {
        let recorded = &all[key];
        let mut created = post(&server, path, &fresh(recorded)).await;
        // Who owns the fields is recorded elsewhere.
        let server_owned = [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "generation",
            "managedFields",
        ];
        for key in server_owned {
            let value = recorded["metadata"].get(key);
            let metadata = created["metadata"].as_object_mut().unwrap();
            match value {
                Some(value) => metadata.insert(key.to_owned(), value.clone()),
                None => metadata.remove(key),
            };
        }
        assert_eq!(created, *recorded, "{key}");
    }
}

#[tokio::test]
async fn generations_count_what_upstream_counts() {
    let server = mk_lab().await;
    let recorded = all();
    let generation = async |path: &str, patch: Value| {
        let kind = Some("application/merge-patch+json");
        let answer = send(&server, Method::PATCH, path, kind, patch.to_string()).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json()["metadata"]["generation"].clone()
    };
    let apps = "/apis/apps/v1/namespaces/j1/deployments";
    post(&server, apps, &applied(&recorded["deployment"])).await;
    let web = format!("{apps}/web");
    for (path, patch, expected) in [
        (web.clone(), json!({"metadata": {"labels": {"a": "b"}}}), 1),
        (web.clone(), json!({"spec": {"replicas": 3}}), 1),
        (web.clone(), json!({"spec": {"replicas": 4}}), 2),
        (
            web.clone(),
            json!({"metadata": {"annotations": {"a": "b"}}}),
            3,
        ),
        (
            format!("{web}/status"),
            json!({"status": {"replicas": 4}}),
            3,
        ),
        (
            format!("{web}/status"),
            json!({"metadata": {"annotations": {"c": "d"}}}),
            3,
        ),
    ] {
        assert_eq!(
            generation(&path, patch.clone()).await,
            expected,
            "{path} {patch}"
        );
    }

    let slices = "/apis/discovery.k8s.io/v1/namespaces/j1/endpointslices";
    post(&server, slices, &fresh(&recorded["endpointslice"])).await;
    let name = recorded["endpointslice"]["metadata"]["name"]
        .as_str()
        .unwrap();
    let slice = format!("{slices}/{name}");
    for (patch, expected) in [
        (json!({"metadata": {"annotations": {"a": "b"}}}), 1),
        (json!({"metadata": {"labels": {"a": "b"}}}), 2),
        (json!({"endpoints": null}), 3),
    ] {
        assert_eq!(generation(&slice, patch.clone()).await, expected, "{patch}");
    }
}
