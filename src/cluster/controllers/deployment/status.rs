//! The status of a `Deployment`, summed over its `ReplicaSet`s, and its conditions.
//!
//! Source: `pkg/controller/deployment/sync.go`, `calculateStatus`;
//! `pkg/controller/deployment/util/deployment_util.go`, `SetDeploymentCondition`.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::fenceposts::Fenceposts;
use super::sets::{Sets, actual, available, desired, ready, replicas};

/// The kinds of conditions of a `Deployment`.
pub(super) const AVAILABLE: &str = "Available";
pub(super) const PROGRESSING: &str = "Progressing";
pub(super) const REPLICA_FAILURE: &str = "ReplicaFailure";

/// The counts and the `Available` condition; other conditions stay as they are.
pub(super) fn calculate(deployment: &Deployment, sets: &Sets, now: Timestamp) -> DeploymentStatus {
    let old = deployment.status.clone().unwrap_or_default();
    let available_pods = sets.total(available);
    let mut status = DeploymentStatus {
        observed_generation: deployment.metadata.generation,
        replicas: nonzero(sets.total(actual)),
        updated_replicas: nonzero(sets.new_set().map_or(0, actual)),
        ready_replicas: nonzero(sets.total(ready)),
        available_replicas: nonzero(available_pods),
        unavailable_replicas: nonzero((sets.total(desired) - available_pods).max(0)),
        terminating_replicas: terminating(&sets.all),
        collision_count: old.collision_count,
        conditions: old.conditions,
    };
    let must_be_available = replicas(deployment) - Fenceposts::of(deployment).unavailable;
    let condition = if available_pods >= must_be_available {
        condition(
            AVAILABLE,
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
            now,
        )
    } else {
        condition(
            AVAILABLE,
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
            now,
        )
    };
    set(&mut status, condition);
    status
}

/// The sum of the terminating pods; `None` while a `ReplicaSet` does not count them.
fn terminating(sets: &[ReplicaSet]) -> Option<i32> {
    sets.iter()
        .map(|set| {
            let status = set.status.clone().unwrap_or_default();
            let unseen = status.observed_generation.unwrap_or_default() == 0;
            status.terminating_replicas.or(unseen.then_some(0))
        })
        .sum()
}

/// Whether all pods are of the new version, available, and no old one is left.
pub(super) fn is_complete(deployment: &Deployment, status: &DeploymentStatus) -> bool {
    let wanted = replicas(deployment);
    let count = |field: Option<i32>| field.unwrap_or_default();
    count(status.updated_replicas) == wanted
        && count(status.replicas) == wanted
        && count(status.available_replicas) == wanted
        && status.observed_generation.unwrap_or_default()
            >= deployment.metadata.generation.unwrap_or_default()
}

/// A condition that was set at a time.
pub(super) fn condition(
    kind: &str,
    status: &str,
    reason: &str,
    message: impl Into<String>,
    now: Timestamp,
) -> DeploymentCondition {
    DeploymentCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.into()),
        last_update_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    }
}

pub(super) fn find<'a>(
    status: &'a DeploymentStatus,
    kind: &str,
) -> Option<&'a DeploymentCondition> {
    status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == kind)
}

/// The reason of a condition, empty where there is no such condition.
pub(super) fn reason<'a>(status: &'a DeploymentStatus, kind: &str) -> &'a str {
    find(status, kind)
        .and_then(|condition| condition.reason.as_deref())
        .unwrap_or_default()
}

/// Sets a condition and tells whether anything changed. One of the same status and reason stays
/// untouched, whatever its message; another one moves to the end of the list, and keeps its
/// transition time where the status is the same.
pub(super) fn set(status: &mut DeploymentStatus, mut condition: DeploymentCondition) -> bool {
    if let Some(old) = find(status, &condition.type_) {
        if old.status == condition.status && old.reason == condition.reason {
            return false;
        }
        if old.status == condition.status {
            condition
                .last_transition_time
                .clone_from(&old.last_transition_time);
        }
    }
    remove(status, &condition.type_);
    status.conditions.get_or_insert_default().push(condition);
    true
}

pub(super) fn remove(status: &mut DeploymentStatus, kind: &str) {
    if let Some(conditions) = &mut status.conditions {
        conditions.retain(|condition| condition.type_ != kind);
    }
    status
        .conditions
        .take_if(|conditions| conditions.is_empty());
}

/// Counters of zero are left out.
fn nonzero(count: i32) -> Option<i32> {
    (count != 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    fn mk_deployment(status: &Value) -> Deployment {
        from_value(json!({
            "metadata": {"name": "web", "generation": 2},
            "spec": {
                "replicas": 10,
                "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                "selector": {},
                "template": {},
            },
            "status": status,
        }))
        .unwrap()
    }

    fn mk_set(desired: i32, status: &Value) -> ReplicaSet {
        from_value(json!({"spec": {"replicas": desired, "selector": {}}, "status": status}))
            .unwrap()
    }

    #[test]
    fn counts_are_sums_and_the_new_set_counts_as_updated() {
        // Recorded in the middle of a rollout of ten.
        let sets = Sets {
            all: vec![
                mk_set(
                    8,
                    &json!({"replicas": 8, "readyReplicas": 8, "availableReplicas": 8,
                        "terminatingReplicas": 2, "observedGeneration": 2}),
                ),
                mk_set(
                    5,
                    &json!({"replicas": 3, "terminatingReplicas": 0, "observedGeneration": 1}),
                ),
            ],
            new: Some(1),
        };
        let status = calculate(&mk_deployment(&Value::Null), &sets, now());
        assert_eq!(
            serde_json::to_value(status).unwrap(),
            json!({
                "observedGeneration": 2,
                "replicas": 11,
                "updatedReplicas": 3,
                "readyReplicas": 8,
                "availableReplicas": 8,
                "unavailableReplicas": 5,
                "terminatingReplicas": 2,
                "conditions": [{
                    "type": "Available",
                    "status": "True",
                    "reason": "MinimumReplicasAvailable",
                    "message": "Deployment has minimum availability.",
                    "lastUpdateTime": "2026-01-01T12:00:00Z",
                    "lastTransitionTime": "2026-01-01T12:00:00Z",
                }],
            })
        );
    }

    #[test]
    fn terminating_pods_are_unknown_while_a_set_that_was_seen_does_not_count_them() {
        let seen = mk_set(1, &json!({"replicas": 1, "observedGeneration": 1}));
        let fresh = mk_set(1, &json!({"replicas": 0}));
        let counting = mk_set(
            1,
            &json!({"replicas": 1, "observedGeneration": 1, "terminatingReplicas": 2}),
        );
        assert_eq!(terminating(&[counting.clone(), fresh]), Some(2));
        assert_eq!(terminating(&[counting, seen]), None);
        assert_eq!(terminating(&[]), Some(0));
    }

    #[test]
    fn a_condition_is_told_again_only_with_another_status_or_reason() {
        let earlier: Timestamp = "2026-01-01T11:00:00Z".parse().unwrap();
        let mut status = DeploymentStatus::default();
        assert!(set(
            &mut status,
            condition(PROGRESSING, "True", "A", "first", earlier)
        ));
        assert!(set(
            &mut status,
            condition(AVAILABLE, "True", "B", "", earlier)
        ));
        assert!(!set(
            &mut status,
            condition(PROGRESSING, "True", "A", "second", now())
        ));
        assert_eq!(
            find(&status, PROGRESSING).and_then(|condition| condition.message.as_deref()),
            Some("first")
        );
        assert!(set(
            &mut status,
            condition(PROGRESSING, "True", "C", "third", now())
        ));
        let conditions = status.conditions.clone().unwrap();
        assert_eq!(conditions[1].type_, PROGRESSING, "it moved to the end");
        assert_eq!(conditions[1].last_transition_time, Some(Time(earlier)));
        assert_eq!(conditions[1].last_update_time, Some(Time(now())));
        assert!(set(
            &mut status,
            condition(PROGRESSING, "False", "C", "", now())
        ));
        let changed = find(&status, PROGRESSING).unwrap();
        assert_eq!(changed.last_transition_time, Some(Time(now())));
    }
}
