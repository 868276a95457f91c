//! When a `Deployment` that is recreated may start its new version.
//!
//! Source: `pkg/controller/deployment/recreate.go`, `oldPodsRunning`.

use k8s_openapi::api::core::v1::Pod;

use super::sets::{Sets, actual};
use crate::cluster::controllers::claim;

/// Whether pods of an old version are left. One that was asked to go counts as long as it is there;
/// one that has ended does not.
pub(super) fn old_pods_run(sets: &Sets, pods: &[Pod]) -> bool {
    sets.old().any(|(_, set)| {
        let uid = set.metadata.uid.as_deref().unwrap_or_default();
        actual(set) > 0
            || pods
                .iter()
                .any(|pod| claim::is_controlled_by(pod, uid) && !has_ended(pod))
    })
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::ReplicaSet;
    use serde_json::{from_value, json};

    use super::*;

    fn mk_set(uid: &str, replicas: i32) -> ReplicaSet {
        from_value(json!({
            "metadata": {"uid": uid},
            "spec": {"selector": {}},
            "status": {"replicas": replicas},
        }))
        .unwrap()
    }

    fn mk_pod(owner: &str, phase: &str) -> Pod {
        from_value(json!({
            "metadata": {
                "deletionTimestamp": "2026-01-01T00:00:00Z",
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs",
                    "uid": owner, "controller": true}],
            },
            "status": {"phase": phase},
        }))
        .unwrap()
    }

    #[test]
    fn the_new_version_waits_for_every_old_pod_to_end() {
        let sets = |old_replicas| Sets {
            all: vec![mk_set("old", old_replicas), mk_set("new", 3)],
            new: Some(1),
        };
        assert!(old_pods_run(&sets(1), &[]));
        assert!(!old_pods_run(&sets(0), &[]));
        for (owner, phase, run) in [
            ("old", "Running", true),
            ("old", "Pending", true),
            ("old", "Failed", false),
            ("old", "Succeeded", false),
            ("new", "Running", false),
            ("stranger", "Running", false),
        ] {
            let pods = [mk_pod(owner, phase)];
            assert_eq!(old_pods_run(&sets(0), &pods), run, "{owner} {phase}");
        }
    }
}
