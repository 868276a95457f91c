//! `pods/NAME/portforward`: connections to ports of a pod, carried by a WebSocket.
//!
//! Upstream the server hands the request on to the kubelet, and that to the container runtime; here
//! the server connects by itself. Of the protocols only `v4.channel.k8s.io` is spoken: kubectl has
//! its own, which is refused. Source: `pkg/registry/core/pod/strategy.go`, `PortForwardLocation`,
//! `pkg/kubelet/kubelet_pods.go`, `GetPortForward`, and
//! `staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go`.

mod carry;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use self::carry::{Carrier, Port};
use super::update::current;
use super::{Call, header};
use crate::cluster::apiserver::reply::Reply;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};

/// Two binary channels for each port: its data, and what went wrong with it.
const PROTOCOL: &str = "v4.channel.k8s.io";
/// Channels are numbered by a byte.
const MOST_PORTS: usize = 128;

pub(super) fn port_forward(call: &Call<'_>) -> Result<Reply, Refusal> {
    let key = call.key();
    let pod = current(call, &call.server.store.begin())?;
    let pod = &pod.value;
    if pod["spec"]["nodeName"].is_null() {
        let message = format!("pod {} does not have a host assigned", key.name);
        return Err(refusal::bad_request(message));
    }
    let accepted = accept(call.headers)?;
    let numbers = port_numbers(&call.options.ports)?;
    let address = address(pod).ok_or_else(|| {
        refusal::unknown(format!(
            "pod not found (\"{}_{}\")",
            key.name, key.namespace
        ))
    })?;
    let upgrade = call.upgrade.clone().ok_or_else(upgrade_required)?;
    let ports = numbers.iter().map(|number| Port {
        number: *number,
        socket: call.server.sockets.find(address, *number),
    });
    let carrier = Carrier {
        pod: key.name,
        uid: meta::uid(pod).to_owned(),
        ports: ports.collect(),
    };
    call.server.sessions.begin(carrier.run(upgrade));
    Ok(Reply::switch(accepted))
}

fn upgrade_required() -> Refusal {
    refusal::bad_request("Upgrade request required")
}

/// The headers that accept a WebSocket.
///
/// # Errors
/// A 400 where no other protocol is asked for, a 405 where it is one that is not spoken.
fn accept(headers: &HeaderMap) -> Result<HeaderMap, Refusal> {
    let asked = header(headers, UPGRADE).ok_or_else(upgrade_required)?;
    let protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut protocols = protocols
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','));
    let is_spoken = asked.eq_ignore_ascii_case("websocket")
        && protocols.any(|protocol| protocol.trim() == PROTOCOL);
    if !is_spoken {
        return Err(refusal::unknown_forwarding(PROTOCOL));
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .ok_or_else(|| refusal::bad_request("missing Sec-WebSocket-Key"))?;
    let accepted = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|error| refusal::internal(error.to_string()))?;
    Ok(HeaderMap::from_iter([
        (UPGRADE, HeaderValue::from_static("websocket")),
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (SEC_WEBSOCKET_ACCEPT, accepted),
        (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL)),
    ]))
}

/// The ports as the kubelet takes them, which calls the option `port`.
fn port_numbers(asked: &[u16]) -> Result<&[u16], Refusal> {
    let why = if asked.is_empty() {
        "query parameter \"port\" is required".to_owned()
    } else if asked.contains(&0) {
        "port \"0\" must be > 0".to_owned()
    } else if asked.len() > MOST_PORTS {
        format!("at most {MOST_PORTS} ports can be forwarded at once")
    } else {
        return Ok(asked);
    };
    Err(refusal::bad_request(why))
}

/// Where the pod is while its sandbox runs.
fn address(pod: &Value) -> Option<Ipv4Addr> {
    let status = &pod["status"];
    if matches!(status["phase"].as_str(), Some("Succeeded" | "Failed")) {
        return None;
    }
    status["podIP"].as_str()?.parse().ok()
}
