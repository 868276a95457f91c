//! The layer that all images share: the binary, and who runs it.

use std::io;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::archive::{Blob, Digest, Tar};
use super::binary::Binary;

/// The path of the binary in an image.
pub(super) const PROGRAM: &str = "/rollout-lab";
/// The user and group that the program runs as: what images without root commonly use, as a
/// number, because a kubelet can only tell that a number is not root.
pub(super) const USER: &str = "65532:65532";
const PASSWD: &str = "\
root:x:0:0:root:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/:/sbin/nologin
";

/// A file system, packed.
#[derive(Debug)]
pub(super) struct Layer {
    packed: Blob,
    content: Digest,
    unpacked: u64,
}

impl Layer {
    pub(super) fn of(binary: &Binary) -> io::Result<Self> {
        let mut tar = Tar::new(Vec::new());
        tar.folder("etc")?;
        tar.file("etc/passwd", 0o644, PASSWD.as_bytes())?;
        tar.file(PROGRAM.trim_start_matches('/'), 0o755, binary.bytes())?;
        let content = tar.end()?;
        // The header holds no time and no name, so the same content gives the same bytes.
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        io::copy(&mut content.as_slice(), &mut packed)?;
        Ok(Self {
            packed: Blob::of(packed.finish()?),
            content: Digest::of(&content),
            unpacked: (PASSWD.len() + binary.bytes().len()) as u64,
        })
    }

    /// The layer as it is stored.
    pub(super) fn packed(&self) -> &Blob {
        &self.packed
    }

    /// The digest of the layer before it was compressed, by which an image knows it.
    pub(super) fn content(&self) -> &Digest {
        &self.content
    }

    /// The bytes of all files.
    pub(super) fn unpacked(&self) -> u64 {
        self.unpacked
    }
}
