//! Histories for tests, written tersely: times are milliseconds, names tell the version.
//!
//! The Deployment is `web`. Version 1 is `user-service` 1.0.0 in the ReplicaSet `web-1`, version 2
//! `payment-service` 2.0.0 in `web-2`; the pod `web-2-a` is one of the latter. Records may be added
//! in any order.
//!
//! * `objects` and `acts`: single entries.
//! * [`story`]: whole histories in which all goes well, to be changed by a test.
//! * [`check`]: a table of changed histories with the verdict that each must get.

mod acts;
pub(super) mod check;
mod objects;
pub(super) mod story;

use std::sync::Arc;
use std::time::Duration;

use crate::criteria::{Verdict, judge};
use crate::history::criterion::{Asked, Criterion, Expected};
use crate::history::facts::{Facts, PodFacts};
use crate::history::record::{Outcome, Record, Sample};
use crate::history::{Entry, Stamp};

pub(super) use acts::{answered, command, failed, gap, inventory, traffic, traffic_ended};
pub(super) use objects::{
    deadline_exceeded, deleted, deployment, deployment_facts, endpoints, namespace, pod,
    replicaset, service, warning,
};

pub(super) const DEPLOYMENT: &str = "web";
pub(super) const NAMESPACE: &str = "lab";
pub(super) const NODE_PORT: u16 = 30_000;
/// Between two requests of a flow, in milliseconds.
pub(super) const INTERVAL: u64 = 10;
/// From a request to its end.
const ANSWER_TIME: Duration = Duration::from_millis(2);

/// A history in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Scene {
    records: Vec<Record>,
    requests: u64,
}

impl Scene {
    /// Adds what happens at a moment, and is told then.
    pub(super) fn add(mut self, ms: u64, mut entry: Entry) -> Self {
        if let Entry::Change(change) = &mut entry {
            change.resource_version = ms.to_string();
        }
        self.records.push(Record {
            at: at(ms),
            scenario: 0,
            entry,
        });
        self
    }

    /// Adds requests at the rate of the flow, from a moment up to another.
    pub(super) fn requests(
        mut self,
        from_ms: u64,
        to_ms: u64,
        outcome: impl Fn(u64) -> Outcome,
    ) -> Self {
        for ms in (from_ms..to_ms).step_by(usize::try_from(INTERVAL).unwrap()) {
            let sample = Sample {
                seq: self.requests,
                due: at(ms),
                sent: at(ms),
                port: 50_000,
                outcome: outcome(ms),
            };
            self.requests += 1;
            self.records.push(Record {
                at: at(ms).plus(ANSWER_TIME),
                scenario: 0,
                entry: Entry::Sample(sample),
            });
        }
        self
    }

    /// Leaves out some records.
    pub(super) fn without(mut self, is_left_out: impl Fn(&Record) -> bool) -> Self {
        self.records.retain(|record| !is_left_out(record));
        self
    }

    /// Has some of what happened told later.
    pub(super) fn delay(mut self, ms: u64, is_delayed: impl Fn(&Record) -> bool) -> Self {
        let delayed = self.records.iter_mut().filter(|record| is_delayed(record));
        delayed.for_each(|record| record.at = Stamp(record.at.0 + ms * 1000));
        self
    }

    /// Leaves out what was watched of an object.
    pub(super) fn without_object(self, name: &str) -> Self {
        self.without(|record| matches!(&record.entry, Entry::Change(change) if change.name == name))
    }

    /// Changes some records.
    pub(super) fn edit(mut self, edit: impl Fn(&mut Record)) -> Self {
        self.records.iter_mut().for_each(edit);
        self
    }

    /// Changes the facts of pods by name.
    pub(super) fn edit_pods(self, edit: impl Fn(&str, &mut PodFacts)) -> Self {
        self.edit(|record| {
            if let Entry::Change(change) = &mut record.entry
                && let Facts::Pod(facts) = &mut change.facts
            {
                edit(&change.name, facts);
            }
        })
    }

    /// Changes the VERSION in the template of version 2's ReplicaSet.
    pub(super) fn edit_new_version(self, version: &str) -> Self {
        self.edit(|record| {
            if let Entry::Change(change) = &mut record.entry
                && let Facts::ReplicaSet(facts) = &mut change.facts
                && change.name == "web-2"
            {
                facts.template.version = Some(version.to_owned());
            }
        })
    }

    /// Changes what became of the requests that were sent from a moment up to another.
    pub(super) fn edit_requests(self, from_ms: u64, to_ms: u64, outcome: &Outcome) -> Self {
        self.edit(|record| {
            if let Entry::Sample(sample) = &mut record.entry
                && (at(from_ms)..at(to_ms)).contains(&sample.sent)
            {
                sample.outcome = outcome.clone();
            }
        })
    }

    /// Leaves out all that happened after a moment.
    pub(super) fn until(self, ms: u64) -> Self {
        self.without(|record| record.at > at(ms))
    }

    /// The history, in the order of its stamps.
    pub(super) fn records(&self) -> Vec<Arc<Record>> {
        let mut records: Vec<_> = self.records.iter().cloned().map(Arc::new).collect();
        records.sort_by_key(|record| record.at);
        records
    }

    /// The moment of the last record.
    pub(super) fn end(&self) -> Stamp {
        let stamps = self.records.iter().map(|record| record.at);
        stamps.max().unwrap_or_default()
    }

    /// Judges a criterion on the whole history.
    pub(super) fn judge(&self, criterion: &Criterion) -> Verdict {
        self.judge_at(criterion, self.end())
    }

    pub(super) fn judge_at(&self, criterion: &Criterion, at: Stamp) -> Verdict {
        judge_records(criterion, at, &self.records())
    }
}

/// Judges a criterion on stored records up to a moment.
pub(super) fn judge_records(criterion: &Criterion, at: Stamp, records: &[Arc<Record>]) -> Verdict {
    judge(&asked(criterion), at, records)
}

pub(super) fn asked(criterion: &Criterion) -> Asked {
    Asked {
        criterion: criterion.clone(),
        expected: Expected::Holds,
    }
}

pub(super) fn at(ms: u64) -> Stamp {
    Stamp(ms * 1000)
}
