//! The whole rolling-update lab as a user runs it: `cargo bench --bench lab`.
//!
//! Targets: 15 s at the default pace, 3 s at the fastest, under 60 MB resident.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should stop")]

use std::process::Command;
use std::time::Instant;

const LAB: &str = "features/rolling-update/rolling_update.feature";

fn main() {
    println!("the rolling-update lab, {LAB}");
    measure("default pace", None);
    measure("fastest pace", Some("1000"));
}

fn measure(name: &str, pace: Option<&str>) {
    let reports = tempfile::tempdir().expect("a folder");
    let mut lab = Command::new(env!("CARGO_BIN_EXE_rollout-lab"));
    lab.current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", LAB, "--timings", "--publish", "none", "--report-dir"])
        .arg(reports.path());
    if let Some(pace) = pace {
        lab.args(["--pace", pace]);
    }
    let began = Instant::now();
    let output = lab.output().expect("the program runs");
    let took = began.elapsed();
    let said = String::from_utf8_lossy(&output.stdout);
    let tail: Vec<&str> = said.lines().skip_while(|line| *line != "timings").collect();
    println!("{name}: {:.2} s, {}", took.as_secs_f64(), output.status);
    println!("{}", tail.join("\n"));
}
