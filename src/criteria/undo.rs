//! An undo is complete: the rollout is, and it brought an old template back as it should.

use crate::history::State;
use crate::history::facts::ReplicaSetFacts;
use crate::history::record::Verb;
use crate::history::state::Known;

use super::complete;
use super::phrase::Phrase;
use super::rollout::{self, Rollout};
use super::timeline::Timeline;
use super::unjudged::nothing_rolled_out;
use super::verdict::{Finding, Status};

/// The template must be that of the revision that was asked for, else of the one before the last;
/// its ReplicaSet must be the old one, taken up again under the next revision.
pub(super) fn judge(timeline: &Timeline<'_>, deployment: &str) -> Finding {
    let wanted = Phrase::new(
        format!(
            "the undo of {deployment} completes: the old template is back in its old ReplicaSet, \
             under a new revision"
        ),
        format!(
            "{deployment} の取り消しが完了する（元のテンプレートが元の ReplicaSet で、新しい\
             リビジョンになる）"
        ),
    );
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return Finding::new(wanted).unknown(nothing_rolled_out(deployment));
    };
    if rollout.command.verb != Verb::Undo {
        return Finding::new(wanted).unknown(Phrase::new(
            "the last change was no undo",
            "最後の変更が取り消しではない",
        ));
    }
    let base = complete::rollout(timeline, deployment);
    let finding = Finding { wanted, ..base };
    if finding.status == Status::Pass {
        brought_back(finding, timeline, &rollout, deployment)
    } else {
        finding
    }
}

fn brought_back(
    mut finding: Finding,
    timeline: &Timeline<'_>,
    rollout: &Rollout<'_>,
    deployment: &str,
) -> Finding {
    let before = rollout.state_before(timeline);
    let old = before.deployments.get(deployment);
    let new = timeline.state.deployments.get(deployment);
    let (Some(old), Some(new)) = (old, new) else {
        return finding.unknown(Phrase::new(
            "the Deployment was not seen before the undo",
            "取り消し前の Deployment が観測されていない",
        ));
    };
    let Some((name, target)) = target(&before, rollout) else {
        return finding.unknown(Phrase::new(
            "the ReplicaSet to go back to was not seen before the undo",
            "戻り先の ReplicaSet が取り消し前に観測されていない",
        ));
    };
    let object = format!("deployment/{deployment}");
    let template = &new.facts.template.fingerprint;
    if *template == old.facts.template.fingerprint {
        return finding.fail(
            object,
            Phrase::new(
                "the template did not change",
                "テンプレートが変わっていない",
            ),
        );
    }
    if *template != target.facts.template.fingerprint {
        let revision = target.facts.revision;
        return finding.fail(
            object,
            Phrase::new(
                format!("the template after the undo is not that of revision {revision}"),
                format!("取り消し後のテンプレートがリビジョン {revision} のものではない"),
            ),
        );
    }
    if timeline.state.replicasets.get(name).map(|known| &known.uid) != Some(&target.uid) {
        return finding.fail(
            format!("replicaset/{name}"),
            Phrase::new(
                "the old ReplicaSet was replaced",
                "元の ReplicaSet が作り直された",
            ),
        );
    }
    let (from, to) = (old.facts.revision, new.facts.revision);
    if to != from + 1 {
        let due = from + 1;
        return finding.fail(
            object,
            Phrase::new(
                format!("the revision went from {from} to {to}, not to {due}"),
                format!("リビジョンが {from} から {due} ではなく {to} になった"),
            ),
        );
    }
    finding.observe(
        None,
        Phrase::new(
            format!("ReplicaSet {name} is used again; revision {from} became {to}"),
            format!("ReplicaSet {name} を再利用、リビジョンは {from} から {to} へ"),
        ),
    );
    let seen = Phrase::new(
        format!(
            "{}; ReplicaSet {name} is used again as revision {to}",
            finding.seen.en
        ),
        format!(
            "{}、ReplicaSet {name} をリビジョン {to} として再利用",
            finding.seen.ja
        ),
    );
    finding.pass(seen)
}

/// The ReplicaSet that an undo goes back to: of the revision that was named, else of the newest
/// but one, as kubectl chooses.
fn target<'s>(
    before: &'s State,
    rollout: &'s Rollout<'_>,
) -> Option<(&'s String, &'s Known<ReplicaSetFacts>)> {
    let mut own: Vec<_> = before.replicasets_of(&rollout.uid).collect();
    own.sort_by_key(|(_, known)| std::cmp::Reverse(known.facts.revision));
    match rollout.command.argument.parse::<i64>() {
        Ok(wanted) => own
            .into_iter()
            .find(|(_, known)| known.facts.revision == wanted),
        Err(_) => own.into_iter().nth(1),
    }
}

#[cfg(test)]
mod tests;
