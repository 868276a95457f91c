//! A run, told scenario by scenario: the sole input of every renderer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::criteria::phrase::Language;
use crate::criteria::{Status, Verdict, judge_all};
use crate::exit::Exit;
use crate::history::record::{Cluster, Ending, Run, Scenario};
use crate::history::{Entry, Record, Stamp};

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The head of the run.
    pub run: Option<Run>,
    /// What came of it.
    pub outcome: Status,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Its scenarios, in the order in which they began.
    pub scenarios: Vec<ScenarioReport>,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// Its head.
    pub scenario: Scenario,
    /// The cluster that it ran on; `None` where none could be had.
    pub cluster: Option<Cluster>,
    /// What came of it.
    pub outcome: Status,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why it failed outside of its steps.
    pub failure: Option<String>,
    /// Its steps that were begun.
    pub steps: Vec<StepReport>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// The keyword as it was written.
    pub keyword: String,
    /// The sentence, with what its table lists.
    pub text: String,
    /// Its line in the feature file.
    pub line: usize,
    /// What came of it.
    pub outcome: Status,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why it failed.
    pub failure: Option<String>,
    /// The verdicts that it asked for.
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// Tells the records of a run, of however many scenarios, in whatever order they were written.
    #[must_use]
    pub fn of(records: &[Arc<Record>]) -> Self {
        let mut run = None;
        let mut by_scenario: BTreeMap<usize, Vec<Arc<Record>>> = BTreeMap::new();
        for record in records {
            if let Entry::Run(head) = &record.entry {
                run = Some(head.clone());
            } else {
                let of_scenario = by_scenario.entry(record.scenario).or_default();
                of_scenario.push(Arc::clone(record));
            }
        }
        let told = by_scenario.values();
        Self::new(run, told.filter_map(|r| ScenarioReport::of(r)).collect())
    }

    /// A run of scenarios that were told before, in the order in which they began.
    #[must_use]
    pub fn new(run: Option<Run>, scenarios: Vec<ScenarioReport>) -> Self {
        let worst = scenarios.iter().map(|scenario| scenario.outcome).max();
        Self {
            run,
            outcome: worst.unwrap_or(Status::Unknown),
            interrupted: scenarios.iter().any(|scenario| scenario.interrupted),
            scenarios,
        }
    }

    /// The exit code that the run deserves.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let no_cluster = |scenario: &ScenarioReport| {
            scenario.cluster.is_none() && scenario.outcome == Status::Fail
        };
        match self.outcome {
            _ if self.interrupted => Exit::Interrupted,
            _ if self.scenarios.iter().any(no_cluster) => Exit::NoCluster,
            Status::Pass => Exit::Held,
            Status::Fail => Exit::Failed,
            Status::Unknown => Exit::Unknown,
        }
    }

    /// The language of the features.
    #[must_use]
    pub fn language(&self) -> Language {
        self.scenarios.first().map_or(Language::English, |first| {
            Language::of_feature(&first.scenario.language)
        })
    }

    /// All verdicts.
    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.scenarios
            .iter()
            .flat_map(|scenario| &scenario.steps)
            .flat_map(|step| &step.verdicts)
    }
}

impl ScenarioReport {
    /// Tells the records of one scenario; `None` where it never began.
    #[must_use]
    pub fn of(records: &[Arc<Record>]) -> Option<Self> {
        let (began, head) = records.iter().find_map(|record| match &record.entry {
            Entry::Scenario(scenario) => Some((record.at, scenario.clone())),
            _ => None,
        })?;
        let mut verdicts = judge_all(records).into_iter();
        let mut report = ScenarioReport {
            scenario: head,
            cluster: None,
            outcome: Status::Unknown,
            seconds: 0.0,
            interrupted: false,
            failure: None,
            steps: Vec::new(),
            notes: Vec::new(),
        };
        let mut ended = None;
        let mut step_began = Stamp::default();
        for record in records {
            match &record.entry {
                Entry::Cluster(cluster) => report.cluster = Some(cluster.clone()),
                Entry::Step(step) => {
                    step_began = record.at;
                    report.steps.push(StepReport {
                        keyword: step.keyword.clone(),
                        text: step.text.clone(),
                        line: step.line,
                        outcome: Status::Unknown,
                        seconds: 0.0,
                        failure: None,
                        verdicts: Vec::new(),
                    });
                }
                Entry::Asked(_) => {
                    if let (Some(step), Some(verdict)) = (report.steps.last_mut(), verdicts.next())
                    {
                        step.verdicts.push(verdict);
                    }
                }
                Entry::StepEnded(ending) => {
                    if let Some(step) = report.steps.last_mut() {
                        step.seconds = seconds(record.at - step_began);
                        close(step, ending);
                    }
                    report.interrupted |= *ending == Ending::Interrupted;
                }
                Entry::ScenarioEnded(ending) => {
                    report.seconds = seconds(record.at - began);
                    report.interrupted |= *ending == Ending::Interrupted;
                    ended = Some(ending.clone());
                }
                Entry::Note(note) => report.notes.push(note.text.clone()),
                _ => {}
            }
        }
        let of_steps = report.steps.iter().map(|step| step.outcome).max();
        report.outcome = match ended {
            Some(Ending::Passed) => of_steps.unwrap_or(Status::Unknown),
            Some(Ending::Failed { why }) => {
                // What failed in a step is told there.
                if of_steps != Some(Status::Fail) && of_steps != Some(Status::Unknown) {
                    report.failure = Some(why);
                }
                of_steps
                    .filter(|worst| *worst == Status::Unknown)
                    .unwrap_or(Status::Fail)
            }
            // A run that was cut short promises nothing for what it did not reach.
            Some(Ending::Interrupted) | None => {
                of_steps.map_or(Status::Unknown, |worst| worst.max(Status::Unknown))
            }
        };
        Some(report)
    }
}

/// A step is as good as its verdicts; a step without any is as good as its end.
fn close(step: &mut StepReport, ending: &Ending) {
    let judged = step.verdicts.iter().map(Verdict::outcome).max();
    step.outcome = match ending {
        Ending::Passed => judged.unwrap_or(Status::Pass),
        Ending::Failed { why } => {
            step.failure = Some(why.clone());
            judged
                .filter(|worst| *worst == Status::Unknown)
                .unwrap_or(Status::Fail)
        }
        Ending::Interrupted => Status::Unknown,
    };
}

fn seconds(duration: Duration) -> f64 {
    // Milliseconds are as exact as anybody reads.
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
