//! Sets the scene of each scenario, and clears it away.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cucumber::event::ScenarioFinished;
use futures::future::{FutureExt as _, LocalBoxFuture};
use gherkin::{Feature, Scenario};
use tokio_util::sync::CancellationToken;

use super::features::file_of;
use super::{Keep, Plan, Ran, RunError};
use crate::history::record::{Ending, Entry, Run, Scenario as ScenarioRecord};
use crate::history::{Clock, History, Sink};
use crate::lab::{Farewell, Session};
use crate::provider::{Cluster, Provider, ProviderError, chain};
use crate::report::{self, Report, ScenarioReport};
use crate::steps::{Scene, World};

/// What all scenarios of a run have in common. Clones are the same stage.
#[derive(Clone)]
pub(super) struct Stage {
    shared: Arc<Shared>,
}

struct Shared {
    provider: Arc<dyn Provider>,
    /// The cluster of all scenarios, where they share one.
    common: tokio::sync::Mutex<Option<Arc<dyn Cluster>>>,
    run: Run,
    clock: Clock,
    sink: Sink,
    cancel: CancellationToken,
    step_limit: Duration,
    report_dir: PathBuf,
    scenarios: AtomicUsize,
    /// The scenarios that have ended, by their number. Their records are in the file only.
    ended: Mutex<BTreeMap<usize, ScenarioReport>>,
    keep: Keep,
    /// The scenario whose namespace is left as it was when it failed.
    left: Mutex<Option<String>>,
    /// What the scenarios that run hold, by their place: a set-up that fails leaves no world.
    open: Mutex<HashMap<Place, Open>>,
}

/// File, line and name of a scenario.
type Place = (String, usize, String);

fn place(feature: &Feature, scenario: &Scenario) -> Place {
    (
        file_of(feature),
        scenario.position.line,
        scenario.name.clone(),
    )
}

/// What a running scenario holds outside of its world.
struct Open {
    number: usize,
    history: History,
    cluster: Option<Arc<dyn Cluster>>,
}

impl Stage {
    pub(super) fn new(
        plan: &Plan,
        run: Run,
        clock: Clock,
        sink: Sink,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                provider: plan.provider.clone(),
                common: tokio::sync::Mutex::default(),
                run,
                clock,
                sink,
                cancel,
                step_limit: plan.step_limit,
                report_dir: plan.report_dir.clone(),
                scenarios: AtomicUsize::new(0),
                ended: Mutex::default(),
                keep: plan.keep,
                left: Mutex::default(),
                open: Mutex::default(),
            }),
        }
    }

    /// Reaches the cluster that all scenarios share, if they do: without it none can begin.
    pub(super) async fn open(&self) -> Result<(), ProviderError> {
        self.shared.provider.check()?;
        if self.shared.provider.is_disposable() {
            return Ok(());
        }
        tokio::select! {
            started = self.shared.cluster() => started.map(drop),
            () = self.shared.cancel.cancelled() => {
                self.shared.provider.abandon().await;
                Err(ProviderError::Interrupted)
            }
        }
    }

    /// Gives a scenario its history, its cluster and its limits.
    pub(super) fn set<'w>(
        &self,
        feature: &'w Feature,
        scenario: &'w Scenario,
        world: &'w mut World,
    ) -> LocalBoxFuture<'w, ()> {
        let shared = self.shared.clone();
        async move {
            let number = shared.scenarios.fetch_add(1, Ordering::Relaxed);
            let history = History::new(number, shared.clock.clone(), shared.sink.clone());
            let file = file_of(feature);
            history.append(Entry::Scenario(ScenarioRecord {
                feature: feature.name.clone(),
                name: scenario.name.clone(),
                file: file.clone(),
                line: scenario.position.line,
                tags: feature.tags.iter().chain(&scenario.tags).cloned().collect(),
                language: feature_language(feature),
            }));
            let place = place(feature, scenario);
            let open = Open {
                number,
                history: history.clone(),
                cluster: None,
            };
            lock(&shared.open).insert(place.clone(), open);
            let left = lock(&shared.left).clone();
            if let Some(left) = left {
                // There is a cluster; that is not why it is not run.
                if let Some(cluster) = &*shared.common.lock().await {
                    history.append(Entry::Cluster(cluster.describe()));
                }
                std::panic::panic_any(format!(
                    "not run: everything is left as \"{left}\" left it when it failed"
                ));
            }
            let started = tokio::select! {
                started = shared.cluster() => started,
                () = shared.cancel.cancelled() => {
                    std::panic::panic_any("interrupted".to_owned());
                }
            };
            let cluster = match started {
                Ok(cluster) => cluster,
                // A panic is how cucumber is told of a failure.
                Err(error) => std::panic::panic_any(chain(&error)),
            };
            if let Some(open) = lock(&shared.open).get_mut(&place) {
                open.cluster = Some(cluster.clone());
            }
            world.set(Scene {
                session: Session::new(
                    cluster,
                    history,
                    PathBuf::from(file),
                    &shared.run.id,
                    shared.step_limit.mul_f64(0.9),
                ),
                cancel: shared.cancel.clone(),
                step_limit: shared.step_limit,
            });
        }
        .boxed_local()
    }

    /// Ends a scenario: its traffic, its namespace, its cluster, its history; then the reports.
    pub(super) fn clear<'w>(
        &self,
        feature: &'w Feature,
        scenario: &'w Scenario,
        event: &'w ScenarioFinished,
        world: Option<&'w mut World>,
    ) -> LocalBoxFuture<'w, ()> {
        let shared = self.shared.clone();
        async move {
            let Some(open) = lock(&shared.open).remove(&place(feature, scenario)) else {
                return;
            };
            let mut ending = match event {
                _ if shared.cancel.is_cancelled() => Ending::Interrupted,
                ScenarioFinished::StepPassed => Ending::Passed,
                ScenarioFinished::StepSkipped => Ending::Failed {
                    why: "a step was skipped".to_owned(),
                },
                ScenarioFinished::StepFailed(..) => Ending::Failed {
                    why: "a step failed".to_owned(),
                },
                ScenarioFinished::BeforeHookFailed(panic) => {
                    let why = panic.downcast_ref::<String>().cloned();
                    Ending::Failed {
                        why: why.unwrap_or_else(|| "the set-up failed".to_owned()),
                    }
                }
            };
            let disposable = shared.provider.is_disposable();
            let farewell = shared.farewell(&scenario.name, &ending);
            if let Some(mut scene) = world.and_then(World::take)
                && let Err(error) = scene.session.finish(farewell).await
                && ending == Ending::Passed
            {
                ending = Ending::Failed {
                    why: error.to_string(),
                };
            }
            if disposable && let Some(cluster) = &open.cluster {
                cluster.stop().await;
            }
            open.history.append(Entry::ScenarioEnded(ending));
            if let Some(report) = ScenarioReport::of(&open.history.records()) {
                lock(&shared.ended).insert(open.number, report);
            }
            if let Err(error) = shared.write_reports() {
                tracing::error!(%error, "writing the reports");
            }
        }
        .boxed_local()
    }

    /// Stops or keeps what all scenarios shared, and writes the reports for the last time.
    pub(super) async fn finish(&self) -> Result<Ran, RunError> {
        let shared = &self.shared;
        let report = shared.write_reports();
        let mut kept = Vec::new();
        if let Some(cluster) = shared.common.lock().await.take() {
            let stays = match shared.keep {
                Keep::Never => false,
                Keep::OnFailure => lock(&shared.left).is_some(),
                Keep::Always => true,
            };
            if stays {
                kept = cluster.keep().await?;
            } else {
                cluster.stop().await;
            }
        }
        let report = report?;
        Ok(Ran { report, kept })
    }
}

impl Shared {
    /// A cluster for a scenario.
    async fn cluster(&self) -> Result<Arc<dyn Cluster>, ProviderError> {
        if self.provider.is_disposable() {
            return self.provider.start().await;
        }
        let mut common = self.common.lock().await;
        if let Some(cluster) = &*common {
            return Ok(cluster.clone());
        }
        let cluster = self.provider.start().await?;
        Ok(common.insert(cluster).clone())
    }

    /// What becomes of the namespace of a scenario.
    fn farewell(&self, scenario: &str, ending: &Ending) -> Farewell {
        if self.provider.is_disposable() {
            return Farewell::Leave;
        }
        if self.keep != Keep::Never && matches!(ending, Ending::Failed { .. }) {
            lock(&self.left).get_or_insert_with(|| scenario.to_owned());
            return Farewell::Leave;
        }
        Farewell::Remove
    }

    fn write_reports(&self) -> Result<Report, RunError> {
        let ended = lock(&self.ended).values().cloned().collect();
        let report = Report::new(Some(self.run.clone()), ended);
        report::write(&report, &self.report_dir)?;
        Ok(report)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The language of a feature, by Gherkin's name for it: the parser keeps only its keyword.
fn feature_language(feature: &Feature) -> String {
    let is_ascii = feature.keyword.is_ascii();
    if is_ascii {
        "en".to_owned()
    } else {
        "ja".to_owned()
    }
}
