//! The `rollout-lab` program.

use std::process::ExitCode;

use clap::Parser as _;
use rollout_lab::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    rollout_lab::cli::main(cli).into()
}
