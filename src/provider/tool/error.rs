//! Why a program did not do what it should.

use std::io;
use std::time::Duration;

use crate::provider::advice;
use crate::provider::version::Version;

/// Why a program did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not installed.
    #[error("{name} is not on PATH; {install}")]
    Missing {
        /// The program.
        name: &'static str,
        /// How to get it.
        install: &'static str,
    },
    /// It is older than what is needed.
    #[error("{name} {found} is too old: {needed} or newer is needed; {install}")]
    TooOld {
        /// The program.
        name: &'static str,
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: Version,
        /// How to get it.
        install: &'static str,
    },
    /// What it printed cannot be read.
    #[error("{command} printed what cannot be read ({why}): {printed}")]
    Unreadable {
        /// The program with its arguments.
        command: String,
        /// What is wrong with it.
        why: String,
        /// The beginning of what it printed.
        printed: String,
    },
    /// It could not be started, or lost sight of.
    #[error("could not run {command}")]
    Start {
        /// The program with its arguments.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// It failed.
    #[error("{command} ended with {}:\n{last}{}", code.map_or("a signal".to_owned(), |code| format!("exit code {code}")), next_step(last))]
    Failed {
        /// The program with its arguments.
        command: String,
        /// Its exit code; `None` after a signal.
        code: Option<i32>,
        /// The last lines that it printed while it worked.
        last: String,
        /// What it printed as an answer.
        printed: String,
    },
    /// It did not end in time.
    #[error("{command} was stopped after {} s; its last lines:\n{last}{}", limit.as_secs_f64(), next_step(last))]
    Late {
        /// The program with its arguments.
        command: String,
        /// How long it had.
        limit: Duration,
        /// The last lines that it printed.
        last: String,
    },
}

/// What the user can do next, on a line of its own.
fn next_step(last: &str) -> String {
    advice::on(last).map_or_else(String::new, |advice| format!("\nnext: {advice}"))
}
