//! Which old versions are forgotten.
//!
//! Source: `pkg/controller/deployment/sync.go`, `cleanupDeployment`.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};

use super::revision;
use super::sets::{actual, desired};

/// The `ReplicaSet`s that are too many, lowest revision first, given all old ones, oldest first. One
/// that still has pods, or that its controller has not seen yet, is spared; no other goes in its
/// place.
///
/// Worked example: a limit of 2 and the old revisions 1, 2, 4, 5: the first two are too many; where
/// 2 still has a pod, only 1 goes.
pub(super) fn expendable<'a>(
    deployment: &Deployment,
    old: impl Iterator<Item = &'a ReplicaSet>,
) -> Vec<&'a ReplicaSet> {
    let spec = deployment.spec.as_ref();
    let limit = match spec.and_then(|spec| spec.revision_history_limit) {
        None | Some(i32::MAX) => return Vec::new(),
        Some(limit) => usize::try_from(limit).unwrap_or_default(),
    };
    let mut alive: Vec<&ReplicaSet> = old
        .filter(|set| set.metadata.deletion_timestamp.is_none())
        .collect();
    alive.sort_by_key(|set| revision::of(*set).unwrap_or_default());
    let too_many = alive.len().saturating_sub(limit);
    alive.truncate(too_many);
    alive.retain(|set| is_idle(set));
    alive
}

fn is_idle(set: &ReplicaSet) -> bool {
    let seen = set
        .status
        .as_ref()
        .and_then(|status| status.observed_generation)
        .unwrap_or_default();
    actual(set) == 0 && desired(set) == 0 && set.metadata.generation.unwrap_or_default() <= seen
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_set(revision: &str, changes: &Value) -> ReplicaSet {
        let mut set = json!({
            "metadata": {
                "name": format!("r{revision}"),
                "generation": 2,
                "annotations": {"deployment.kubernetes.io/revision": revision},
            },
            "spec": {"replicas": 0, "selector": {}},
            "status": {"replicas": 0, "observedGeneration": 2},
        });
        json_patch::merge(&mut set, changes);
        from_value(set).unwrap()
    }

    #[track_caller]
    fn assert_expendable(limit: Option<i32>, old: &[ReplicaSet], expected: &[&str]) {
        let deployment: Deployment = from_value(json!({
            "spec": {"revisionHistoryLimit": limit, "selector": {}, "template": {}},
        }))
        .unwrap();
        let names: Vec<_> = expendable(&deployment, old.iter())
            .into_iter()
            .map(kube::ResourceExt::name_any)
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn the_lowest_revisions_beyond_the_limit_go() {
        let plain = json!({});
        let old = ["10", "2", "1", "4"].map(|revision| mk_set(revision, &plain));
        assert_expendable(Some(2), &old, &["r1", "r2"]);
        assert_expendable(Some(0), &old, &["r1", "r2", "r4", "r10"]);
        assert_expendable(Some(4), &old, &[]);
        assert_expendable(None, &old, &[]);
        assert_expendable(Some(i32::MAX), &old, &[]);
    }

    #[test]
    fn one_that_is_not_idle_is_spared_and_not_replaced() {
        for change in [
            json!({"spec": {"replicas": 1}}),
            json!({"status": {"replicas": 1}}),
            json!({"status": {"observedGeneration": 1}}),
        ] {
            let old = [mk_set("1", &change), mk_set("2", &json!({}))];
            assert_expendable(Some(1), &old, &[]);
        }
    }

    #[test]
    fn one_that_goes_already_does_not_count() {
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        let old = [mk_set("1", &going), mk_set("2", &json!({}))];
        assert_expendable(Some(1), &old, &[]);
    }
}
