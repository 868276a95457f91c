//! Any cluster of a kubeconfig, by the name of its context. None is ever guessed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use http::Uri;
use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig as File};
use kube::{Api, Client, Config, ResourceExt};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::access::{self, Way};
use super::clean::namespaces_of;
use super::ledger::{Claim, Entry, Extent, Ledger};
use super::progress::Progress;
use super::{Cluster, Provider, ProviderError, RUN_LABEL, chain};
use crate::history::record::{self, Access};

/// How long the API may take to tell what is left of a run.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names an existing cluster, and says how to get in.
#[derive(Debug, Clone, Default)]
pub struct Kubeconfig {
    /// The file; the default one where it is not given.
    pub file: Option<PathBuf>,
    /// The context to use.
    pub context: Option<String>,
    /// The address of a node, where it is not one that the cluster tells.
    pub node_address: Option<String>,
    /// A port of this machine that may be mapped to the labs' node port.
    pub published: Option<SocketAddr>,
    /// Whether requests go through the API even where nodes are reached.
    pub port_forward: bool,
}

impl Kubeconfig {
    /// A client of the context, without a look at the cluster.
    ///
    /// # Errors
    /// The file cannot be read, or the context is not named or not there.
    pub async fn client(&self) -> Result<(Client, String, String), ProviderError> {
        let unreadable = |source| ProviderError::Kubeconfig {
            path: self.file.as_ref().map(|path| path.display().to_string()),
            source,
        };
        let file = match &self.file {
            Some(path) => File::read_from(path),
            None => File::read(),
        }
        .map_err(unreadable)?;
        let contexts: Vec<String> = file
            .contexts
            .iter()
            .map(|context| context.name.clone())
            .collect();
        let Some(context) = self.context.clone() else {
            return Err(ProviderError::NoContext { contexts });
        };
        if !contexts.contains(&context) {
            return Err(ProviderError::UnknownContext { context, contexts });
        }
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            ..KubeConfigOptions::default()
        };
        let config = Config::from_custom_kubeconfig(file, &options)
            .await
            .map_err(unreadable)?;
        let server = config.cluster_url.to_string();
        let client = Client::try_from(config).map_err(|error| ProviderError::Unreachable {
            context: context.clone(),
            server: server.clone(),
            why: chain(&error),
        })?;
        Ok((client, context, server))
    }

    /// What the cluster says of itself, in one line, and how requests get in.
    ///
    /// # Errors
    /// It is not named or does not answer.
    pub async fn look(&self) -> Result<(String, Access), ProviderError> {
        let answering = self.answer().await?;
        let way = self.way(&answering).await?;
        let Answering {
            server, version, ..
        } = &answering;
        let names = answering.node_names().join(", ");
        let told = format!("{version} at {server}, ready nodes: {names}");
        Ok((told, way.access()))
    }

    /// Asks the cluster for its version and its nodes.
    pub(super) async fn answer(&self) -> Result<Answering, ProviderError> {
        let (client, context, server) = self.client().await?;
        let unreachable = |error: kube::Error| {
            let (context, server) = (context.clone(), server.clone());
            let (is_refused, why) = match error {
                kube::Error::Api(status) => (
                    matches!(status.code, 401 | 403),
                    format!("{} {}", status.code, status.message),
                ),
                other => (false, chain(&other)),
            };
            if is_refused {
                ProviderError::Unauthorized {
                    context,
                    server,
                    why,
                }
            } else {
                ProviderError::Unreachable {
                    context,
                    server,
                    why,
                }
            }
        };
        let version = client.apiserver_version().await;
        let version = version.map_err(unreachable)?.git_version;
        let nodes: Api<Node> = Api::all(client.clone());
        let nodes = nodes.list(&ListParams::default()).await;
        let nodes = nodes.map_err(unreachable)?.items;
        let nodes: Vec<Node> = nodes.into_iter().filter(is_ready).collect();
        if nodes.is_empty() {
            return Err(ProviderError::NoNode { context });
        }
        Ok(Answering {
            client,
            context,
            server,
            version,
            nodes,
        })
    }

    /// The way to node ports: the address that was named, else a mapped port that accepts, else the
    /// address of a node that is reached, else through the API.
    pub(super) async fn way(&self, answering: &Answering) -> Result<Way, ProviderError> {
        if self.port_forward {
            return Ok(Way::forward(answering.client.clone()));
        }
        if let Some(address) = &self.node_address {
            let reached = access::reaches(address).await;
            return match reached {
                Ok(()) => Ok(Way::Node(address.clone())),
                Err(why) => Err(ProviderError::NodeAddress {
                    address: address.clone(),
                    why,
                }),
            };
        }
        if let Some(published) = self.published
            && access::accepts(published).await
        {
            return Ok(Way::Mapped(published));
        }
        let reached = access::first_reached(answering.addresses()).await;
        let forward = || Way::forward(answering.client.clone());
        Ok(reached.map_or_else(forward, Way::Node))
    }
}

/// A cluster that answers, with a node or more that are ready.
pub(super) struct Answering {
    pub(super) client: Client,
    context: String,
    server: String,
    version: String,
    nodes: Vec<Node>,
}

impl Answering {
    pub(super) fn node_names(&self) -> Vec<String> {
        self.nodes.iter().map(ResourceExt::name_any).collect()
    }

    /// The addresses of the nodes, those inside the cluster's own network first.
    pub(super) fn addresses(&self) -> Vec<String> {
        let of = |kind| {
            self.nodes
                .iter()
                .filter_map(move |node| address(node, kind))
        };
        of("InternalIP").chain(of("ExternalIP")).collect()
    }

    pub(super) fn describe(&self, provider: String, access: Access) -> record::Cluster {
        record::Cluster {
            provider,
            server: self.server.clone(),
            version: self.version.clone(),
            nodes: self.node_names(),
            pace: 1.0,
            access,
        }
    }
}

/// Runs on a cluster that was there before and stays.
pub struct Existing {
    /// Which one.
    pub kubeconfig: Kubeconfig,
    /// Where a run of an id notes that it makes namespaces there; who only looks notes nothing.
    pub noted: Option<(Ledger, String)>,
    /// Hears of what could not be cleaned up.
    pub progress: Progress,
}

impl Existing {
    async fn reach(&self) -> Result<Reached, ProviderError> {
        let answering = self.kubeconfig.answer().await?;
        let way = self.kubeconfig.way(&answering).await?;
        let claim = match &self.noted {
            Some((ledger, run)) => {
                let context = &answering.context;
                let file = self.kubeconfig.file.as_deref().map(std::path::absolute);
                Some(ledger.claim(Entry {
                    context: context.clone(),
                    kubeconfig: Some(file.and_then(Result::ok).unwrap_or_default()),
                    ..Entry::new("kubeconfig", context, Extent::Namespaces, run)
                })?)
            }
            None => None,
        };
        Ok(Reached {
            answering,
            way,
            claim: Mutex::new(claim),
            progress: self.progress.clone(),
        })
    }
}

impl Provider for Existing {
    fn start(&self) -> BoxFuture<'_, Result<Arc<dyn Cluster>, ProviderError>> {
        self.reach()
            .map(|cluster| Ok(Arc::new(cluster?) as Arc<dyn Cluster>))
            .boxed()
    }

    fn is_disposable(&self) -> bool {
        false
    }
}

struct Reached {
    answering: Answering,
    way: Way,
    claim: Mutex<Option<Claim>>,
    progress: Progress,
}

impl Cluster for Reached {
    fn describe(&self) -> record::Cluster {
        let provider = format!("kubeconfig (context {})", self.answering.context);
        self.answering.describe(provider, self.way.access())
    }

    fn client(&self) -> Client {
        self.answering.client.clone()
    }

    fn node_port(&self, port: u16) -> BoxFuture<'_, Result<Uri, ProviderError>> {
        self.way.node_port(port).boxed()
    }

    fn keep(&self) -> BoxFuture<'_, Result<Vec<String>, ProviderError>> {
        async {
            self.way.close().await;
            let mut lines = Vec::new();
            if let Some(mut claim) = self.claim.lock().await.take() {
                claim.keep()?;
                if let Some(file) = claim.kubeconfig() {
                    lines.push(format!("export KUBECONFIG={}", file.display()));
                }
                let (context, run) = (&self.answering.context, &claim.entry().run);
                lines.push(format!(
                    "kubectl --context {context} get namespaces -l {RUN_LABEL}={run}"
                ));
                lines.push("rollout-lab clean --kept".to_owned());
            }
            Ok(lines)
        }
        .boxed()
    }

    /// The cluster was there before and stays. The run is struck out once nothing of it is left.
    fn stop(&self) -> BoxFuture<'_, ()> {
        async {
            self.way.close().await;
            let Some(claim) = self.claim.lock().await.take() else {
                return;
            };
            let is_left = match self.namespaces(&claim.entry().run).await {
                Ok(names) if names.is_empty() => {
                    if let Err(error) = claim.release() {
                        self.progress.trouble(&chain(&error));
                    }
                    return;
                }
                Ok(names) => format!("namespace {} is left", names.join(", ")),
                Err(why) => format!("what is left cannot be seen ({why})"),
            };
            self.progress.trouble(&format!(
                "in context {} {is_left}; to remove it: rollout-lab clean",
                self.answering.context
            ));
        }
        .boxed()
    }
}

impl Reached {
    /// The namespaces that a run has made and not removed.
    async fn namespaces(&self, run: &str) -> Result<Vec<String>, String> {
        let namespaces: Api<Namespace> = Api::all(self.answering.client.clone());
        match timeout(PATIENCE, namespaces_of(&namespaces, run)).await {
            Ok(Ok(listed)) => Ok(listed.iter().map(ResourceExt::name_any).collect()),
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }
}

/// Whether a node takes pods.
pub(super) fn is_ready(node: &Node) -> bool {
    let conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn address(node: &Node, kind: &str) -> Option<String> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let found = addresses.iter().find(|address| address.type_ == kind)?;
    Some(found.address.clone())
}
