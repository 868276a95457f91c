//! The command line.

mod app;
mod clean;
mod cluster;
mod doctor;
mod images;
mod interrupt;
mod monitor;
mod progress;
mod provider;
mod publish;
mod report;
mod run;
mod steps;

use std::path::PathBuf;

pub use self::interrupt::cancelled_by_signals;
pub use self::provider::{Ready, provider_of_environment};
use clap::{Args, Parser, Subcommand};

use crate::exit::Exit;
use crate::provider::kubeconfig::Kubeconfig;

/// Proves what Kubernetes rollouts do: runs a lab, with real traffic, and judges every promise.
#[derive(Debug, Parser)]
#[command(name = "rollout-lab", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  rollout-lab                              the rolling-update lab on the embedded cluster
  rollout-lab run my.feature               a lab of your own, manifests beside it
  rollout-lab run --lang ja                the lab in Japanese
  rollout-lab run --pace 1                 in real time, as a real cluster takes it
  rollout-lab run --provider kind          on a cluster that kind makes, and removes again
  rollout-lab run --provider kubeconfig --context staging
  rollout-lab doctor --provider kind       what is missing for that
  rollout-lab cluster up                   a cluster to type kubectl against
  rollout-lab monitor                      its pods and answers, until Ctrl+C
  rollout-lab monitor --context staging    those of a cluster that is there

Exit codes:
  0  every criterion holds          3  the cluster could not be started or reached
  1  a criterion or step failed     4  a criterion could not be judged
  2  unusable arguments or files    130  interrupted
                                    143  app: ended by a SIGTERM";

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs labs and judges them (what happens without a command)
    Run(run::RunArgs),
    /// Makes a cluster to work with, shows it, removes it
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Removes what killed runs left
    Clean(clean::CleanArgs),
    /// Says what this machine has of what a lab needs, and what to do about the rest
    Doctor(doctor::DoctorArgs),
    /// Shows pods and answers until Ctrl+C, as the tutorial's script does
    Monitor(monitor::MonitorArgs),
    /// Judges and renders a stored history again
    Report(report::ReportArgs),
    /// Packs the sample services of the labs as container images, and loads them into clusters
    #[command(subcommand)]
    Images(images::ImagesCommand),
    /// Runs a sample service of the labs as a process
    App(app::AppArgs),
    /// Lists the sentences that feature files are made of
    Steps(steps::StepsArgs),
}

/// Which existing cluster.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A cluster that is there")]
pub(crate) struct ContextArgs {
    /// Context of the kubeconfig; none is ever guessed
    #[arg(long, env = "LAB_CONTEXT")]
    context: Option<String>,
    /// Kubeconfig file [default: $KUBECONFIG or ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Address at which node ports are reached [default: that of a node, if it is reached]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "port_forward")]
    node_address: Option<String>,
    /// Reach node ports through the API, even where the nodes are reached
    #[arg(long)]
    port_forward: bool,
}

impl ContextArgs {
    fn provider(&self) -> Kubeconfig {
        Kubeconfig {
            file: self.kubeconfig.clone(),
            context: self.context.clone(),
            node_address: self.node_address.clone(),
            port_forward: self.port_forward,
            published: None,
        }
    }
}

/// What a command ends with: an exit, or an error to tell and the exit that it means.
type Ended = Result<Exit, Failure>;

/// An error that ends the program.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            error: error.into(),
        }
    }

    /// Tells the error, and what the program ends with.
    fn tell(self) -> Exit {
        let Self { exit, error } = self;
        eprintln!("error: {error}");
        for cause in error.chain().skip(1) {
            eprintln!("  because: {cause}");
        }
        exit
    }

    /// Something that should work did not.
    fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Failed, error)
    }

    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Usage, error)
    }
}

/// What is logged, where `RUST_LOG` does not say otherwise. The client logs every attempt to reach
/// an API that is away; what comes of it is told where it matters.
const LOGGED: &str = "error,kube_client=off";

/// Runs the program and says how it ended.
#[must_use]
pub fn main(cli: Cli) -> Exit {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOGGED));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    raise_file_limit();
    let ended = match cli
        .command
        .unwrap_or_else(|| Command::Run(run::RunArgs::default()))
    {
        Command::Run(args) => block_on(run::run(args)),
        Command::Cluster(command) => block_on(cluster::cluster(command)),
        Command::Clean(args) => block_on(clean::clean(args)),
        Command::Doctor(args) => block_on(doctor::doctor(args)),
        Command::Monitor(args) => block_on(monitor::monitor(args)),
        Command::Report(args) => report::report(&args),
        Command::Images(command) => block_on(images::images(command)),
        Command::App(args) => block_on(app::app(args)),
        Command::Steps(args) => Ok(steps::steps(&args)),
    };
    ended.unwrap_or_else(Failure::tell)
}

/// Raises the soft limit of open files to the hard one: requests that wait for an answer hold a
/// socket each, on either side, and the usual 1024 is soon used up.
pub fn raise_file_limit() {
    // What cannot be raised is found out by who opens files.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

fn block_on(work: impl Future<Output = Ended>) -> Ended {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    runtime.block_on(work)
}
