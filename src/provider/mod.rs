//! Where clusters come from. A provider is one file; what all have in common is here.

pub mod embedded;
mod forward;
pub mod kind;
pub mod kubeconfig;
pub mod port;
pub mod tool;

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use http::Uri;
use kube::Client;

use crate::history::record;

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

    /// Where requests reach a node port.
    fn node_port(&self, port: u16) -> Uri;

    /// Slows simulated time down to at most so many times real time. Real clusters have no other.
    fn limit_pace(&self, most: f64) {
        let _ = most;
    }

    /// Breaks every open watch, as a lost connection does, where that can be done.
    fn cut_connections(&self) {}

    /// Takes down what was started, and nothing else.
    fn stop(&self) -> BoxFuture<'_, ()>;
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The embedded cluster did not start.
    #[error("could not start the embedded cluster")]
    Embedded(#[source] crate::cluster::StartError),
    /// A local port that people should reach is in use.
    #[error(
        "port {port} of {address} is in use{}; stop what holds it, or choose another with \
         --publish {address}:{free}={node_port}",
        holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default()
    )]
    PortTaken {
        /// The address.
        address: std::net::IpAddr,
        /// The port.
        port: u16,
        /// The node port that should be reached there.
        node_port: u16,
        /// Who holds it, where that can be known.
        holder: Option<String>,
        /// A port that is free.
        free: u16,
    },
    /// A program that makes clusters is missing or failed.
    #[error("could not {what}")]
    Tool {
        /// What was attempted.
        what: String,
        /// Why it came to nothing.
        source: tool::ToolError,
    },
    /// There is no place for the files of a cluster.
    #[error("could not make a folder for the files of the cluster")]
    Folder {
        /// Why.
        source: std::io::Error,
    },
    /// The kubeconfig could not be read.
    #[error("could not read the kubeconfig{}", path.as_ref().map(|path| format!(" {path}")).unwrap_or_default())]
    Kubeconfig {
        /// The file; `None` for the default one.
        path: Option<String>,
        /// Why.
        source: kube::config::KubeconfigError,
    },
    /// No context was named.
    #[error(
        "no context was named, and none is ever guessed; name one with --context: {}",
        contexts.join(", ")
    )]
    NoContext {
        /// The contexts of the kubeconfig.
        contexts: Vec<String>,
    },
    /// The context is not in the kubeconfig.
    #[error("there is no context \"{context}\" in the kubeconfig; there are: {}", contexts.join(", "))]
    UnknownContext {
        /// The context that was named.
        context: String,
        /// The contexts of the kubeconfig.
        contexts: Vec<String>,
    },
    /// The cluster does not answer.
    #[error(
        "the cluster of context \"{context}\" at {server} does not answer: {why}; check that it runs and that the context is right"
    )]
    Unreachable {
        /// The context.
        context: String,
        /// The address of its API server.
        server: String,
        /// What went wrong.
        why: String,
    },
    /// The run was interrupted before the cluster was there.
    #[error("interrupted before the cluster was ready; what there was of it is removed")]
    Interrupted,
    /// The cluster has no node that is ready.
    #[error(
        "the cluster of context \"{context}\" has no ready node with an address: pods cannot run there"
    )]
    NoNode {
        /// The context.
        context: String,
    },
}
