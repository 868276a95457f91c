//! `rollout-lab cluster`: clusters to work with.

mod down;
mod status;
mod up;

use anyhow::anyhow;
use clap::{Args, Subcommand};

use super::provider::ledger;
use super::{Ended, Failure};
use crate::exit::Exit;
use crate::provider::ledger::{Extent, Listed};

#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Makes a cluster and says how to reach it; an embedded one runs until Ctrl+C
    #[command(after_help = up::EXAMPLES)]
    Up(up::UpArgs),
    /// Removes a cluster that was made here
    Down(NameArgs),
    /// Shows the clusters that were made here, and whether they answer
    Status(NameArgs),
    /// Prints the path of a cluster's kubeconfig: export KUBECONFIG=$(rollout-lab cluster kubeconfig)
    Kubeconfig(NameArgs),
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// Name of the cluster [default: the only one that there is]
    name: Option<String>,
}

pub(super) async fn cluster(command: ClusterCommand) -> Ended {
    match command {
        ClusterCommand::Up(args) => up::up(args).await,
        ClusterCommand::Down(args) => down::down(&args).await,
        ClusterCommand::Status(args) => status::status(&args).await,
        ClusterCommand::Kubeconfig(args) => kubeconfig(&args),
    }
}

fn kubeconfig(args: &NameArgs) -> Ended {
    let listed = args.one()?;
    println!("{}", listed.kubeconfig().unwrap_or_default().display());
    Ok(Exit::Held)
}

/// The clusters that were made here.
fn clusters() -> Result<Vec<Listed>, Failure> {
    let listed = ledger()?.list();
    let listed = listed.map_err(Failure::failed)?;
    let is_cluster = |listed: &Listed| listed.entry.extent == Extent::Cluster;
    Ok(listed.into_iter().filter(is_cluster).collect())
}

impl NameArgs {
    /// The cluster that is meant.
    fn one(&self) -> Result<Listed, Failure> {
        one(self.name.as_deref())
    }
}

/// The cluster of a name, or the only one.
pub(super) fn one(name: Option<&str>) -> Result<Listed, Failure> {
    let mut clusters = clusters()?;
    let names: Vec<String> = clusters
        .iter()
        .map(|listed| listed.entry.name.clone())
        .collect();
    let names = names.join(", ");
    if let Some(name) = name {
        clusters.retain(|listed| listed.entry.name == name);
    }
    match (clusters.len(), name) {
        (1, _) => Ok(clusters.remove(0)),
        (0, Some(name)) if !names.is_empty() => Err(Failure::usage(anyhow!(
            "no cluster {name} was made here; there are: {names}"
        ))),
        (0, _) => Err(Failure::usage(anyhow!(
            "no cluster was made here that is still there; make one with: rollout-lab cluster up"
        ))),
        (_, Some(name)) => Err(Failure::usage(anyhow!(
            "several tools made a cluster {name} here; remove it with the tool that is meant"
        ))),
        (_, None) => Err(Failure::usage(anyhow!(
            "there are several clusters, so name one: {names}"
        ))),
    }
}
