//! How many requests a second the prober keeps up with: `cargo bench --bench prober`.
//!
//! A sample service and the prober share the cores; each request has a connection of its own.
//! Target on two cores: 2,000 requests a second, under 1 % of them late, none unsent or failed.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should stop")]

use std::time::Duration;

use rollout_lab::app::{SampleService, Settings};
use rollout_lab::history::record::{Outcome, TrafficEnded};
use rollout_lab::history::{Clock, Entry, History, Sink};
use rollout_lab::prober::{Flow, Prober};
use tokio::net::TcpListener;

/// How long each rate is kept up.
const DURATION: Duration = Duration::from_secs(3);
const RATES: [f64; 5] = [200.0, 1000.0, 2000.0, 4000.0, 8000.0];

#[tokio::main]
async fn main() {
    let settings = Settings::from_env(&[].into(), "bench").expect("settings");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { SampleService::User.serve(listener, &settings).await });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "prober, fresh connections, {} s each, {cores} cores",
        DURATION.as_secs()
    );
    println!("  rate/s    sent  unsent  failed  late %  median ms  99 % ms");
    for rate in RATES {
        let history = History::new(0, Clock::start(), Sink::none());
        let flow = Flow {
            rate,
            ..Flow::to(format!("http://{address}/").parse().expect("a URL"))
        };
        let prober = Prober::start(flow, history.clone()).expect("a thread");
        tokio::time::sleep_until(tokio::time::Instant::now() + DURATION).await;
        let ended = prober.stop().await;
        println!("{}", line(rate, &ended, &history));
    }
}

fn line(rate: f64, ended: &TrafficEnded, history: &History) -> String {
    let mut failed = 0;
    let mut took = Vec::new();
    for record in history.records() {
        if let Entry::Sample(sample) = &record.entry {
            failed += usize::from(matches!(sample.outcome, Outcome::Failed { .. }));
            took.push(record.at - sample.sent);
        }
    }
    took.sort_unstable();
    let at = |percent: usize| {
        let place = (took.len() * percent / 100).min(took.len().saturating_sub(1));
        took.get(place)
            .map_or(0.0, |took| took.as_secs_f64() * 1000.0)
    };
    format!(
        "{rate:8} {:7} {:7} {failed:7} {:7.2} {:10.2} {:8.2}",
        ended.sent,
        ended.unsent,
        percent(ended.late, ended.sent),
        at(50),
        at(99),
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}
