//! The way that requests take from this machine to a node port.
//!
//! Which way works depends on the machine as much as on the cluster: the addresses of a kind node
//! are reached on Linux and not beside a virtual machine. So the ways are tried, best first, and
//! the first that works is taken and told: it decides what a failed request means.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use http::Uri;
use kube::Client;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::ProviderError;
use super::embedded::{NODE_PORT, url};
use super::forward::Forward;
use super::made::Tunnel;
use crate::history::record::{Access, AccessKind};

/// How long an address may take to show that something is there.
const PATIENCE: Duration = Duration::from_secs(1);
/// Of how many nodes the address is tried: one is enough, and the first may be ill.
const TRIED: usize = 3;

/// A way in, and what it needs.
pub(super) enum Way {
    /// A port of this machine that an engine maps to the labs' node port.
    Mapped(SocketAddr),
    /// The address of a node.
    Node(String),
    /// A port-forward through the API, opened for each node port that is asked for.
    Forward {
        client: Client,
        open: Mutex<BTreeMap<u16, Forward>>,
    },
    /// A tunnel of the tool that made the cluster.
    Tunnel(Box<Tunnel>),
}

impl Way {
    pub(super) fn forward(client: Client) -> Self {
        Self::Forward {
            client,
            open: Mutex::default(),
        }
    }

    /// What the reports say of it.
    pub(super) fn access(&self) -> Access {
        let (kind, address) = match self {
            Self::Mapped(address) => (AccessKind::MappedPort, address.to_string()),
            Self::Node(address) => (AccessKind::NodeAddress, address.clone()),
            Self::Forward { .. } => (AccessKind::ApiForward, "127.0.0.1".to_owned()),
            Self::Tunnel(_) => (AccessKind::Tunnel, "127.0.0.1".to_owned()),
        };
        Access { kind, address }
    }

    /// Where requests for a node port are sent.
    ///
    /// # Errors
    /// The way cannot be opened.
    pub(super) async fn node_port(&self, port: u16) -> Result<Uri, ProviderError> {
        match self {
            // Only the labs' own node port is mapped; any other has no way in.
            Self::Mapped(address) if port == NODE_PORT => {
                Ok(url(&address.ip().to_string(), address.port()))
            }
            Self::Mapped(address) => Ok(url(&address.ip().to_string(), port)),
            Self::Node(address) => Ok(url(address, port)),
            Self::Forward { client, open } => {
                let mut open = open.lock().await;
                if let Some(forward) = open.get(&port) {
                    return Ok(forward_url(forward));
                }
                let forward = Forward::start(client.clone(), port)
                    .await
                    .map_err(|source| ProviderError::Forward { port, source })?;
                let url = forward_url(&forward);
                open.insert(port, forward);
                Ok(url)
            }
            Self::Tunnel(tunnel) => tunnel.open(port).await,
        }
    }

    /// Closes what was opened for it.
    pub(super) async fn close(&self) {
        match self {
            Self::Mapped(_) | Self::Node(_) => {}
            Self::Forward { open, .. } => open.lock().await.clear(),
            Self::Tunnel(tunnel) => tunnel.close().await,
        }
    }
}

fn forward_url(forward: &Forward) -> Uri {
    url(
        &forward.address().ip().to_string(),
        forward.address().port(),
    )
}

/// Whether an engine accepts on the port that it maps. It does so before any Service is there.
pub(super) async fn accepts(address: SocketAddr) -> bool {
    matches!(
        timeout(PATIENCE, TcpStream::connect(address)).await,
        Ok(Ok(_))
    )
}

/// Whether an address is a node's that this machine reaches: who refuses is there, and no Service
/// need have the port yet.
pub(super) async fn reaches(address: &str) -> Result<(), String> {
    let connecting = TcpStream::connect((address, NODE_PORT));
    match timeout(PATIENCE, connecting).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// The first of some nodes' addresses that is reached.
pub(super) async fn first_reached(addresses: Vec<String>) -> Option<String> {
    let tried = addresses.into_iter().take(TRIED);
    let reached = tried.map(|address| async move {
        let reached = reaches(&address).await;
        reached.ok().map(|()| address)
    });
    join_all(reached).await.into_iter().flatten().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No packet is ever sent to a link-local address without the link that it is meant on.
    const NOWHERE: &str = "fe80::1";

    #[tokio::test]
    async fn a_mapped_port_is_one_that_accepts() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(accepts(address).await);
        drop(listener);
        assert!(!accepts(address).await);
    }

    #[tokio::test]
    async fn a_node_that_refuses_is_there() {
        assert_eq!(reaches("127.0.0.1").await, Ok(()));
        assert!(reaches(NOWHERE).await.is_err());
        let some = vec![NOWHERE.to_owned(), "127.0.0.1".to_owned()];
        assert_eq!(first_reached(some).await.as_deref(), Some("127.0.0.1"));
        assert_eq!(first_reached(vec![NOWHERE.to_owned()]).await, None);
    }
}
