//! `rollout-lab cluster`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::interrupt::on_signals;
use super::publish::Publish;
use super::run::positive;
use super::{Ended, Failure};
use crate::cluster::{self, Cluster};
use crate::exit::Exit;
use crate::provider::embedded::{self, NODE_PORT};

const EXAMPLES: &str = "\
Examples:
  rollout-lab cluster up                                  in real time, node ports on 127.0.0.1
  rollout-lab cluster up --pace 10                        rollouts and grace periods ten times faster
  rollout-lab cluster up --publish 127.0.0.1:8080=30000   node port 30000 at http://127.0.0.1:8080/";

#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Starts an embedded cluster, prints its kubeconfig's path, and removes both at Ctrl+C
    #[command(after_help = EXAMPLES)]
    Up(UpArgs),
}

#[derive(Debug, Args)]
pub(super) struct UpArgs {
    /// How many times faster than real time the cluster runs
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    pace: f64,
    /// Where people reach node ports: none, ADDRESS, ADDRESS:PORT=NODEPORT
    #[arg(long, default_value = "127.0.0.1")]
    publish: Publish,
    /// Port of the API on 127.0.0.1; 0 takes any
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// File to write the kubeconfig to [default: a new file of the system's folder for such]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

pub(super) async fn cluster(command: ClusterCommand) -> Ended {
    let ClusterCommand::Up(args) = command;
    let settings = cluster::Settings {
        pace: args.pace,
        images: embedded::images(),
        published: args.publish.0.clone(),
        listen: Some(args.port),
        ..cluster::Settings::default()
    };
    embedded::check_published(&args.publish.0)
        .map_err(|error| Failure::new(Exit::NoCluster, error))?;
    let cluster = Cluster::start(settings)
        .await
        .map_err(|error| Failure::new(Exit::NoCluster, error))?;
    let folder = tempfile::tempdir().map_err(|error| Failure::new(Exit::Failed, error))?;
    let path = args
        .kubeconfig
        .unwrap_or_else(|| folder.path().join("kubeconfig"));
    let path = std::path::absolute(&path).unwrap_or(path);
    cluster.write_kubeconfig(&path).map_err(|error| {
        let text = format!("could not write the kubeconfig to {}", path.display());
        Failure::usage(anyhow::Error::new(error).context(text))
    })?;
    let stop = on_signals(vec![path.clone()]).map_err(|error| Failure::new(Exit::Failed, error))?;
    announce(&cluster, &args.publish, &path, folder.path());
    stop.cancelled().await;
    cluster.stop().await;
    // A user may have moved it.
    let _ = std::fs::remove_file(&path);
    println!("stopped; the kubeconfig is removed");
    Ok(Exit::Held)
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
