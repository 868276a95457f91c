//! `rollout-lab images`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Ended, Failure};
use crate::exit::Exit;
use crate::images::{self, ARCHIVE, Built, ImageError};

const EXAMPLES: &str = "\
Examples:
  scripts/build-images.sh                         the binary that it takes, and the images
  rollout-lab images build --output images.tar    from a program that is static itself
  docker load -i images.tar
  kind load image-archive images.tar --name CLUSTER
  minikube image load images.tar
  k3d image import images.tar -c CLUSTER";

#[derive(Debug, Subcommand)]
pub(super) enum ImagesCommand {
    /// Writes an archive that docker, kind, minikube and k3d load
    #[command(after_help = EXAMPLES)]
    Build(BuildArgs),
}

#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// Statically linked rollout-lab for Linux to put into the images [default: this program]
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The archive [default: target/rollout-lab/images.tar]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn images(command: ImagesCommand) -> Ended {
    match command {
        ImagesCommand::Build(args) => build(args),
    }
}

fn build(args: BuildArgs) -> Ended {
    let binary = match args.binary {
        Some(binary) => binary,
        None => std::env::current_exe().map_err(|error| {
            let text = "could not find this program's own file; name one with --binary FILE";
            Failure::usage(anyhow::Error::new(error).context(text))
        })?,
    };
    let output = match args.output {
        Some(output) => output,
        None => default_output().map_err(refused)?,
    };
    announce(&images::build(&binary, &output).map_err(refused)?);
    Ok(Exit::Held)
}

/// The archive's usual place, with its folder.
fn default_output() -> Result<PathBuf, ImageError> {
    let output = PathBuf::from(ARCHIVE);
    if let Some(folder) = output.parent() {
        std::fs::create_dir_all(folder).map_err(|source| ImageError::Write {
            path: output.clone(),
            source,
        })?;
    }
    Ok(output)
}

fn refused(error: ImageError) -> Failure {
    match error {
        ImageError::Write { .. } => Failure::new(Exit::Failed, error),
        _ => Failure::usage(error),
    }
}

fn announce(built: &Built) {
    for image in &built.images {
        println!(
            "{}  {}  {}  {}",
            image.name,
            image.platform,
            megabytes(image.size),
            image.id
        );
    }
    let (path, size) = (built.path.display(), megabytes(built.size));
    println!("both are in {path} ({size})");
}

/// A size as container engines write it: 10⁶ bytes, one decimal.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
