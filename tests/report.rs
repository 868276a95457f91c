//! `rollout-lab report` on stored histories, file by file: what a run leaves is worth keeping only
//! if it reads the same tomorrow. `UPDATE_GOLDEN=1 cargo test --test report` accepts what it writes.
//!
//! The histories were recorded from the feature files beside them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The files that a history is rendered to, and what the program prints.
const RENDERED: [&str; 4] = ["checklist.md", "junit.xml", "report.json", "stdout.txt"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reports")
}

/// Renders a stored history into a folder.
fn report(name: &str, folder: &Path) -> Output {
    let history = golden().join(name).join("history.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_rollout-lab"))
        .arg("report")
        .arg(history)
        .arg("--report-dir")
        .arg(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    let printed = printed.replace(&folder.display().to_string(), "REPORTS");
    fs::write(folder.join("stdout.txt"), printed).unwrap();
    output
}

fn check(name: &str, code: i32) {
    let folder = tempfile::tempdir().unwrap();
    let output = report(name, folder.path());
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    for file in RENDERED {
        let rendered = fs::read_to_string(folder.path().join(file)).unwrap();
        let kept = golden().join(name).join(file);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&kept, &rendered).unwrap();
        }
        let expected = fs::read_to_string(&kept).unwrap_or_default();
        assert!(
            expected == rendered,
            "{} is not what is rendered now; to accept it: UPDATE_GOLDEN=1\n{}",
            kept.display(),
            first_difference(&expected, &rendered)
        );
    }
}

fn first_difference(expected: &str, rendered: &str) -> String {
    let pairs = expected.lines().zip(rendered.lines()).enumerate();
    let different = pairs.into_iter().find(|(_, (old, new))| old != new);
    different.map_or("one has more lines".to_owned(), |(index, (old, new))| {
        format!("line {}:\n  kept:     {old}\n  rendered: {new}", index + 1)
    })
}

#[test]
fn a_run_with_every_outcome() {
    check("mixed", 1);
}

#[test]
fn the_same_in_japanese() {
    check("mixed-ja", 1);
}

#[test]
fn a_run_that_was_cut_off_keeps_what_it_saw() {
    check("cut-off", 4);
}

#[test]
fn a_history_that_is_none_is_said_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.jsonl");
    fs::write(&history, "{\"at\":0}\nnonsense\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rollout-lab"))
        .arg("report")
        .arg(&history)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("line 1 of the history") && told.contains("is no record"),
        "{told}"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is written"
    );
}
