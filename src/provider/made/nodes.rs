//! The nodes of a cluster that was just made: all of them are awaited, and marked.
//!
//! The tools wait for the control plane only. A lab that begins before the workers are ready would
//! roll out on one node, and measure that.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::time::timeout;

use crate::provider::kubeconfig::is_ready;
use crate::provider::{ProviderError, RUN_LABEL, chain};

/// Waits until so many nodes are ready.
///
/// # Errors
/// They are not in time, or the API does not tell.
pub(super) async fn await_ready(
    client: &Client,
    count: u8,
    limit: Duration,
) -> Result<(), ProviderError> {
    let count = usize::from(count);
    let mut ready = BTreeSet::new();
    let nodes: Api<Node> = Api::all(client.clone());
    let watching = async {
        let changes = watcher(nodes, watcher::Config::default());
        let mut changes = changes.default_backoff().applied_objects().boxed();
        while ready.len() < count {
            // A watch that breaks is resumed.
            let Ok(Some(node)) = changes.try_next().await else {
                continue;
            };
            if is_ready(&node) {
                ready.insert(node.name_any());
            } else {
                ready.remove(&node.name_any());
            }
        }
    };
    if timeout(limit, watching).await.is_ok() {
        return Ok(());
    }
    Err(ProviderError::NodesNotReady {
        count,
        ready: ready.into_iter().collect(),
        limit,
    })
}

/// Marks nodes with the run, for whoever looks at the cluster.
///
/// # Errors
/// The API refuses.
pub(super) async fn label(
    client: &Client,
    names: &[String],
    run: &str,
) -> Result<(), ProviderError> {
    let nodes: Api<Node> = Api::all(client.clone());
    let labels = json!({"metadata": {"labels": {RUN_LABEL: run}}});
    for name in names {
        let (how, patch) = (PatchParams::default(), Patch::Merge(&labels));
        let patched = nodes.patch(name, &how, &patch).await;
        patched.map_err(|error| ProviderError::Api {
            what: format!("label node {name}"),
            why: chain(&error),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kube::api::ListParams;

    use super::*;
    use crate::provider::Provider as _;
    use crate::provider::embedded::{Embedded, Published};

    #[tokio::test(flavor = "multi_thread")]
    async fn all_nodes_are_awaited_and_marked() {
        let provider = Embedded {
            pace: 1.0,
            nodes: 2,
            published: Published::default(),
        };
        let cluster = provider.start().await.unwrap();
        let client = cluster.client();
        let limit = Duration::from_secs(20);
        await_ready(&client, 2, limit).await.unwrap();
        let soon = Duration::from_millis(200);
        let error = await_ready(&client, 3, soon).await.unwrap_err().to_string();
        assert!(
            error.contains("2 of 3 nodes were ready after 0.2 s ("),
            "{error}"
        );

        let names = cluster.describe().nodes;
        label(&client, &names, "0a1b2c3d").await.unwrap();
        let nodes: Api<Node> = Api::all(client);
        let ours = ListParams::default().labels("rollout-lab/run=0a1b2c3d");
        assert_eq!(nodes.list(&ours).await.unwrap().items.len(), 2);
        cluster.stop().await;
    }
}
