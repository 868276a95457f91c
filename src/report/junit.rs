//! JUnit XML: a suite for each feature, a case for each scenario.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::model::{Report, ScenarioReport};
use crate::criteria::Status;
use crate::criteria::phrase::Language;

/// Renders a run as JUnit XML.
///
/// # Errors
/// The XML writer fails, which on a text it does not.
pub(super) fn junit(report: &Report) -> Result<String, quick_junit::SerializeError> {
    let mut xml = quick_junit::Report::new("rollout-lab");
    let mut suites: Vec<TestSuite> = Vec::new();
    for scenario in &report.scenarios {
        let feature = scenario.scenario.feature.as_str();
        let index = suites
            .iter()
            .position(|suite| suite.name.as_str() == feature);
        let index = index.unwrap_or_else(|| {
            suites.push(TestSuite::new(feature));
            suites.len() - 1
        });
        suites[index].add_test_case(case(scenario));
    }
    xml.add_test_suites(suites);
    xml.to_string()
}

fn case(scenario: &ScenarioReport) -> TestCase {
    let language = Language::of_feature(&scenario.scenario.language);
    let status = match scenario.outcome {
        Status::Pass => TestCaseStatus::success(),
        Status::Fail => failure(scenario, NonSuccessKind::Failure),
        // A criterion that could not be judged is an error of the run, not of what it ran on.
        Status::Unknown => failure(scenario, NonSuccessKind::Error),
    };
    let mut case = TestCase::new(scenario.scenario.name.as_str(), status);
    case.set_classname(scenario.scenario.file.as_str());
    case.set_time(Duration::from_secs_f64(scenario.seconds.max(0.0)));
    let mut lines = Vec::new();
    for step in &scenario.steps {
        lines.push(format!("{} {}", step.keyword, step.text));
        for verdict in &step.verdicts {
            lines.push(format!("  {}", verdict.seen.in_language(language)));
        }
    }
    case.set_system_out(lines.join("\n"));
    case
}

fn failure(scenario: &ScenarioReport, kind: NonSuccessKind) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let failed = scenario
        .steps
        .iter()
        .find(|step| step.outcome != Status::Pass);
    let (message, why) = if let Some(step) = failed {
        let place = format!("{}:{}: {}", scenario.scenario.file, step.line, step.text);
        (place, step.failure.clone())
    } else {
        let why = scenario.failure.clone();
        (why.clone().unwrap_or_else(unfinished), why)
    };
    status.set_message(message);
    status.set_description(why.unwrap_or_else(unfinished));
    status
}

fn unfinished() -> String {
    "not finished".to_owned()
}
