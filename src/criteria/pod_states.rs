//! The pods went through the states that a rolling update has.
//!
//! Judged on watch events, not on snapshots: with the image at hand `ContainerCreating` lasts less
//! than a second.

use std::collections::BTreeMap;

use crate::history::Stamp;
use crate::history::facts::PodFacts;

use super::phrase::Phrase;
use super::rollout::{self, Rollout, new_replicaset};
use super::timeline::Timeline;
use super::unjudged::{not_complete, nothing_rolled_out, watch_gap};
use super::verdict::Finding;

/// The states of one pod, in the order in which they were seen.
#[derive(Debug, Default)]
struct Course {
    is_new: bool,
    states: Vec<(Stamp, String)>,
    /// The last state that it had before the rollout.
    before: Option<String>,
}

impl Course {
    fn note(&mut self, at: Stamp, pod: &PodFacts, had_begun: bool) {
        if !had_begun {
            self.before = Some(pod.status.clone());
        }
        let last = self.states.last();
        if last.is_none_or(|(_, last)| *last != pod.status) {
            self.states.push((at, pod.status.clone()));
        }
    }

    /// The states that a pod of its kind goes through in a rolling update.
    fn due(&self) -> [&'static str; 2] {
        if self.is_new {
            ["ContainerCreating", "Running"]
        } else {
            ["Running", "Terminating"]
        }
    }

    fn went_as_due(&self) -> bool {
        let mut states = self.states.iter().map(|(_, state)| state.as_str());
        self.due()
            .iter()
            .all(|due| states.by_ref().any(|state| state == *due))
    }

    fn tell(&self) -> String {
        let states: Vec<String> = self
            .states
            .iter()
            .map(|(at, state)| format!("{state} ({at})"))
            .collect();
        states.join(", ")
    }

    /// Whether it is part of a rollout: a new pod came with it, an old one had not left before.
    /// An undo takes up a ReplicaSet whose earlier pods may still be terminating.
    fn takes_part(&self) -> bool {
        if self.is_new {
            self.before.is_none()
        } else {
            self.before.as_deref() != Some("Terminating")
        }
    }
}

pub(super) fn judge(timeline: &Timeline<'_>, deployment: &str) -> Finding {
    let wanted = Phrase::new(
        "new pods are ContainerCreating, then Running; old pods are Running, then Terminating",
        "新しい Pod は ContainerCreating から Running へ、古い Pod は Running から Terminating へ",
    );
    let mut finding = Finding::new(wanted);
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return finding.unknown(nothing_rolled_out(deployment));
    };
    if let Some(gap) = timeline.gap_since(rollout.began) {
        return finding.unknown(watch_gap(&gap));
    }
    if rollout.completed.is_none() {
        return not_complete(finding, timeline, deployment);
    }
    let courses = courses(timeline, &rollout, deployment);
    for (name, course) in &courses {
        let since = course.states.iter().map(|(at, _)| *at);
        finding.observe(
            since.clone().find(|at| *at >= rollout.began),
            Phrase::same(format!("{name}: {}", course.tell())),
        );
    }
    let count = |is_new: bool| {
        let own = courses.values().filter(|course| course.is_new == is_new);
        let went = own.clone().filter(|course| course.went_as_due()).count();
        (went, own.count())
    };
    let ((came, new_pods), (left, old_pods)) = (count(true), count(false));
    let seen = Phrase::new(
        format!(
            "{came} of {new_pods} new pods went from ContainerCreating to Running, {left} of \
             {old_pods} old ones from Running to Terminating"
        ),
        format!(
            "新しい Pod {new_pods} 個中 {came} 個が ContainerCreating から Running へ、古い Pod \
             {old_pods} 個中 {left} 個が Running から Terminating へ"
        ),
    );
    if new_pods == 0 || old_pods == 0 {
        return finding.unknown(Phrase::new(
            format!("nothing was replaced: {}", seen.en),
            format!("入れ替えがない: {}", seen.ja),
        ));
    }
    let odd = courses.iter().find(|(_, course)| !course.went_as_due());
    match odd {
        Some((name, course)) => {
            let finding = finding
                .fail(format!("pod/{name}"), seen)
                .explain(timeline.warnings_since(rollout.began, 3));
            // An old pod may still leave; a new one that runs is not created any more.
            if course.is_new && course.states.iter().any(|(_, state)| state == "Running") {
                finding.for_good()
            } else {
                finding
            }
        }
        None => finding.pass(seen),
    }
}

/// The courses of the pods that take part in a rollout.
fn courses<'r>(
    timeline: &Timeline<'r>,
    rollout: &Rollout<'_>,
    deployment: &str,
) -> BTreeMap<&'r str, Course> {
    let state = &timeline.state;
    let new = new_replicaset(state, deployment).map(|(_, new)| &new.uid);
    let own: Vec<&String> = state
        .replicasets_of(&rollout.uid)
        .map(|(_, known)| &known.uid)
        .collect();
    let mut courses: BTreeMap<&str, Course> = BTreeMap::new();
    for (at, change, pod) in timeline.pods() {
        let Some(owner) = pod.owner.as_ref().filter(|owner| own.contains(owner)) else {
            continue;
        };
        let course = courses.entry(&change.name).or_default();
        course.is_new = Some(owner) == new;
        course.note(at, pod, rollout.had_begun(at, change));
    }
    courses.retain(|_, course| course.takes_part());
    courses
}

#[cfg(test)]
mod tests;
