//! `rollout-lab cluster status`.

use std::time::Duration;

use console::style;
use tokio::time::timeout;

use super::Which;
use crate::cli::Ended;
use crate::exit::Exit;
use crate::provider::embedded::NODE_PORT;
use crate::provider::kubeconfig::Kubeconfig;
use crate::provider::ledger::{Listed, State};

/// How long a cluster may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn status(which: &Which) -> Ended {
    let clusters = which.all()?;
    if clusters.is_empty() {
        let (what, way) = (which.what(), which.way_to_make_one());
        println!("no {what} was made here; make one with: {way}");
    }
    let mut exit = Exit::Held;
    for listed in &clusters {
        let entry = &listed.entry;
        println!(
            "{} ({}), {}, made {}",
            style(&entry.name).bold(),
            entry.provider,
            state(listed),
            entry.made
        );
        match look(listed).await {
            Ok(found) => println!("  {} {found}", style("✓").green()),
            Err(why) => {
                println!("  {} {why}", style("✗").red());
                exit = Exit::NoCluster;
            }
        }
        if let Some(address) = entry.published {
            println!("  node port {NODE_PORT}: http://{address}/ once a Service has it");
        }
        let kubeconfig = listed.kubeconfig().unwrap_or_default();
        println!("  export KUBECONFIG={}", kubeconfig.display());
    }
    Ok(exit)
}

fn state(listed: &Listed) -> String {
    match listed.state {
        State::InUse => format!("in use by process {}", listed.entry.process),
        State::Kept => "kept".to_owned(),
        State::Left => "left by a run that was killed (rollout-lab clean removes it)".to_owned(),
    }
}

async fn look(listed: &Listed) -> Result<String, String> {
    let kubeconfig = Kubeconfig {
        file: listed.kubeconfig(),
        context: Some(listed.entry.context.clone()),
        ..Kubeconfig::default()
    };
    match timeout(PATIENCE, kubeconfig.look()).await {
        Ok(Ok((found, _))) => Ok(found),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
