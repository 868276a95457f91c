//! Why a verb of the lab did not do what it should.

use std::time::Duration;

use super::super::apply::{ApplyError, words};
use super::super::manifest::ManifestError;
use super::super::undo::UndoError;
use crate::provider::ProviderError;

/// Why a verb of the lab did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No namespace was made yet.
    #[error("the scenario has no namespace yet; begin with: Given the namespace \"app-dev\"")]
    NoNamespace,
    /// Nothing was rolled out yet.
    #[error("the scenario has applied no Deployment yet")]
    NoDeployment,
    /// Traffic flows already.
    #[error("traffic flows already; a scenario has one flow at a time")]
    TrafficFlows,
    /// The system has no means left to send requests.
    #[error("could not start the flow of requests: {0}")]
    NoThread(std::io::Error),
    /// The namespace belongs to somebody else.
    #[error(
        "namespace {name} exists already and was not made by this run, so it is not touched; \
         delete it (kubectl delete namespace {name}) or change the feature"
    )]
    ForeignNamespace {
        /// The namespace.
        name: String,
    },
    /// The API said no.
    #[error("could not {what}: {why}")]
    Api {
        /// What was attempted, and on what.
        what: String,
        /// The answer of the API.
        why: String,
    },
    /// Something did not come to pass in time.
    #[error("{what} did not happen within {} s; {seen}", limit.as_secs_f64())]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        limit: Duration,
        /// What was seen instead.
        seen: String,
    },
    /// A fact is not as the sentence says.
    #[error("expected {expected}, saw {seen}")]
    Differs {
        /// What the sentence says.
        expected: String,
        /// What was seen.
        seen: String,
    },
    /// There is no way to the node port.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A file is no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A manifest was refused.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A rollout could not be undone.
    #[error(transparent)]
    Undo(#[from] UndoError),
}

impl SessionError {
    pub(super) fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |error| Self::Api {
            what,
            why: words(&error),
        }
    }
}
