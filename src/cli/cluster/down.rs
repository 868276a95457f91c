//! `rollout-lab cluster down`.

use anyhow::anyhow;

use super::Which;
use crate::cli::progress::progress;
use crate::cli::provider::ledger;
use crate::cli::{Ended, Failure};
use crate::exit::Exit;
use crate::provider::clean;
use crate::provider::ledger::{Ledger, Listed};

pub(super) async fn down(which: &Which) -> Ended {
    let (ledger, listed) = (ledger()?, which.one()?);
    let (provider, name) = (&listed.entry.provider, &listed.entry.name);
    let used = |process: u32| {
        let text = format!(
            "process {process} uses the {provider} cluster {name}; interrupt that one first"
        );
        Failure::new(Exit::Failed, anyhow!(text))
    };
    let all = ledger.list();
    let all = all.map_err(Failure::failed)?;
    if let Some(user) = listed.user(&all) {
        return Err(used(user.process));
    }
    let claim = ledger.take(&listed);
    let claim = claim.map_err(Failure::failed)?;
    match claim {
        Some(claim) => clean::remove(claim, &progress(false))
            .await
            .map_err(Failure::failed)?,
        None if clean::maker(provider).is_none() => stop(&ledger, &listed).await?,
        None => return Err(used(listed.entry.process)),
    }
    let struck_out = clean::strike_out_inside(&ledger, &listed.entry);
    struck_out.map_err(Failure::failed)?;
    println!("the {provider} cluster {name} is removed");
    Ok(Exit::Held)
}

/// Ends the process of an embedded cluster, which takes everything with it.
#[cfg(unix)]
async fn stop(ledger: &Ledger, listed: &Listed) -> Result<(), Failure> {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let process = i32::try_from(listed.entry.process).unwrap_or_default();
    // Its lock is held, so the process is the one that made it.
    kill(Pid::from_raw(process), Signal::SIGTERM).map_err(|error| {
        let text = format!("could not end process {process}");
        Failure::new(Exit::Failed, anyhow::Error::new(error).context(text))
    })?;
    let (ledger, listed) = (ledger.clone(), listed.clone());
    let ended = tokio::task::spawn_blocking(move || ledger.await_end(&listed)).await;
    ended.map_err(Failure::failed)?.map_err(Failure::failed)
}

#[cfg(not(unix))]
async fn stop(_: &Ledger, listed: &Listed) -> Result<(), Failure> {
    let process = listed.entry.process;
    let error = anyhow!("press Ctrl+C where process {process} runs it");
    Err(Failure::new(Exit::Failed, error))
}
