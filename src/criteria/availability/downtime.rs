//! The figures of a flow of requests.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::history::Stamp;
use crate::history::record::{FailureClass, Outcome, Sample};

/// What a flow of requests says of downtime.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Downtime {
    /// Requests that were sent.
    pub requests: usize,
    /// Failures by class.
    pub failed_by_class: BTreeMap<FailureClass, usize>,
    /// The longest time without an answer: from the first of some failures in a row to the next
    /// request that was answered, or to the last request.
    pub longest_outage: Duration,
    /// The longest time between two requests: an outage shorter than this may not have been seen.
    pub sampling_gap: Duration,
}

impl Downtime {
    /// Measures samples in the order in which they were sent.
    ///
    /// Sent at 0, 5, 10, 15, 20 ms with those at 5 and 10 failed: the outage is 10 ms, from 5 to
    /// 15; the sampling gap is 5 ms.
    pub fn of<'s>(samples: impl Iterator<Item = &'s Sample>) -> Self {
        let mut downtime = Self::default();
        let mut outage_began: Option<Stamp> = None;
        let mut last_sent: Option<Stamp> = None;
        for sample in samples {
            downtime.requests += 1;
            if let Some(last) = last_sent {
                downtime.sampling_gap = downtime.sampling_gap.max(sample.sent - last);
            }
            last_sent = Some(sample.sent);
            if let Outcome::Failed { class, .. } = sample.outcome {
                *downtime.failed_by_class.entry(class).or_default() += 1;
                outage_began.get_or_insert(sample.sent);
            }
            if let Some(began) = outage_began {
                downtime.longest_outage = downtime.longest_outage.max(sample.sent - began);
            }
            if matches!(sample.outcome, Outcome::Answered(_)) {
                outage_began = None;
            }
        }
        downtime
    }

    /// Requests that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.failed_by_class.values().sum()
    }

    /// The failure rate that a flow without a failure can still hide, with 95 % confidence: three
    /// in N.
    #[must_use]
    pub fn hidden_failure_rate(&self) -> f64 {
        let requests = u32::try_from(self.requests).unwrap_or(u32::MAX).max(1);
        (3.0 / f64::from(requests)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::record::Answer;

    fn mk_sample(index: u64, good: bool) -> Sample {
        let outcome = if good {
            Outcome::Answered(Answer {
                service: "s".to_owned(),
                version: "1".to_owned(),
                pod: None,
            })
        } else {
            Outcome::Failed {
                class: FailureClass::Reset,
                detail: String::new(),
            }
        };
        let sent = Stamp(index * 5_000);
        Sample {
            seq: index,
            due: sent,
            sent,
            port: 1,
            outcome,
        }
    }

    fn mk_samples(pattern: &str) -> Vec<Sample> {
        (0..)
            .zip(pattern.chars())
            .map(|(index, c)| mk_sample(index, c == '.'))
            .collect()
    }

    #[test]
    fn outages_reach_from_the_first_failure_to_the_next_answer() {
        for (pattern, failed, milliseconds) in [
            (".....", 0, 0),
            (".xx..", 2, 10),
            (".x.xxx.", 4, 15),
            ("...xx", 2, 5),
            ("x", 1, 0),
        ] {
            let samples = mk_samples(pattern);
            let downtime = Downtime::of(samples.iter());
            assert_eq!(downtime.failed(), failed, "{pattern}");
            assert_eq!(
                downtime.longest_outage,
                Duration::from_millis(milliseconds),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_no_failure_can_hide_shrinks_with_the_number_of_requests() {
        let of = |requests| {
            Downtime {
                requests,
                ..Downtime::default()
            }
            .hidden_failure_rate()
        };
        assert!((of(3000) - 0.001).abs() < 1e-12);
        assert!((of(1) - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn figures_are_consistent(pattern in "[.x]{0,200}") {
            let samples = mk_samples(&pattern);
            let downtime = Downtime::of(samples.iter());
            prop_assert_eq!(downtime.requests, pattern.len());
            prop_assert_eq!(downtime.failed(), pattern.matches('x').count());
            let longest = pattern.split('.').map(str::len).max().unwrap_or(0);
            let bound = Duration::from_millis(5 * longest as u64);
            prop_assert!(downtime.longest_outage <= bound);
            prop_assert!(downtime.sampling_gap <= Duration::from_millis(5));
        }
    }
}
