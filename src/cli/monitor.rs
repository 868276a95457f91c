//! `rollout-lab monitor`: what the tutorial's script shows, for any cluster.
//!
//! Each cycle prints the pods and three answers, and says when both versions answered in it.
//! Unlike the script it tells every kind of failure by its name, and the version that is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;

use super::cluster::one;
use super::interrupt::cancelled_by_signals;
use super::run::positive;
use super::{ContextArgs, Ended, Failure};
use crate::exit::Exit;
use crate::history::record::{Answer, Outcome};
use crate::history::{Clock, History, Sink};
use crate::observer::Observer;
use crate::prober::ask_once;
use crate::provider::Provider as _;
use crate::provider::kubeconfig::Existing;
use crate::provider::progress::Progress;

/// Requests of a cycle.
const REQUESTS: usize = 3;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// A cluster that was made here, by its name, instead of a context
    #[arg(long, value_name = "NAME", conflicts_with_all = ["context", "kubeconfig"])]
    cluster: Option<String>,
    /// Namespace to watch
    #[arg(short, long, default_value = "app-dev")]
    namespace: String,
    /// Node port to ask
    #[arg(long, default_value_t = 30000)]
    port: u16,
    /// Seconds between two cycles
    #[arg(long, default_value_t = 2.0, value_parser = positive)]
    every: f64,
}

pub(super) async fn monitor(args: MonitorArgs) -> Ended {
    let mut kubeconfig = args.context.provider();
    if let Some(name) = &args.cluster {
        let listed = one(Some(name))?;
        kubeconfig.file = listed.kubeconfig();
        kubeconfig.context = Some(listed.entry.context.clone());
        kubeconfig.published = listed.entry.published;
    }
    let existing = Existing {
        kubeconfig,
        noted: None,
        progress: Progress::none(),
    };
    let cluster = existing.start().await?;
    let description = cluster.describe();
    println!(
        "{} at {}, {}, {} nodes; Ctrl+C stops",
        description.provider,
        description.server,
        description.version,
        description.nodes.len()
    );
    let stop = cancelled_by_signals().map_err(Failure::failed)?;
    let history = History::new(0, Clock::start(), Sink::none());
    let client = cluster.client();
    let url = cluster.node_port(args.port).await?;
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    let work = async {
        let _observer = Observer::start(&client, &args.namespace, &history).await;
        let mut cycles = tokio::time::interval(Duration::from_secs_f64(args.every));
        let mut number = 0;
        loop {
            cycles.tick().await;
            println!("{}", pods(&history));
            println!("--- Service Responses ---");
            let mut cycle: BTreeMap<String, usize> = BTreeMap::new();
            for _ in 0..REQUESTS {
                number += 1;
                let outcome = ask_once(&url, TIMEOUT).await;
                println!("Request {number}: {}", tell(&outcome));
                let name = match &outcome {
                    Outcome::Answered(answer) => answered(answer),
                    Outcome::Failed { .. } => "failed".to_owned(),
                };
                *cycle.entry(name.clone()).or_default() += 1;
                *totals.entry(name).or_default() += 1;
            }
            if let Some(line) = mixed(&cycle) {
                println!("{line}");
            }
            println!();
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
    println!("\nMonitoring stopped by user");
    for (name, count) in &totals {
        println!("  {name}: {count}");
    }
    Ok(Exit::Held)
}

fn pods(history: &History) -> String {
    let now = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
    let mut lines = vec![format!("--- Pod Status ({now}) ---")];
    history.state(|state| {
        for (name, pod) in &state.pods {
            let containers = &pod.facts.containers;
            let ready = containers
                .iter()
                .filter(|container| container.ready)
                .count();
            let all = containers.len();
            lines.push(format!("{name} {ready}/{all} {}", pod.facts.status));
        }
        if state.pods.is_empty() {
            lines.push("no pods".to_owned());
        }
    });
    lines.join("\n")
}

fn answered(answer: &Answer) -> String {
    format!("{} v{}", answer.service, answer.version)
}

fn tell(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(answer) => match &answer.pod {
            Some(pod) => format!("{} ({pod})", answered(answer)),
            None => answered(answer),
        },
        Outcome::Failed { class, detail } => format!("failed: {class:?}: {detail}"),
    }
}

/// The line that shows a cycle in which more than one version answered.
fn mixed(cycle: &BTreeMap<String, usize>) -> Option<String> {
    let versions: Vec<String> = cycle
        .iter()
        .filter(|(name, _)| *name != "failed")
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
    (versions.len() > 1)
        .then(|| format!("🔄 Traffic distribution: {} (Mixed!)", versions.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_mixed_when_two_versions_answered() {
        let cycle = |counts: &[(&str, usize)]| {
            mixed(
                &counts
                    .iter()
                    .map(|(name, count)| ((*name).to_owned(), *count))
                    .collect(),
            )
        };
        assert_eq!(cycle(&[("user-service v1.0.0", 2), ("failed", 1)]), None);
        assert_eq!(
            cycle(&[("payment-service v2.0.0", 1), ("user-service v1.0.0", 2)]).as_deref(),
            Some(
                "🔄 Traffic distribution: payment-service v2.0.0=1, user-service v1.0.0=2 (Mixed!)"
            )
        );
    }
}
