//! Judgement: pure functions from a history to a verdict.
//!
//! Nothing here waits, reads a clock or asks a cluster. A criterion sees the records up to the one
//! that asked for it, so a stored history gets the verdicts that the run got. A criterion that
//! cannot be judged is [`Status::Unknown`], never a pass.
//!
//! * [`verdict`]: the result. [`phrase`]: a sentence in English and Japanese. [`cause`]: why.
//! * `timeline`: reading a history. `rollout`: when an update began and was complete.
//! * a file for each criterion.

mod availability;
mod both_answered;
pub mod cause;
mod clean;
mod complete;
mod diagnosis;
mod envelope;
mod only_answers;
pub mod phrase;
mod pod_states;
#[cfg(test)]
mod properties;
mod rollout;
#[cfg(test)]
mod scene;
mod settled;
mod single_active;
mod timeline;
mod undo;
mod unjudged;
pub mod verdict;

pub use availability::Downtime;
pub use cause::Cause;
pub use phrase::Phrase;
pub use verdict::{Evidence, Status, Verdict};

use std::sync::Arc;

use crate::history::criterion::{Asked, Criterion};
use crate::history::{Entry, Record, Stamp};
use timeline::Timeline;
use verdict::Finding;

/// Judges a criterion on what has happened up to a moment.
#[must_use]
pub fn judge(asked: &Asked, at: Stamp, records: &[Arc<Record>]) -> Verdict {
    let timeline = Timeline::until(records, at);
    let finding = match &asked.criterion {
        Criterion::OnlyAnswers {
            service,
            version,
            deployment,
        } => only_answers::judge(&timeline, service, version, deployment),
        Criterion::PodStates { deployment } => pod_states::judge(&timeline, deployment),
        Criterion::BothAnswered { deployment } => both_answered::judge(&timeline, deployment),
        Criterion::SingleActiveReplicaSet { deployment } => {
            single_active::judge(&timeline, deployment)
        }
        Criterion::Envelope {
            deployment,
            max_surge,
            max_unavailable,
        } => envelope::judge(&timeline, deployment, *max_surge, *max_unavailable),
        Criterion::RolloutComplete { deployment } => complete::rollout(&timeline, deployment),
        Criterion::UndoComplete { deployment } => undo::judge(&timeline, deployment),
        Criterion::Availability { bar, deployment } => {
            availability::judge(&timeline, *bar, deployment)
        }
        Criterion::Clean {
            namespace,
            node_port,
        } => clean::judge(&timeline, namespace, *node_port),
    };
    let finding = match timeline.unreachable() {
        Some(why) => Finding::new(finding.wanted).unknown(unjudged::unreachable(why)),
        None => finding,
    };
    finding.into_verdict(asked.clone(), at)
}

/// Judges everything that a history asked for, in its order.
#[must_use]
pub fn judge_all(records: &[Arc<Record>]) -> Vec<Verdict> {
    records
        .iter()
        .enumerate()
        .filter_map(|(index, record)| match &record.entry {
            Entry::Asked(asked) => Some(judge(asked, record.at, &records[..index])),
            _ => None,
        })
        .collect()
}
