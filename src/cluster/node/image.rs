//! The images of a cluster, and which of them a node has.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Program;

/// The programs that are built into a cluster, by the name of their image.
#[derive(Clone, Default)]
pub struct Images {
    programs: BTreeMap<String, Arc<dyn Program>>,
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.programs.keys()).finish()
    }
}

impl Images {
    /// Adds a program under the name of an image with its tag.
    #[must_use]
    pub fn with(mut self, image: &str, program: Arc<dyn Program>) -> Self {
        self.programs.insert(canonical(image), program);
        self
    }

    /// The program of an image; otherwise why it cannot be pulled.
    pub(super) fn find(&self, image: &str) -> Result<Arc<dyn Program>, String> {
        self.programs
            .get(&canonical(image))
            .cloned()
            .ok_or_else(|| {
                let known: Vec<&str> = self.programs.keys().map(String::as_str).collect();
                format!(
                    "rpc error: code = NotFound desc = failed to pull and unpack image \"{}\": not \
                 found: this embedded cluster has {}",
                    canonical(image),
                    if known.is_empty() {
                        "no images".to_owned()
                    } else {
                        known.join(", ")
                    }
                )
            })
    }
}

/// The full name of an image: registry, repository and tag.
fn canonical(image: &str) -> String {
    let (path, tag) = match image.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (image, "latest"),
    };
    let first = path.split('/').next().unwrap_or_default();
    let has_registry = path.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    match (has_registry, path.contains('/')) {
        (true, _) => format!("{path}:{tag}"),
        (false, true) => format!("docker.io/{path}:{tag}"),
        (false, false) => format!("docker.io/library/{path}:{tag}"),
    }
}

/// Which images a node has pulled.
#[derive(Debug, Clone, Default)]
pub(super) struct ImageStore {
    pulled: Arc<Mutex<HashSet<String>>>,
}

impl ImageStore {
    pub(super) fn has(&self, image: &str) -> bool {
        self.lock().contains(&canonical(image))
    }

    pub(super) fn add(&self, image: &str) {
        self.lock().insert(canonical(image));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.pulled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reference by which a status names a pulled image.
pub(super) fn image_id(image: &str) -> String {
    let name = canonical(image);
    let path = name
        .rsplit_once(':')
        .map_or(name.as_str(), |(path, _)| path);
    format!("{path}@sha256:{:064x}", fingerprint(&name))
}

/// A number that is the same for the same name, for want of image content to hash.
fn fingerprint(name: &str) -> u128 {
    // FNV-1a, 128 bits.
    name.bytes().fold(
        0x6c62_272e_07bb_0142_62b8_2175_6295_c58d,
        |hash: u128, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed() {
        for (short, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.25", "docker.io/library/nginx:1.25"),
            ("a/b:1", "docker.io/a/b:1"),
            ("docker.io/a/b:1", "docker.io/a/b:1"),
            ("localhost:5000/b", "localhost:5000/b:latest"),
        ] {
            assert_eq!(canonical(short), full);
        }
    }

    #[test]
    fn an_unknown_image_says_which_there_are() {
        let error = Images::default().find("nginx").err().unwrap();
        assert!(
            error.ends_with("this embedded cluster has no images"),
            "{error}"
        );
    }
}
