//! What a `ReplicaSet` wants to know of a pod.
//!
//! Source: `pkg/api/v1/pod/util.go` and `pkg/controller/controller_utils.go`.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Pod, PodCondition, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;

use crate::cluster::controllers::claim;

/// Whether a pod counts: it has not ended, and nobody asked it to go.
pub(super) fn is_active(pod: &Pod) -> bool {
    !has_ended(pod) && pod.metadata.deletion_timestamp.is_none()
}

/// Whether a pod was asked to go and still runs.
pub(super) fn is_terminating(pod: &Pod) -> bool {
    !has_ended(pod) && pod.metadata.deletion_timestamp.is_some()
}

pub(super) fn is_ready(pod: &Pod) -> bool {
    ready_condition(pod).is_some()
}

/// The time at which a pod that is ready became so.
pub(super) fn ready_since(pod: &Pod) -> Option<Timestamp> {
    let since = ready_condition(pod)?.last_transition_time.as_ref()?;
    Some(since.0)
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn ready_condition(pod: &Pod) -> Option<&PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions
        .iter()
        .find(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// A new pod of a `ReplicaSet`; the API server completes its name.
pub(super) fn new_pod(owner: &ReplicaSet) -> Pod {
    let template = owner.spec.as_ref().and_then(|spec| spec.template.clone());
    let (metadata, spec) = template.map_or_else(
        || (ObjectMeta::default(), PodSpec::default()),
        |template| {
            (
                template.metadata.unwrap_or_default(),
                template.spec.unwrap_or_default(),
            )
        },
    );
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", owner.name_any())),
            namespace: owner.namespace(),
            labels: metadata.labels,
            annotations: metadata.annotations,
            finalizers: metadata.finalizers,
            owner_references: claim::reference(owner).map(|reference| vec![reference]),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        ..Pod::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_new_pod_is_the_template_with_its_owner() {
        let owner: ReplicaSet = from_value(json!({
            "metadata": {"name": "web-6", "namespace": "ns", "uid": "u", "labels": {"x": "y"}},
            "spec": {
                "selector": {},
                "template": {
                    "metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}},
                    "spec": {"containers": [{"name": "c", "image": "i"}]},
                },
            },
        }))
        .unwrap();
        let pod = serde_json::to_value(new_pod(&owner)).unwrap();
        assert_eq!(
            pod["metadata"],
            json!({
                "generateName": "web-6-",
                "namespace": "ns",
                "labels": {"app": "web"},
                "annotations": {"a": "b"},
                "ownerReferences": [{
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "web-6",
                    "uid": "u",
                    "controller": true,
                    "blockOwnerDeletion": true,
                }],
            })
        );
        assert_eq!(
            pod["spec"],
            json!({"containers": [{"name": "c", "image": "i"}]})
        );
    }

    #[test]
    fn ended_and_leaving_pods_are_not_active() {
        for (phase, leaving, active, terminating) in [
            ("Pending", false, true, false),
            ("Running", false, true, false),
            ("Running", true, false, true),
            ("Failed", false, false, false),
            ("Succeeded", true, false, false),
        ] {
            let deletion = leaving.then_some("2026-01-01T00:00:00Z");
            let pod: Pod = from_value(json!({
                "metadata": {"deletionTimestamp": deletion},
                "status": {"phase": phase},
            }))
            .unwrap();
            assert_eq!(is_active(&pod), active, "{phase} {leaving}");
            assert_eq!(is_terminating(&pod), terminating, "{phase} {leaving}");
        }
    }
}
