//! Why requests failed: each failure held against what the endpoints and pods were at its time.
//!
//! A client does not learn which pod a failed request was sent to. What can be known is which pods
//! could have been chosen, and which of these could not answer.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::criteria::cause::Cause;
use crate::criteria::phrase::Phrase;
use crate::criteria::settled::ready_endpoints;
use crate::criteria::timeline::{Sampled, Timeline};
use crate::criteria::verdict::Evidence;
use crate::history::record::{ChangeKind, Outcome};
use crate::history::{Entry, Stamp, State};

/// How long a withdrawn endpoint may still be chosen: proxies sync at most once a second.
const PROXY_LAG: Duration = Duration::from_secs(2);

/// How late the end of a container may be reported: kubelets look once a second.
const REPORT_LAG: Duration = Duration::from_secs(2);

/// The causes of some failures.
#[derive(Debug)]
pub(super) struct Attribution {
    /// Each cause with the number of failures and the first of them, the most frequent first.
    pub(super) found: Vec<(Cause, usize, Evidence)>,
    pub(super) unexplained: usize,
}

/// Finds a cause for each failed request of a flow that was sent since a moment: as things stood
/// when it was sent, else when it failed.
pub(super) fn attribute(
    timeline: &Timeline<'_>,
    flow: &[Sampled<'_>],
    since: Stamp,
    deployment: &str,
) -> Attribution {
    let first_answers = first_answers(flow);
    let ends = ends(timeline);
    let mut causes: BTreeMap<Cause, (usize, Evidence)> = BTreeMap::new();
    let mut open: Vec<Sampled<'_>> = flow
        .iter()
        .copied()
        .filter(|sampled| sampled.sample.sent >= since && !sampled.is_answered())
        .collect();
    let moments: [fn(&Sampled<'_>) -> Stamp; 2] =
        [|sampled| sampled.sample.sent, |sampled| sampled.done];
    for moment in moments {
        open.sort_by_key(moment);
        let mut book = Book {
            state: State::default(),
            withdrawn: BTreeMap::new(),
        };
        let mut records = timeline.records().iter().peekable();
        open.retain(|sampled| {
            let at = moment(sampled);
            while let Some(record) = records.next_if(|record| record.at <= at) {
                book.note(record.at, &record.entry);
            }
            let Some((cause, text)) = book.cause(at, &first_answers, &ends, deployment) else {
                return true;
            };
            let evidence = Evidence { at: Some(at), text };
            causes.entry(cause).or_insert((0, evidence)).0 += 1;
            false
        });
    }
    let mut found: Vec<_> = causes
        .into_iter()
        .map(|(cause, (count, evidence))| (cause, count, evidence))
        .collect();
    found.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    Attribution {
        found,
        unexplained: open.len(),
    }
}

/// When each pod first answered.
fn first_answers<'s>(flow: &[Sampled<'s>]) -> BTreeMap<&'s str, Stamp> {
    let mut first = BTreeMap::new();
    for sampled in flow {
        if let Outcome::Answered(answer) = &sampled.sample.outcome
            && let Some(pod) = &answer.pod
        {
            first.entry(pod.as_str()).or_insert(sampled.done);
        }
    }
    first
}

/// When each terminating pod was first seen without a running container, or gone.
fn ends<'r>(timeline: &Timeline<'r>) -> BTreeMap<&'r str, Stamp> {
    let mut ends = BTreeMap::new();
    for (at, change, pod) in timeline.pods() {
        let runs = pod.containers.iter().any(|container| container.running);
        if change.change == ChangeKind::Deleted || (pod.terminating && !runs) {
            ends.entry(change.name.as_str()).or_insert(at);
        }
    }
    ends
}

/// The state as of a moment, with the endpoints that were ready a while ago.
struct Book {
    state: State,
    /// When each pod ceased to be a ready endpoint, and whether it has a preStop hook.
    withdrawn: BTreeMap<String, (Stamp, bool)>,
}

impl Book {
    fn note(&mut self, at: Stamp, entry: &Entry) {
        let Entry::Change(change) = entry else { return };
        let before: Vec<String> = ready_endpoints(&self.state)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let hooks: Vec<bool> = before
            .iter()
            .map(|pod| {
                self.state
                    .pods
                    .get(pod)
                    .is_some_and(|known| known.facts.pre_stop)
            })
            .collect();
        self.state.fold(change);
        let after = ready_endpoints(&self.state);
        for (pod, pre_stop) in before.into_iter().zip(hooks) {
            if !after.contains(pod.as_str()) {
                self.withdrawn.insert(pod, (at, pre_stop));
            }
        }
    }

    fn cause(
        &self,
        at: Stamp,
        first_answers: &BTreeMap<&str, Stamp>,
        ends: &BTreeMap<&str, Stamp>,
        deployment: &str,
    ) -> Option<(Cause, Phrase)> {
        let ready = ready_endpoints(&self.state);
        // A ready endpoint that had not answered anybody yet.
        let silent = ready.iter().find_map(|pod| {
            let known = self.state.pods.get(*pod)?;
            let first = first_answers.get(pod);
            let listens = first.is_some_and(|first| *first <= at);
            (!listens && !known.facts.readiness_probe).then(|| (*pod, first.copied()))
        });
        if let Some((pod, first)) = silent {
            let then = match first {
                Some(first) => Phrase::new(
                    format!("first answered {:.0} ms later", milliseconds(first - at)),
                    format!("最初の応答はその {:.0} ms 後", milliseconds(first - at)),
                ),
                None => Phrase::new("never answered", "一度も応答せず"),
            };
            return Some((
                Cause::NoReadinessProbe,
                Phrase::new(
                    format!(
                        "{pod} was a ready endpoint without a readinessProbe; it {}",
                        then.en
                    ),
                    format!(
                        "{pod} は readinessProbe のない Ready なエンドポイント。{}",
                        then.ja
                    ),
                ),
            ));
        }
        // An endpoint that was withdrawn too late for the proxy. A pod that ignores SIGTERM still
        // answers, and is not to blame.
        let ended = self.withdrawn.iter().find(|(pod, (since, pre_stop))| {
            let had_ended = ends
                .get(pod.as_str())
                .is_some_and(|end| *end <= at.plus(REPORT_LAG));
            let may_be_chosen = at.since(*since) <= PROXY_LAG && !ready.contains(pod.as_str());
            !pre_stop && had_ended && may_be_chosen
        });
        if let Some((pod, (since, _))) = ended {
            let ago = milliseconds(at - *since);
            return Some((
                Cause::NoPreStop,
                Phrase::new(
                    format!("{pod} had been withdrawn {ago:.0} ms before, without a preStop hook"),
                    format!(
                        "{pod} は {ago:.0} ms 前にエンドポイントから外れ、preStop フックがない"
                    ),
                ),
            ));
        }
        ready.is_empty().then(|| {
            let text = Phrase::new(
                format!("no pod of {deployment} was a ready endpoint"),
                format!("{deployment} に Ready なエンドポイントがない"),
            );
            (Cause::NoEndpoints, text)
        })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
