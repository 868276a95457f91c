//! Which addresses a cluster's nodes, pods and services have.
//!
//! Where the operating system has the whole of 127.0.0.0/8, each cluster takes a block
//! 127.N.0.0/16 of its own, so clusters run side by side and each has its own `:30000`. Elsewhere
//! all nodes are 127.0.0.1, and pod addresses only name entries of the socket table.

use std::collections::HashSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cluster::apiserver::settings::ServiceRange;

/// The port on which a block is claimed; UDP, so that nothing can be mistaken for a service.
const CLAIM_PORT: u16 = 6443;
/// Pods a node can address.
const PODS_PER_NODE: u8 = 250;

/// The addresses of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    plan: Plan,
    taken: Arc<Mutex<HashSet<Ipv4Addr>>>,
    /// Holds the block as long as any part of the cluster lives.
    _claim: Option<Arc<UdpSocket>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// A block of the loopback network, by its second octet.
    Loopback(u8),
    /// One address for everything; pods listen on ephemeral ports.
    Shared,
}

impl Addresses {
    /// Claims a free block of the loopback network, or shares 127.0.0.1 where there is none.
    pub(crate) fn claim() -> Self {
        // Start anywhere, so that clusters of several processes rarely meet.
        let first = rand::random_range(1..=u8::MAX);
        let blocks = (0..u8::MAX)
            .map(|step| first.wrapping_add(step))
            .filter(|block| *block != 0);
        for block in blocks {
            let lock = Ipv4Addr::new(127, block, 255, 254);
            if let Ok(claim) = UdpSocket::bind((lock, CLAIM_PORT)) {
                return Self {
                    plan: Plan::Loopback(block),
                    taken: Arc::default(),
                    _claim: Some(Arc::new(claim)),
                };
            }
        }
        Self::shared()
    }

    /// The plan of systems that have only 127.0.0.1.
    pub(crate) fn shared() -> Self {
        Self {
            plan: Plan::Shared,
            taken: Arc::default(),
            _claim: None,
        }
    }

    /// Whether pods really listen on their own addresses.
    pub(crate) fn are_real(&self) -> bool {
        self.plan != Plan::Shared
    }

    /// The address of a node, counted from 0.
    pub(crate) fn node(&self, index: u8) -> Ipv4Addr {
        match self.plan {
            Plan::Loopback(block) => Ipv4Addr::new(127, block, 0, index + 1),
            Plan::Shared => Ipv4Addr::LOCALHOST,
        }
    }

    /// Where cluster IPs come from.
    pub(crate) fn services(&self) -> ServiceRange {
        match self.plan {
            Plan::Loopback(block) => ServiceRange::new(Ipv4Addr::new(127, block, 96, 0), 20),
            Plan::Shared => ServiceRange::default(),
        }
    }

    /// Takes an address for a pod on a node; `None` when the node has none left.
    pub(crate) fn take_pod(&self, node: u8) -> Option<Ipv4Addr> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let address = (1..=PODS_PER_NODE)
            .map(|last| match self.plan {
                Plan::Loopback(block) => Ipv4Addr::new(127, block, 16 + node, last),
                Plan::Shared => Ipv4Addr::new(10, 244, node, last),
            })
            .find(|address| !taken.contains(address))?;
        taken.insert(address);
        Some(address)
    }

    /// Gives a pod's address back.
    pub(crate) fn release_pod(&self, address: Ipv4Addr) {
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clusters_never_share_a_block() {
        let (one, two) = (Addresses::claim(), Addresses::claim());
        if one.are_real() {
            assert_ne!(one.node(0), two.node(0));
        }
    }

    #[test]
    fn a_released_address_is_used_again_and_a_full_node_has_none() {
        let addresses = Addresses::shared();
        let all: Vec<_> = std::iter::from_fn(|| addresses.take_pod(2)).collect();
        assert_eq!(all.len(), usize::from(PODS_PER_NODE));
        assert_eq!(all[0], Ipv4Addr::new(10, 244, 2, 1));
        addresses.release_pod(all[7]);
        assert_eq!(addresses.take_pod(2), Some(all[7]));
    }
}
