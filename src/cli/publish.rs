//! Where people reach node ports of an embedded cluster.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::cluster::Published;

/// `none`, `ADDRESS`, or `ADDRESS:PORT=NODEPORT`.
#[derive(Debug, Clone)]
pub(super) struct Publish(pub(super) Published);

impl Publish {
    /// Where people reach a node port; `None` where it is not published.
    pub(super) fn address_of(&self, node_port: u16) -> Option<SocketAddr> {
        let local = *self.0.ports.get(&node_port).unwrap_or(&node_port);
        self.0.address.map(|address| (address, local).into())
    }
}

impl FromStr for Publish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is none of: none, an address (127.0.0.1), an address with a port for \
                 a node port (127.0.0.1:30001=30000)"
            )
        };
        if text == "none" {
            return Ok(Self(Published::default()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(Published {
                address: Some(address),
                ports: BTreeMap::new(),
            }));
        }
        let (local, node_port) = text.split_once('=').ok_or_else(wrong)?;
        let local: SocketAddr = local.parse().map_err(|_| wrong())?;
        let node_port: u16 = node_port.parse().map_err(|_| wrong())?;
        let ports = BTreeMap::from([(node_port, local.port())]);
        Ok(Self(Published {
            address: Some(local.ip()),
            ports,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let read = |text: &str| text.parse::<Publish>().map(|publish| publish.0);
        assert_eq!(read("none").unwrap().address, None);
        assert!(read("127.0.0.1").unwrap().address.is_some());
        assert_eq!(read("127.0.0.1:30001=30000").unwrap().ports[&30000], 30001);
        assert!(read("nonsense").unwrap_err().contains("is none of"));
    }
}
