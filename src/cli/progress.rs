//! How long work is told on the terminal: a line for each part of it, and what went wrong.

use std::time::Instant;

use crate::provider::progress::{Progress, Said};

/// Tells of progress on standard error, with what a program prints where that is asked for.
///
/// The lines are plain, with the seconds since the beginning, so that they read the same in a
/// terminal and in the log of a CI job.
pub(super) fn progress(verbose: bool) -> Progress {
    let began = Instant::now();
    Progress::to(move |said| match said {
        Said::Phase(what) => eprintln!("{:>7.1} s  {what}", began.elapsed().as_secs_f64()),
        Said::Line(line) if verbose && !line.is_empty() => eprintln!("           | {line}"),
        Said::Line(_) => {}
        Said::Trouble(what) => eprintln!("warning: {what}"),
    })
}
