//! One connection and its stream to a pod.

use std::error::Error as _;
use std::io;
use std::pin::pin;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::Portforwarder;
use kube::{Api, Client};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use super::route::Backend;
use super::{Failure, PATIENCE};

/// How long the rest of an answer may take once the client has ended its side. It cannot be told
/// whether the client still listens or has gone for good.
const REST: Duration = Duration::from_secs(2);

/// Moves bytes both ways until the pod ends the connection.
pub(super) async fn carry(
    connection: &mut TcpStream,
    client: Client,
    backend: &Backend,
) -> Result<(), Failure> {
    let pods: Api<Pod> = Api::namespaced(client, &backend.namespace);
    let ports = [backend.port];
    let opening = pods.portforward(&backend.pod, &ports);
    let mut forwarder = match timeout(PATIENCE, opening).await {
        Ok(Ok(forwarder)) => forwarder,
        Ok(Err(source)) => return Err(Failure::Open(source)),
        Err(_) => return Err(Failure::SlowToOpen),
    };
    let pod = forwarder.take_stream(backend.port);
    let told = forwarder.take_error(backend.port);
    let stream = Stream(Some(forwarder));
    let (Some(pod), Some(told)) = (pod, told) else {
        return Err(Failure::SlowToOpen);
    };
    let (from_client, to_client) = connection.split();
    let (from_pod, to_pod) = split(pod);
    // The halves go with it, for which the end of the stream waits.
    move_both_ways(from_client, to_pod, from_pod, to_client).await?;
    let broken = stream.end().await;
    if let Some(text) = told.await {
        return Err(Failure::Told(text));
    }
    if let Some(source) = broken {
        return Err(Failure::Broken(source));
    }
    connection.shutdown().await.map_err(Failure::Client)
}

/// Returns when everything has been moved that the pod had to say.
async fn move_both_ways(
    mut from_client: impl AsyncRead + Unpin,
    mut to_pod: impl AsyncWrite + Unpin,
    mut from_pod: impl AsyncRead + Unpin,
    mut to_client: impl AsyncWrite + Unpin,
) -> Result<(), Failure> {
    let mut asking = pin!(copy(&mut from_client, &mut to_pod));
    let mut answering = pin!(copy(&mut from_pod, &mut to_client));
    let asked = tokio::select! {
        answered = &mut answering => return answered.map(drop).map_err(Failure::Client),
        asked = &mut asking => asked,
    };
    match asked {
        // The stream's half stays open: its end would be the end of the stream.
        Ok(_) => {}
        // The stream takes no more, but may hold what the pod said before.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => return Err(Failure::Client(error)),
    }
    match timeout(REST, answering).await {
        Ok(answered) => answered.map(drop).map_err(Failure::Client),
        Err(_) => Err(Failure::Unanswered),
    }
}

/// An open stream, which ends when this is dropped.
struct Stream(Option<Portforwarder>);

impl Stream {
    /// Waits for the end of a stream of which nothing more is to be read, and tells what broke it.
    async fn end(mut self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        let error = self.0.take()?.join().await.err()?;
        // A stream that the pod's side has closed takes no farewell, which is no fault.
        let broke = matches!(
            error.source()?.downcast_ref()?,
            WebSocketError::Io(_)
                | WebSocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        );
        broke.then(|| error.into())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(forwarder) = &self.0 {
            forwarder.abort();
        }
    }
}
