//! Probes: asking a container how it is.
//!
//! Source: `pkg/kubelet/prober`, `pkg/probe`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::{Container, HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::tally::{Outcome, Tally};
use crate::cluster::clock::Clock;
use crate::cluster::network::Sockets;

/// What a probe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Startup,
    Readiness,
    Liveness,
}

impl Purpose {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Startup => "Startup",
            Self::Readiness => "Readiness",
            Self::Liveness => "Liveness",
        }
    }
}

/// What came of a probe.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) purpose: Purpose,
    /// Why it failed, for the event.
    pub(super) failure: Option<String>,
    /// What holds from now on, once enough results agree.
    pub(super) holds: Option<bool>,
}

/// Whom a probe asks.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) address: Ipv4Addr,
    pub(super) sockets: Sockets,
    pub(super) container: Container,
}

/// Probes again and again, from the start of a container, for as long as it is polled.
pub(super) async fn repeat(
    purpose: Purpose,
    probe: Probe,
    asked: Asked,
    clock: Clock,
    findings: mpsc::UnboundedSender<Finding>,
) {
    let seconds = |value: Option<i32>, default: u64| {
        Duration::from_secs(
            value
                .and_then(|value| u64::try_from(value).ok())
                .unwrap_or(default),
        )
    };
    let threshold = |value: Option<i32>, default: u32| {
        value
            .and_then(|value| u32::try_from(value).ok())
            .unwrap_or(default)
    };
    let period = seconds(probe.period_seconds, 10).max(Duration::from_secs(1));
    // A limit on real work, so it is not scaled: the work does not get faster with the pace.
    let limit = seconds(probe.timeout_seconds, 1).max(Duration::from_secs(1));
    let mut tally = Tally::new(
        threshold(probe.success_threshold, 1),
        threshold(probe.failure_threshold, 3),
    );
    clock.sleep(seconds(probe.initial_delay_seconds, 0)).await;
    loop {
        let outcome = once(&probe, &asked, limit).await;
        let holds = tally.count(outcome == Outcome::Success);
        let failure = match outcome {
            Outcome::Success => None,
            Outcome::Failure(why) => Some(why),
        };
        if findings
            .send(Finding {
                purpose,
                failure,
                holds,
            })
            .is_err()
        {
            return;
        }
        clock.sleep(period).await;
    }
}

async fn once(probe: &Probe, asked: &Asked, limit: Duration) -> Outcome {
    if let Some(action) = &probe.http_get {
        http(action, asked, limit).await
    } else if let Some(action) = &probe.tcp_socket {
        match connect(asked, &action.port).await {
            Ok(_) => Outcome::Success,
            Err(why) => Outcome::Failure(why),
        }
    } else {
        Outcome::Failure("images of the embedded cluster answer httpGet and tcpSocket only".into())
    }
}

/// The HTTP request of a probe or a hook: any status from 200 to 399 is a success.
pub(super) async fn http(action: &HTTPGetAction, asked: &Asked, limit: Duration) -> Outcome {
    let path = action.path.as_deref().unwrap_or("/");
    let Some(port) = port_number(&asked.container, &action.port) else {
        return Outcome::Failure(unknown_port(&action.port));
    };
    let host = action
        .host
        .clone()
        .unwrap_or_else(|| asked.address.to_string());
    let url = format!("http://{host}:{port}{path}");
    let fail = |why: String| Outcome::Failure(format!("Get \"{url}\": {why}"));
    match timeout(limit, get(asked, action, &url)).await {
        Ok(Ok(status)) if (200..400).contains(&status) => Outcome::Success,
        Ok(Ok(status)) => Outcome::Failure(format!("HTTP probe failed with statuscode: {status}")),
        Ok(Err(why)) => fail(why),
        Err(_) => fail(
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".into(),
        ),
    }
}

async fn get(asked: &Asked, action: &HTTPGetAction, url: &str) -> Result<u16, String> {
    let stream = connect(asked, &action.port).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
    let mut request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(
            "Host",
            uri.authority().map_or("", |authority| authority.as_str()),
        )
        .header("User-Agent", "kube-probe/1.36")
        .header("Accept", "*/*")
        .header("Connection", "close");
    for header in action.http_headers.iter().flatten() {
        request = request.header(&header.name, &header.value);
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = async {
        sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())
    };
    tokio::pin!(answer);
    // The connection moves the bytes; it ends by itself when it is dropped with this future.
    tokio::select! {
        answer = &mut answer => answer.map(|response| response.status().as_u16()),
        _ = connection => answer.await.map(|response| response.status().as_u16()),
    }
}

async fn connect(asked: &Asked, port: &IntOrString) -> Result<TcpStream, String> {
    let number = port_number(&asked.container, port).ok_or_else(|| unknown_port(port))?;
    let refused = |error: &io::Error| {
        let target = SocketAddr::from((asked.address, number));
        format!("dial tcp {target}: connect: {}", reason(error))
    };
    match asked.sockets.find(asked.address, number) {
        Some(socket) => TcpStream::connect(socket)
            .await
            .map_err(|error| refused(&error)),
        None => Err(refused(&io::ErrorKind::ConnectionRefused.into())),
    }
}

/// The words that Go has for the errors of connecting.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset by peer".to_owned(),
        _ => error.to_string(),
    }
}

fn port_number(container: &Container, port: &IntOrString) -> Option<u16> {
    let number = match port {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            let named = |port: &&k8s_openapi::api::core::v1::ContainerPort| {
                port.name.as_deref() == Some(name.as_str())
            };
            container.ports.iter().flatten().find(named)?.container_port
        }
    };
    u16::try_from(number).ok()
}

fn unknown_port(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => format!("invalid port number: {number}"),
        IntOrString::String(name) => format!("couldn't find port: {name}"),
    }
}
