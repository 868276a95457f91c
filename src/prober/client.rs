//! One request over one connection.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, HeaderValue};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::outcome;
use crate::history::record::Outcome;

/// Bytes of an answer that are read.
const BODY_LIMIT: usize = 64 * 1024;

/// Sends requests to one address.
pub(super) struct Client {
    url: Uri,
    host: String,
    address: String,
    timeout: Duration,
    /// Connections that wait for their next request; `None` where each request has its own.
    idle: Option<Mutex<Vec<Connection>>>,
}

struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    port: u16,
}

/// The end of an exchange.
pub(super) enum Exchange {
    /// The request was sent, or would have been had the service let it.
    Done { port: u16, outcome: Outcome },
    /// This host could not send it.
    NotSent,
}

type BoxError = Box<dyn Error + Send + Sync>;

impl Client {
    pub(super) fn new(url: Uri, fresh_connections: bool, timeout: Duration) -> Self {
        let host = url
            .authority()
            .map_or("", |authority| authority.as_str())
            .to_owned();
        let address = if url.port().is_some() {
            host.clone()
        } else {
            format!("{host}:80")
        };
        let idle = (!fresh_connections).then(Mutex::default);
        Self {
            url,
            host,
            address,
            timeout,
            idle,
        }
    }

    /// Sends one request and waits for its end.
    pub(super) async fn exchange(&self) -> Exchange {
        let mut port = 0;
        match tokio::time::timeout(self.timeout, self.request(&mut port)).await {
            Err(_) => Exchange::Done {
                port,
                outcome: outcome::timed_out(),
            },
            Ok(Ok(outcome)) => Exchange::Done { port, outcome },
            Ok(Err(error)) => match outcome::of_error(&*error) {
                Some(outcome) => Exchange::Done { port, outcome },
                None => Exchange::NotSent,
            },
        }
    }

    async fn request(&self, port: &mut u16) -> Result<Outcome, BoxError> {
        let mut connection = match self.reuse() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        *port = connection.port;
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::get(path)
            .header(HOST, &self.host)
            .header(ACCEPT, "application/json")
            .body(Empty::new())?;
        if self.idle.is_none() {
            request
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let response = connection.sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), BODY_LIMIT)
            .collect()
            .await?
            .to_bytes();
        if let Some(idle) = &self.idle {
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
        Ok(outcome::of_answer(status, &body))
    }

    /// A connection that waits and is still open.
    fn reuse(&self) -> Option<Connection> {
        let mut idle = self
            .idle
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.sender.is_closed())
    }

    async fn connect(&self) -> Result<Connection, BoxError> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let port = stream.local_addr()?.port();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Moves the bytes; it ends with the sender, or tells it why it could not.
        tokio::spawn(connection);
        Ok(Connection { sender, port })
    }
}
