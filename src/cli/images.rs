//! `rollout-lab images`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};

use super::interrupt::cancelled_by_signals;
use super::progress::progress;
use super::provider::{Chosen, ProviderArgs, ledger, start};
use super::{ContextArgs, Ended, Failure};
use crate::exit::Exit;
use crate::images::{self, ARCHIVE, Built, ImageError};
use crate::provider::ProviderError;
use crate::provider::made::{Existing, Made, Wanted};
use crate::run::new_id;

const EXAMPLES: &str = "\
Examples:
  scripts/build-images.sh                         the binary that it takes, and the images
  rollout-lab images build --output images.tar    from a program that is static itself
  docker load -i images.tar
  rollout-lab images load --provider kind --cluster CLUSTER
  kind load image-archive images.tar --name CLUSTER
  minikube image load images.tar
  k3d image import images.tar -c CLUSTER";

#[derive(Debug, Subcommand)]
pub(super) enum ImagesCommand {
    /// Writes an archive that docker, kind, minikube and k3d load
    #[command(after_help = EXAMPLES)]
    Build(BuildArgs),
    /// Loads them into every node of a cluster of kind, k3d or minikube that is there
    Load(LoadArgs),
}

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    #[command(flatten)]
    provider: ProviderArgs,
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

pub(super) async fn images(command: ImagesCommand) -> Ended {
    match command {
        ImagesCommand::Build(args) => build(args),
        ImagesCommand::Load(args) => load(&args.provider).await,
    }
}

async fn load(args: &ProviderArgs) -> Ended {
    let stop = cancelled_by_signals().map_err(Failure::failed)?;
    let (progress, context) = (progress(args.verbose), ContextArgs::default());
    let chosen = args.choose(&context, &progress);
    let chosen = stop.run_until_cancelled(chosen).await;
    let chosen = chosen.ok_or(ProviderError::Interrupted)??;
    let Chosen::Made(maker) = chosen else {
        return Err(Failure::usage(anyhow!(
            "images are loaded into clusters of kind, k3d or minikube; name one with --provider; an \
             embedded cluster has them built in"
        )));
    };
    if args.cluster.is_none() {
        return Err(Failure::usage(anyhow!(
            "which cluster? name it with --cluster"
        )));
    }
    let archive = args.images.archive(&progress)?;
    let Some(path) = &archive.path else {
        return Err(Failure::usage(anyhow!("--images pull loads nothing")));
    };
    let wanted = Wanted {
        existing: Existing::Needed,
        ..args.wanted(&new_id(), None)
    };
    let provider = Made::new(maker, wanted, ledger()?, progress);
    let cluster = start(&provider, &stop).await?;
    let loaded = match cluster.images() {
        Some(power) => stop.run_until_cancelled(power.load(path)).await,
        None => Some(Ok(())),
    };
    // It was there before, and stays.
    cluster.stop().await;
    loaded.ok_or(ProviderError::Interrupted)??;
    println!("{} is loaded", path.display());
    Ok(Exit::Held)
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
