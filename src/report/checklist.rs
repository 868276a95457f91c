//! The checklist of a workshop: what was promised, ticked where it was seen to hold.

use super::cluster::cluster;
use super::model::{Report, ScenarioReport, StepReport};
use crate::criteria::phrase::Language;
use crate::criteria::{Status, Verdict};

/// Renders a run as a Markdown list, in the language of its features.
#[must_use]
pub fn checklist(report: &Report) -> String {
    let language = report.language();
    let say = |en: &'static str, ja: &'static str| match language {
        Language::English => en,
        Language::Japanese => ja,
    };
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    let mut feature = "";
    let mut told = None;
    for scenario in &report.scenarios {
        if scenario.scenario.feature != feature {
            feature = &scenario.scenario.feature;
            line(&format!("# {feature}"));
            line("");
        }
        line(&format!(
            "## {} {}",
            mark(scenario.outcome),
            scenario.scenario.name
        ));
        line("");
        // Scenarios of one run may differ in their pace.
        let described = scenario.cluster.as_ref().map(cluster);
        if described.is_some() && described != told {
            let text = described.iter().map(|text| text.in_language(language));
            line(&format!(
                "{}: {}",
                say("Cluster", "クラスタ"),
                text.collect::<String>()
            ));
            line("");
            told = described;
        }
        let claims = claims(scenario);
        if !claims.is_empty() {
            line(&format!("{}: {}", say("Claims", "主張"), claims.join(", ")));
            line("");
        }
        for step in scenario
            .steps
            .iter()
            .filter(|step| !step.verdicts.is_empty())
        {
            for verdict in &step.verdicts {
                line(&item(step, verdict, language));
                for evidence in &verdict.evidence {
                    let text = evidence.text.in_language(language);
                    match evidence.at {
                        Some(at) => line(&format!("  - {at}: {text}")),
                        None => line(&format!("  - {text}")),
                    }
                }
                if verdict.outcome() != Status::Pass {
                    for detail in verdict.details(language) {
                        line(&format!("  - {detail}"));
                    }
                }
            }
        }
        for step in scenario.steps.iter().filter(|step| is_bare_failure(step)) {
            line(&format!("- [ ] {} {}", step.keyword, step.text));
            let unfinished = say("not finished", "終わっていない");
            let why = step.failure.as_deref().unwrap_or(unfinished);
            for why in why.lines() {
                line(&format!("  - {}", why.trim()));
            }
        }
        if let Some(why) = &scenario.failure {
            line(&format!("- [ ] {why}"));
        }
        line("");
    }
    out
}

/// A step that failed before it could ask for a verdict.
fn is_bare_failure(step: &StepReport) -> bool {
    step.verdicts.is_empty() && step.outcome != Status::Pass
}

fn item(step: &StepReport, verdict: &Verdict, language: Language) -> String {
    let tick = if verdict.outcome() == Status::Pass {
        "x"
    } else {
        " "
    };
    let seen = verdict.seen.in_language(language);
    format!("- [{tick}] {}: **{seen}**", step.text)
}

fn mark(status: Status) -> &'static str {
    match status {
        Status::Pass => "✅",
        Status::Unknown => "❔",
        Status::Fail => "❌",
    }
}

/// The claims of the tutorials that a scenario checks, from its tags.
fn claims(scenario: &ScenarioReport) -> Vec<String> {
    let tags = scenario.scenario.tags.iter();
    tags.filter_map(|tag| tag.strip_prefix("claim-").map(str::to_owned))
        .collect()
}
