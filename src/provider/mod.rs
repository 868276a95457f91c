//! Where clusters come from. A provider is one file; what all have in common is here.

mod access;
mod advice;
pub mod auto;
pub mod clean;
pub mod embedded;
pub mod engine;
mod error;
mod forward;
pub mod kubeconfig;
pub mod ledger;
pub mod made;
pub mod port;
pub mod progress;
pub mod tool;
pub mod version;

use std::path::Path;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use http::Uri;
use kube::Client;

pub use self::error::{ProviderError, chain};
use crate::history::record;

/// The label that marks what a run has made in a cluster, with the run's id.
pub const RUN_LABEL: &str = "rollout-lab/run";

/// A place that clusters come from.
pub trait Provider: Send + Sync {
    /// Whether a cluster could be had, as far as that can be said without one.
    ///
    /// # Errors
    /// [`ProviderError`], which says what to do next.
    fn check(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Starts or reaches a cluster.
    ///
    /// # Errors
    /// [`ProviderError`], which says what to do next.
    fn start(&self) -> BoxFuture<'_, Result<Arc<dyn Cluster>, ProviderError>>;

    /// Removes what a start has made so far that was dropped before its end.
    fn abandon(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    /// Whether each scenario gets a cluster of its own. Otherwise all share one, one at a time.
    fn is_disposable(&self) -> bool;
}

/// A cluster that answers.
pub trait Cluster: Send + Sync {
    /// What the reports say of it.
    fn describe(&self) -> record::Cluster;

    /// A client of its API.
    fn client(&self) -> Client;

    /// Where requests reach a node port, by the way that was found to work.
    ///
    /// # Errors
    /// There is no way in, or it cannot be opened.
    fn node_port(&self, port: u16) -> BoxFuture<'_, Result<Uri, ProviderError>>;

    /// Slows simulated time down to at most so many times real time. Real clusters have no other.
    fn limit_pace(&self, most: f64) {
        let _ = most;
    }

    /// Breaks every open watch, as a lost connection does, where that can be done.
    fn cut_connections(&self) {}

    /// The power to take images from a file, where it has that.
    fn images(&self) -> Option<&dyn LoadsImages> {
        None
    }

    /// Lets what was started stay when this process ends, and says how to come back to it.
    ///
    /// # Errors
    /// It ends with the process, or cannot be noted down.
    fn keep(&self) -> BoxFuture<'_, Result<Vec<String>, ProviderError>>;

    /// Takes down what was started, and nothing else.
    fn stop(&self) -> BoxFuture<'_, ()>;
}

/// The power of a cluster to take container images from a file.
pub trait LoadsImages: Send + Sync {
    /// Loads an archive of images into every node.
    ///
    /// # Errors
    /// The tool that made the cluster could not do it.
    fn load<'a>(&'a self, archive: &'a Path) -> BoxFuture<'a, Result<(), ProviderError>>;
}
