//! `rollout-lab cluster up`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::cli::interrupt::cancelled_by_signals;
use crate::cli::provider::{Chosen, ProviderArgs, ledger, start};
use crate::cli::publish::Publish;
use crate::cli::{ContextArgs, Ended, Failure};
use crate::cluster::{self, Cluster};
use crate::exit::Exit;
use crate::provider::embedded::{self, NODE_PORT, NODES};
use crate::provider::ledger::{Entry, Extent};
use crate::provider::{Provider, ProviderError};
use crate::run::new_id;

pub(super) const EXAMPLES: &str = "\
Examples:
  rollout-lab cluster up                                  in real time, node ports on 127.0.0.1
  rollout-lab cluster up --pace 10                        rollouts and grace periods ten times faster
  rollout-lab cluster up --publish 127.0.0.1:8080=30000   node port 30000 at http://127.0.0.1:8080/
  rollout-lab cluster up --provider kind                  of containers; until: rollout-lab cluster down";

/// The name of a cluster to work with, where no other is asked for.
const NAME: &str = "rollout-lab";
/// Real time.
const PACE: f64 = 1.0;

#[derive(Debug, Args)]
pub(in crate::cli) struct UpArgs {
    #[command(flatten)]
    provider: ProviderArgs,
    /// Port of the API of an embedded cluster on 127.0.0.1; 0 takes any
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// File to write the kubeconfig of an embedded cluster to [default: one in a folder of its own]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

pub(super) async fn up(mut args: UpArgs) -> Ended {
    let stop = cancelled_by_signals().map_err(Failure::failed)?;
    let run = new_id();
    args.provider.cluster_is(NAME);
    let context = ContextArgs::default();
    let ready = args.provider.ready(&context, &run, PACE);
    let ready = stop.run_until_cancelled(ready).await;
    let ready = ready.ok_or(ProviderError::Interrupted)??;
    match ready.chosen {
        Chosen::Embedded => embedded(&args, &run, &stop).await,
        Chosen::Made(_) if args.kubeconfig.is_some() => Err(Failure::usage(anyhow!(
            "--kubeconfig is for an embedded cluster; for the others see: rollout-lab cluster \
             kubeconfig"
        ))),
        Chosen::Made(_) => made(ready.provider.clone(), &stop).await,
        Chosen::Kubeconfig => Err(Failure::usage(anyhow!(
            "a cluster of a kubeconfig is there already; choose a provider that makes one"
        ))),
    }
}

/// Makes a cluster that stays until it is taken down.
async fn made(provider: Arc<dyn Provider>, stop: &CancellationToken) -> Ended {
    provider.check()?;
    let cluster = start(&*provider, stop).await?;
    let description = cluster.describe();
    println!(
        "{} {} is ready, with {} nodes",
        description.provider,
        description.version,
        description.nodes.len()
    );
    let port = cluster.node_port(NODE_PORT).await;
    println!();
    for line in cluster.keep().await? {
        println!("  {line}");
    }
    println!();
    if let Ok(url) = port {
        println!("node port {NODE_PORT}: {url} once a Service has it");
    }
    Ok(Exit::Held)
}

/// Runs a cluster in this process until it is stopped.
async fn embedded(args: &UpArgs, run: &str, stop: &CancellationToken) -> Ended {
    let publish = &args.provider.publish;
    let settings = cluster::Settings {
        pace: args.provider.pace.unwrap_or(PACE),
        nodes: args.provider.nodes.unwrap_or(NODES),
        images: embedded::images(),
        published: publish.0.clone(),
        listen: Some(args.port),
        ..cluster::Settings::default()
    };
    let failed = |error| Failure::new(Exit::NoCluster, error);
    embedded::check_published(&publish.0).map_err(failed)?;
    let ledger = ledger()?;
    let started = Cluster::start(settings).await;
    let cluster = started.map_err(|error| Failure::new(Exit::NoCluster, error))?;
    // Several run side by side, so their names differ.
    let name = format!("{NAME}-{run}");
    let claim = ledger.claim(Entry {
        context: NAME.to_owned(),
        published: publish.address_of(NODE_PORT),
        kubeconfig: args.kubeconfig.as_deref().map(absolute),
        ..Entry::new(embedded::NAME, &name, Extent::Cluster, run)
    });
    let claim = claim.map_err(Failure::failed)?;
    let path = claim.kubeconfig().unwrap_or_default();
    let written = cluster.write_kubeconfig(&path);
    let announced = written.map_err(|error| {
        let text = format!("could not write the kubeconfig to {}", path.display());
        Failure::usage(anyhow::Error::new(error).context(text))
    });
    let stopped = match announced {
        Ok(()) => {
            announce(&cluster, publish, &path, claim.folder());
            stop.cancelled().await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    cluster.stop().await;
    if stopped.is_ok() {
        // A user may have moved it.
        let _ = std::fs::remove_file(&path);
    }
    let released = claim.release();
    stopped?;
    released.map_err(Failure::failed)?;
    println!("stopped; the kubeconfig is removed");
    Ok(Exit::Held)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What to type next. kubectl caches what a server offers by its address for hours, so each
/// cluster gets a cache of its own.
fn announce(cluster: &Cluster, publish: &Publish, kubeconfig: &Path, folder: &Path) {
    println!(
        "{} is ready, with {} nodes",
        cluster::VERSION,
        cluster.node_names().len()
    );
    println!();
    println!("  export KUBECONFIG={}", kubeconfig.display());
    println!("  export KUBECACHEDIR={}", folder.join("cache").display());
    println!("  kubectl get nodes -o wide");
    println!();
    let address = publish.address_of(NODE_PORT);
    let address = address.unwrap_or_else(|| (cluster.node_address(), NODE_PORT).into());
    println!("node port {NODE_PORT}: http://{address}/ once a Service has it");
    println!("Ctrl+C stops the cluster and removes the kubeconfig");
}
