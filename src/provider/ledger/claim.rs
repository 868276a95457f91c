//! Something of the ledger's that is this process's own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::entry::{Entry, kubeconfig};
use super::{ENTRY, LedgerError};

/// Something that this process makes, uses or removes, and no other.
#[derive(Debug)]
pub struct Claim {
    pub(super) entry: Entry,
    pub(super) folder: PathBuf,
    pub(super) _lock: File,
}

impl Claim {
    /// What is known of it.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Its folder, which only this user may look into.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its kubeconfig; `None` stands for the user's default one.
    #[must_use]
    pub fn kubeconfig(&self) -> Option<PathBuf> {
        kubeconfig(&self.entry, &self.folder)
    }

    /// Notes that it is meant to stay when this process ends.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&mut self) -> Result<(), LedgerError> {
        self.entry.kept = true;
        write(&self.entry, &self.folder)
    }

    /// Notes that it is not meant to stay any more, even where it cannot be removed now.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn let_go(&mut self) -> Result<(), LedgerError> {
        self.entry.kept = false;
        write(&self.entry, &self.folder)
    }

    /// Strikes it out: it is gone.
    ///
    /// # Errors
    /// Its folder cannot be removed.
    pub fn release(self) -> Result<(), LedgerError> {
        fs::remove_dir_all(&self.folder).map_err(LedgerError::io("remove the folder", &self.folder))
    }
}

/// Writes what is known into a folder.
pub(super) fn write(entry: &Entry, folder: &Path) -> Result<(), LedgerError> {
    let path = folder.join(ENTRY);
    let text = serde_json::to_string_pretty(entry).unwrap_or_default();
    // Renamed into place, so that nobody reads half of it.
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(LedgerError::io("write", &path))
}
