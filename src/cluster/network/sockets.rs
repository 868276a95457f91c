//! The table from (pod address, port) to the socket that really listens.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;

/// All listening sockets of a cluster's pods. Clones share one table.
#[derive(Debug, Clone)]
pub(crate) struct Sockets {
    /// Whether pod addresses exist on this host.
    real: bool,
    table: Arc<Mutex<HashMap<(Ipv4Addr, u16), SocketAddr>>>,
}

/// A listening socket of a pod; its entry goes when it is dropped.
#[derive(Debug)]
pub struct PodListener {
    listener: TcpListener,
    entry: Entry,
}

#[derive(Debug)]
struct Entry {
    key: (Ipv4Addr, u16),
    sockets: Sockets,
}

impl Sockets {
    pub(crate) fn new(real: bool) -> Self {
        Self {
            real,
            table: Arc::default(),
        }
    }

    /// Listens on a port of a pod.
    ///
    /// # Errors
    /// The port is in use within the pod.
    pub(crate) async fn listen(&self, pod: Ipv4Addr, port: u16) -> io::Result<PodListener> {
        let listener = if self.real {
            TcpListener::bind((pod, port)).await?
        } else {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?
        };
        let address = listener.local_addr()?;
        let key = (pod, address_port(self.real, port, address));
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.contains_key(&key) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        table.insert(key, address);
        drop(table);
        Ok(PodListener {
            listener,
            entry: Entry {
                key,
                sockets: self.clone(),
            },
        })
    }

    /// Where a port of a pod is served; `None` where nothing listens.
    pub(crate) fn find(&self, pod: Ipv4Addr, port: u16) -> Option<SocketAddr> {
        self.table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(pod, port))
            .copied()
    }
}

/// Port 0 asks for any free port; on a shared host that is the one the system chose.
fn address_port(real: bool, port: u16, address: SocketAddr) -> u16 {
    if port == 0 || real {
        address.port()
    } else {
        port
    }
}

impl PodListener {
    /// Splits off the socket; the table's entry lives as long as the returned guard.
    #[must_use]
    pub fn into_parts(self) -> (TcpListener, impl Send + use<>) {
        (self.listener, self.entry)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.sockets
            .table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_pods_may_use_one_port_where_all_share_an_address() {
        let sockets = Sockets::new(false);
        let (one, two) = (Ipv4Addr::new(10, 244, 0, 1), Ipv4Addr::new(10, 244, 0, 2));
        let first = sockets.listen(one, 3000).await.unwrap();
        let _second = sockets.listen(two, 3000).await.unwrap();
        assert_ne!(sockets.find(one, 3000), sockets.find(two, 3000));
        let taken = sockets.listen(one, 3000).await.unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert_eq!(sockets.find(one, 3000), None);
    }
}
