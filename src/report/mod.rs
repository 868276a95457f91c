//! What remains of a run: files that say what was promised, what was seen, and what came of it.
//!
//! `model` is made from the records alone and is the only input of the renderers, so a stored
//! history renders again as the run did. [`timings()`] reads the records themselves.

mod checklist;
pub mod cluster;
mod junit;
mod model;
mod summary;
mod timings;

use std::io;
use std::path::{Path, PathBuf};

pub use checklist::checklist;
pub use model::{Report, ScenarioReport, StepReport};
pub use summary::summary;
pub use timings::timings;

/// Why reports could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or folder could not be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The report could not be encoded.
    #[error("could not encode {what}")]
    Encode {
        /// Which report.
        what: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Makes the folder of the reports.
///
/// # Errors
/// It cannot be made.
pub fn prepare(folder: &Path) -> Result<(), ReportError> {
    std::fs::create_dir_all(folder).map_err(|source| ReportError::Write {
        path: folder.to_owned(),
        source,
    })
}

/// Writes `report.json`, `junit.xml` and `checklist.md`, each in one piece.
///
/// # Errors
/// A file cannot be written.
pub fn write(report: &Report, folder: &Path) -> Result<(), ReportError> {
    let json = serde_json::to_string_pretty(report).map_err(|source| ReportError::Encode {
        what: "report.json",
        source: source.into(),
    })?;
    replace(&folder.join("report.json"), &json)?;
    let junit = junit::junit(report).map_err(|source| ReportError::Encode {
        what: "junit.xml",
        source: source.into(),
    })?;
    replace(&folder.join("junit.xml"), &junit)?;
    replace(&folder.join("checklist.md"), &checklist(report))
}

/// Writes a file beside its place and moves it there, so that no reader sees half of it.
fn replace(path: &Path, text: &str) -> Result<(), ReportError> {
    let cannot = |source| ReportError::Write {
        path: path.to_owned(),
        source,
    };
    let draft = path.with_extension("part");
    std::fs::write(&draft, text).map_err(cannot)?;
    std::fs::rename(&draft, path).map_err(cannot)
}
