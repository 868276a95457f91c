//! Whether a local port is free, and who holds it.

use std::net::{IpAddr, SocketAddr, TcpListener};

use super::ProviderError;

/// The ports tried when one is to be offered instead of another.
const OFFERS: u16 = 100;

/// Makes sure that a node port can be published at a local address.
///
/// # Errors
/// [`ProviderError::PortTaken`], with who holds it and what to do.
pub fn expect_free(local: SocketAddr, node_port: u16) -> Result<(), ProviderError> {
    let (address, port) = (local.ip(), local.port());
    if is_free(address, port) {
        return Ok(());
    }
    Err(ProviderError::PortTaken {
        address,
        port,
        node_port,
        holder: holder(local),
        free: free_after(address, port),
    })
}

/// Whether a TCP port can be listened on.
#[must_use]
pub fn is_free(address: IpAddr, port: u16) -> bool {
    TcpListener::bind(SocketAddr::new(address, port)).is_ok()
}

/// The next free port after one that is taken.
#[must_use]
pub fn free_after(address: IpAddr, port: u16) -> u16 {
    (1..=OFFERS)
        .map(|step| port.saturating_add(step))
        .find(|candidate| is_free(address, *candidate))
        .unwrap_or_default()
}

/// The program that listens on an address, as `name (pid N)`, where the system tells.
#[cfg(target_os = "linux")]
#[must_use]
pub fn holder(local: SocketAddr) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, local))?;
    let wanted = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?;
    for process in processes.flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = files
            .flatten()
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .any(|link| link.to_string_lossy() == wanted);
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", name.trim()));
        }
    }
    None
}

/// The program that listens on an address, where the system tells.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn holder(_: SocketAddr) -> Option<String> {
    None
}

/// The inode of the socket that listens on an address or on all, from a table of `/proc/net`.
/// Others may have the same port of other addresses.
#[cfg(target_os = "linux")]
fn listening_inode(table: &str, local: SocketAddr) -> Option<u64> {
    /// The state `LISTEN` as the kernel writes it.
    const LISTENING: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = fields.get(1)?.rsplit_once(':')?;
        let address = address_in(address)?;
        let is_it = u16::from_str_radix(port, 16).ok()? == local.port()
            && (address == local.ip() || address.is_unspecified())
            && fields.get(3)? == &LISTENING;
        is_it.then(|| fields.get(9)?.parse().ok())?
    })
}

/// An address as the kernel writes it: words of 32 bits, each a number of this machine's.
#[cfg(target_os = "linux")]
fn address_in(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let word = u32::from_str_radix(text.get(8 * at..8 * at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    if text.len() == 8 {
        return Some(IpAddr::from(word(0)?));
    }
    let words = [word(0)?, word(1)?, word(2)?, word(3)?];
    let bytes: [u8; 16] = words.as_flattened().try_into().ok()?;
    Some(IpAddr::from(bytes))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_port_in_use_is_traced_to_its_holder() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(address, port));
        if cfg!(target_os = "linux") {
            let pid = std::process::id();
            let local = SocketAddr::new(address, port);
            assert!(holder(local).unwrap().ends_with(&format!("(pid {pid})")));
        }
        assert_ne!(free_after(address, port), port);
        // Nobody holds the same port of another address.
        assert_eq!(holder(SocketAddr::from(([127, 0, 0, 2], port))), None);
        drop(listener);
        assert!(is_free(address, port));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn addresses_are_read_as_the_kernel_writes_them() {
        if cfg!(target_endian = "little") {
            let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
            assert_eq!(address_in("0100007F"), Some(v4));
            let v6 = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
            assert_eq!(address_in("00000000000000000000000001000000"), Some(v6));
        }
        assert_eq!(address_in("01"), None);
    }
}
