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
        holder: holder(port),
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

/// The program that listens on a port, as `name (pid N)`, where the system tells.
#[cfg(target_os = "linux")]
#[must_use]
pub fn holder(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
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

/// The program that listens on a port, where the system tells.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn holder(_: u16) -> Option<String> {
    None
}

/// The inode of the socket that listens on a port, from a table of `/proc/net`.
#[cfg(target_os = "linux")]
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    /// The state `LISTEN` as the kernel writes it.
    const LISTENING: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(local, 16).ok()? == port && fields.get(3)? == &LISTENING;
        is_it.then(|| fields.get(9)?.parse().ok())?
    })
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
            assert!(holder(port).unwrap().ends_with(&format!("(pid {pid})")));
        }
        assert_ne!(free_after(address, port), port);
        drop(listener);
        assert!(is_free(address, port));
    }
}
