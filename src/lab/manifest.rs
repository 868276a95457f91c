//! From manifest files to objects. The only file that knows YAML.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

/// An object of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The file that it comes from, as it was named.
    pub file: String,
    /// The object.
    pub object: Value,
}

/// Why a file holds no manifests.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file is nowhere.
    #[error("there is no file {file}; looked in {}", list(looked))]
    Missing {
        /// The file as it was named.
        file: String,
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// The file could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no YAML.
    #[error("{file}{}: {why}", place(*line, *column))]
    Yaml {
        /// The file as it was named.
        file: String,
        /// The line, from 1; 0 where it is not known.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        why: String,
    },
    /// A document says not what it is.
    #[error(
        "{file}: document {document} has no {field}; every manifest needs apiVersion, kind and metadata.name"
    )]
    Untyped {
        /// The file as it was named.
        file: String,
        /// The document in the file, from 1.
        document: usize,
        /// What is missing.
        field: &'static str,
    },
    /// The file has no object at all.
    #[error("{file} holds no manifest")]
    Empty {
        /// The file as it was named.
        file: String,
    },
}

fn place(line: usize, column: usize) -> String {
    if line == 0 {
        String::new()
    } else {
        format!(":{line}:{column}")
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Finds a file that a feature names: beside the feature, else beside one of the folders above.
///
/// # Errors
/// [`ManifestError::Missing`] with all places.
pub fn find(file: &str, feature: &Path) -> Result<PathBuf, ManifestError> {
    let folder = feature.parent().unwrap_or(Path::new("."));
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut looked = Vec::new();
    for base in folder.ancestors() {
        let candidate = base.join(file);
        if candidate.is_file() {
            return Ok(candidate);
        }
        looked.push(base.to_owned());
    }
    Err(ManifestError::Missing {
        file: file.to_owned(),
        looked,
    })
}

/// Reads all objects of a file; documents of comments only are left out.
///
/// # Errors
/// [`ManifestError`], with the line where it is known.
pub fn read(file: &str, path: &Path) -> Result<Vec<Manifest>, ManifestError> {
    let text = std::fs::read_to_string(path).map_err(|source| ManifestError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(file, &text)
}

/// Reads all objects of a text.
///
/// # Errors
/// [`ManifestError`], with the line where it is known.
pub fn parse(file: &str, text: &str) -> Result<Vec<Manifest>, ManifestError> {
    let mut manifests = Vec::new();
    for (index, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let object = Value::deserialize(document).map_err(|error| {
            let place = error.location();
            ManifestError::Yaml {
                file: file.to_owned(),
                line: place.as_ref().map_or(0, serde_yaml::Location::line),
                column: place.as_ref().map_or(0, serde_yaml::Location::column),
                why: error.to_string(),
            }
        })?;
        if object.is_null() {
            continue;
        }
        let untyped = |field| ManifestError::Untyped {
            file: file.to_owned(),
            document: index + 1,
            field,
        };
        let missing = |value: &Value| value.as_str().is_none_or(str::is_empty);
        if missing(&object["apiVersion"]) {
            return Err(untyped("apiVersion"));
        }
        if missing(&object["kind"]) {
            return Err(untyped("kind"));
        }
        if missing(&object["metadata"]["name"]) {
            return Err(untyped("metadata.name"));
        }
        manifests.push(Manifest {
            file: file.to_owned(),
            object,
        });
    }
    if manifests.is_empty() {
        return Err(ManifestError::Empty {
            file: file.to_owned(),
        });
    }
    Ok(manifests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_objects_and_empty_ones_are_left_out() {
        let text = "# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n";
        let manifests = parse("a.yaml", text).unwrap();
        assert_eq!(manifests.len(), 1);
        assert_eq!(manifests[0].object["metadata"]["name"], "a");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, message) in [
            (
                "a: 1\nb: [1, 2\nc: 3\n",
                "bad.yaml:3:2: did not find expected ',' or ']'",
            ),
            ("kind: Pod\n", "bad.yaml: document 1 has no apiVersion"),
            (
                "apiVersion: v1\nkind: Pod\n",
                "bad.yaml: document 1 has no metadata.name",
            ),
            ("# only a comment\n", "bad.yaml holds no manifest"),
        ] {
            let error = parse("bad.yaml", text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn a_file_is_looked_for_beside_the_feature_and_above() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("features/lab");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir_all(folder.path().join("k8s")).unwrap();
        std::fs::write(folder.path().join("k8s/a.yaml"), "").unwrap();
        let feature = deep.join("a.feature");
        let found = find("k8s/a.yaml", &feature).unwrap();
        assert_eq!(found, folder.path().join("k8s/a.yaml"));
        assert!(matches!(
            find("k8s/b.yaml", &feature),
            Err(ManifestError::Missing { .. })
        ));
    }
}
