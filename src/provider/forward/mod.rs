//! A node port by way of the Kubernetes API, for clusters whose nodes this machine cannot reach.
//!
//! ```text
//! prober ─► 127.0.0.1:PORT ─► API server ─► kubelet ─► a ready pod of the service
//!                 ▲
//!   watches of services and endpoint slices
//! ```
//!
//! A local listener stands for the node port. Each connection goes to one ready endpoint of the
//! service that has the node port, chosen at random as kube-proxy chooses, through a port-forward
//! stream of its own.
//!
//! What a failed request means here is not quite what it means at a node:
//!
//! * The API server and the kubelet are part of the path. When one of them is gone, overloaded or
//!   slow, requests fail that the pods would have answered.
//! * The proxies of the nodes are not: what they do wrong, or late, is not seen. The endpoints are
//!   those that this process has been told of.
//! * A pod that is gone or does not listen closes the connection where a node would refuse it or
//!   say nothing. So do a service without ready endpoints and a node port that no service has:
//!   whatever is wrong, the connection is reset at once, and no request waits for its time-out.
//! * Endpoints that still serve while they terminate get nothing, even where no other is left.
//! * A stream has no half-close. The end of a request is kept from the pod, and the rest of the
//!   answer must come within two seconds of it.

mod carry;
mod route;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kube::Client;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::carry::carry;
use self::route::{Backend, Route, follow};

/// How long a connection waits for the first list of services, and for its stream.
const PATIENCE: Duration = Duration::from_secs(5);

/// A local address that leads to a node port, until it is dropped.
pub(super) struct Forward {
    address: SocketAddr,
    /// The listener with its connections, and the watches. They end with it.
    _tasks: JoinSet<()>,
}

impl Forward {
    /// Listens on a free port of 127.0.0.1. Whether a service has the node port, and pods, shows
    /// with each connection.
    ///
    /// # Errors
    /// No port is free.
    pub(super) async fn start(client: Client, node_port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (told, route) = watch::channel(Route::Unknown);
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(client.clone(), node_port, told));
        tasks.spawn(accept(listener, client, route));
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }

    /// Where to connect.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Why a connection came to nothing. Nobody but the log is told: the client sees a reset.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the services and endpoints of the cluster could not be listed within {PATIENCE:?}")]
    Unlisted,
    #[error("no service has the node port {0}")]
    NoService(u16),
    #[error("the service {0} has no ready endpoint")]
    NoEndpoint(String),
    #[error("could not open a stream to the pod")]
    Open(#[source] kube::Error),
    #[error("the stream to the pod was not open within {PATIENCE:?}")]
    SlowToOpen,
    #[error("the cluster ended the stream: {0}")]
    Told(String),
    #[error("the stream to the pod broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the client went away")]
    Client(#[source] io::Error),
    #[error("the pod did not answer in time after the request had ended")]
    Unanswered,
}

/// Accepts connections and carries each to a pod, for as long as the task lives.
async fn accept(listener: TcpListener, client: Client, route: watch::Receiver<Route>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((connection, _)) => {
                    connections.spawn(serve(connection, client.clone(), route.clone()));
                }
                // Out of file descriptors: the next one may succeed.
                Err(error) => tracing::debug!(%error, "accepting a connection to forward"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut connection: TcpStream, client: Client, route: watch::Receiver<Route>) {
    // Without it an answer may wait for an acknowledgement.
    let _ = connection.set_nodelay(true);
    let (carried, to) = match backend(route).await {
        Ok(backend) => {
            let carried = carry(&mut connection, client, &backend).await;
            (carried, Some(backend))
        }
        Err(failure) => (Err(failure), None),
    };
    if let Err(failure) = carried {
        let error: &dyn std::error::Error = &failure;
        let to = to.map(tracing::field::display);
        tracing::debug!(error, to, "a forwarded connection failed");
        // Without it the client would see an orderly end, which may look like a whole answer.
        let _ = socket2::SockRef::from(&connection).set_linger(Some(Duration::ZERO));
    }
}

/// One of the endpoints, each with the same chance, as soon as it is known which there are.
async fn backend(mut route: watch::Receiver<Route>) -> Result<Backend, Failure> {
    let known = route.wait_for(|route| !matches!(route, Route::Unknown));
    let Ok(Ok(route)) = tokio::time::timeout(PATIENCE, known).await else {
        return Err(Failure::Unlisted);
    };
    match &*route {
        Route::Service { ready, .. } if !ready.is_empty() => {
            Ok(ready[rand::random_range(..ready.len())].clone())
        }
        Route::Service { name, .. } => Err(Failure::NoEndpoint(name.clone())),
        Route::NoService(node_port) => Err(Failure::NoService(*node_port)),
        Route::Unknown => Err(Failure::Unlisted),
    }
}
