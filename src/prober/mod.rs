//! Open-loop traffic: a request when it is due, whatever became of those before it.
//!
//! A slow answer never delays the next request, so an outage cannot hide the requests that people
//! would have made meanwhile. Each request has a connection of its own, because a balancer chooses
//! a backend for a connection, not for a request. Every sample goes into the history; what could
//! not be sent is counted. A flow has a thread of its own: what measures must not queue behind what
//! is measured.

mod client;
mod outcome;
mod schedule;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Uri;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::client::{Client, Exchange};
use self::schedule::Schedule;
use crate::history::record::{FailureClass, Outcome, Sample, Traffic, TrafficEnded};
use crate::history::{Entry, History};

/// Requests that may wait for an answer at once; more would exhaust file descriptors.
const IN_FLIGHT: usize = 4096;
/// A request that leaves this long after it was due is late.
const LATE: Duration = Duration::from_millis(5);

/// How traffic flows.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Where requests go.
    pub url: Uri,
    /// Requests a second.
    pub rate: f64,
    /// Whether each request has a connection of its own.
    pub fresh_connections: bool,
    /// How long a request may take, connecting included.
    pub timeout: Duration,
}

impl Flow {
    /// 200 requests a second on fresh connections, 2 s each.
    #[must_use]
    pub fn to(url: Uri) -> Self {
        Self {
            url,
            rate: 200.0,
            fresh_connections: true,
            timeout: Duration::from_secs(2),
        }
    }
}

/// A flow of requests that goes on until it is stopped or dropped.
#[derive(Debug)]
pub struct Prober {
    goes_on: DropGuard,
    ended: oneshot::Receiver<TrafficEnded>,
}

impl Prober {
    /// Starts a flow that tells a history.
    ///
    /// # Errors
    /// The system has no thread or file descriptor left for it.
    pub fn start(flow: Flow, history: History) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let stop = CancellationToken::new();
        let goes_on = stop.clone().drop_guard();
        let (tell, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("prober".to_owned())
            .spawn(move || {
                // Whoever dropped the flow does not want its totals; the history has them.
                let _ = tell.send(runtime.block_on(run(flow, history, stop)));
            })?;
        Ok(Self { goes_on, ended })
    }

    /// Ends the flow, waits for the answers that are still due, and returns its totals.
    pub async fn stop(self) -> TrafficEnded {
        drop(self.goes_on);
        // The thread does not panic; without totals nothing was sent.
        self.ended.await.unwrap_or(TrafficEnded {
            sent: 0,
            unsent: 0,
            late: 0,
        })
    }
}

/// Sends one request on a connection of its own.
pub async fn ask_once(url: &Uri, timeout: Duration) -> Outcome {
    match Client::new(url.clone(), true, timeout).exchange().await {
        Exchange::Done { outcome, .. } => outcome,
        Exchange::NotSent => Outcome::Failed {
            class: FailureClass::NoRoute,
            detail: "this host has no port or file descriptor left".to_owned(),
        },
    }
}

/// What became of the requests so far.
#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    unsent: AtomicU64,
    late: AtomicU64,
}

async fn run(flow: Flow, history: History, stop: CancellationToken) -> TrafficEnded {
    let schedule = Schedule {
        start: Instant::now(),
        rate: flow.rate,
    };
    history.append(Entry::Traffic(Traffic {
        url: flow.url.to_string(),
        rate: flow.rate,
        fresh_connections: flow.fresh_connections,
        timeout: flow.timeout.as_secs_f64(),
    }));
    let client = Arc::new(Client::new(flow.url, flow.fresh_connections, flow.timeout));
    let counters = Arc::new(Counters::default());
    let mut requests = JoinSet::new();
    for seq in 0.. {
        let due = schedule.due(seq);
        if due > Instant::now() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(due) => {}
            }
        } else if stop.is_cancelled() {
            break;
        }
        while requests.try_join_next().is_some() {}
        if requests.len() >= IN_FLIGHT {
            counters.unsent.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        requests.spawn(request(
            seq,
            due,
            client.clone(),
            history.clone(),
            counters.clone(),
        ));
    }
    while requests.join_next().await.is_some() {}
    let ended = TrafficEnded {
        sent: counters.sent.load(Ordering::Relaxed),
        unsent: counters.unsent.load(Ordering::Relaxed),
        late: counters.late.load(Ordering::Relaxed),
    };
    history.append(Entry::TrafficEnded(ended.clone()));
    ended
}

async fn request(
    seq: u64,
    due: Instant,
    client: Arc<Client>,
    history: History,
    counters: Arc<Counters>,
) {
    let sent = Instant::now();
    let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
    match client.exchange().await {
        Exchange::Done { port, outcome } => {
            count(&counters.sent);
            if sent.duration_since(due) > LATE {
                count(&counters.late);
            }
            let (due, sent) = (history.clock().at(due), history.clock().at(sent));
            history.append(Entry::Sample(Sample {
                seq,
                due,
                sent,
                port,
                outcome,
            }));
        }
        // This host had no file descriptor or port left: that says nothing about the service.
        Exchange::NotSent => {
            count(&counters.unsent);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::history::{Clock, Record, Sink};

    const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n\
                          {\"service\":\"user-service\",\"version\":\"1.0.0\",\"pod\":\"p\"}";

    /// A server that answers each connection with a text, or never where there is none.
    async fn mk_server(answer: Option<&'static str>) -> (Uri, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if let Some(answer) = answer {
                    tokio::spawn(async move {
                        let mut request = [0; 1024];
                        if stream.read(&mut request).await.unwrap() > 0 {
                            stream.write_all(answer.as_bytes()).await.unwrap();
                        }
                    });
                } else {
                    open.push(stream);
                }
            }
        });
        (url, task)
    }

    /// Lets a flow run until there are some samples.
    async fn probe(flow: Flow, samples: usize) -> (Vec<Sample>, TrafficEnded) {
        let history = History::new(0, Clock::start(), Sink::none());
        let prober = Prober::start(flow, history.clone()).unwrap();
        let of = |records: &[Arc<Record>]| {
            records
                .iter()
                .filter_map(|record| match &record.entry {
                    Entry::Sample(sample) => Some(sample.clone()),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        while history.read(|records| of(records).len()) < samples {
            tokio::task::yield_now().await;
        }
        let ended = prober.stop().await;
        (history.read(of), ended)
    }

    #[tokio::test]
    async fn each_request_has_a_connection_of_its_own_and_every_sample_is_kept() {
        let (url, server) = mk_server(Some(ANSWER)).await;
        let (samples, ended) = probe(
            Flow {
                rate: 500.0,
                ..Flow::to(url)
            },
            20,
        )
        .await;
        server.abort();
        assert_eq!(ended.sent, samples.len() as u64);
        assert_eq!(ended.unsent, 0);
        let ports: BTreeSet<u16> = samples.iter().map(|sample| sample.port).collect();
        assert_eq!(
            ports.len(),
            samples.len(),
            "a port twice is a connection reused"
        );
        for sample in &samples {
            let Outcome::Answered(answer) = &sample.outcome else {
                panic!("{sample:?}")
            };
            assert_eq!(
                (answer.service.as_str(), answer.pod.as_deref()),
                ("user-service", Some("p"))
            );
        }
    }

    #[tokio::test]
    async fn a_server_that_never_answers_delays_no_request() {
        let (url, server) = mk_server(None).await;
        let flow = Flow {
            rate: 200.0,
            timeout: Duration::from_millis(200),
            ..Flow::to(url)
        };
        let (samples, ended) = probe(flow, 10).await;
        server.abort();
        assert_eq!(ended.sent, samples.len() as u64);
        for pair in samples.windows(2) {
            assert_eq!(pair[1].seq, pair[0].seq + 1);
        }
        for sample in &samples {
            let delay = sample.sent - sample.due;
            assert!(
                delay < Duration::from_millis(150),
                "sent {delay:?} after it was due"
            );
            assert!(matches!(
                sample.outcome,
                Outcome::Failed {
                    class: FailureClass::Timeout,
                    ..
                }
            ));
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_a_refusal() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        drop(listener);
        let (samples, _) = probe(Flow::to(url), 1).await;
        assert!(matches!(
            samples[0].outcome,
            Outcome::Failed {
                class: FailureClass::Refused,
                ..
            }
        ));
    }
}
