//! `rollout-lab run`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::interrupt::cancelled_by_signals;
use super::provider::{Chosen, ProviderArgs, exit_of};
use super::{ContextArgs, Ended, Failure};
use crate::exit::Exit;
use crate::history;
use crate::provider::ProviderError;
use crate::report::{summary, timings};
use crate::run::features::{self, Choice};
use crate::run::{Keep, Plan, Ran, RunError, new_id, run as run_plan};
use crate::view::{self, Style};

/// The main tutorial's lab.
const LAB: &str = "features/rolling-update/rolling_update";
/// How many times faster than real time the embedded cluster runs by default: the lab then takes
/// about ten seconds to watch.
const PACE: f64 = 20.0;
/// How long a step may take, in seconds.
const STEP_LIMIT: f64 = 600.0;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Feature files or folders [default: the rolling-update lab]
    features: Vec<PathBuf>,
    #[command(flatten)]
    provider: ProviderArgs,
    #[command(flatten)]
    context: ContextArgs,
    /// Keep the cluster, and what the first scenario that fails leaves in it
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "always")]
    keep: Option<KeepWhen>,
    /// The language of the default lab
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
    /// Only scenarios whose tags fit, such as "@fault and not @slow"
    #[arg(long)]
    tags: Option<String>,
    /// Only scenarios whose name contains this
    #[arg(long)]
    name: Option<String>,
    /// Folder of the reports
    #[arg(long, value_name = "DIR", default_value = "target/rollout-lab")]
    report_dir: PathBuf,
    /// Seconds that a step may take
    #[arg(long, default_value_t = STEP_LIMIT, value_parser = positive)]
    step_limit: f64,
    /// Print how long the parts of the run took
    #[arg(long)]
    timings: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeepWhen {
    /// Whatever comes of the run
    Always,
    /// If a scenario fails
    OnFailure,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Lang {
    #[default]
    En,
    Ja,
}

/// As if no argument had been given.
impl Default for RunArgs {
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Bare {
            #[command(flatten)]
            args: RunArgs,
        }
        <Bare as clap::Parser>::parse_from(["rollout-lab"]).args
    }
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".to_owned()),
    }
}

fn exit_of_run(error: &RunError) -> Exit {
    match error {
        RunError::Provider(error) => exit_of(error),
        RunError::History(_) | RunError::Report(_) => Exit::Failed,
    }
}

pub(super) async fn run(args: RunArgs) -> Ended {
    if cfg!(panic = "abort") {
        return Err(Failure::usage(anyhow!(
            "this program was built for container images, and a step that fails would end it; run \
             labs with another: cargo build --release"
        )));
    }
    let paths = if args.features.is_empty() {
        let ending = if args.lang == Lang::Ja {
            ".ja.feature"
        } else {
            ".feature"
        };
        vec![PathBuf::from(format!("{LAB}{ending}"))]
    } else {
        args.features.clone()
    };
    let choice = Choice {
        tags: args.tags.clone(),
        name: args.name.clone(),
    };
    let features = features::load(&paths, &choice).map_err(Failure::usage)?;
    let cancel = cancelled_by_signals().map_err(Failure::failed)?;
    let id = new_id();
    let ready = args.provider.ready(&args.context, &id, PACE);
    let ready = cancel.run_until_cancelled(ready).await;
    let ready = ready.ok_or(ProviderError::Interrupted)??;
    let keep = match args.keep {
        None => Keep::Never,
        Some(_) if matches!(ready.chosen, Chosen::Embedded) => {
            return Err(Failure::usage(ProviderError::EndsWithRun));
        }
        Some(KeepWhen::OnFailure) => Keep::OnFailure,
        Some(KeepWhen::Always) => Keep::Always,
    };
    let plan = Plan {
        id,
        features,
        provider: ready.provider.clone(),
        report_dir: args.report_dir.clone(),
        // They share port 30000 of one address.
        concurrency: 1,
        step_limit: Duration::from_secs_f64(args.step_limit),
        keep,
    };
    let mut shown = None;
    let Ran { report, kept } = run_plan(plan, cancel, |records| {
        shown = Some(view::show(records, Style::Follow));
    })
    .await
    .map_err(|error| Failure::new(exit_of_run(&error), error))?;
    if let Some(shown) = shown {
        // The view ends with the last record.
        let _ = shown.await;
    }
    if args.timings {
        println!("\n{}", told_timings(&args.report_dir)?);
    }
    println!("\n{}", summary(&report, &args.report_dir));
    if !kept.is_empty() {
        println!("\nkept; to look around, and to remove it:");
        for line in &kept {
            println!("  {line}");
        }
    }
    Ok(report.exit())
}

/// The timings of the run that has just ended, from its history, with the memory that it took.
fn told_timings(folder: &Path) -> Result<String, Failure> {
    let records = history::read(&folder.join("history.jsonl")).map_err(Failure::failed)?;
    let timings = timings(&records);
    Ok(match peak_memory() {
        Some(kilobytes) => format!("{timings}, peak memory {} MB", kilobytes / 1000),
        None => timings,
    })
}

/// The most memory that this process ever held, in kilobytes; `None` where the system keeps no
/// account of it in `/proc`.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
