//! Never more pods, and never fewer available ones, than the strategy allows.
//!
//! Judged on watch events. What happened between the change and its completion counts, also where
//! its watch told it later, and nothing else does:
//!
//! * At every event of a ReplicaSet, the desired numbers of all ReplicaSets together stay at or
//!   below replicas + maxSurge, and the available ones at or above replicas − maxUnavailable. These
//!   are what the Deployment controller decides by. The actual numbers in the statuses are not
//!   judged: each comes late and on its own, so their sum is true of no moment.
//! * At every event of a pod, the pods that neither terminate nor have finished stay at or below
//!   replicas + maxSurge, but for [`GRACE`]. The controller lowers one ReplicaSet and raises the
//!   other at once, and the two are worked on concurrently: on any cluster the pod that the raised
//!   one creates may be there a moment before the one that the lowered one deletes is marked.
//!   Kubernetes promises no time for that, and its own tests count the desired pods only; pods that
//!   are too many for longer are not explained by it. Source: `test/utils/deployment.go`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::history::facts::{Facts, PodFacts};
use crate::history::{Stamp, State};

use super::cause::Cause;
use super::phrase::Phrase;
use super::rollout::{self, Rollout};
use super::timeline::Timeline;
use super::unjudged::{not_complete, nothing_rolled_out, watch_gap};
use super::verdict::Finding;

/// How long there may be too many pods: far longer than a busy controller takes for two ReplicaSets,
/// far shorter than a pod stays that nobody deletes.
const GRACE: Duration = Duration::from_secs(5);

/// What a rollout must keep to.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    most: i64,
    least_available: i64,
}

pub(super) fn judge(
    timeline: &Timeline<'_>,
    deployment: &str,
    max_surge: i64,
    max_unavailable: i64,
) -> Finding {
    let mut finding = Finding::new(Phrase::new(
        format!(
            "the update keeps within maxSurge {max_surge} and maxUnavailable {max_unavailable}"
        ),
        format!("更新が maxSurge {max_surge}、maxUnavailable {max_unavailable} の範囲に収まる"),
    ));
    let Some(rollout) = rollout::last(timeline, deployment) else {
        return finding.unknown(nothing_rolled_out(deployment));
    };
    let before = rollout.state_before(timeline);
    let (Some(old), Some(new)) = (
        before.deployments.get(deployment),
        timeline.state.deployments.get(deployment),
    ) else {
        return finding.unknown(Phrase::new(
            "there was no Deployment before the change, so nothing was updated",
            "変更の前に Deployment がなく、更新ではない",
        ));
    };
    let (old, new) = (&old.facts, &new.facts);
    // An update may also scale; both numbers are right then.
    let bounds = Bounds {
        most: old.replicas.max(new.replicas) + max_surge,
        least_available: (old.replicas.min(new.replicas) - max_unavailable).max(0),
    };
    finding.wanted = wanted(bounds);
    if let Some(gap) = timeline.gap_since(rollout.began) {
        return finding.unknown(watch_gap(&gap));
    }
    if old.available < old.replicas {
        return finding.unknown(Phrase::new(
            "not all pods were available before the change",
            "変更の前に、利用可能でない Pod があった",
        ));
    }
    let course = Course::follow(timeline, before.clone(), &rollout, bounds);
    if course.events == 0 {
        return finding.unknown(Phrase::new(
            "no ReplicaSet changed",
            "ReplicaSet に変化がない",
        ));
    }
    let available = course.least_available.unwrap_or(old.available);
    course.report(&mut finding, available);
    let seen = course.tell(available);
    let allows_more = new
        .strategy
        .is_some_and(|(_, unavailable)| unavailable > max_unavailable);
    let cause =
        (allows_more && available < bounds.least_available).then_some(Cause::MaxUnavailable);
    let is_kept = course.broken.is_none() && course.crowd.longest <= GRACE;
    if !is_kept {
        if let Some((at, how)) = course.broken {
            finding.observe(at, how);
        }
        return finding
            .fail(format!("deployment/{deployment}"), seen)
            .because(cause)
            .explain(timeline.warnings_since(rollout.began, 3));
    }
    if rollout.completed.is_none() {
        return not_complete(finding, timeline, deployment);
    }
    if !course.is_caught_up(timeline, &rollout, deployment) {
        return finding.unknown(Phrase::new(
            format!(
                "the ReplicaSets have not been seen yet as they were at the end: {}",
                seen.en
            ),
            format!(
                "完了時の ReplicaSet の状態がまだ観測されていない: {}",
                seen.ja
            ),
        ));
    }
    if course.crowd.since.is_some() {
        return finding.unknown(Phrase::new(
            format!("there are too many pods, but not for long yet: {}", seen.en),
            format!("Pod が多すぎるが、まだわずかな間: {}", seen.ja),
        ));
    }
    finding.pass(seen)
}

fn wanted(bounds: Bounds) -> Phrase {
    let Bounds {
        most,
        least_available: least,
    } = bounds;
    Phrase::new(
        format!("at most {most} pods and at least {least} available, at every event"),
        format!("どの時点でも Pod は {most} 個以下、利用可能な Pod は {least} 個以上"),
    )
}

/// What a rollout went through.
#[derive(Debug, Default)]
struct Course {
    /// Events of ReplicaSets.
    events: usize,
    most_desired: i64,
    least_available: Option<i64>,
    /// The numbers at the last event: desired and available.
    last: (i64, i64),
    /// When and how the numbers of the ReplicaSets first broke the bounds.
    broken: Option<(Stamp, Phrase)>,
    crowd: Crowd,
}

impl Course {
    /// Folds the changes from a rollout's beginning to its completion. Pods that are too many at
    /// that time are followed for as long as they are.
    fn follow(
        timeline: &Timeline<'_>,
        mut state: State,
        rollout: &Rollout<'_>,
        bounds: Bounds,
    ) -> Self {
        let own = replicasets(timeline, rollout);
        let mut course = Self::default();
        let changes = timeline.changes();
        for (at, change) in changes.filter(|(at, change)| rollout.had_begun(*at, change)) {
            state.fold(change);
            let is_within = rollout.had_seen(at, change);
            match &change.facts {
                Facts::ReplicaSet(_) if own.contains(change.uid.as_str()) && is_within => {
                    course.weigh(&state, &rollout.uid, at, bounds);
                }
                Facts::Pod(_) if is_within || course.crowd.since.is_some() => {
                    let pods = live_pods(&state, &own);
                    course.crowd.note(at, pods, bounds.most);
                }
                _ => {}
            }
        }
        course.crowd.last_until(timeline.now);
        course
    }

    /// Weighs the numbers of all ReplicaSets at an event of one.
    fn weigh(&mut self, state: &State, uid: &str, at: Stamp, bounds: Bounds) {
        self.events += 1;
        let (mut desired, mut available) = (0, 0);
        for (_, replicaset) in state.replicasets_of(uid) {
            desired += replicaset.facts.replicas;
            available += replicaset.facts.available;
        }
        self.last = (desired, available);
        self.most_desired = self.most_desired.max(desired);
        let least = self.least_available.unwrap_or(available).min(available);
        self.least_available = Some(least);
        let is_kept = desired <= bounds.most && available >= bounds.least_available;
        if !is_kept && self.broken.is_none() {
            let how = Phrase::new(
                format!("{desired} desired, {available} available"),
                format!("希望数 {desired}、利用可能な Pod {available} 個"),
            );
            self.broken = Some((at, how));
        }
    }

    /// Whether the ReplicaSets were seen with the numbers that the complete Deployment has: it has
    /// them from there.
    fn is_caught_up(
        &self,
        timeline: &Timeline<'_>,
        rollout: &Rollout<'_>,
        deployment: &str,
    ) -> bool {
        let state = timeline.state_at(rollout.completed.unwrap_or(timeline.now));
        let known = state.deployments.get(deployment);
        known.is_some_and(|known| self.last == (known.facts.replicas, known.facts.available))
    }

    fn report(&self, finding: &mut Finding, available: i64) {
        let excess = self.crowd.longest.as_secs_f64();
        finding.figure("most_desired", float(self.most_desired));
        finding.figure("least_available", float(available));
        finding.figure("most_pods", float(self.crowd.most));
        finding.figure("longest_excess_seconds", excess);
        if let Some(at) = self.crowd.first {
            finding.observe(
                at,
                Phrase::new(
                    format!("more pods than allowed, for {excess:.3} s at the longest"),
                    format!("Pod が上限を超えた（最長 {excess:.3} 秒）"),
                ),
            );
        }
    }

    fn tell(&self, available: i64) -> Phrase {
        let (desired, pods, events) = (self.most_desired, self.crowd.most, self.events);
        Phrase::new(
            format!(
                "at most {desired} pods desired and {pods} seen, at least {available} available, \
                 over {events} events"
            ),
            format!(
                "Pod の希望数は最大 {desired}、観測は最大 {pods} 個、利用可能は最小 {available} 個\
                 （イベント {events} 件）"
            ),
        )
    }
}

/// The live pods of a rollout, and the times in which they were too many.
#[derive(Debug, Default)]
struct Crowd {
    most: i64,
    /// Since when they have been too many.
    since: Option<Stamp>,
    /// When they first were.
    first: Option<Stamp>,
    longest: Duration,
}

impl Crowd {
    fn note(&mut self, at: Stamp, pods: i64, allowed: i64) {
        self.most = self.most.max(pods);
        if pods > allowed {
            self.since.get_or_insert(at);
            self.first.get_or_insert(at);
        } else {
            self.last_until(at);
            self.since = None;
        }
    }

    fn last_until(&mut self, at: Stamp) {
        let lasted = self.since.map_or(Duration::ZERO, |since| at - since);
        self.longest = self.longest.max(lasted);
    }
}

/// All ReplicaSets that a Deployment ever had. A pod may be seen before its ReplicaSet is, since
/// each kind has a watch of its own.
fn replicasets<'r>(timeline: &Timeline<'r>, rollout: &Rollout<'_>) -> BTreeSet<&'r str> {
    timeline
        .changes()
        .filter_map(|(_, change)| match &change.facts {
            Facts::ReplicaSet(facts) if facts.owner.as_ref() == Some(&rollout.uid) => {
                Some(change.uid.as_str())
            }
            _ => None,
        })
        .collect()
}

fn live_pods(state: &State, own: &BTreeSet<&str>) -> i64 {
    let is_live = |pod: &PodFacts| {
        let owner = pod.owner.as_deref();
        let has_finished = pod.phase == "Succeeded" || pod.phase == "Failed";
        owner.is_some_and(|owner| own.contains(owner)) && !pod.terminating && !has_finished
    };
    let live = state.pods.values().filter(|pod| is_live(&pod.facts));
    i64::try_from(live.count()).unwrap_or(i64::MAX)
}

/// A number of pods as a figure; beyond any cluster's size it need not be exact.
fn float(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests;
