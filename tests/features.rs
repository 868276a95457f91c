//! The feature files as tests: every scenario in both languages, and the seeded faults, each on an
//! embedded cluster of its own.
//!
//! `cargo test --test features -- --tags "@fault"` runs a part; `LAB_PACE` sets another pace, and
//! `LAB_PROVIDER` runs them on a cluster of another provider.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rollout_lab::cli::{cancelled_by_signals, provider_of_environment};
use rollout_lab::criteria::Status;
use rollout_lab::exit::Exit;
use rollout_lab::report::Report;
use rollout_lab::run::features::{self, Choice};
use rollout_lab::run::{Keep, Plan, Ran, new_id, run};
use rollout_lab::view::{self, Style};

/// How many times faster than real time the clusters run, where a scenario does not ask for less.
const PACE: f64 = 20.0;

fn main() -> ExitCode {
    rollout_lab::cli::raise_file_limit();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).cloned()
    };
    if arguments.iter().any(|argument| argument == "--list") {
        // What test runners ask for before they run anything.
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("features: test");
        }
        return ExitCode::SUCCESS;
    }
    let choice = Choice {
        tags: value("--tags"),
        name: value("--name"),
    };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let features = match features::load(&[root.join("features")], &choice) {
        Ok(features) => features,
        Err(error) => {
            eprintln!("error: {error}");
            return Exit::Usage.into();
        }
    };
    let Ok(runtime) = tokio::runtime::Runtime::new() else {
        return Exit::Failed.into();
    };
    let id = new_id();
    let ready = match runtime.block_on(provider_of_environment(&id, PACE)) {
        Ok(ready) => ready,
        Err(exit) => return exit.into(),
    };
    let concurrency = if ready.is_embedded() {
        // Each has its own cluster and its own port 30000, and waits most of the time. Many more of
        // them than cores would lose requests that no rollout loses.
        std::thread::available_parallelism().map_or(1, usize::from) + 1
    } else {
        1
    };
    let plan = Plan {
        id,
        features,
        provider: ready.provider.clone(),
        report_dir: root.join("target/rollout-lab/tests"),
        concurrency,
        // A real cluster takes its grace periods in real time, and may have to pull images first.
        step_limit: if ready.is_embedded() {
            Duration::from_secs(120)
        } else {
            Duration::from_secs(600)
        },
        keep: Keep::Never,
    };
    let began = Instant::now();
    let report = runtime.block_on(async {
        let mut shown = None;
        // A cluster that was made for this is removed after Ctrl+C, too.
        let cancel = cancelled_by_signals().unwrap_or_default();
        let report = run(plan, cancel, |records| {
            shown = Some(view::show(records, Style::Whole));
        })
        .await;
        if let Some(shown) = shown {
            let _ = shown.await;
        }
        report
    });
    match report {
        Ok(Ran { report, .. }) => {
            tell(&report, began.elapsed());
            report.exit().into()
        }
        Err(error) => {
            eprintln!("error: {error}");
            Exit::Failed.into()
        }
    }
}

/// The result in the words of the standard test harness.
fn tell(report: &Report, took: Duration) {
    println!("\nrunning {} tests", report.scenarios.len());
    for scenario in &report.scenarios {
        let word = match scenario.outcome {
            Status::Pass => "ok",
            Status::Unknown | Status::Fail => "FAILED",
        };
        println!(
            "test {}: {} ... {word}",
            scenario.scenario.feature, scenario.scenario.name
        );
    }
    let passed = report
        .scenarios
        .iter()
        .filter(|scenario| scenario.outcome == Status::Pass)
        .count();
    let failed = report.scenarios.len() - passed;
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered \
         out; finished in {:.2}s\n",
        took.as_secs_f64()
    );
}
