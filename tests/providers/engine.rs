//! What a container engine does beside the tools: it maps ports of this machine to containers.
//!
//! Its docker-proxy accepts for a node from the moment that the container is there until it is
//! removed, and closes what it has accepted where the node refuses.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, copy_bidirectional};
use tokio::net::unix::pipe;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// The longest that a test waits for a tool to say something.
const LIMIT: Duration = Duration::from_secs(30);

/// An engine. It lets go of its ports when it is dropped.
pub(crate) struct Engine {
    _runtime: Runtime,
    said: Receiver<String>,
}

impl Engine {
    /// Starts an engine that takes orders from the FIFO `engine` in a folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let orders = folder.join("engine");
        let made = Command::new("mkfifo").arg(&orders).status().unwrap();
        assert!(made.success(), "mkfifo {}", orders.display());
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (say, said) = channel();
        let context = runtime.enter();
        // It holds the end that is written to as well, so there is always a next order.
        let orders = pipe::OpenOptions::new()
            .read_write(true)
            .open_receiver(&orders)
            .unwrap();
        drop(context);
        runtime.spawn(work(orders, say));
        Self {
            _runtime: runtime,
            said,
        }
    }

    /// Waits until a tool has said something.
    #[track_caller]
    pub(crate) fn await_word(&self, word: &str) {
        let said = self.said.recv_timeout(LIMIT);
        assert_eq!(said.as_deref(), Ok(word), "what a tool said");
    }
}

/// Takes orders: `ANSWER map NAME LOCAL NODE`, `ANSWER unmap NAME`, `ANSWER said WORD`, where the
/// FIFO `ANSWER` waits for `done` or for what is wrong.
async fn work(orders: pipe::Receiver, say: Sender<String>) {
    let mut orders = BufReader::new(orders).lines();
    let mut mapped: HashMap<String, JoinSet<()>> = HashMap::new();
    while let Ok(Some(order)) = orders.next_line().await {
        let words: Vec<&str> = order.split(' ').collect();
        let told = match words[1..] {
            ["map", name, local, node] => match TcpListener::bind(local).await {
                Ok(listener) => {
                    let mut forwarding = JoinSet::new();
                    forwarding.spawn(forward(listener, node.parse().unwrap()));
                    mapped.insert(name.to_owned(), forwarding);
                    "done".to_owned()
                }
                Err(error) => format!("failed to bind host port {local}/tcp: {error}"),
            },
            ["unmap", name] => {
                if let Some(mut forwarding) = mapped.remove(name) {
                    forwarding.shutdown().await;
                }
                "done".to_owned()
            }
            ["said", word] => {
                // The test may have ended.
                let _ = say.send(word.to_owned());
                "done".to_owned()
            }
            _ => format!("no such order: {order}"),
        };
        answer(words[0], &told);
    }
}

/// Who asked may have been ended; opened for both, a FIFO does not wait for it.
fn answer(fifo: &str, told: &str) {
    let opened = std::fs::File::options().read(true).write(true).open(fifo);
    if let Ok(mut fifo) = opened {
        let _ = writeln!(fifo, "{told}");
    }
}

async fn forward(listener: TcpListener, node: SocketAddr) {
    let mut open = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        open.spawn(async move {
            if let Ok(mut server) = TcpStream::connect(node).await {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}
