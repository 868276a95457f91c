//! Reading a history up to a moment.

use std::sync::Arc;

use crate::history::facts::{DeploymentFacts, EventFacts, Facts, PodFacts};
use crate::history::record::{Change, Command, Outcome, Sample, Traffic};
use crate::history::{Entry, Record, Stamp, State};

use super::phrase::Phrase;
use super::verdict::Evidence;

/// The records up to a moment, with the state that they lead to.
pub(super) struct Timeline<'r> {
    records: &'r [Arc<Record>],
    pub(super) now: Stamp,
    /// The newest facts at that moment.
    pub(super) state: State,
}

/// A request with the moment at which its end was known.
#[derive(Clone, Copy)]
pub(super) struct Sampled<'r> {
    pub(super) done: Stamp,
    pub(super) sample: &'r Sample,
}

impl Sampled<'_> {
    pub(super) fn is_answered(self) -> bool {
        matches!(self.sample.outcome, Outcome::Answered(_))
    }
}

impl<'r> Timeline<'r> {
    pub(super) fn until(records: &'r [Arc<Record>], now: Stamp) -> Self {
        let end = records.partition_point(|record| record.at <= now);
        let records = &records[..end];
        Self {
            records,
            now,
            state: State::after(records.iter().map(Arc::as_ref)),
        }
    }

    /// The records, for those who fold them.
    pub(super) fn records(&self) -> &'r [Arc<Record>] {
        self.records
    }

    /// The state at a moment.
    pub(super) fn state_at(&self, at: Stamp) -> State {
        let before = self.records.iter().take_while(|record| record.at <= at);
        State::after(before.map(Arc::as_ref))
    }

    pub(super) fn changes(&self) -> impl DoubleEndedIterator<Item = (Stamp, &'r Change)> {
        self.records
            .iter()
            .filter_map(|record| match &record.entry {
                Entry::Change(change) => Some((record.at, change)),
                _ => None,
            })
    }

    pub(super) fn deployments<'s>(
        &'s self,
        name: &'s str,
    ) -> impl Iterator<Item = (Stamp, &'r Change, &'r DeploymentFacts)> {
        self.changes()
            .filter_map(move |(at, change)| match &change.facts {
                Facts::Deployment(facts) if change.name == name => Some((at, change, facts)),
                _ => None,
            })
    }

    pub(super) fn pods(&self) -> impl Iterator<Item = (Stamp, &'r Change, &'r PodFacts)> {
        self.changes()
            .filter_map(|(at, change)| match &change.facts {
                Facts::Pod(facts) => Some((at, change, facts)),
                _ => None,
            })
    }

    pub(super) fn commands(&self) -> impl DoubleEndedIterator<Item = (Stamp, &'r Command)> {
        self.records
            .iter()
            .filter_map(|record| match &record.entry {
                Entry::Command(command) => Some((record.at, command)),
                _ => None,
            })
    }

    /// The flow of requests that began last, and its samples since a moment, in the order in which
    /// they were sent.
    pub(super) fn last_flow(&self, since: Stamp) -> Option<(Stamp, &'r Traffic, Vec<Sampled<'r>>)> {
        let (start, at, traffic) =
            self.records
                .iter()
                .enumerate()
                .rev()
                .find_map(|(index, record)| match &record.entry {
                    Entry::Traffic(traffic) => Some((index, record.at, traffic)),
                    _ => None,
                })?;
        // A request ends after it was sent, so what ended before the moment need not be looked at.
        let start = start.max(self.records.partition_point(|record| record.at < since));
        let mut samples: Vec<Sampled<'r>> = self.records[start..]
            .iter()
            .filter_map(|record| match &record.entry {
                Entry::Sample(sample) if sample.sent >= since => Some(Sampled {
                    done: record.at,
                    sample,
                }),
                _ => None,
            })
            .collect();
        // Under load requests are sent in another order than they were due.
        samples.sort_by_key(|sampled| (sampled.sample.sent, sampled.sample.seq));
        Some((at, traffic, samples))
    }

    /// When the flow of requests that began last came to its end; `None` while it goes on.
    pub(super) fn flow_ended(&self) -> Option<Stamp> {
        let last = self
            .records
            .iter()
            .rfind(|record| matches!(record.entry, Entry::Traffic(_) | Entry::TrafficEnded(_)))?;
        matches!(last.entry, Entry::TrafficEnded(_)).then_some(last.at)
    }

    /// Requests that were due since a moment and could not be sent.
    pub(super) fn unsent_since(&self, at: Stamp) -> u64 {
        self.records
            .iter()
            .filter(|record| record.at >= at)
            .filter_map(|record| match &record.entry {
                Entry::TrafficEnded(ended) => Some(ended.unsent),
                _ => None,
            })
            .sum()
    }

    /// A hole in what was watched since a moment, if there is one.
    pub(super) fn gap_since(&self, at: Stamp) -> Option<String> {
        self.records
            .iter()
            .filter(|record| record.at >= at)
            .find_map(|record| match &record.entry {
                Entry::Gap(gap) => Some(format!("{}: {}", gap.kind, gap.why)),
                _ => None,
            })
    }

    /// Why nothing is seen of the cluster at the end, if that is so.
    pub(super) fn unreachable(&self) -> Option<&'r str> {
        let last = self
            .records
            .iter()
            .rev()
            .find(|record| matches!(record.entry, Entry::Unreachable(_) | Entry::Change(_)))?;
        match &last.entry {
            Entry::Unreachable(unreachable) => Some(&unreachable.why),
            _ => None,
        }
    }

    /// The newest warnings of Kubernetes since a moment, at most some, oldest first.
    pub(super) fn warnings_since(&self, at: Stamp, most: usize) -> Vec<Evidence> {
        let mut found: Vec<(Stamp, &EventFacts)> = Vec::new();
        for (seen, change) in self.changes().filter(|(seen, _)| *seen >= at) {
            if let Facts::Event(event) = &change.facts
                && event.event_type == "Warning"
                && !found.iter().any(|(_, known)| {
                    known.reason == event.reason && known.message == event.message
                })
            {
                found.push((seen, event));
            }
        }
        let skip = found.len().saturating_sub(most);
        found
            .into_iter()
            .skip(skip)
            .map(|(at, event)| {
                let text = format!("{} {}: {}", event.about, event.reason, event.message);
                Evidence {
                    at: Some(at),
                    text: Phrase::same(text),
                }
            })
            .collect()
    }
}
