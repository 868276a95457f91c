//! The sample services as container images, made without a container engine.
//!
//! ```text
//! static binary ─► layer ─┬─► image of user-service ────┐
//!                         └─► image of payment-service ─┴─► archive
//! ```
//!
//! Both images are the same layer with this very program in it; what differs is what they start.
//! The archive is an OCI image layout and what `docker save` writes, in one: container engines and
//! the tools of kind, minikube and k3d load the one or the other.

mod archive;
mod binary;
mod image;
mod layer;

#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use tempfile::NamedTempFile;

use self::archive::Archive;
use self::binary::Binary;
use self::image::Image;
use self::layer::Layer;
use crate::app::SampleService;

/// Where the archive is, where nobody says otherwise.
pub const ARCHIVE: &str = "target/rollout-lab/images.tar";

/// What to do about a binary that cannot be used.
const NEXT: &str = "run scripts/build-images.sh on Linux, which builds a static one, or name one \
                    with --binary FILE";

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The binary could not be read.
    #[error("could not read the binary {}", path.display())]
    Read {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The binary is a program of another system, or none.
    #[error("{} is no Linux program ({why}); {}", path.display(), NEXT)]
    NotLinux {
        /// The file.
        path: PathBuf,
        /// What was seen.
        why: String,
    },
    /// The binary needs files that the images do not have.
    #[error(
        "{} is dynamically linked: it needs {interpreter} and libraries, and the images hold \
         nothing but the binary; {}", path.display(), NEXT
    )]
    Dynamic {
        /// The binary.
        path: PathBuf,
        /// The loader that it asks for.
        interpreter: String,
    },
    /// The archive could not be written.
    #[error("could not write {}; see that its folder is there and has room", path.display())]
    Write {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// An archive that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The archive.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The images in it.
    pub images: Vec<BuiltImage>,
}

/// An image of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// Its name with its tag.
    pub name: &'static str,
    /// The id that container engines show, with its algorithm.
    pub id: String,
    /// What it runs on, as `linux/amd64`.
    pub platform: String,
    /// Its size in bytes as container engines count it, unpacked.
    pub size: u64,
}

/// Looks whether images can be made from a binary.
///
/// # Errors
/// It is no static Linux program, or cannot be read.
pub fn check(binary: &Path) -> Result<(), ImageError> {
    Binary::read(binary).map(drop)
}

/// Writes the archive of all sample services. The same binary gives the same bytes.
///
/// # Errors
/// The binary is no static Linux program, or the archive cannot be written; a file that was there
/// before is then as it was.
pub fn build(binary: &Path, output: &Path) -> Result<Built, ImageError> {
    let binary = Binary::read(binary)?;
    let cannot = |source| ImageError::Write {
        path: output.to_owned(),
        source,
    };
    let layer = Layer::of(&binary).map_err(cannot)?;
    let images: Vec<Image> = SampleService::value_variants()
        .iter()
        .map(|&service| Image::of(service, binary.platform(), &layer))
        .collect();
    let archive = Archive::of(&images, &layer);
    let size = replace(output, |file| archive.write(file)).map_err(cannot)?;
    Ok(Built {
        path: output.to_owned(),
        size,
        images: images
            .iter()
            .map(|image| BuiltImage {
                name: image.name(),
                id: image.id().to_string(),
                platform: binary.platform().to_string(),
                size: layer.unpacked(),
            })
            .collect(),
    })
}

/// Writes a file beside its place and moves it there, so that nobody finds half of it, and nothing
/// is left where that fails. Returns the size of the file.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> io::Result<()>,
) -> io::Result<u64> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut draft = tempfile::Builder::new();
    draft.prefix(".images-");
    // A temporary file is for its owner alone; this one is for whom the umask says.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        draft.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut draft = draft.tempfile_in(folder)?;
    let mut file = BufWriter::new(&mut draft);
    write(&mut file)?;
    file.flush()?;
    drop(file);
    let size = draft.as_file().metadata()?.len();
    draft.persist(path).map_err(|error| error.error)?;
    Ok(size)
}
