//! The WebSocket of forwarded ports, once it is open.
//!
//! ```text
//! client ─► messages ─► one inbox per port ─► pod
//! client ◄─ outbox   ◄─ data and errors    ◄─ pod
//! ```
//!
//! Port n has the channels 2n for data and 2n + 1 for an error; the first byte of a message is its
//! channel. The first message of each channel is the port's number, little-endian. The protocol
//! has no word for the end of one port: when all have ended, the WebSocket closes, and when the
//! client closes it, all end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::future::{join, join_all};
use futures::{SinkExt as _, Stream, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Bytes that are read at once, from the client and from a pod.
const CHUNK: usize = 16 * 1024;
/// Messages that wait in each direction.
const WAITING: usize = 8;
/// How long a client may take to answer the end of a WebSocket with its own.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// Carries the connections to some ports of one pod.
pub(super) struct Carrier {
    pub(super) pod: String,
    pub(super) uid: String,
    pub(super) ports: Vec<Port>,
}

pub(super) struct Port {
    pub(super) number: u16,
    /// Where the pod serves it; `None` where nothing listens.
    pub(super) socket: Option<SocketAddr>,
}

impl Carrier {
    /// Carries until all ports have ended or the client has gone.
    pub(super) async fn run(self, upgrade: OnUpgrade) {
        let upgraded = match upgrade.await {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(error) => return tracing::debug!(%error, "a client left before its ports"),
        };
        let config = WebSocketConfig::default().read_buffer_size(CHUNK);
        let socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await;
        let (mut sink, messages) = socket.split();
        let (outbox, mut outgoing) = mpsc::channel(WAITING);
        let (mut inboxes, mut ports) = (Vec::new(), Vec::new());
        for (port, channel) in self.ports.iter().zip((0..=u8::MAX).step_by(2)) {
            let (inbox, incoming) = mpsc::channel(WAITING);
            inboxes.push(inbox);
            ports.push(self.carry(port, channel, incoming, outbox.clone()));
        }
        // The senders that are left belong to the ports, and end with them.
        drop(outbox);
        let sending = async {
            while let Some(message) = outgoing.recv().await {
                sink.send(message).await?;
            }
            sink.close().await
        };
        let mut receiving = pin!(receive(messages, inboxes));
        tokio::select! {
            () = &mut receiving => return,
            (_, sent) = join(join_all(ports), sending) => if let Err(error) = sent {
                return tracing::debug!(%error, "a client of forwarded ports is gone");
            },
        }
        // Closing while bytes of the client are on their way would take back what it has not read.
        let _ = tokio::time::timeout(FAREWELL, receiving).await;
    }

    /// One port from its first message to its end.
    async fn carry(
        &self,
        port: &Port,
        channel: u8,
        incoming: mpsc::Receiver<Bytes>,
        outbox: mpsc::Sender<Message>,
    ) {
        let number = port.number.to_le_bytes();
        for channel in [channel, channel + 1] {
            // Fails when the client is gone, which ends all of this.
            let _ = outbox.send(message(channel, &number)).await;
        }
        if let Err(error) = exchange(port, channel, incoming, &outbox).await {
            let text = format!(
                "error forwarding port {} to pod {}, uid {}: {error}",
                port.number, self.pod, self.uid
            );
            let _ = outbox.send(message(channel + 1, text.as_bytes())).await;
        }
    }
}

fn message(channel: u8, bytes: &[u8]) -> Message {
    let mut framed = BytesMut::with_capacity(1 + bytes.len());
    framed.put_u8(channel);
    framed.put_slice(bytes);
    Message::Binary(framed.freeze())
}

/// Hands each message to its port, until the client goes.
async fn receive(
    mut messages: impl Stream<Item = Result<Message, Error>> + Unpin,
    inboxes: Vec<mpsc::Sender<Bytes>>,
) {
    while let Some(Ok(message)) = messages.next().await {
        let Message::Binary(mut bytes) = message else {
            continue;
        };
        if bytes.is_empty() {
            continue;
        }
        let channel = usize::from(bytes.split_to(1)[0]);
        // Nothing is to be said on the channels of errors.
        if let Some(inbox) = inboxes
            .get(channel / 2)
            .filter(|_| channel.is_multiple_of(2))
        {
            // A port that has ended takes nothing more.
            let _ = inbox.send(bytes).await;
        }
    }
}

/// Connects to the pod and moves bytes both ways until the pod ends the connection.
async fn exchange(
    port: &Port,
    channel: u8,
    mut incoming: mpsc::Receiver<Bytes>,
    outbox: &mpsc::Sender<Message>,
) -> io::Result<()> {
    let mut pod = connect(port).await?;
    let (mut reader, mut writer) = pod.split();
    let giving = async {
        let mut takes = true;
        while let Some(bytes) = incoming.recv().await {
            // A pod that takes nothing more may still have something to say.
            takes = takes && writer.write_all(&bytes).await.is_ok();
        }
    };
    let taking = async {
        loop {
            let mut chunk = BytesMut::with_capacity(1 + CHUNK);
            chunk.put_u8(channel);
            if reader.read_buf(&mut chunk).await? == 0 {
                return Ok(());
            }
            let message = Message::Binary(chunk.freeze());
            if outbox.send(message).await.is_err() {
                return Ok(());
            }
        }
    };
    tokio::select! {
        end = taking => end,
        () = giving => Ok(()),
    }
}

async fn connect(port: &Port) -> io::Result<TcpStream> {
    let connected = match port.socket {
        Some(address) => TcpStream::connect(address).await,
        None => Err(io::ErrorKind::ConnectionRefused.into()),
    };
    let pod = connected.map_err(|error| {
        let kind = error.kind();
        let text = format!(
            "failed to connect to localhost:{} inside the pod: {kind}",
            port.number
        );
        io::Error::new(kind, text)
    })?;
    pod.set_nodelay(true)?;
    Ok(pod)
}
