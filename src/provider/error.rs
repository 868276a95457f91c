//! Why there is no cluster.

use super::ledger::LedgerError;
use super::tool::ToolError;

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
        source: ToolError,
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
    /// Nodes of a cluster that was made did not get ready.
    #[error(
        "{} of {count} nodes were ready after {} s ({}); give the engine more processors \
         and memory, or ask for fewer nodes with --nodes",
        ready.len(), limit.as_secs_f64(), if ready.is_empty() { "none".to_owned() } else { ready.join(", ") }
    )]
    NodesNotReady {
        /// How many there should be.
        count: usize,
        /// Those that were.
        ready: Vec<String>,
        /// How long they had.
        limit: std::time::Duration,
    },
    /// The cluster does not let this user in.
    #[error(
        "the cluster of context \"{context}\" at {server} does not let this user in: {why}; renew \
         the credentials of the context, or ask for the right to list nodes and make namespaces"
    )]
    Unauthorized {
        /// The context.
        context: String,
        /// The address of its API server.
        server: String,
        /// The answer.
        why: String,
    },
    /// There is a cluster of that name, and it was not asked for.
    #[error(
        "there is a {provider} cluster {name} already, and it is not touched; use it with --reuse, \
         or choose another name with --cluster"
    )]
    Exists {
        /// Its provider.
        provider: &'static str,
        /// Its name.
        name: String,
    },
    /// There is no cluster of that name.
    #[error(
        "there is no {provider} cluster {name}; there are: {}",
        if names.is_empty() { "none" } else { names }
    )]
    NotThere {
        /// Its provider.
        provider: &'static str,
        /// Its name.
        name: String,
        /// Those that there are.
        names: String,
    },
    /// The cluster is there and does not run.
    #[error(
        "the {provider} cluster {name} does not run ({seen}); start it with {provider} and try again"
    )]
    Stopped {
        /// Its provider.
        provider: &'static str,
        /// Its name.
        name: String,
        /// What was seen.
        seen: String,
    },
    /// What was made cannot be noted down, so nothing is made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A node address that was named is not reached.
    #[error(
        "the node address {address} is not reached from here: {why}; leave --node-address out, and \
         another way in is looked for"
    )]
    NodeAddress {
        /// The address.
        address: String,
        /// What happened.
        why: String,
    },
    /// A port of this machine could not be opened to carry requests into the cluster.
    #[error("could not open a port of 127.0.0.1 to carry requests to node port {port}")]
    Forward {
        /// The node port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// No Service has the node port.
    #[error(
        "no Service has node port {port} yet; on this cluster it has to be applied before requests \
         flow"
    )]
    NoService {
        /// The node port.
        port: u16,
    },
    /// The API refused something that a provider does.
    #[error("could not {what}: {why}")]
    Api {
        /// What was attempted.
        what: String,
        /// The answer.
        why: String,
    },
    /// The tool says that it loaded images, and they are not there.
    #[error(
        "could not load {} into the {provider} cluster {name}: {provider} says that it is done, but \
         {image} is not among the images there; see what it says to: {command}, and whether its \
         nodes have room (docker system df)",
        archive.display()
    )]
    NotLoaded {
        /// The archive.
        archive: std::path::PathBuf,
        /// The tool.
        provider: &'static str,
        /// The name of the cluster.
        name: String,
        /// The image that is missing.
        image: &'static str,
        /// What loads it and tells more.
        command: String,
    },
    /// It could not be removed; what was in the way was told.
    #[error("the {provider} cluster {name} is still there")]
    StillThere {
        /// Its provider.
        provider: String,
        /// Its name.
        name: String,
    },
    /// It cannot outlive this process.
    #[error(
        "an embedded cluster ends with its run; to look around afterwards, start one with \
         rollout-lab cluster up, and run the lab on it with --provider kubeconfig"
    )]
    EndsWithRun,
    /// The run was interrupted before the cluster was there.
    #[error(
        "interrupted before the cluster was ready; unless a warning says otherwise, nothing is left of it"
    )]
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

/// An error with its causes, in one line.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let texts = std::iter::successors(Some(error), |error| (*error).source());
    let mut texts: Vec<String> = texts.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}
