//! `rollout-lab report`.

use std::path::PathBuf;

use clap::Args;

use super::{Ended, Failure};
use crate::history;
use crate::report::{Report, prepare, summary, write};

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The history of a run
    #[arg(default_value = "target/rollout-lab/history.jsonl")]
    history: PathBuf,
    /// Folder of the reports [default: that of the history]
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,
}

pub(super) fn report(args: &ReportArgs) -> Ended {
    let records = history::read(&args.history).map_err(Failure::usage)?;
    let report = Report::of(&records);
    let beside = || {
        args.history
            .parent()
            .map(std::path::Path::to_owned)
            .unwrap_or_default()
    };
    let folder = args.report_dir.clone().unwrap_or_else(beside);
    let failed = Failure::failed;
    prepare(&folder).map_err(failed)?;
    write(&report, &folder).map_err(failed)?;
    print!("{}", crate::report::checklist(&report));
    println!("{}", summary(&report, &folder));
    Ok(report.exit())
}
