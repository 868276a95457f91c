//! The rollout is complete by kubectl's own rule.

use crate::history::facts::DeploymentFacts;

use super::cause::Cause;
use super::diagnosis::{Trouble, trouble};
use super::phrase::Phrase;
use super::rollout::{self, Rollout, new_replicaset};
use super::timeline::Timeline;
use super::unjudged::nothing_rolled_out;
use super::verdict::Finding;

pub(super) fn rollout(timeline: &Timeline<'_>, deployment: &str) -> Finding {
    let wanted = Phrase::new(
        format!(
            "the rollout of {deployment} completes: all pods updated and available, none of an \
             old template left"
        ),
        format!(
            "{deployment} のロールアウトが完了する（全 Pod が更新済みで利用可能、古い Pod なし）"
        ),
    );
    let mut finding = Finding::new(wanted);
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return finding.unknown(nothing_rolled_out(deployment));
    };
    finding.observe(
        rollout.began,
        Phrase::new("the change was sent", "変更を送信"),
    );
    if rollout.noticed.is_none() {
        return finding.unknown(Phrase::new(
            "the change has not been seen yet",
            "変更がまだ観測されていない",
        ));
    }
    let Some(known) = timeline.state.deployments.get(deployment) else {
        return finding.fail(
            format!("deployment/{deployment}"),
            Phrase::new("the Deployment does not exist", "Deployment がない"),
        );
    };
    let Some(completed) = rollout.completed else {
        return not_complete(finding, timeline, &rollout, deployment, &known.facts);
    };
    let took = completed - rollout.began;
    finding.figure("rollout_seconds", took.as_secs_f64());
    finding.observe(completed, counts(&known.facts));
    finding.pass(Phrase::new(
        format!("complete after {:.2} s", took.as_secs_f64()),
        format!("{:.2} 秒で完了", took.as_secs_f64()),
    ))
}

fn not_complete(
    finding: Finding,
    timeline: &Timeline<'_>,
    rollout: &Rollout<'_>,
    deployment: &str,
    facts: &DeploymentFacts,
) -> Finding {
    let counts = counts(facts);
    let trouble = new_replicaset(&timeline.state, deployment)
        .and_then(|(_, replicaset)| trouble(&timeline.state, &replicaset.uid));
    let finding = finding.explain(timeline.warnings_since(rollout.began, 4));
    let late = rollout.deadline_exceeded.map(|_| Cause::ProgressDeadline);
    let Some(Trouble { pod, cause, text }) = trouble else {
        return finding
            .fail(format!("deployment/{deployment}"), counts)
            .because(late);
    };
    let seen = Phrase::new(
        format!("{}; {}", counts.en, text.en),
        format!("{}。{}", counts.ja, text.ja),
    );
    // A pod without a node may get one yet; after the deadline nobody waits for it.
    let cause = late
        .filter(|_| cause == Cause::Unschedulable)
        .unwrap_or(cause);
    finding.fail(format!("pod/{pod}"), seen).because(cause)
}

fn counts(facts: &DeploymentFacts) -> Phrase {
    let DeploymentFacts {
        replicas,
        updated,
        available,
        total,
        ..
    } = facts;
    let old = (total - updated).max(0);
    Phrase::new(
        format!("{updated} of {replicas} updated, {available} available, {old} old"),
        format!(
            "{replicas} 個中 {updated} 個が更新済み、{available} 個が利用可能、古い Pod {old} 個"
        ),
    )
}

#[cfg(test)]
mod tests;
