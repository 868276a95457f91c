//! Whether a rollout gets on: the `Progressing` condition and its deadline.
//!
//! Source: `pkg/controller/deployment/progress.go`.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet, ReplicaSetCondition,
};
use kube::ResourceExt as _;

use super::sets::Sets;
use super::status::{
    PROGRESSING, REPLICA_FAILURE, calculate, condition, find, is_complete, reason, remove, set,
};

/// Reasons of the `Progressing` condition.
pub(super) const CREATED: &str = "NewReplicaSetCreated";
pub(super) const FOUND: &str = "FoundNewReplicaSet";
pub(super) const CREATE_FAILED: &str = "ReplicaSetCreateError";
const UPDATED: &str = "ReplicaSetUpdated";
const COMPLETE: &str = "NewReplicaSetAvailable";
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";
const RESUMED: &str = "DeploymentResumed";

/// A deadline is looked at this much after it is over.
const SLACK: Duration = Duration::from_secs(1);

/// A status after a pass.
pub(super) struct Estimate {
    pub(super) status: DeploymentStatus,
    /// Whether the `Progressing` condition was told anew, perhaps in the same words.
    pub(super) told: bool,
}

/// The time that a rollout may take without getting on; `None` where it may take forever.
pub(super) fn deadline(deployment: &Deployment) -> Option<Duration> {
    let seconds = deployment.spec.as_ref()?.progress_deadline_seconds?;
    (seconds != i32::MAX).then(|| Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// The status with all its conditions. `age` is how long ago the stored `Progressing` condition
/// was last told.
pub(super) fn estimate(
    deployment: &Deployment,
    sets: &Sets,
    now: Timestamp,
    age: Duration,
) -> Estimate {
    let old = deployment.status.clone().unwrap_or_default();
    let mut status = calculate(deployment, sets, now);
    let mut told = false;
    match deadline(deployment) {
        None => remove(&mut status, PROGRESSING),
        // A rollout that once was complete is not judged again, whatever becomes of its pods.
        Some(_)
            if status.replicas == status.updated_replicas
                && reason(&old, PROGRESSING) == COMPLETE => {}
        Some(deadline) => {
            told = judge(deployment, sets, &old, &mut status, now, age > deadline);
        }
    }
    match failure(sets) {
        Some(failure) => {
            set(&mut status, failure);
        }
        None => remove(&mut status, REPLICA_FAILURE),
    }
    Estimate { status, told }
}

fn judge(
    deployment: &Deployment,
    sets: &Sets,
    old: &DeploymentStatus,
    status: &mut DeploymentStatus,
    now: Timestamp,
    is_late: bool,
) -> bool {
    let subject = sets.new_set().map_or_else(
        || format!("Deployment \"{}\"", deployment.name_any()),
        |new| format!("ReplicaSet \"{}\"", new.name_any()),
    );
    let tell = |state: &str, reason: &str, what: &str| {
        condition(PROGRESSING, state, reason, format!("{subject} {what}"), now)
    };
    if is_complete(deployment, status) {
        set(
            status,
            tell("True", COMPLETE, "has successfully progressed."),
        )
    } else if gets_on(old, status) {
        let mut updated = tell("True", UPDATED, "is progressing.");
        // Told anew even if it says the same: its time is what the deadline counts from.
        if let Some(old) = find(old, PROGRESSING).filter(|old| old.status == "True") {
            updated
                .last_transition_time
                .clone_from(&old.last_transition_time);
        }
        remove(status, PROGRESSING);
        set(status, updated)
    } else if has_timed_out(status, is_late) {
        set(
            status,
            tell("False", TIMED_OUT, "has timed out progressing."),
        )
    } else {
        false
    }
}

/// Whether there are more new pods, fewer old ones, or more that are ready or available.
fn gets_on(old: &DeploymentStatus, new: &DeploymentStatus) -> bool {
    let count = |field: Option<i32>| field.unwrap_or_default();
    let of_old_versions =
        |status: &DeploymentStatus| count(status.replicas) - count(status.updated_replicas);
    count(new.updated_replicas) > count(old.updated_replicas)
        || of_old_versions(new) < of_old_versions(old)
        || count(new.ready_replicas) > count(old.ready_replicas)
        || count(new.available_replicas) > count(old.available_replicas)
}

fn has_timed_out(status: &DeploymentStatus, is_late: bool) -> bool {
    match reason(status, PROGRESSING) {
        "" | COMPLETE => false,
        TIMED_OUT => true,
        _ => is_late,
    }
}

/// The failure to make or remove pods that the new `ReplicaSet` reports, or else the first that
/// does.
fn failure(sets: &Sets) -> Option<DeploymentCondition> {
    let reported = |set: &ReplicaSet| {
        let conditions = set.status.as_ref()?.conditions.as_ref()?;
        conditions
            .iter()
            .find(|condition| condition.type_ == REPLICA_FAILURE)
            .cloned()
    };
    let found = sets
        .new_set()
        .and_then(reported)
        .or_else(|| sets.all.iter().find_map(reported))?;
    Some(copied(found))
}

fn copied(failure: ReplicaSetCondition) -> DeploymentCondition {
    DeploymentCondition {
        type_: failure.type_,
        status: failure.status,
        reason: failure.reason,
        message: failure.message,
        last_update_time: failure.last_transition_time.clone(),
        last_transition_time: failure.last_transition_time,
    }
}

/// The condition that says that a deployment was paused or resumed, where it does not say so yet:
/// the time of a pause is not held against the deadline.
pub(super) fn pause(deployment: &Deployment, now: Timestamp) -> Option<DeploymentCondition> {
    deadline(deployment)?;
    let status = deployment.status.clone().unwrap_or_default();
    let told = reason(&status, PROGRESSING);
    let (reason, message) = match (is_paused(deployment), told == PAUSED) {
        (true, false) => (PAUSED, "Deployment is paused"),
        (false, true) => (RESUMED, "Deployment is resumed"),
        _ => return None,
    };
    if told == TIMED_OUT {
        return None;
    }
    Some(condition(PROGRESSING, "Unknown", reason, message, now))
}

pub(super) fn is_paused(deployment: &Deployment) -> bool {
    let spec = deployment.spec.as_ref();
    spec.and_then(|spec| spec.paused).unwrap_or_default()
}

/// The time after which the deadline must be looked at, though nothing happened; `None` where it
/// need not be.
///
/// Worked example: of a deadline of 8 s, 3 s have passed: 5 s later it is over, and one more second
/// later it is looked at.
pub(super) fn look_again(
    deployment: &Deployment,
    status: &DeploymentStatus,
    age: Duration,
) -> Option<Duration> {
    let deadline = deadline(deployment)?;
    let is_settled = matches!(reason(status, PROGRESSING), "" | COMPLETE | TIMED_OUT);
    if is_settled || is_complete(deployment, status) {
        return None;
    }
    Some(deadline.saturating_sub(age) + SLACK)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use serde_json::{Value, from_value, json};

    use super::*;

    const EARLIER: &str = "2026-01-01T11:00:00Z";
    const NOW: &str = "2026-01-01T12:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn progressing(status: &str, reason: &str) -> Value {
        json!({"type": "Progressing", "status": status, "reason": reason, "message": "m",
            "lastUpdateTime": EARLIER, "lastTransitionTime": EARLIER})
    }

    /// A deployment of three pods with a deadline of eight seconds.
    fn mk_deployment(status: &Value) -> Deployment {
        from_value(json!({
            "metadata": {"name": "web", "generation": 2},
            "spec": {
                "replicas": 3,
                "progressDeadlineSeconds": 8,
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
                "selector": {},
                "template": {},
            },
            "status": status,
        }))
        .unwrap()
    }

    fn mk_sets(old: (i32, i32), new: (i32, i32)) -> Sets {
        let mk_set = |name: &str, (replicas, available): (i32, i32)| {
            from_value(json!({
                "metadata": {"name": name},
                "spec": {"replicas": replicas, "selector": {}},
                "status": {"replicas": replicas, "readyReplicas": available,
                    "availableReplicas": available, "terminatingReplicas": 0,
                    "observedGeneration": 1},
            }))
            .unwrap()
        };
        Sets {
            all: vec![mk_set("web-1", old), mk_set("web-2", new)],
            new: Some(1),
        }
    }

    fn estimate_of(status: &Value, sets: &Sets, age: u64) -> Estimate {
        estimate(
            &mk_deployment(status),
            sets,
            now(),
            Duration::from_secs(age),
        )
    }

    #[track_caller]
    fn assert_progressing(estimate: &Estimate, expected: &str) {
        let condition = find(&estimate.status, PROGRESSING).unwrap();
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        assert_eq!(
            format!(
                "{}/{}/{}",
                condition.status,
                text(&condition.reason),
                text(&condition.message)
            ),
            expected
        );
    }

    #[test]
    fn a_rollout_that_gets_on_says_so_each_time() {
        let stored = json!({
            "replicas": 4,
            "updatedReplicas": 1,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "conditions": [progressing("True", "ReplicaSetUpdated")],
        });
        let estimate = estimate_of(&stored, &mk_sets((2, 2), (2, 1)), 0);
        assert_progressing(
            &estimate,
            "True/ReplicaSetUpdated/ReplicaSet \"web-2\" is progressing.",
        );
        assert!(estimate.told);
        let condition = find(&estimate.status, PROGRESSING).unwrap();
        assert_eq!(condition.last_update_time, Some(Time(now())));
        let transition = condition.last_transition_time.clone();
        assert_eq!(transition, Some(Time(EARLIER.parse().unwrap())));
    }

    #[test]
    fn a_rollout_that_does_not_get_on_times_out_and_may_recover() {
        let stuck = |reason: &str, state: &str| {
            json!({
                "replicas": 4,
                "updatedReplicas": 1,
                "readyReplicas": 3,
                "availableReplicas": 3,
                "conditions": [progressing(state, reason)],
            })
        };
        let sets = mk_sets((3, 3), (1, 0));
        let in_time = estimate_of(&stuck("NewReplicaSetCreated", "True"), &sets, 8);
        assert_progressing(&in_time, "True/NewReplicaSetCreated/m");
        assert!(!in_time.told);
        let late = estimate_of(&stuck("NewReplicaSetCreated", "True"), &sets, 9);
        assert_progressing(
            &late,
            "False/ProgressDeadlineExceeded/ReplicaSet \"web-2\" has timed out progressing.",
        );
        let still = estimate_of(&stuck("ProgressDeadlineExceeded", "False"), &sets, 0);
        assert_progressing(&still, "False/ProgressDeadlineExceeded/m");
        let stored = stuck("ProgressDeadlineExceeded", "False");
        let recovered = estimate_of(&stored, &mk_sets((3, 3), (1, 1)), 99);
        assert_progressing(
            &recovered,
            "True/ReplicaSetUpdated/ReplicaSet \"web-2\" is progressing.",
        );
    }

    #[test]
    fn a_complete_rollout_is_not_judged_again() {
        let complete = estimate_of(
            &json!({"conditions": [progressing("True", "ReplicaSetUpdated")]}),
            &mk_sets((0, 0), (3, 3)),
            99,
        );
        assert_progressing(
            &complete,
            "True/NewReplicaSetAvailable/ReplicaSet \"web-2\" has successfully progressed.",
        );
        let stored = json!({
            "replicas": 3,
            "updatedReplicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "conditions": [progressing("True", "NewReplicaSetAvailable")],
        });
        let broken = estimate_of(&stored, &mk_sets((0, 0), (3, 1)), 99);
        assert_progressing(&broken, "True/NewReplicaSetAvailable/m");
    }

    #[test]
    fn without_a_deadline_progress_is_not_told() {
        let mut deployment =
            mk_deployment(&json!({"conditions": [progressing("True", "ReplicaSetUpdated")]}));
        for none in [None, Some(i32::MAX)] {
            deployment.spec.as_mut().unwrap().progress_deadline_seconds = none;
            let sets = mk_sets((3, 3), (1, 1));
            let estimate = estimate(&deployment, &sets, now(), Duration::ZERO);
            assert!(find(&estimate.status, PROGRESSING).is_none());
            assert_eq!(pause(&deployment, now()), None);
        }
    }

    #[test]
    fn a_failure_of_the_new_set_comes_before_that_of_another() {
        let mut sets = mk_sets((3, 3), (1, 0));
        for (place, message) in [(0, "old"), (1, "new")] {
            let failure = json!([{"type": "ReplicaFailure", "status": "True",
                "reason": "FailedCreate", "message": message, "lastTransitionTime": NOW}]);
            let status = sets.all[place].status.as_mut().unwrap();
            status.conditions = from_value(failure).unwrap();
            let estimate = estimate_of(&Value::Null, &sets, 0);
            let told = find(&estimate.status, REPLICA_FAILURE).unwrap();
            assert_eq!(told.message.as_deref(), Some(message));
        }
        let stored = json!({"conditions": [progressing("True", "ReplicaFailure")]});
        let estimate = estimate_of(&stored, &mk_sets((3, 3), (1, 0)), 0);
        assert!(find(&estimate.status, REPLICA_FAILURE).is_none());
    }

    #[test]
    fn pausing_and_resuming_are_told_once_and_never_over_a_timeout() {
        for (paused, stored, expected) in [
            (true, "NewReplicaSetAvailable", Some(PAUSED)),
            (true, "DeploymentPaused", None),
            (false, "DeploymentPaused", Some(RESUMED)),
            (false, "DeploymentResumed", None),
            (true, "ProgressDeadlineExceeded", None),
        ] {
            let status = json!({"conditions": [progressing("True", stored)]});
            let mut deployment = mk_deployment(&status);
            deployment.spec.as_mut().unwrap().paused = Some(paused);
            let told = pause(&deployment, now());
            let reason = told.as_ref().and_then(|told| told.reason.as_deref());
            assert_eq!(reason, expected, "{paused} {stored}");
            assert!(told.is_none_or(|told| told.status == "Unknown"));
        }
    }

    #[test]
    fn a_deadline_is_looked_at_one_second_after_it() {
        for (reason, age, again) in [
            ("NewReplicaSetCreated", 3, Some(6)),
            ("DeploymentResumed", 20, Some(1)),
            ("NewReplicaSetAvailable", 3, None),
            ("ProgressDeadlineExceeded", 3, None),
        ] {
            let status = json!({"conditions": [progressing("True", reason)]});
            let deployment = mk_deployment(&status);
            let status = deployment.status.clone().unwrap();
            let after = look_again(&deployment, &status, Duration::from_secs(age));
            assert_eq!(after, again.map(Duration::from_secs), "{reason}");
        }
    }
}
