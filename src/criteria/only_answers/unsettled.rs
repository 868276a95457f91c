//! Why the right answers do not come although the rollout is complete.

use std::time::Duration;

use super::{ENOUGH, Expected, tell};
use crate::criteria::cause::Cause;
use crate::criteria::phrase::Phrase;
use crate::criteria::rollout::{Rollout, new_replicaset};
use crate::criteria::settled::{IN_A_ROW, LONGEST_LAG, ready_endpoints};
use crate::criteria::timeline::{Sampled, Timeline};
use crate::criteria::verdict::Finding;
use crate::history::record::{FailureClass, Outcome};

/// The rollout is complete, and yet the Service does not lead to its pods.
pub(super) fn without_endpoints(
    finding: Finding,
    timeline: &Timeline<'_>,
    rollout: &Rollout<'_>,
    deployment: &str,
) -> Finding {
    let since = rollout.completed.unwrap_or(rollout.began);
    let Some((service, _)) = timeline.state.services.iter().next() else {
        return finding.unknown(Phrase::new("there is no Service", "Service がない"));
    };
    let ready = ready_endpoints(&timeline.state);
    let cause = ready.is_empty().then_some(Cause::WrongSelector);
    let seen = if ready.is_empty() {
        Phrase::new(
            format!("the endpoints of {service} are empty, the pods of {deployment} are ready"),
            format!("{service} のエンドポイントは空、{deployment} の Pod は Ready"),
        )
    } else {
        let names = ready.into_iter().collect::<Vec<_>>().join(", ");
        Phrase::new(
            format!("the endpoints of {service} are {names}, not just the new pods"),
            format!("{service} のエンドポイントは {names} で、新しい Pod だけではない"),
        )
    };
    if timeline.now - since < LONGEST_LAG {
        return finding.unknown(seen);
    }
    finding
        .fail(format!("service/{service}"), seen)
        .because(cause)
        .explain(timeline.warnings_since(rollout.began, 3))
}

/// The path follows the endpoints, but later than it may.
pub(super) fn too_slow(mut finding: Finding, timeline: &Timeline<'_>, lag: Duration) -> Finding {
    let (lag, most) = (lag.as_secs_f64(), LONGEST_LAG.as_secs());
    finding.figure("path_lag_seconds", lag);
    let seen = Phrase::new(
        format!("the path took {lag:.1} s to follow the endpoints, more than {most} s"),
        format!("経路がエンドポイントに追いつくまで {lag:.1} 秒、上限は {most} 秒"),
    );
    finding
        .fail(service(timeline), seen)
        .because(Cause::SlowPath)
}

/// The endpoints are right, and yet the right answers do not come.
pub(super) fn not_settled(
    mut finding: Finding,
    timeline: &Timeline<'_>,
    since: &[Sampled<'_>],
    expected: Expected<'_>,
    too_late: bool,
) -> Finding {
    let deployment = expected.deployment;
    let (Some(first), Some(last)) = (since.first(), since.last()) else {
        return finding.unknown(Phrase::new(
            "no request was sent since the endpoints switched",
            "エンドポイントの切り替え後のリクエストがない",
        ));
    };
    let answered = since.iter().filter(|sampled| sampled.is_answered()).count();
    let (count, last) = (since.len(), tell(last));
    let seen = Phrase::new(
        format!(
            "{answered} of {count} requests were answered, never {IN_A_ROW} right ones in a row; \
             the last: {}",
            last.en
        ),
        format!(
            "{count} 回中 {answered} 回応答、正しい応答が {IN_A_ROW} 回続かない。最後: {}",
            last.ja
        ),
    );
    finding.count("requests", count);
    finding.observe(first.sample.sent, tell(first));
    // A new pod that answers wrongly is wrong at once. An old one may still be reached for a
    // while, and a missing answer may still come.
    let wrong = since
        .iter()
        .filter(|sampled| match &sampled.sample.outcome {
            Outcome::Answered(answer) => {
                !expected.is_good(answer) && from_new_pods(timeline, sampled, deployment)
            }
            Outcome::Failed { .. } => false,
        })
        .count();
    if wrong < ENOUGH && !too_late {
        return finding.unknown(seen);
    }
    if wrong > 0 {
        return finding
            .fail(format!("deployment/{deployment}"), seen)
            .because(Cause::WrongService);
    }
    let is_mismatch =
        since.iter().all(nothing_listens) && has_undeclared_port(timeline, deployment);
    let cause = if is_mismatch {
        Cause::WrongTargetPort
    } else {
        Cause::SlowPath
    };
    finding.fail(service(timeline), seen).because(cause)
}

/// The Service that the requests go through.
pub(super) fn service(timeline: &Timeline<'_>) -> String {
    timeline.state.services.keys().next().map_or_else(
        || "the NodePort".to_owned(),
        |name| format!("service/{name}"),
    )
}

/// Whether a request was answered by a pod of the new ReplicaSet. A service that does not tell its
/// pod is one of these when no other pod of the Deployment is left.
pub(super) fn from_new_pods(
    timeline: &Timeline<'_>,
    sampled: &Sampled<'_>,
    deployment: &str,
) -> bool {
    let Outcome::Answered(answer) = &sampled.sample.outcome else {
        return false;
    };
    let state = &timeline.state;
    let Some((_, new)) = new_replicaset(state, deployment) else {
        return false;
    };
    let is_new = |owner: &Option<String>| owner.as_ref() == Some(&new.uid);
    match &answer.pod {
        Some(pod) => state
            .pods
            .get(pod)
            .is_some_and(|known| is_new(&known.facts.owner)),
        None => state.pods.values().all(|known| is_new(&known.facts.owner)),
    }
}

fn nothing_listens(sampled: &Sampled<'_>) -> bool {
    matches!(
        sampled.sample.outcome,
        Outcome::Failed {
            class: FailureClass::Refused | FailureClass::Reset,
            ..
        }
    )
}

/// Whether the endpoints name a port that no container of the new pods declares.
fn has_undeclared_port(timeline: &Timeline<'_>, deployment: &str) -> bool {
    let state = &timeline.state;
    let Some((_, replicaset)) = new_replicaset(state, deployment) else {
        return false;
    };
    let declared: Vec<u16> = state
        .pods_of(&replicaset.uid)
        .flat_map(|(_, pod)| &pod.facts.containers)
        .flat_map(|container| container.ports.iter().copied())
        .collect();
    state
        .slices
        .values()
        .flat_map(|slice| &slice.facts.ports)
        .any(|port| !declared.contains(port))
}
