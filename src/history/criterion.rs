//! What is asked of a history. How each is judged is the affair of [`crate::criteria`].

use serde::{Deserialize, Serialize};

/// A criterion, asked for by a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// What is asked.
    #[serde(flatten)]
    pub criterion: Criterion,
    /// What the sentence expects of it.
    #[serde(default)]
    pub expected: Expected,
}

/// What a sentence expects of a verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// The criterion holds.
    #[default]
    Holds,
    /// The criterion fails: a fault was seeded, and the check must find it.
    Fails,
}

/// The criteria, with what each needs to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "criterion", rename_all = "kebab-case")]
pub enum Criterion {
    /// Only one version answers once the rollout is complete and the path has settled.
    OnlyAnswers {
        /// `service` of each answer.
        service: String,
        /// `version` of each answer: the environment variable VERSION.
        version: String,
        /// The Deployment behind it.
        deployment: String,
    },
    /// The pods went through the states that a rolling update has.
    PodStates {
        /// The Deployment that was updated.
        deployment: String,
    },
    /// Pods of both versions answered during the update.
    BothAnswered {
        /// The Deployment that was updated.
        deployment: String,
    },
    /// One ReplicaSet is active, it is the new one, and nothing is left of the others.
    #[serde(rename = "single-active-replicaset")]
    SingleActiveReplicaSet {
        /// The Deployment that was updated.
        deployment: String,
    },
    /// Never more pods, and never fewer available ones, than the strategy allows.
    Envelope {
        /// The Deployment that was updated.
        deployment: String,
        /// Pods above the desired number.
        max_surge: i64,
        /// Pods that may be missing from the available ones.
        max_unavailable: i64,
    },
    /// The rollout is complete by kubectl's own rule.
    RolloutComplete {
        /// The Deployment that was rolled out.
        deployment: String,
    },
    /// An undo is complete: the old template is back, with a new revision, in its old ReplicaSet.
    UndoComplete {
        /// The Deployment that was set back.
        deployment: String,
    },
    /// How many requests failed.
    Availability {
        /// How many may fail.
        bar: Bar,
        /// The Deployment behind the Service.
        deployment: String,
    },
    /// Nothing is left of the scenario.
    Clean {
        /// The namespace that was deleted.
        namespace: String,
        /// The node port that must be free again.
        node_port: u16,
    },
}

/// How many requests may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// Any number: it is measured and reported.
    Measured,
    /// Not one.
    NoneFails,
    /// At least one: a claim of zero downtime is refuted, and the cause named.
    SomeFail,
}

impl Criterion {
    /// The name of the criterion in reports and sentences.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OnlyAnswers { .. } => "only-answers",
            Self::PodStates { .. } => "pod-states",
            Self::BothAnswered { .. } => "both-answered",
            Self::SingleActiveReplicaSet { .. } => "single-active-replicaset",
            Self::Envelope { .. } => "envelope",
            Self::RolloutComplete { .. } => "rollout-complete",
            Self::UndoComplete { .. } => "undo-complete",
            Self::Availability { .. } => "availability",
            Self::Clean { .. } => "clean",
        }
    }
}
