//! When the path to a Service leads to one version only.
//!
//! A complete rollout does not mean that requests already go where they should: endpoints reach
//! the proxies later. On a real cluster a NodePort followed up to a second after `rollout status`
//! had said "successfully rolled out".

use std::collections::BTreeSet;
use std::time::Duration;

use crate::history::facts::Facts;
use crate::history::record::{Answer, Outcome};
use crate::history::{Entry, Stamp, State};

use super::rollout::{Rollout, new_replicaset};
use super::timeline::{Sampled, Timeline};

/// Good answers in a row that make a path settled.
pub(super) const IN_A_ROW: usize = 10;
/// A path that takes longer than this to follow the endpoints fails.
pub(super) const LONGEST_LAG: Duration = Duration::from_secs(5);

/// The smallest step of the clock.
const TICK: Duration = Duration::from_micros(1);

/// When the EndpointSlices first held just the ready pods of the new ReplicaSet, after the rollout
/// was complete.
pub(super) fn endpoints_switched(
    timeline: &Timeline<'_>,
    rollout: &Rollout<'_>,
    deployment: &str,
) -> Option<Stamp> {
    let completed = rollout.completed?;
    let mut state = timeline.state_at(completed);
    if has_only_new(&state, deployment) {
        return Some(completed);
    }
    let later = timeline
        .records()
        .iter()
        .filter(|record| record.at > completed);
    for record in later {
        if let Entry::Change(change) = &record.entry {
            state.fold(change);
            let matters = matches!(change.facts, Facts::EndpointSlice(_) | Facts::Pod(_));
            if matters && has_only_new(&state, deployment) {
                return Some(record.at);
            }
        }
    }
    None
}

/// Whether the ready endpoints are the ready pods of the new ReplicaSet, all of them.
fn has_only_new(state: &State, deployment: &str) -> bool {
    let Some((_, replicaset)) = new_replicaset(state, deployment) else {
        return false;
    };
    let wanted: BTreeSet<&str> = state
        .pods_of(&replicaset.uid)
        .filter(|(_, pod)| pod.facts.ready && !pod.facts.terminating)
        .map(|(name, _)| name.as_str())
        .collect();
    !wanted.is_empty() && ready_endpoints(state) == wanted
}

/// The pods behind ready endpoints.
pub(super) fn ready_endpoints(state: &State) -> BTreeSet<&str> {
    state
        .slices
        .values()
        .flat_map(|slice| &slice.facts.endpoints)
        .filter(|endpoint| endpoint.ready)
        .map(|endpoint| endpoint.pod.as_str())
        .collect()
}

/// How far a path has followed the endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// It leads where it should, from the sample at a place in the flow on.
    Settled {
        /// The place of the first good sample.
        first: usize,
        /// How long it was seen to lead elsewhere.
        lag: Duration,
    },
    /// It still led elsewhere after [`LONGEST_LAG`].
    TooSlow {
        /// The lag, where it has come to an end.
        lag: Option<Duration>,
    },
    /// It may still settle in time.
    Open,
}

/// Looks where a path leads since the endpoints switched: it has settled with the first run of
/// good answers after the last stray one. A run may be good by chance while the path still may
/// follow; a stray answer that comes after [`LONGEST_LAG`] is no part of settling.
///
/// A path that nobody looked at has no lag: without a stray answer since the switch it is zero.
pub(super) fn follow_path(
    samples: &[Sampled<'_>],
    switched: Stamp,
    is_good: impl Fn(&Answer) -> bool,
) -> Path {
    let end = switched.plus(LONGEST_LAG);
    let sent = |index: usize| samples[index].sample.sent;
    let is_stray = |sampled: &Sampled<'_>| {
        sampled.sample.sent >= switched
            && !matches!(&sampled.sample.outcome, Outcome::Answered(answer) if is_good(answer))
    };
    let last_in_time = samples
        .iter()
        .rposition(|sampled| sampled.sample.sent < end && is_stray(sampled));
    let since = last_in_time.map_or(switched, |index| sent(index).plus(TICK));
    if let Some(first) = first_good_run(samples, since, &is_good) {
        if !samples[..first].iter().any(is_stray) {
            let lag = Duration::ZERO;
            return Path::Settled { first, lag };
        }
        let lag = sent(first) - switched;
        return if lag > LONGEST_LAG {
            Path::TooSlow { lag: Some(lag) }
        } else {
            Path::Settled { first, lag }
        };
    }
    // A run that began in time may still become long enough.
    let Some(stray) = samples.iter().rposition(is_stray) else {
        return Path::Open;
    };
    let next = samples.get(stray + 1).unwrap_or(&samples[stray]);
    if next.sample.sent > end {
        Path::TooSlow { lag: None }
    } else {
        Path::Open
    }
}

/// The place in a flow at which the first run of good answers since a moment begins.
pub(super) fn first_good_run(
    samples: &[Sampled<'_>],
    since: Stamp,
    is_good: impl Fn(&Answer) -> bool,
) -> Option<usize> {
    let mut run = 0;
    for (index, sampled) in samples.iter().enumerate() {
        let good = sampled.sample.sent >= since
            && matches!(&sampled.sample.outcome, Outcome::Answered(answer) if is_good(answer));
        run = if good { run + 1 } else { 0 };
        if run == IN_A_ROW {
            return Some(index + 1 - IN_A_ROW);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::record::{FailureClass, Sample};

    /// Samples every 10 ms: `n` is an answer of the new version, `o` of the old, `x` a failure.
    fn mk_samples(pattern: &str) -> Vec<Sample> {
        (0..)
            .zip(pattern.chars())
            .map(|(seq, c)| {
                let outcome = if c == 'x' {
                    Outcome::Failed {
                        class: FailureClass::Reset,
                        detail: String::new(),
                    }
                } else {
                    Outcome::Answered(Answer {
                        service: c.to_string(),
                        version: "1".to_owned(),
                        pod: None,
                    })
                };
                let sent = Stamp(seq * 10_000);
                Sample {
                    seq,
                    due: sent,
                    sent,
                    port: 1,
                    outcome,
                }
            })
            .collect()
    }

    /// The samples of a flow, each known to have ended when it was sent.
    fn ended(flow: &[Sample]) -> Vec<Sampled<'_>> {
        flow.iter()
            .map(|sample| Sampled {
                done: sample.sent,
                sample,
            })
            .collect()
    }

    fn follow(pattern: &str, switched: Stamp) -> Path {
        let flow = mk_samples(pattern);
        follow_path(&ended(&flow), switched, |answer| answer.service == "n")
    }

    fn settled(first: usize, lag_ms: u64) -> Path {
        let lag = Duration::from_millis(lag_ms);
        Path::Settled { first, lag }
    }

    #[test]
    fn a_run_that_a_stray_answer_follows_was_good_by_chance() {
        let ten = "nnnnnnnnnn";
        for (pattern, switched_ms, expected) in [
            (format!("oo{ten}"), 0, settled(2, 20)),
            (format!("{ten}o{ten}"), 0, settled(11, 110)),
            (format!("{ten}x{ten}n"), 0, settled(11, 110)),
            ("nnnnonnnn".to_owned(), 0, Path::Open),
            (format!("oooo{ten}"), 40, settled(4, 0)),
            (String::new(), 0, Path::Open),
        ] {
            let found = follow(&pattern, Stamp(switched_ms * 1000));
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn a_stray_answer_after_the_longest_lag_is_no_part_of_settling() {
        let pattern = format!("{}o{}", "n".repeat(510), "n".repeat(20));
        let found = follow(&pattern, Stamp(0));
        assert_eq!(
            found,
            settled(0, 0),
            "the stray answer is there to be judged"
        );
    }

    #[test]
    fn a_path_is_too_slow_once_nothing_can_save_it() {
        let ten = "n".repeat(10);
        for (strays, then, expected) in [
            (500, "", Path::Open),
            // The run began in time, at 5.00 s, and is not long enough yet.
            (500, "nnn", Path::Open),
            (500, ten.as_str(), settled(500, 5000)),
            (501, "", Path::Open),
            (501, "n", Path::TooSlow { lag: None }),
            (502, "", Path::TooSlow { lag: None }),
            (
                501,
                ten.as_str(),
                Path::TooSlow {
                    lag: Some(Duration::from_millis(5010)),
                },
            ),
        ] {
            let pattern = format!("{}{then}", "o".repeat(strays));
            assert_eq!(follow(&pattern, Stamp(0)), expected, "{strays} {then}");
        }
    }

    #[test]
    fn a_path_that_nobody_looked_at_has_no_lag() {
        let pattern = format!("{}{}", "o".repeat(3000), "n".repeat(10));
        let looked_at_late = follow(&pattern[2990..], Stamp(0));
        assert_eq!(looked_at_late, settled(10, 100));
        // The endpoints switched long before the first request.
        let flow: Vec<Sample> = mk_samples(&pattern).split_off(3000);
        let found = follow_path(&ended(&flow), Stamp(0), |answer| answer.service == "n");
        assert_eq!(found, settled(0, 0));
    }
}
