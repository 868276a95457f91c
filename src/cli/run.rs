//! `rollout-lab run`.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::interrupt::on_signals;
use super::publish::Publish;
use super::{ContextArgs, Ended, Failure};
use crate::exit::Exit;
use crate::history;
use crate::provider::embedded::{Embedded, NODE_PORT};
use crate::provider::kind::Kind;
use crate::provider::{Provider, ProviderError};
use crate::report::{summary, timings};
use crate::run::features::{self, Choice};
use crate::run::{Plan, RunError, new_id, run as run_plan};
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
    /// Where the cluster comes from
    #[arg(long, value_enum, default_value_t)]
    provider: ProviderName,
    #[command(flatten)]
    context: ContextArgs,
    /// How many times faster than real time the embedded cluster runs
    #[arg(long, default_value_t = PACE, value_parser = positive)]
    pace: f64,
    /// Where people reach node ports of a cluster made here: none, ADDRESS, ADDRESS:PORT=NODEPORT
    #[arg(long, default_value = "127.0.0.1")]
    publish: Publish,
    /// Node image of a kind cluster [default: kind's own]
    #[arg(long, value_name = "IMAGE")]
    node_image: Option<String>,
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

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ProviderName {
    /// A cluster inside this process
    #[default]
    Embedded,
    /// A cluster of containers, made by kind for this run and removed after it
    Kind,
    /// An existing cluster, named by its context
    Kubeconfig,
}

impl ProviderName {
    /// The word that chooses it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Kind => "kind",
            Self::Kubeconfig => "kubeconfig",
        }
    }
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

/// A context that is not there is a slip of the command line, not of the cluster.
fn exit_of(error: &RunError) -> Exit {
    match error {
        RunError::Provider(
            ProviderError::NoContext { .. }
            | ProviderError::UnknownContext { .. }
            | ProviderError::Kubeconfig { .. },
        ) => Exit::Usage,
        RunError::Provider(ProviderError::Interrupted) => Exit::Interrupted,
        RunError::Provider(_) => Exit::NoCluster,
        RunError::History(_) | RunError::Report(_) => Exit::Failed,
    }
}

pub(super) async fn run(args: RunArgs) -> Ended {
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
    let id = new_id();
    let provider: Arc<dyn Provider> = match args.provider {
        ProviderName::Embedded => Arc::new(Embedded {
            pace: args.pace,
            published: args.publish.0.clone(),
        }),
        ProviderName::Kind => Arc::new(kind(&args, &id)),
        ProviderName::Kubeconfig => Arc::new(args.context.provider()),
    };
    let plan = Plan {
        id,
        features,
        provider,
        report_dir: args.report_dir.clone(),
        // They share port 30000 of one address.
        concurrency: 1,
        step_limit: Duration::from_secs_f64(args.step_limit),
    };
    let cancel = on_signals(Vec::new()).map_err(|error| Failure::new(Exit::Failed, error))?;
    let mut shown = None;
    let report = run_plan(plan, cancel, |records| {
        shown = Some(view::show(records, Style::Follow));
    })
    .await
    .map_err(|error| Failure::new(exit_of(&error), error))?;
    if let Some(shown) = shown {
        // The view ends with the last record.
        let _ = shown.await;
    }
    if args.timings {
        println!("\n{}", told_timings(&args.report_dir)?);
    }
    println!("\n{}", summary(&report, &args.report_dir));
    Ok(report.exit())
}

/// kind for this run; its own lines go to standard error.
fn kind(args: &RunArgs, id: &str) -> Kind {
    let published = args.publish.address_of(NODE_PORT);
    let published = published.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, NODE_PORT).into());
    let told = Arc::new(|line: &str| eprintln!("  kind: {line}"));
    Kind::new(id, published, args.node_image.clone(), told)
}

/// The timings of the run that has just ended, from its history, with the memory that it took.
fn told_timings(folder: &Path) -> Result<String, Failure> {
    let records = history::read(&folder.join("history.jsonl"))
        .map_err(|error| Failure::new(Exit::Failed, error))?;
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
