//! Pod templates: when two are the same, and the `ReplicaSet` that is made from one.
//!
//! Source: `pkg/controller/deployment/util/deployment_util.go`, `EqualIgnoreHash`;
//! `pkg/controller/deployment/sync.go`, `getNewReplicaSet`.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::ResourceExt as _;
use serde_json::Value;

use crate::cluster::controllers::claim;
use crate::cluster::controllers::template_hash::{meaning, template_hash};

/// The label that tells the pods of one version from those of another.
pub(super) const HASH_LABEL: &str = "pod-template-hash";
/// Bytes that a `ReplicaSet`'s name may have.
const NAME_LIMIT: usize = 253;

/// What the template of a deployment means; two that mean the same are the same version.
pub(super) fn meaning_of_deployment(deployment: &Deployment) -> String {
    meaning(&of_deployment(deployment))
}

/// What the template of a `ReplicaSet` means, but for the hash in its labels.
pub(super) fn meaning_of_replica_set(set: &ReplicaSet) -> String {
    meaning(&of_replica_set(set))
}

fn of_deployment(deployment: &Deployment) -> Value {
    json(deployment.spec.as_ref().map(|spec| &spec.template))
}

fn of_replica_set(set: &ReplicaSet) -> Value {
    let mut template = json(set.spec.as_ref().and_then(|spec| spec.template.as_ref()));
    let labels = template.pointer_mut("/metadata/labels");
    if let Some(Value::Object(labels)) = labels {
        labels.remove(HASH_LABEL);
    }
    template
}

fn json(template: Option<&PodTemplateSpec>) -> Value {
    // A template has no map whose keys are not texts, so it can always be written.
    serde_json::to_value(template).unwrap_or_default()
}

/// The `ReplicaSet` of a deployment's present template, without pods yet.
pub(super) fn new_replica_set(deployment: &Deployment) -> ReplicaSet {
    let collisions = deployment
        .status
        .as_ref()
        .and_then(|status| status.collision_count);
    let hash = template_hash(&of_deployment(deployment), collisions);
    let spec = deployment.spec.clone().unwrap_or_default();
    let mut template = spec.template;
    let labels = template
        .metadata
        .get_or_insert_default()
        .labels
        .get_or_insert_default();
    labels.insert(HASH_LABEL.to_owned(), hash.clone());
    let labels = labels.clone();
    ReplicaSet {
        metadata: ObjectMeta {
            name: Some(name(&deployment.name_any(), &hash)),
            namespace: deployment.namespace(),
            labels: Some(labels),
            annotations: Some(BTreeMap::new()),
            owner_references: claim::reference(deployment).map(|reference| vec![reference]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(0),
            min_ready_seconds: spec.min_ready_seconds,
            selector: with_hash(spec.selector, &hash),
            template: Some(template),
        }),
        status: None,
    }
}

fn with_hash(mut selector: LabelSelector, hash: &str) -> LabelSelector {
    let labels = selector.match_labels.get_or_insert_default();
    labels.insert(HASH_LABEL.to_owned(), hash.to_owned());
    selector
}

/// `web-64586f5df`; of a name that is too long, as much as fits.
fn name(deployment: &str, hash: &str) -> String {
    let room = NAME_LIMIT - 1 - hash.len();
    let cut = deployment.get(..room).unwrap_or(deployment);
    format!("{cut}-{hash}")
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_new_replica_set_selects_by_the_hash_of_its_template() {
        let deployment: Deployment = from_value(json!({
            "metadata": {"name": "web", "namespace": "ns", "uid": "u"},
            "spec": {
                "minReadySeconds": 3,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {
                        "containers": [{
                            "name": "c",
                            "image": "nginx",
                            "resources": {},
                            "terminationMessagePath": "/dev/termination-log",
                            "terminationMessagePolicy": "File",
                            "imagePullPolicy": "Always",
                        }],
                        "restartPolicy": "Always",
                        "terminationGracePeriodSeconds": 30,
                        "dnsPolicy": "ClusterFirst",
                        "securityContext": {},
                        "schedulerName": "default-scheduler",
                    },
                },
            },
        }))
        .unwrap();
        let set = new_replica_set(&deployment);
        assert_eq!(set.name_any(), "web-64586f5df");
        let labels = json!({"app": "web", "pod-template-hash": "64586f5df"});
        let set_json = serde_json::to_value(&set).unwrap();
        assert_eq!(set_json["metadata"]["labels"], labels);
        assert_eq!(
            set_json["metadata"]["ownerReferences"][0]["controller"],
            true
        );
        assert_eq!(
            set_json["metadata"]["ownerReferences"][0]["blockOwnerDeletion"],
            true
        );
        assert_eq!(set_json["spec"]["selector"]["matchLabels"], labels);
        assert_eq!(set_json["spec"]["template"]["metadata"]["labels"], labels);
        assert_eq!(set_json["spec"]["minReadySeconds"], 3);
        assert_eq!(of_replica_set(&set), of_deployment(&deployment));
    }

    #[test]
    fn a_long_name_is_cut_before_the_hash() {
        let name = name(&"a".repeat(253), "64586f5df");
        assert_eq!(name.len(), NAME_LIMIT);
        assert!(name.ends_with("a-64586f5df"));
    }
}
