//! A run: features in, reports out.

pub mod features;
mod stage;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cucumber::{Cucumber, Parser, ScenarioType, Writer, cli, parser, runner, writer};
use futures::stream;
use gherkin::Feature;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::stage::Stage;
use crate::history::record::{Entry, Run};
use crate::history::{Clock, History, Record, Sink, SinkError};
use crate::provider::{Provider, ProviderError};
use crate::report::{self, Report, ReportError};
use crate::steps::{self, World};

/// What is to be run, and how.
pub struct Plan {
    /// Names what the run makes, in its clusters and outside; of [`new_id`].
    pub id: String,
    /// The features, with the scenarios that were chosen.
    pub features: Vec<Feature>,
    /// Where clusters come from.
    pub provider: Arc<dyn Provider>,
    /// Where reports go.
    pub report_dir: PathBuf,
    /// Scenarios at a time; one, where they share a cluster or a port. Where there are more, those
    /// tagged `@serial` still run alone.
    pub concurrency: usize,
    /// How long a step may take.
    pub step_limit: Duration,
    /// Whether something is left for people to look at.
    pub keep: Keep,
}

/// Whether the cluster of a run stays when it ends. The namespace of the first scenario that fails
/// stays with it, and no scenario is run after that one: it would find the namespace taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    /// It goes.
    #[default]
    Never,
    /// It stays if a scenario fails.
    OnFailure,
    /// It stays.
    Always,
}

/// What a run comes to.
#[derive(Debug)]
pub struct Ran {
    /// Its report, which is also in the files.
    pub report: Report,
    /// What to type to get at what was kept; nothing where nothing was.
    pub kept: Vec<String>,
}

/// An id that no other run has: eight lower-case letters and digits.
#[must_use]
pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..8].to_owned()
}

/// Why a run came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The history could not be written.
    #[error(transparent)]
    History(#[from] SinkError),
    /// The reports could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// There is no cluster to run on.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// Runs a plan. Each record goes to the file at once and to `show`, if there is one; the reports
/// are written after each scenario, so that a killed run leaves what it had.
///
/// # Errors
/// [`RunError`]: nothing could be written, or there is no cluster.
pub async fn run(
    plan: Plan,
    cancel: CancellationToken,
    show: impl FnOnce(mpsc::UnboundedReceiver<Arc<Record>>),
) -> Result<Ran, RunError> {
    report::prepare(&plan.report_dir)?;
    let clock = Clock::start();
    let (sink, records) = Sink::create(&plan.report_dir.join("history.jsonl"))?.live();
    show(records);
    let run = Run {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        id: plan.id.clone(),
        started: clock.started().to_string(),
    };
    History::new(0, clock.clone(), sink.clone()).append(Entry::Run(run.clone()));
    let stage = Stage::new(&plan, run, clock, sink, cancel);
    stage.open().await?;
    let before = stage.clone();
    let after = stage.clone();
    let concurrency = plan.concurrency.max(1);
    let runner = runner::Basic::<World>::default()
        .steps(steps::collection())
        .max_concurrent_scenarios(concurrency)
        // Where each runs alone anyway, cucumber would bring those forward that ask for it.
        .which_scenario(move |feature, _, scenario| {
            let mut tags = feature.tags.iter().chain(&scenario.tags);
            if concurrency > 1 && tags.any(|tag| tag == "serial") {
                ScenarioType::Serial
            } else {
                ScenarioType::Concurrent
            }
        })
        .before(move |feature, _, scenario, world| before.set(feature, scenario, world))
        .after(move |feature, _, scenario, event, world| {
            after.clear(feature, scenario, event, world)
        });
    Cucumber::<World, _, _, _, _, cli::Empty>::custom(Chosen, runner, Silent)
        .with_default_cli()
        .run(plan.features)
        .await;
    stage.finish().await
}

/// Hands features to cucumber that were read and chosen before.
struct Chosen;

impl Parser<Vec<Feature>> for Chosen {
    type Cli = cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<parser::Result<Feature>>>;

    fn parse(self, features: Vec<Feature>, _: cli::Empty) -> Self::Output {
        stream::iter(features.into_iter().map(Ok).collect::<Vec<_>>())
    }
}

/// Says nothing: the history is told by the steps, and shown by the view.
struct Silent;

impl Writer<World> for Silent {
    type Cli = cli::Empty;

    async fn handle_event(
        &mut self,
        _: parser::Result<cucumber::Event<cucumber::event::Cucumber<World>>>,
        _: &cli::Empty,
    ) {
    }
}

impl writer::Normalized for Silent {}

#[cfg(test)]
mod tests;
