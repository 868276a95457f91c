//! How long the parts of a run took, as its history tells it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::history::facts::{DeploymentFacts, Facts};
use crate::history::record::{Command, Inventory, TrafficEnded, Verb, When};
use crate::history::{Entry, Record, Stamp};

/// What a scenario took.
#[derive(Debug, Default)]
struct Timings {
    name: String,
    began: Stamp,
    pace: f64,
    ready: Option<Duration>,
    /// From the command to a Deployment that is up to date and available.
    rollouts: Vec<Duration>,
    removal: Option<Duration>,
    traffic: Option<TrafficEnded>,
    total: Option<Duration>,
    /// The command whose rollout has not ended yet: when it was sent, the Deployment, its generation.
    rolling: Option<(Stamp, String, i64)>,
    removing: Option<Stamp>,
}

/// Renders a table, a line a scenario, in seconds. The heading is the line `timings`.
#[must_use]
pub fn timings(records: &[Arc<Record>]) -> String {
    let mut scenarios: Vec<Timings> = Vec::new();
    for record in records {
        if let Entry::Scenario(scenario) = &record.entry {
            let place = record.scenario;
            scenarios.resize_with(scenarios.len().max(place + 1), Timings::default);
            scenarios[place].name.clone_from(&scenario.name);
            scenarios[place].began = record.at;
        } else if let Some(timings) = scenarios.get_mut(record.scenario) {
            timings.take(record);
        }
    }
    let mut out = String::from(
        "timings\n cluster ready  rollouts            removal   total   pace  requests  late  unsent\n",
    );
    for timings in &scenarios {
        out.push_str(&timings.line());
    }
    let total = records.last().map_or(0.0, |last| last.at.seconds());
    let _ = write!(out, "whole run {total:.2} s");
    out
}

impl Timings {
    fn take(&mut self, record: &Record) {
        let since_begin = record.at - self.began;
        match &record.entry {
            Entry::Cluster(cluster) => {
                self.pace = cluster.pace;
                self.ready.get_or_insert(since_begin);
            }
            Entry::Command(command) => self.command(command),
            Entry::Change(change) => {
                if let Facts::Deployment(facts) = &change.facts {
                    self.rolled(record.at, &change.name, facts);
                }
            }
            Entry::Inventory(Inventory {
                when: When::After, ..
            }) => self.removal = self.removing.map(|sent| record.at - sent),
            Entry::TrafficEnded(ended) => {
                let sum = self.traffic.get_or_insert(TrafficEnded {
                    sent: 0,
                    unsent: 0,
                    late: 0,
                });
                sum.sent += ended.sent;
                sum.unsent += ended.unsent;
                sum.late += ended.late;
            }
            Entry::ScenarioEnded(_) => self.total = Some(since_begin),
            _ => {}
        }
    }

    fn command(&mut self, command: &Command) {
        match command.verb {
            Verb::Apply | Verb::Undo => {
                let changed = command.objects.iter().rev();
                if let Some(deployment) = changed
                    .filter(|object| object.changed)
                    .find(|object| object.kind == "Deployment")
                {
                    self.rolling =
                        Some((command.sent, deployment.name.clone(), deployment.generation));
                }
            }
            Verb::DeleteNamespace => self.removing = Some(command.sent),
            Verb::Scale | Verb::CreateNamespace => {}
        }
    }

    fn rolled(&mut self, at: Stamp, name: &str, facts: &DeploymentFacts) {
        let Some((sent, deployment, generation)) = &self.rolling else {
            return;
        };
        let is_done = facts.observed_generation >= *generation
            && [facts.updated, facts.total, facts.available] == [facts.replicas; 3];
        if deployment == name && is_done {
            self.rollouts.push(at - *sent);
            self.rolling = None;
        }
    }

    fn line(&self) -> String {
        let seconds = |duration: Duration| format!("{:.3}", duration.as_secs_f64());
        let or_dash = |duration: Option<Duration>| duration.map_or("-".to_owned(), seconds);
        let rollouts: Vec<String> = self.rollouts.iter().copied().map(seconds).collect();
        let count = |read: fn(&TrafficEnded) -> u64| {
            self.traffic
                .as_ref()
                .map_or("-".to_owned(), |ended| read(ended).to_string())
        };
        format!(
            "{:>14}  {:<18} {:>8} {:>7} {:>6} {:>9} {:>5} {:>7}  {}\n",
            or_dash(self.ready),
            if rollouts.is_empty() {
                "-".to_owned()
            } else {
                rollouts.join(" ")
            },
            or_dash(self.removal),
            or_dash(self.total),
            self.pace,
            count(|ended| ended.sent),
            count(|ended| ended.late),
            count(|ended| ended.unsent),
            self.name,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::record::{
        Access, AccessKind, Change, ChangeKind, Cluster, Ending, Scenario, Touched,
    };

    fn at(milliseconds: u64, entry: Entry) -> Arc<Record> {
        Arc::new(Record {
            at: Stamp(milliseconds * 1000),
            scenario: 0,
            entry,
        })
    }

    fn mk_deployment(observed_generation: i64, available: i64) -> Entry {
        Entry::Change(Change {
            change: ChangeKind::Modified,
            name: "web".to_owned(),
            uid: "u".to_owned(),
            resource_version: "1".to_owned(),
            inferred: false,
            facts: Facts::Deployment(DeploymentFacts {
                observed_generation,
                replicas: 3,
                total: 3,
                updated: 3,
                available,
                ..DeploymentFacts::default()
            }),
        })
    }

    #[test]
    fn a_rollout_lasts_from_its_command_until_its_own_generation_is_available() {
        let scenario = Scenario {
            feature: "F".to_owned(),
            name: "An update".to_owned(),
            file: "f.feature".to_owned(),
            line: 3,
            tags: Vec::new(),
            language: "en".to_owned(),
        };
        let cluster = Cluster {
            provider: "embedded".to_owned(),
            server: "in process".to_owned(),
            version: "v1.36.2".to_owned(),
            nodes: Vec::new(),
            pace: 20.0,
            access: Access {
                kind: AccessKind::EmbeddedProxy,
                address: "127.0.0.2".to_owned(),
            },
        };
        let apply = Command {
            verb: Verb::Apply,
            argument: "v2.yaml".to_owned(),
            sent: Stamp(100_000),
            objects: vec![Touched {
                kind: "Deployment".to_owned(),
                name: "web".to_owned(),
                uid: "u".to_owned(),
                generation: 2,
                resource_version: "9".to_owned(),
                changed: true,
            }],
        };
        let ended = TrafficEnded {
            sent: 200,
            unsent: 0,
            late: 1,
        };
        let records = [
            at(10, Entry::Scenario(scenario)),
            at(40, Entry::Cluster(cluster)),
            at(110, Entry::Command(apply)),
            // Still the generation before, and not yet available.
            at(120, mk_deployment(1, 3)),
            at(130, mk_deployment(2, 2)),
            at(350, mk_deployment(2, 3)),
            at(400, Entry::TrafficEnded(ended)),
            at(510, Entry::ScenarioEnded(Ending::Passed)),
        ];
        let text = timings(&records);
        let line = text.lines().nth(2).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "0.030", "0.250", "-", "0.500", "20", "200", "1", "0", "An", "update"
            ]
        );
        assert!(text.ends_with("whole run 0.51 s"), "{text}");
    }
}
