//! Pods of both versions answered during the update.

use std::collections::BTreeMap;

use crate::history::record::{Answer, Outcome};
use crate::history::{Entry, Stamp, State};

use super::phrase::Phrase;
use super::rollout::{self, Rollout, new_replicaset};
use super::settled::ready_endpoints;
use super::timeline::{Sampled, Timeline};
use super::unjudged::{no_request, not_complete, nothing_rolled_out};
use super::verdict::Finding;

/// Requests while both versions had endpoints after which a version that never answered is missing.
/// Even with one endpoint of four, chance would miss it once in 5,600 times.
const ENOUGH: usize = 30;

/// The two versions of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Old,
    New,
}

pub(super) fn judge(timeline: &Timeline<'_>, deployment: &str) -> Finding {
    let wanted = Phrase::new(
        "both versions answer between the change and its completion",
        "変更から完了までの間、両方のバージョンが応答する",
    );
    let mut finding = Finding::new(wanted);
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return finding.unknown(nothing_rolled_out(deployment));
    };
    let Some(completed) = rollout.completed else {
        return not_complete(finding, timeline, deployment);
    };
    let Some((_, _, samples)) = timeline.last_flow(rollout.began) else {
        return finding.unknown(no_request());
    };
    let during: Vec<Sampled<'_>> = samples
        .into_iter()
        .filter(|sampled| sampled.done <= completed)
        .collect();
    let pods = Pods::of(timeline, &rollout, deployment);
    let answers = |age: Age| -> Vec<Stamp> {
        let of_age = during
            .iter()
            .filter(|sampled| pods.age(sampled) == Some(age));
        of_age.map(|sampled| sampled.done).collect()
    };
    let (old, new) = (answers(Age::Old), answers(Age::New));
    finding.count("answers_old", old.len());
    finding.count("answers_new", new.len());
    let (olds, news) = (old.len(), new.len());
    let split = Phrase::new(
        format!("{olds} answers of the old version and {news} of the new"),
        format!("応答は古いバージョン {olds} 回、新しいバージョン {news} 回"),
    );
    if let (Some(first_new), Some(last_old)) = (new.iter().min(), old.iter().max()) {
        return mixed(finding, *first_new, *last_old, &split);
    }
    let mixed = pods.requests_to_both(timeline, &during);
    finding.count("requests_while_mixed", mixed);
    if mixed < ENOUGH {
        return finding.unknown(Phrase::new(
            format!(
                "{}; only {mixed} requests while both had endpoints",
                split.en
            ),
            format!(
                "{}。両方にエンドポイントがある間のリクエストは {mixed} 回だけ",
                split.ja
            ),
        ));
    }
    let nameless = during.iter().filter(|sampled| sampled.is_answered());
    let nameless = nameless
        .filter(|sampled| pods.age(sampled).is_none())
        .count();
    if nameless > 0 {
        return finding.unknown(Phrase::new(
            format!(
                "{}; {nameless} answers do not tell of which they are",
                split.en
            ),
            format!("{}。どちらの応答か分からないもの {nameless} 回", split.ja),
        ));
    }
    finding.fail(format!("deployment/{deployment}"), split)
}

fn mixed(mut finding: Finding, first_new: Stamp, last_old: Stamp, split: &Phrase) -> Finding {
    finding.figure("mixed_from_seconds", first_new.seconds());
    finding.figure("mixed_until_seconds", last_old.seconds());
    finding.observe(
        first_new,
        Phrase::new(
            "first answer of the new version",
            "新しいバージョンの最初の応答",
        ),
    );
    finding.observe(
        last_old,
        Phrase::new(
            "last answer of the old version",
            "古いバージョンの最後の応答",
        ),
    );
    let window = last_old.since(first_new).as_secs_f64();
    finding.pass(Phrase::new(
        format!("{}; mixed for {window:.2} s", split.en),
        format!("{}、混在 {window:.2} 秒", split.ja),
    ))
}

/// Which version each pod and each VERSION is of, gone pods included.
struct Pods<'t> {
    by_name: BTreeMap<&'t str, Age>,
    /// For services that do not tell their pod; empty where both have the same VERSION.
    by_version: BTreeMap<String, Age>,
}

impl<'t> Pods<'t> {
    fn of(timeline: &Timeline<'t>, rollout: &Rollout<'_>, deployment: &str) -> Self {
        let state = &timeline.state;
        let new = new_replicaset(state, deployment).map(|(_, new)| new);
        let before = rollout.state_before(timeline);
        let old = new_replicaset(&before, deployment).map(|(_, old)| old);
        let mut by_version = BTreeMap::new();
        for (replicaset, age) in [(old, Age::Old), (new, Age::New)] {
            if let Some(version) = replicaset.and_then(|known| known.facts.template.version.clone())
                && by_version.insert(version, age).is_some()
            {
                by_version.clear();
            }
        }
        let own: Vec<&String> = state
            .replicasets_of(&rollout.uid)
            .map(|(_, known)| &known.uid)
            .collect();
        let by_name = timeline
            .pods()
            .filter_map(|(_, change, pod)| {
                let owner = pod.owner.as_ref().filter(|owner| own.contains(owner))?;
                let is_new = new.is_some_and(|new| new.uid == *owner);
                let age = if is_new { Age::New } else { Age::Old };
                Some((change.name.as_str(), age))
            })
            .collect();
        Self {
            by_name,
            by_version,
        }
    }

    /// The version that answered a request; `None` where none did, or where it is not known.
    fn age(&self, sampled: &Sampled<'_>) -> Option<Age> {
        match &sampled.sample.outcome {
            Outcome::Answered(Answer { pod: Some(pod), .. }) => {
                self.by_name.get(pod.as_str()).copied()
            }
            Outcome::Answered(answer) => self.by_version.get(&answer.version).copied(),
            Outcome::Failed { .. } => None,
        }
    }

    /// Requests that were sent while pods of both versions were ready endpoints.
    fn requests_to_both(&self, timeline: &Timeline<'_>, during: &[Sampled<'_>]) -> usize {
        let mut state = State::default();
        let mut records = timeline.records().iter().peekable();
        let mut mixed = 0;
        for sampled in during {
            while let Some(record) = records.next_if(|record| record.at <= sampled.sample.sent) {
                if let Entry::Change(change) = &record.entry {
                    state.fold(change);
                }
            }
            let ready = ready_endpoints(&state);
            let has = |age: Age| ready.iter().any(|pod| self.by_name.get(pod) == Some(&age));
            mixed += usize::from(has(Age::Old) && has(Age::New));
        }
        mixed
    }
}

#[cfg(test)]
mod tests;
