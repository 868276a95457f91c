//! Any cluster of a kubeconfig, by the name of its context. None is ever guessed.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use http::Uri;
use k8s_openapi::api::core::v1::Node;
use kube::api::ListParams;
use kube::config::{KubeConfigOptions, Kubeconfig as File};
use kube::{Api, Client, Config, ResourceExt};

use super::{Cluster, Provider, ProviderError, embedded};
use crate::history::record::{self, Access, AccessKind};

/// Reaches an existing cluster.
#[derive(Debug, Clone, Default)]
pub struct Kubeconfig {
    /// The file; the default one where it is not given.
    pub file: Option<PathBuf>,
    /// The context to use.
    pub context: Option<String>,
    /// The address of a node, where it is not the one that the cluster tells.
    pub node_address: Option<String>,
}

impl Provider for Kubeconfig {
    fn start(&self) -> BoxFuture<'_, Result<Arc<dyn Cluster>, ProviderError>> {
        self.reach()
            .map(|cluster| Ok(Arc::new(cluster?) as Arc<dyn Cluster>))
            .boxed()
    }

    fn is_disposable(&self) -> bool {
        false
    }
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

    /// What the cluster says of itself, in one line.
    ///
    /// # Errors
    /// It is not named or does not answer.
    pub async fn look(&self) -> Result<String, ProviderError> {
        let record::Cluster {
            server,
            version,
            nodes,
            ..
        } = self.reach().await?.description;
        let names = nodes.join(", ");
        Ok(format!("{version} at {server}, ready nodes: {names}"))
    }

    pub(super) async fn reach(&self) -> Result<Reached, ProviderError> {
        let (client, context, server) = self.client().await?;
        let unreachable = |error: kube::Error| ProviderError::Unreachable {
            context: context.clone(),
            server: server.clone(),
            why: match error {
                kube::Error::Api(status) => format!("{} {}", status.code, status.message),
                other => chain(&other),
            },
        };
        let version = client
            .apiserver_version()
            .await
            .map_err(unreachable)?
            .git_version;
        let nodes: Api<Node> = Api::all(client.clone());
        let nodes = nodes
            .list(&ListParams::default())
            .await
            .map_err(unreachable)?;
        let ready = || nodes.iter().filter(|node| is_ready(node));
        let address = self
            .node_address
            .clone()
            .or_else(|| ready().find_map(internal_address))
            .ok_or_else(|| ProviderError::NoNode {
                context: context.clone(),
            })?;
        let description = record::Cluster {
            provider: format!("kubeconfig (context {context})"),
            server,
            version,
            nodes: ready().map(ResourceExt::name_any).collect(),
            pace: 1.0,
            access: Access {
                kind: AccessKind::NodeAddress,
                address: address.clone(),
            },
        };
        Ok(Reached {
            client,
            address,
            description,
        })
    }
}

/// An existing cluster that answers.
pub(super) struct Reached {
    client: Client,
    address: String,
    description: record::Cluster,
}

impl Cluster for Reached {
    fn describe(&self) -> record::Cluster {
        self.description.clone()
    }

    fn client(&self) -> Client {
        self.client.clone()
    }

    fn node_port(&self, port: u16) -> Uri {
        embedded::url(&self.address, port)
    }

    /// The cluster was there before and stays.
    fn stop(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }
}

fn is_ready(node: &Node) -> bool {
    let conditions = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn internal_address(node: &Node) -> Option<String> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let internal = addresses
        .iter()
        .find(|address| address.type_ == "InternalIP")?;
    Some(internal.address.clone())
}

/// An error with its causes, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let texts = std::iter::successors(Some(error), |error| (*error).source());
    let mut texts: Vec<String> = texts.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}
