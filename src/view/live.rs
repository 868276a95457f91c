//! What is going on now: the step, the pods and the answers.

use std::collections::BTreeMap;

use console::style;

use crate::history::facts::PodFacts;
use crate::history::record::{Outcome, Step};
use crate::history::{Entry, Record, State};

/// The present of the scenario that runs.
#[derive(Default)]
pub(super) struct Live {
    state: State,
    step: Option<Step>,
    answers: BTreeMap<String, usize>,
    failed: usize,
}

impl Live {
    pub(super) fn take(&mut self, record: &Record) {
        match &record.entry {
            Entry::Scenario(_) => *self = Self::default(),
            Entry::Step(step) => self.step = Some(step.clone()),
            Entry::StepEnded(_) | Entry::ScenarioEnded(_) => self.step = None,
            Entry::Traffic(_) => {
                self.answers.clear();
                self.failed = 0;
            }
            Entry::Change(change) => self.state.fold(change),
            Entry::Sample(sample) => match &sample.outcome {
                Outcome::Answered(answer) => {
                    let name = format!("{} {}", answer.service, answer.version);
                    *self.answers.entry(name).or_default() += 1;
                }
                Outcome::Failed { .. } => self.failed += 1,
            },
            _ => {}
        }
    }

    /// The lines below the last finished step; none between steps.
    pub(super) fn lines(&self) -> Vec<String> {
        let Some(step) = &self.step else {
            return Vec::new();
        };
        let mut lines = vec![format!(
            "    {} {} {}",
            style("…").yellow(),
            step.keyword,
            step.text
        )];
        for (name, replicaset) in &self.state.replicasets {
            let pods: String = self
                .state
                .pods_of(&replicaset.uid)
                .map(|(_, pod)| dot(&pod.facts))
                .collect();
            if !pods.is_empty() {
                lines.push(format!("        {} {pods}", style(name).dim()));
            }
        }
        let mut answers: Vec<String> = self
            .answers
            .iter()
            .map(|(name, count)| format!("{name} ×{count}"))
            .collect();
        if self.failed > 0 {
            answers.push(style(format!("failed ×{}", self.failed)).red().to_string());
        }
        if !answers.is_empty() {
            lines.push(format!("        {}", answers.join(" · ")));
        }
        lines
    }
}

/// A pod in one character: ready, on its way, or going.
fn dot(pod: &PodFacts) -> String {
    let (dot, paint) = match (pod.terminating, pod.ready) {
        (true, _) => ("○", style("○").dim()),
        (false, true) => ("●", style("●").green()),
        (false, false) => ("◐", style("◐").yellow()),
    };
    if console::colors_enabled() {
        paint.to_string()
    } else {
        dot.to_owned()
    }
}
