//! A connection within the process, for a request that changes the protocol.
//!
//! All other requests of in-process clients are calls of the service. A change of protocol needs
//! bytes to go on with, so such a request gets HTTP over a pipe, as if the client were outside.

use std::io;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::TokioIo;

use super::ApiServer;
use super::reply::ReplyBody;

/// Bytes that the pipe holds in each direction.
const PIPE: usize = 64 * 1024;

/// Sends one request over a connection of its own.
///
/// # Errors
/// The connection ended before the answer: the server was stopped or its streams were cut.
pub(super) async fn send<B>(
    server: ApiServer,
    request: Request<B>,
) -> hyper::Result<Response<ReplyBody>>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (near, far) = tokio::io::duplex(PIPE);
    let sessions = server.sessions.clone();
    let service = service_fn(move |request| server.clone().answer(request));
    let serving = server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(far), service)
        .with_upgrades();
    sessions.begin(async {
        if let Err(error) = serving.await {
            tracing::debug!(%error, "a connection in the process ended");
        }
    });
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(near)).await?;
    // Ends with the answer, or hands its pipe over to the new protocol.
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await?;
    Ok(response.map(|body| body.map_err(io::Error::other).boxed_unsync()))
}
