//! What differs from cluster to cluster in the rules of the API server.

use std::fmt;
use std::net::Ipv4Addr;

/// The settings of one cluster's API server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Where `clusterIP`s come from.
    pub(crate) services: ServiceRange,
}

/// A block of IPv4 addresses for Services: `10.96.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceRange {
    base: u32,
    prefix: u32,
}

impl ServiceRange {
    /// The block of an address in it and the number of its fixed bits.
    pub(crate) fn new(address: Ipv4Addr, prefix: u32) -> Self {
        let base = address.to_bits() & (u32::MAX << (32 - prefix));
        Self { base, prefix }
    }

    /// How many addresses can be given out: all but the first and the last of the block.
    pub(crate) fn size(self) -> u32 {
        (1 << (32 - self.prefix)) - 2
    }

    /// The address at an offset; 0 is the first that can be given out.
    pub(crate) fn address(self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base + 1 + offset)
    }

    pub(crate) fn contains(self, address: Ipv4Addr) -> bool {
        let address = address.to_bits();
        self.base < address && address <= self.base + self.size()
    }
}

/// What kubeadm chooses, shortened to 65 534 addresses.
impl Default for ServiceRange {
    fn default() -> Self {
        Self {
            base: Ipv4Addr::new(10, 96, 0, 0).to_bits(),
            prefix: 16,
        }
    }
}

impl fmt::Display for ServiceRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.base), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_gives_out_all_but_its_edges() {
        let range = ServiceRange::new(Ipv4Addr::new(127, 42, 96, 7), 20);
        assert_eq!(range.to_string(), "127.42.96.0/20");
        assert_eq!(range.size(), 4094);
        assert_eq!(range.address(0), Ipv4Addr::new(127, 42, 96, 1));
        assert_eq!(range.address(4093), Ipv4Addr::new(127, 42, 111, 254));
        for (address, inside) in [
            ([127, 42, 96, 0], false),
            ([127, 42, 96, 1], true),
            ([127, 42, 111, 254], true),
            ([127, 42, 111, 255], false),
        ] {
            assert_eq!(range.contains(address.into()), inside, "{address:?}");
        }
    }
}
