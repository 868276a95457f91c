//! The TLS door for clients outside the process: kubectl, other tools, people.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::ApiServer;
use super::reply::{self, ReplyBody};
use crate::cluster::object::refusal;

/// Serves connections until it is told to stop, then drops those that are open.
pub(crate) async fn serve(
    server: ApiServer,
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    token: Arc<str>,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let door = Door { server: server.clone(), token: token.clone() };
                    connections.spawn(connection(acceptor.clone(), stream, door));
                }
                // The process is out of file descriptors: the next accept may succeed.
                Err(error) => tracing::warn!(%error, "accepting an API connection"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

#[derive(Clone)]
struct Door {
    server: ApiServer,
    token: Arc<str>,
}

impl Door {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<ReplyBody>, Infallible> {
        let expected = format!("Bearer {}", self.token);
        let given = request
            .headers()
            .get(AUTHORIZATION)
            .map(http::HeaderValue::as_bytes);
        if given != Some(expected.as_bytes()) {
            return Ok(reply::respond(Err(refusal::unauthorized())));
        }
        self.server.answer(request).await
    }
}

async fn connection(acceptor: TlsAcceptor, stream: TcpStream, door: Door) {
    // A client that gives up in the middle is its own affair.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = hyper::service::service_fn(move |request| door.clone().answer(request));
    let served = auto::Builder::new(TokioExecutor::new())
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an API connection ended");
    }
}
