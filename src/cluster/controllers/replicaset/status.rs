//! The status of a `ReplicaSet`, counted from its pods.
//!
//! Source: `pkg/controller/replicaset/replica_set_utils.go`, `calculateStatus`.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::pods::is_ready;
use crate::cluster::object::label_selector::LabelSelector;

const REPLICA_FAILURE: &str = "ReplicaFailure";

/// What a pass saw of the pods before it changed anything.
pub(super) struct Observed<'a> {
    /// The pods that count.
    pub(super) active: &'a [Pod],
    pub(super) terminating: usize,
    /// How long each ready pod has been ready, by uid; needed with `minReadySeconds` only.
    pub(super) ready_for: &'a HashMap<String, Duration>,
}

/// Why pods could not be made or removed.
pub(super) struct Failure {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// The status after a pass.
pub(super) fn calculate(
    owner: &ReplicaSet,
    observed: &Observed<'_>,
    failure: Option<&Failure>,
    now: Timestamp,
) -> ReplicaSetStatus {
    let template_labels = owner
        .spec
        .as_ref()
        .and_then(|spec| spec.template.as_ref()?.metadata.as_ref()?.labels.clone())
        .unwrap_or_default();
    let template = LabelSelector::from_map(&template_labels);
    let count = |counts: &dyn Fn(&Pod) -> bool| {
        size(observed.active.iter().filter(|pod| counts(pod)).count())
    };
    ReplicaSetStatus {
        replicas: count(&|_| true),
        fully_labeled_replicas: nonzero(count(&|pod| {
            template.matches(pod.metadata.labels.as_ref())
        })),
        ready_replicas: nonzero(count(&is_ready)),
        available_replicas: nonzero(count(&|pod| {
            available_in(owner, pod, observed.ready_for) == Some(Duration::ZERO)
        })),
        terminating_replicas: Some(size(observed.terminating)),
        observed_generation: owner.metadata.generation,
        conditions: conditions(owner.status.as_ref(), failure, now),
    }
}

/// The time until a ready pod counts as available; `None` for one that is not ready.
pub(super) fn available_in(
    owner: &ReplicaSet,
    pod: &Pod,
    ready_for: &HashMap<String, Duration>,
) -> Option<Duration> {
    if !is_ready(pod) {
        return None;
    }
    let needed = min_ready(owner);
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let age = ready_for.get(uid).copied().unwrap_or_default();
    Some(needed.saturating_sub(age))
}

/// How long a pod must be ready before it counts as available.
pub(super) fn min_ready(owner: &ReplicaSet) -> Duration {
    let seconds = owner.spec.as_ref().and_then(|spec| spec.min_ready_seconds);
    Duration::from_secs(u64::try_from(seconds.unwrap_or_default()).unwrap_or_default())
}

/// A failure is told once and stays as it was first told, until a pass goes well.
fn conditions(
    old: Option<&ReplicaSetStatus>,
    failure: Option<&Failure>,
    now: Timestamp,
) -> Option<Vec<ReplicaSetCondition>> {
    let mut conditions = old
        .and_then(|status| status.conditions.clone())
        .unwrap_or_default();
    let told = conditions
        .iter()
        .any(|condition| condition.type_ == REPLICA_FAILURE);
    match failure {
        Some(failure) if !told => conditions.push(ReplicaSetCondition {
            type_: REPLICA_FAILURE.to_owned(),
            status: "True".to_owned(),
            reason: Some(failure.reason.to_owned()),
            message: Some(failure.message.clone()),
            last_transition_time: Some(Time(now)),
        }),
        Some(_) => {}
        None => conditions.retain(|condition| condition.type_ != REPLICA_FAILURE),
    }
    (!conditions.is_empty()).then_some(conditions)
}

fn size(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Counters of zero are left out.
fn nonzero(count: i32) -> Option<i32> {
    (count != 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_owner(min_ready_seconds: i32, conditions: &Value) -> ReplicaSet {
        from_value(json!({
            "metadata": {"name": "web-6", "generation": 3},
            "spec": {
                "minReadySeconds": min_ready_seconds,
                "selector": {},
                "template": {"metadata": {"labels": {"app": "web", "v": "1"}}},
            },
            "status": {"replicas": 0, "conditions": conditions},
        }))
        .unwrap()
    }

    fn mk_pod(uid: &str, version: &str, ready: bool) -> Pod {
        let status = if ready { "True" } else { "False" };
        from_value(json!({
            "metadata": {"uid": uid, "labels": {"app": "web", "v": version, "more": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": status}]},
        }))
        .unwrap()
    }

    fn status(owner: &ReplicaSet, failure: Option<&Failure>) -> Value {
        let pods = [
            mk_pod("a", "1", true),
            mk_pod("b", "1", true),
            mk_pod("c", "2", false),
        ];
        let ready_for = HashMap::from([
            ("a".to_owned(), Duration::from_secs(30)),
            ("b".to_owned(), Duration::from_secs(10)),
        ]);
        let observed = Observed {
            active: &pods,
            terminating: 1,
            ready_for: &ready_for,
        };
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        serde_json::to_value(calculate(owner, &observed, failure, now)).unwrap()
    }

    #[test]
    fn pods_are_counted_by_labels_readiness_and_time() {
        let expected = json!({
            "replicas": 3,
            "fullyLabeledReplicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "terminatingReplicas": 1,
            "observedGeneration": 3,
        });
        assert_eq!(status(&mk_owner(0, &Value::Null), None), expected);
        let patient = status(&mk_owner(20, &Value::Null), None);
        assert_eq!(patient["availableReplicas"], 1);
        let impossible = status(&mk_owner(60, &Value::Null), None);
        assert_eq!(impossible.get("availableReplicas"), None);
    }

    #[test]
    fn no_pods_leave_zero_out_but_where_it_says_something() {
        let observed = Observed {
            active: &[],
            terminating: 0,
            ready_for: &HashMap::new(),
        };
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        let status = calculate(&mk_owner(0, &Value::Null), &observed, None, now);
        assert_eq!(
            serde_json::to_value(status).unwrap(),
            json!({"replicas": 0, "terminatingReplicas": 0, "observedGeneration": 3})
        );
    }

    #[test]
    fn the_first_failure_is_told_until_none_is_left() {
        let failure = |message: &str| Failure {
            reason: "FailedCreate",
            message: message.to_owned(),
        };
        let first = status(&mk_owner(0, &Value::Null), Some(&failure("first")));
        let told = json!([{
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": "first",
            "lastTransitionTime": "2026-01-01T12:00:00Z",
        }]);
        assert_eq!(first["conditions"], told);
        let second = status(&mk_owner(0, &told), Some(&failure("second")));
        assert_eq!(second["conditions"], told);
        let recovered = status(&mk_owner(0, &told), None);
        assert_eq!(recovered.get("conditions"), None);
    }
}
