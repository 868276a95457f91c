//! Connections to a forwarded node port, and what comes of them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{AT_ONCE, LIMIT};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const KEPT_ALIVE: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// The body of an answer on a fresh connection.
pub(super) async fn ask(address: SocketAddr) -> io::Result<Value> {
    let asking = async {
        let mut connection = TcpStream::connect(address).await?;
        connection.write_all(REQUEST).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(io::Error::other(format!("no answer: {answer:?}")));
        }
        serde_json::from_str(body).map_err(io::Error::other)
    };
    tokio::time::timeout(LIMIT, asking).await?
}

/// Asks until there is an answer: the services and endpoints of the forward come by watches.
pub(super) async fn ask_until_answered(address: SocketAddr) {
    let asking = async { while ask(address).await.is_err() {} };
    tokio::time::timeout(LIMIT, asking).await.unwrap();
}

/// Asks until there is no answer, which must then come at once.
pub(super) async fn ask_until_refused(address: SocketAddr) {
    let asking = async {
        loop {
            let began = Instant::now();
            if ask(address).await.is_err() {
                return began.elapsed();
            }
        }
    };
    let took = tokio::time::timeout(LIMIT, asking).await.unwrap();
    assert!(took < AT_ONCE, "refused after {took:?}");
}

/// Asks so many times on fresh connections, 200 a second.
pub(super) async fn ask_steadily(address: SocketAddr, count: usize) -> Vec<io::Result<Value>> {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let mut asked = Vec::new();
    for _ in 0..count {
        ticks.tick().await;
        asked.push(tokio::spawn(ask(address)));
    }
    let answers = join_all(asked).await;
    answers.into_iter().map(Result::unwrap).collect()
}

/// Asks on one fresh connection after the other, for as long as it is wanted.
pub(super) async fn ask_on_and_on(
    address: SocketAddr,
    wanted: watch::Receiver<bool>,
) -> Vec<io::Result<Value>> {
    let mut answers = Vec::new();
    while *wanted.borrow() {
        answers.push(ask(address).await);
    }
    answers
}

/// How many answers came from each pod or version; all must be answers.
#[track_caller]
pub(super) fn count_by(answers: &[io::Result<Value>], field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut failures = Vec::new();
    for answer in answers {
        match answer {
            Ok(body) => {
                let value = body[field].as_str().unwrap().to_owned();
                *counts.entry(value).or_default() += 1;
            }
            Err(error) => failures.push(error.to_string()),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}: {failures:?}",
        failures.len(),
        answers.len()
    );
    counts
}

/// An open connection that has been answered, and the pod that did.
pub(super) async fn mk_connection(address: SocketAddr) -> (TcpStream, String) {
    ask_until_answered(address).await;
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(KEPT_ALIVE).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with('}') {
        let mut part = [0; 1024];
        let count = connection.read(&mut part).await.unwrap();
        assert_ne!(count, 0, "it ended after {answer:?}");
        answer.push_str(std::str::from_utf8(&part[..count]).unwrap());
    }
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    (connection, body["pod"].as_str().unwrap().to_owned())
}

/// Waits for the end of a connection on which nothing more may come.
pub(super) async fn await_end(mut connection: TcpStream) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(LIMIT, connection.read_to_end(&mut rest)).await;
    // Orderly or not.
    let _ = end.unwrap();
    assert!(rest.is_empty(), "{rest:?}");
}

/// Waits for the end of a connection that must not look like that of a whole answer.
pub(super) async fn await_reset(connection: &mut TcpStream) {
    let end = tokio::time::timeout(LIMIT, connection.read_u8()).await;
    let reset = end.unwrap().unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
}

/// A connection of which the first half of the answer has been read.
pub(super) async fn first_half(address: SocketAddr) -> TcpStream {
    let opening = async {
        // Until the endpoint is ready and known.
        loop {
            if let Ok(connection) = try_first_half(address).await {
                return connection;
            }
        }
    };
    tokio::time::timeout(LIMIT, opening).await.unwrap()
}

pub(super) async fn try_first_half(address: SocketAddr) -> io::Result<TcpStream> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(b"?").await?;
    let mut half = [0; 3];
    connection.read_exact(&mut half).await?;
    assert_eq!(&half, b"one");
    Ok(connection)
}
