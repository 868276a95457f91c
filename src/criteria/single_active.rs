//! One ReplicaSet is active, it is the new one, and nothing is left of the others.

use crate::history::facts::ReplicaSetFacts;

use super::cause::Cause;
use super::phrase::Phrase;
use super::rollout::{self, new_replicaset};
use super::timeline::Timeline;
use super::unjudged::nothing_rolled_out;
use super::verdict::Finding;

pub(super) fn judge(timeline: &Timeline<'_>, deployment: &str) -> Finding {
    let wanted = Phrase::new(
        "one ReplicaSet is active, the new one; the old ones have no pod left, not even a \
         terminating one",
        "有効な ReplicaSet は新しいもの一つだけで、古いものには終了中の Pod も残っていない",
    );
    let mut finding = Finding::new(wanted);
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return finding.unknown(nothing_rolled_out(deployment));
    };
    let state = &timeline.state;
    // Until the change is seen, the old ReplicaSet is the only one.
    let new = rollout
        .noticed
        .and_then(|_| new_replicaset(state, deployment));
    let Some((new_name, new)) = new else {
        return finding.unknown(Phrase::new(
            "no ReplicaSet with the new template has been seen yet",
            "新しいテンプレートの ReplicaSet がまだ観測されていない",
        ));
    };
    let mut left = None;
    for (name, replicaset) in state.replicasets_of(&rollout.uid) {
        let pods = state.pods_of(&replicaset.uid).count();
        let counts = counts(&replicaset.facts, pods);
        let revision = replicaset.facts.revision;
        finding.observe(
            None,
            Phrase::new(
                format!("{name}: revision {revision}, {}", counts.en),
                format!("{name}: リビジョン {revision}、{}", counts.ja),
            ),
        );
        let ReplicaSetFacts {
            replicas, total, ..
        } = replicaset.facts;
        let is_left = replicas > 0 || total > 0 || pods > 0;
        if is_left && replicaset.uid != new.uid && left.is_none() {
            // Terminating pods count as no replicas any more.
            let cause = (replicas == 0 && total == 0).then_some(Cause::StillTerminating);
            left = Some((name, counts, cause));
        }
    }
    if let Some((name, counts, cause)) = left {
        let seen = Phrase::new(
            format!("the old ReplicaSet {name} still has {}", counts.en),
            format!("古い ReplicaSet {name} に{}が残っている", counts.ja),
        );
        return finding
            .fail(format!("replicaset/{name}"), seen)
            .because(cause);
    }
    let replicas = new.facts.replicas;
    if replicas == 0 {
        let seen = Phrase::new(
            format!("the new ReplicaSet {new_name} has 0 desired replicas"),
            format!("新しい ReplicaSet {new_name} の希望数が 0"),
        );
        return finding.fail(format!("replicaset/{new_name}"), seen);
    }
    finding.pass(Phrase::new(
        format!("only {new_name} is active, with {replicas} replicas"),
        format!("{new_name} だけが有効（レプリカ {replicas} 個）"),
    ))
}

fn counts(facts: &ReplicaSetFacts, pods: usize) -> Phrase {
    let (desired, actual) = (facts.replicas, facts.total);
    Phrase::new(
        format!("{desired} desired and {actual} actual replicas, and {pods} pods"),
        format!("希望数 {desired}、実際の数 {actual}、Pod {pods} 個"),
    )
}

#[cfg(test)]
mod tests;
