//! `rollout-lab monitor`: what the tutorial's script shows, for any cluster.
//!
//! Each cycle prints the pods and three answers, and says when both versions answered in it.
//! Unlike the script it tells every kind of failure by its name, and the version that is answered.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::cluster::Which;
use super::interrupt::cancelled_by_signals;
use super::provider::ProviderName;
use super::run::positive;
use super::{ContextArgs, Ended, Failure};
use crate::exit::Exit;
use crate::history::record::{Answer, Outcome};
use crate::history::{Clock, History, Sink};
use crate::observer::Observer;
use crate::prober::ask_once;
use crate::provider::Provider as _;
use crate::provider::kubeconfig::{Existing, Kubeconfig};
use crate::provider::progress::Progress;

/// Requests of a cycle.
const REQUESTS: usize = 3;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    #[command(flatten)]
    context: ContextArgs,
    /// Name of a cluster that was made here, instead of a context [default: the only one that
    /// there is]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["context", "kubeconfig"])]
    cluster: Option<String>,
    /// Only a cluster of this provider [default: kubeconfig with a context, else any]
    #[arg(long, value_enum)]
    provider: Option<ProviderName>,
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

impl MonitorArgs {
    /// How to get to the cluster that is meant. One that was made here needs no name while it is
    /// the only one; a context is never guessed.
    fn cluster(&self) -> Result<Kubeconfig, Failure> {
        let given = self.context.provider();
        let is_any = matches!(self.provider, None | Some(ProviderName::Auto));
        if given.context.is_some() || given.file.is_some() {
            let is_context = is_any || self.provider == Some(ProviderName::Kubeconfig);
            return is_context.then_some(given).ok_or_else(|| {
                Failure::usage(anyhow!(
                    "--context is of --provider kubeconfig; leave one of the two out"
                ))
            });
        }
        if self.provider == Some(ProviderName::Kubeconfig) {
            return Ok(given);
        }
        let which = Which {
            name: self.cluster.clone(),
            provider: self.provider,
        };
        if is_any && which.of_provider()?.is_empty() {
            return Err(Failure::usage(anyhow!(
                "no cluster was made here that is still there; make one with: rollout-lab cluster up, \
                 or name the context of another with --context"
            )));
        }
        let listed = which.one()?;
        Ok(Kubeconfig {
            file: listed.kubeconfig(),
            published: listed.entry.published,
            context: Some(listed.entry.context),
            ..given
        })
    }
}

/// How often each service answered.
type Totals = BTreeMap<String, usize>;

pub(super) async fn monitor(args: MonitorArgs) -> Ended {
    let stop = cancelled_by_signals().map_err(Failure::failed)?;
    let mut totals = Totals::new();
    if let Some(ended) = stop.run_until_cancelled(watch(&args, &mut totals)).await {
        ended?;
    }
    println!("\nMonitoring stopped by user");
    for (name, count) in &totals {
        println!("  {name}: {count}");
    }
    Ok(Exit::Held)
}

/// Shows cycle after cycle.
async fn watch(args: &MonitorArgs, totals: &mut Totals) -> Result<Infallible, Failure> {
    let existing = Existing {
        kubeconfig: args.cluster()?,
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
    let history = History::new(0, Clock::start(), Sink::none());
    let client = cluster.client();
    let url = cluster.node_port(args.port).await?;
    let _observer = Observer::start(&client, &args.namespace, &history).await;
    let mut cycles = tokio::time::interval(Duration::from_secs_f64(args.every));
    let mut number = 0;
    loop {
        cycles.tick().await;
        println!("{}", pods(&history));
        println!("--- Service Responses ---");
        let mut cycle = Totals::new();
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
fn mixed(cycle: &Totals) -> Option<String> {
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
