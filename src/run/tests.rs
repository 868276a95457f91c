use std::collections::BTreeMap;

use super::features::{self, Choice};
use super::*;
use crate::history::{self, Stamp};
use crate::provider::embedded::{Embedded, NODES, Published};

const FEATURE: &str = r#"
Feature: F
  Scenario: first
    Given the namespace "app-dev"
  Scenario: second
    Given the namespace "app-dev"
  @serial
  Scenario: alone
    Given the namespace "app-dev"
"#;

/// From when to when each scenario ran, in the order in which they began.
async fn times(concurrency: usize) -> Vec<(String, Stamp, Stamp)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.feature");
    std::fs::write(&file, FEATURE).unwrap();
    let plan = Plan {
        id: new_id(),
        features: features::load(&[file], &Choice::default()).unwrap(),
        provider: Arc::new(Embedded {
            pace: 20.0,
            nodes: NODES,
            published: Published::default(),
        }),
        report_dir: folder.path().to_owned(),
        concurrency,
        step_limit: Duration::from_secs(60),
        keep: Keep::Never,
    };
    let Ran { report, .. } = run(plan, CancellationToken::new(), drop).await.unwrap();
    assert_eq!(report.exit().code(), 0, "{report:#?}");
    let mut times = BTreeMap::new();
    let records = history::read(&folder.path().join("history.jsonl")).unwrap();
    for record in &records {
        if let Entry::Scenario(scenario) = &record.entry {
            let name = scenario.name.clone();
            times.insert(record.scenario, (name, record.at, record.at));
        } else if let Some((_, _, until)) = times.get_mut(&record.scenario) {
            *until = record.at;
        }
    }
    let mut times: Vec<_> = times.into_values().collect();
    times.sort_by_key(|(_, since, _)| *since);
    times
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_scenario_runs_alone() {
    let times = times(3).await;
    let (name, since, until) = times.iter().find(|(name, ..)| name == "alone").unwrap();
    for (other, other_since, other_until) in &times {
        let is_apart = other_until <= since || other_since >= until;
        assert!(other == name || is_apart, "{times:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_they_keep_their_order() {
    let names: Vec<String> = times(1).await.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["first", "second", "alone"]);
}
