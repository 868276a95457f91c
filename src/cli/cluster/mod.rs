//! `rollout-lab cluster`: clusters to work with.

mod down;
mod status;
mod up;
mod which;

use clap::Subcommand;

pub(super) use self::which::Which;
use super::Ended;
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Makes a cluster and says how to reach it; an embedded one runs until Ctrl+C
    #[command(after_help = up::EXAMPLES)]
    Up(up::UpArgs),
    /// Removes a cluster that was made here
    Down(Which),
    /// Shows the clusters that were made here, and whether they answer
    Status(Which),
    /// Prints the path of a cluster's kubeconfig: export KUBECONFIG=$(rollout-lab cluster kubeconfig)
    Kubeconfig(Which),
}

pub(super) async fn cluster(command: ClusterCommand) -> Ended {
    match command {
        ClusterCommand::Up(args) => up::up(args).await,
        ClusterCommand::Down(which) => down::down(&which).await,
        ClusterCommand::Status(which) => status::status(&which).await,
        ClusterCommand::Kubeconfig(which) => kubeconfig(&which),
    }
}

fn kubeconfig(which: &Which) -> Ended {
    let listed = which.one()?;
    println!("{}", listed.kubeconfig().unwrap_or_default().display());
    Ok(Exit::Held)
}
