//! The last lines of a run on the terminal.

use std::path::Path;

use super::model::Report;
use crate::criteria::Status;
use crate::criteria::phrase::Language;

/// How many scenarios and criteria held, and where the reports are.
#[must_use]
pub fn summary(report: &Report, folder: &Path) -> String {
    let count = |status: Status| {
        report
            .scenarios
            .iter()
            .filter(|scenario| scenario.outcome == status)
            .count()
    };
    let verdicts: Vec<Status> = report
        .verdicts()
        .map(crate::criteria::Verdict::outcome)
        .collect();
    let held = verdicts
        .iter()
        .filter(|status| **status == Status::Pass)
        .count();
    let (passed, failed, unknown) = (
        count(Status::Pass),
        count(Status::Fail),
        count(Status::Unknown),
    );
    let folder = folder.display();
    let interrupted = match (report.interrupted, report.language()) {
        (false, _) => "",
        (true, Language::English) => "interrupted; ",
        (true, Language::Japanese) => "中断。",
    };
    match report.language() {
        Language::English => format!(
            "{interrupted}{passed} scenarios passed, {failed} failed, {unknown} unknown; {held} of {} criteria \
             hold\nreports: {folder}/checklist.md, report.json, junit.xml, history.jsonl",
            verdicts.len()
        ),
        Language::Japanese => format!(
            "{interrupted}シナリオ: 合格 {passed}、不合格 {failed}、不明 {unknown}。判定基準 {} 件中 {held} 件を満たす\n\
             レポート: {folder}/checklist.md, report.json, junit.xml, history.jsonl",
            verdicts.len()
        ),
    }
}
