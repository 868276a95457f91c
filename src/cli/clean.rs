//! `rollout-lab clean`.

use clap::Args;

use super::progress::progress;
use super::provider::ledger;
use super::{Ended, Failure};
use crate::exit::Exit;
use crate::provider::clean;
use crate::provider::ledger::{Extent, Ledger, Listed, State};

#[derive(Debug, Args)]
pub(super) struct CleanArgs {
    /// Remove what was kept on purpose, too
    #[arg(long)]
    kept: bool,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Strike out what cannot be removed, because it is not there any more
    #[arg(long)]
    forget: bool,
}

pub(super) async fn clean(args: CleanArgs) -> Ended {
    let ledger = ledger()?;
    let listed = ledger.list();
    let mut listed = listed.map_err(Failure::failed)?;
    // What is inside a cluster goes first, as long as there is one to ask.
    listed.sort_by_key(|listed| listed.entry.extent == Extent::Cluster);
    let (mut removed, mut failed) = (0, 0);
    let all = &listed;
    for listed in all {
        let what = describe(listed);
        if let Some(user) = listed.user(all) {
            println!("in use by process {}: {what}", user.process);
            continue;
        }
        match listed.state {
            State::InUse => {
                println!("in use by process {}: {what}", listed.entry.process);
            }
            State::Kept if !args.kept => println!("kept (--kept removes it): {what}"),
            State::Kept | State::Left if args.dry_run => println!("would remove: {what}"),
            State::Kept | State::Left => match remove(&ledger, listed, args.forget).await {
                Ok(Some(done)) => {
                    println!("{done}: {what}");
                    removed += 1;
                }
                Ok(None) => println!("in use since just now: {what}"),
                Err(error) => {
                    println!("not removed: {what}\n  {error:#}");
                    failed += 1;
                }
            },
        }
    }
    if failed > 0 {
        println!(
            "{removed} removed, {failed} not; what is gone for good: rollout-lab clean --forget"
        );
        return Ok(Exit::Failed);
    }
    if listed.is_empty() {
        println!("nothing is left");
    } else if removed == 0 && !args.dry_run {
        println!("nothing was removed");
    }
    Ok(Exit::Held)
}

/// Removes something that is listed, and says what that came to; `None` where another process has
/// begun to use it.
async fn remove(
    ledger: &Ledger,
    listed: &Listed,
    forget: bool,
) -> Result<Option<&'static str>, anyhow::Error> {
    let Some(claim) = ledger.take(listed)? else {
        return Ok(None);
    };
    let Err(error) = clean::remove(claim, &progress(false)).await else {
        if listed.entry.extent == Extent::Cluster {
            clean::strike_out_inside(ledger, &listed.entry)?;
        }
        return Ok(Some("removed"));
    };
    if !forget {
        return Err(error.into());
    }
    let Some(claim) = ledger.take(listed)? else {
        return Ok(None);
    };
    claim.release()?;
    Ok(Some("forgotten"))
}

fn describe(listed: &Listed) -> String {
    let entry = &listed.entry;
    let (provider, name, made) = (&entry.provider, &entry.name, &entry.made);
    match entry.extent {
        Extent::Cluster => format!("the {provider} cluster {name}, made {made}"),
        Extent::Namespaces => format!(
            "the namespaces of run {} in {name} ({provider}), made {made}",
            entry.run
        ),
    }
}
