//! Images in one file, for two sorts of readers: an OCI image layout (`oci-layout`, `index.json`)
//! and what `docker save` writes (`manifest.json`), over the same blobs.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use super::image::Image;
use super::layer::Layer;

/// The files of an archive by their paths.
#[derive(Debug)]
pub(super) struct Archive {
    files: BTreeMap<String, Vec<u8>>,
}

/// The SHA-256 of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest(String);

/// Bytes that are known by their digest.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    bytes: Vec<u8>,
    digest: Digest,
}

/// A tar in which nothing tells when, where or by whom it was made.
pub(super) struct Tar<W: Write>(Builder<W>);

impl Archive {
    pub(super) fn of(images: &[Image], layer: &Layer) -> Self {
        let blobs = images
            .iter()
            .flat_map(|image| [image.config(), image.manifest()])
            .chain([layer.packed()]);
        let mut files: BTreeMap<String, Vec<u8>> = blobs
            .map(|blob| (blob.digest.path(), blob.bytes.clone()))
            .collect();
        for (path, document) in [
            ("oci-layout", json!({"imageLayoutVersion": "1.0.0"})),
            ("index.json", index(images)),
            ("manifest.json", docker_manifest(images, layer)),
        ] {
            files.insert(path.to_owned(), document.to_string().into_bytes());
        }
        Self { files }
    }

    pub(super) fn write(&self, file: &mut impl Write) -> io::Result<()> {
        let mut tar = Tar::new(file);
        for (path, bytes) in &self.files {
            tar.file(path, 0o644, bytes)?;
        }
        tar.end()?;
        Ok(())
    }
}

/// The index of the OCI layout. The format has no place for the name of an image: containerd, and
/// kind and k3d with it, read theirs from its own annotation, and other tools read the tag from the
/// common one.
fn index(images: &[Image]) -> Value {
    let manifests: Vec<Value> = images
        .iter()
        .map(|image| {
            let mut descriptor = image
                .manifest()
                .descriptor("application/vnd.oci.image.manifest.v1+json");
            descriptor["platform"] = image.platform();
            descriptor["annotations"] = json!({
                "io.containerd.image.name": image.full_name(),
                "org.opencontainers.image.ref.name": image.tag(),
            });
            descriptor
        })
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    })
}

/// What `docker load` reads. Docker would add the registry to a name without one, but Podman adds
/// another.
fn docker_manifest(images: &[Image], layer: &Layer) -> Value {
    images
        .iter()
        .map(|image| {
            json!({
                "Config": image.config().digest.path(),
                "RepoTags": [image.full_name()],
                "Layers": [layer.packed().digest.path()],
            })
        })
        .collect()
}

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let hash = Bytes::copy_from_slice(&Sha256::digest(bytes));
        Self(format!("{hash:x}"))
    }

    /// Where an OCI layout has the blob of this digest.
    pub(super) fn path(&self) -> String {
        format!("blobs/sha256/{}", self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl Blob {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }

    pub(super) fn json(document: &Value) -> Self {
        Self::of(document.to_string().into_bytes())
    }

    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What one document says of another.
    pub(super) fn descriptor(&self, media_type: &str) -> Value {
        json!({
            "mediaType": media_type,
            "digest": self.digest.to_string(),
            "size": self.bytes.len(),
        })
    }
}

impl<W: Write> Tar<W> {
    pub(super) fn new(writer: W) -> Self {
        Self(Builder::new(writer))
    }

    pub(super) fn folder(&mut self, path: &str) -> io::Result<()> {
        let mut header = header(0o755, EntryType::Directory);
        self.0
            .append_data(&mut header, format!("{path}/"), io::empty())
    }

    pub(super) fn file(&mut self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        let mut header = header(mode, EntryType::Regular);
        header.set_size(bytes.len() as u64);
        self.0.append_data(&mut header, path, bytes)
    }

    pub(super) fn end(self) -> io::Result<W> {
        self.0.into_inner()
    }
}

/// A header with neither time nor owner.
fn header(mode: u32, entry_type: EntryType) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(entry_type);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}
