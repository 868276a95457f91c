//! Records to lines: what stays on the screen.

use std::collections::HashMap;
use std::sync::Arc;

use console::style;

use crate::criteria::phrase::Language;
use crate::criteria::{Phrase, Status, Verdict, judge};
use crate::history::record::{Cluster, Ending, Step};
use crate::history::{Entry, Record, Stamp};
use crate::report::cluster;

/// Turns the records of a run into lines.
pub(super) struct Feed {
    /// Whether a scenario is told in one piece at its end.
    whole: bool,
    feature: String,
    /// The line on the cluster that was told last.
    cluster: Option<Phrase>,
    open: HashMap<usize, Telling>,
}

/// A scenario that is being told.
#[derive(Default)]
struct Telling {
    language: Language,
    records: Vec<Arc<Record>>,
    step: Option<(Stamp, Step)>,
    verdicts: Vec<Verdict>,
    has_cluster: bool,
    has_failed_step: bool,
    lines: Vec<String>,
}

impl Feed {
    pub(super) fn new(whole: bool) -> Self {
        Self {
            whole,
            feature: String::new(),
            cluster: None,
            open: HashMap::new(),
        }
    }

    /// The lines that a record adds.
    pub(super) fn take(&mut self, record: &Arc<Record>) -> Vec<String> {
        if let Entry::Run(_) = record.entry {
            return Vec::new();
        }
        let telling = self.open.entry(record.scenario).or_default();
        let mut lines = Vec::new();
        if let Entry::Scenario(scenario) = &record.entry {
            telling.language = Language::of_feature(&scenario.language);
            if scenario.feature != self.feature {
                self.feature.clone_from(&scenario.feature);
                lines.push(style(&scenario.feature).bold().to_string());
            }
            lines.push(String::new());
            let place = style(format!("{}:{}", scenario.file, scenario.line)).dim();
            lines.push(format!("  {}  {place}", style(&scenario.name).bold()));
        }
        if let Entry::Cluster(cluster) = &record.entry {
            lines.extend(telling.cluster(cluster, &mut self.cluster));
        }
        lines.extend(telling.take(record));
        let ended = matches!(record.entry, Entry::ScenarioEnded(_));
        if !self.whole {
            if ended {
                self.open.remove(&record.scenario);
            }
            return lines;
        }
        telling.lines.append(&mut lines);
        if !ended {
            return Vec::new();
        }
        self.open
            .remove(&record.scenario)
            .map(|telling| telling.lines)
            .unwrap_or_default()
    }
}

impl Telling {
    fn take(&mut self, record: &Arc<Record>) -> Vec<String> {
        let lines = match &record.entry {
            Entry::Step(step) => {
                self.step = Some((record.at, step.clone()));
                self.verdicts.clear();
                Vec::new()
            }
            Entry::Asked(asked) => {
                self.verdicts.push(judge(asked, record.at, &self.records));
                Vec::new()
            }
            Entry::StepEnded(ending) => self.step_ended(record.at, ending),
            Entry::ScenarioEnded(Ending::Failed { why }) if !self.has_failed_step => {
                vec![format!("    {} {}", mark(Status::Fail), indent(why))]
            }
            Entry::Note(note) => vec![format!("    {} {}", style("•").dim(), note.text)],
            _ => Vec::new(),
        };
        self.records.push(Arc::clone(record));
        lines
    }

    /// The cluster is told once, and again when it is another; of a change of pace only that.
    fn cluster(&mut self, cluster: &Cluster, told: &mut Option<Phrase>) -> Option<String> {
        let line = cluster::cluster(cluster);
        let is_first = !std::mem::replace(&mut self.has_cluster, true);
        if told.as_ref() == Some(&line) {
            return None;
        }
        let text = if is_first {
            line.in_language(self.language).to_owned()
        } else {
            let pace = cluster::pace(cluster.pace);
            Phrase::new(format!("now {}", pace.en), format!("ここから{}", pace.ja))
                .in_language(self.language)
                .to_owned()
        };
        *told = Some(line);
        Some(format!("    {}", style(text).dim()))
    }

    fn step_ended(&mut self, at: Stamp, ending: &Ending) -> Vec<String> {
        let Some((began, step)) = self.step.take() else {
            return Vec::new();
        };
        let judged = self.verdicts.iter().map(Verdict::outcome).max();
        let status = match ending {
            Ending::Passed => judged.unwrap_or(Status::Pass),
            Ending::Failed { .. } => judged
                .filter(|s| *s != Status::Pass)
                .unwrap_or(Status::Fail),
            Ending::Interrupted => Status::Unknown,
        };
        let took = style(format!("{:.2} s", (at - began).as_secs_f64())).dim();
        let mut lines = vec![format!(
            "    {} {} {}  {took}",
            mark(status),
            step.keyword,
            step.text
        )];
        // What did not turn out as expected is explained below.
        for verdict in self.verdicts.iter().filter(|v| v.is_as_expected()) {
            let seen = verdict.seen.in_language(self.language);
            lines.push(format!("        {}", style(seen).cyan()));
        }
        match ending {
            Ending::Failed { why } => {
                self.has_failed_step = true;
                let explained = self
                    .verdicts
                    .iter()
                    .find(|verdict| !verdict.is_as_expected());
                let why = explained.map_or(why.clone(), |v| v.explanation(self.language));
                lines.extend(
                    why.lines()
                        .map(|line| format!("        {}", style(line).red())),
                );
            }
            Ending::Interrupted => lines.push(format!("        {}", style("interrupted").red())),
            Ending::Passed => {}
        }
        lines
    }
}

/// The mark of an outcome, which says the same without its colour.
fn mark(status: Status) -> console::StyledObject<&'static str> {
    match status {
        Status::Pass => style("✓").green(),
        Status::Unknown => style("?").yellow(),
        Status::Fail => style("✗").red(),
    }
}

fn indent(text: &str) -> String {
    text.replace('\n', "\n      ")
}
