//! Which container images a cluster is given.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tempfile::TempPath;

use crate::cli::Failure;
use crate::exit::Exit;
use crate::images;
use crate::provider::progress::Progress;

/// Where the images of the labs come from.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ImageArgs {
    /// Where a cluster of kind, k3d or minikube has the labs' images from
    #[arg(long, value_enum, default_value_t, env = "LAB_IMAGES")]
    images: Images,
    /// Archive of the images to load [default: target/rollout-lab/images.tar, else made from this
    /// program]
    #[arg(long, value_name = "FILE", env = "LAB_IMAGE_ARCHIVE")]
    image_archive: Option<PathBuf>,
}

/// How they get into a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Images {
    /// From an archive, into every node
    #[default]
    Load,
    /// From where the manifests say, by the nodes themselves
    Pull,
}

/// The images to load, if any are.
#[derive(Default)]
pub(in crate::cli) struct Archive {
    pub(in crate::cli) path: Option<PathBuf>,
    /// An archive that was made for this run goes with it.
    pub(super) made: Option<TempPath>,
}

impl ImageArgs {
    /// Whether an archive is named.
    pub(super) fn is_archive_named(&self) -> bool {
        self.image_archive.is_some()
    }

    /// The images to load: those that are named, those that were built, or those of this program.
    pub(in crate::cli) fn archive(&self, progress: &Progress) -> Result<Archive, Failure> {
        if self.images == Images::Pull {
            return Ok(Archive::default());
        }
        if let Some(path) = self.that_is_there().map_err(Failure::usage)? {
            return Ok(Archive {
                path: Some(path),
                made: None,
            });
        }
        progress.phase("building the images of the labs");
        let made = tempfile::Builder::new()
            .prefix("rollout-lab-images-")
            .suffix(".tar")
            .tempfile();
        let made = made.map_err(Failure::failed)?;
        let made = made.into_temp_path();
        let built = std::env::current_exe()
            .map_err(anyhow::Error::new)
            .and_then(|program| Ok(images::build(&program, &made)?));
        built.map_err(|error| {
            let text = "there are no images of the labs to load into the cluster; let its nodes \
                        pull those that the manifests name with --images pull, or build some";
            Failure::new(Exit::NoCluster, error.context(text))
        })?;
        Ok(Archive {
            path: Some(made.to_path_buf()),
            made: Some(made),
        })
    }

    /// The archive that is named, or that was built before.
    pub(in crate::cli) fn that_is_there(&self) -> Result<Option<PathBuf>, anyhow::Error> {
        let Some(path) = &self.image_archive else {
            let usual = Path::new(images::ARCHIVE);
            return Ok(usual.is_file().then(|| usual.to_owned()));
        };
        anyhow::ensure!(
            path.is_file(),
            "there is no image archive {}; scripts/build-images.sh makes one",
            path.display()
        );
        Ok(Some(path.clone()))
    }

    /// Whether the nodes pull them.
    pub(in crate::cli) fn are_pulled(&self) -> bool {
        self.images == Images::Pull
    }
}
