//! What runs in a container.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;

use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::cluster::clock::Clock;
use crate::cluster::logs::Log;
use crate::cluster::network::Sockets;
use crate::cluster::network::sockets::PodListener;

/// What an image runs.
pub trait Program: Send + Sync + 'static {
    /// Runs until it ends by itself, and returns its exit code.
    ///
    /// Dropping the future is what SIGKILL is to a process: whatever it holds, its sockets first
    /// of all, must go with it.
    fn run(&self, process: Process) -> BoxFuture<'static, i32>;
}

/// What a program finds when it starts.
#[derive(Clone)]
pub struct Process {
    /// The environment of the container.
    pub env: BTreeMap<String, String>,
    /// The name of the pod.
    pub hostname: String,
    /// For whatever takes the program time by its nature, such as booting.
    pub clock: Clock,
    /// Standard output.
    pub log: Log,
    /// Signals sent to it.
    pub signals: Signals,
    pub(super) address: Ipv4Addr,
    pub(super) sockets: Sockets,
}

impl Process {
    /// Listens on a port of the pod.
    ///
    /// # Errors
    /// The port is in use within the pod.
    pub async fn listen(&self, port: u16) -> io::Result<PodListener> {
        self.sockets.listen(self.address, port).await
    }
}

/// The signals that a process may act upon.
#[derive(Debug, Clone)]
pub struct Signals {
    pub(super) terminate: watch::Receiver<bool>,
}

impl Signals {
    /// Waits for SIGTERM. A program that never calls this ignores it.
    pub async fn terminated(&mut self) {
        // Without a sender no signal can come.
        if self.terminate.wait_for(|sent| *sent).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
