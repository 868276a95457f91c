//! What was made here and may outlive the process that made it.
//!
//! Everything has a folder of its own below the user's state folder, with what is known of it and,
//! for a cluster, its kubeconfig. The process that uses it holds a lock in that folder. The system
//! lets go of the lock when the process ends, however it ends, so what a killed run left can be
//! told from what is in use; a process number could not tell, since numbers are given out again.

mod claim;
mod entry;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

pub use self::claim::Claim;
use self::claim::write;
pub use self::entry::{Entry, Extent, Listed, State};

const ENTRY: &str = "entry.json";
const LOCK: &str = "lock";
const KUBECONFIG: &str = "kubeconfig";
/// What the names of folders begin with that are not complete yet.
const DRAFT: &str = ".draft-";

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no place for it.
    #[error(
        "there is no folder to note in what is made: this user has no home folder; set \
         XDG_STATE_HOME to one that may be written to"
    )]
    NoHome,
    /// A file or folder of it could not be used.
    #[error("could not {what} {}", path.display())]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name is taken.
    #[error(
        "the {provider} cluster {name} is noted already as made here; see: rollout-lab cluster \
         status; to remove it: rollout-lab cluster down {name}"
    )]
    Taken {
        /// Its provider.
        provider: String,
        /// Its name.
        name: String,
    },
}

/// The list of what was made here.
#[derive(Debug, Clone)]
pub struct Ledger {
    root: PathBuf,
}

impl Ledger {
    /// The ledger of this user: `rollout-lab` below `$XDG_STATE_HOME` or `~/.local/state`.
    ///
    /// # Errors
    /// [`LedgerError::NoHome`].
    pub fn of_user() -> Result<Self, LedgerError> {
        let folders = etcetera::choose_base_strategy().map_err(|_| LedgerError::NoHome)?;
        let state = folders.state_dir().unwrap_or_else(|| folders.data_dir());
        Ok(Self::at(state.join("rollout-lab")))
    }

    /// A ledger in a folder, which need not be there yet.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// Notes what is about to be made. It is this process's until it is released or kept.
    ///
    /// # Errors
    /// The name is taken, or the folder cannot be written.
    pub fn claim(&self, entry: Entry) -> Result<Claim, LedgerError> {
        let failed = LedgerError::io;
        fs::create_dir_all(&self.root).map_err(failed("make the folder", &self.root))?;
        let draft = tempfile::Builder::new()
            .prefix(DRAFT)
            .tempdir_in(&self.root)
            .map_err(failed("make a folder in", &self.root))?;
        write(&entry, draft.path())?;
        let path = draft.path().join(LOCK);
        let lock = File::create(&path).map_err(failed("make", &path))?;
        lock.lock().map_err(failed("lock", &path))?;
        let folder = self.root.join(entry.folder());
        // A folder that is renamed replaces none that has something in it.
        match fs::rename(draft.path(), &folder) {
            Ok(()) => {
                let _ = draft.keep();
                Ok(Claim {
                    entry,
                    folder,
                    _lock: lock,
                })
            }
            Err(_) if folder.exists() => Err(LedgerError::Taken {
                provider: entry.provider,
                name: entry.name,
            }),
            Err(error) => Err(failed("make", &folder)(error)),
        }
    }

    /// Everything that was made here and is not removed yet, by name.
    ///
    /// # Errors
    /// The folder cannot be read. A folder in it that is not the ledger's is passed over.
    pub fn list(&self) -> Result<Vec<Listed>, LedgerError> {
        let folders = match fs::read_dir(&self.root) {
            Ok(folders) => folders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(LedgerError::io("read", &self.root)(error)),
        };
        let mut listed: Vec<Listed> = folders
            .filter_map(|folder| Listed::of(folder.ok()?.path()))
            .collect();
        listed.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(listed)
    }

    /// Waits until the process that uses something has ended. This blocks.
    ///
    /// # Errors
    /// Its folder cannot be used any more.
    pub fn await_end(&self, listed: &Listed) -> Result<(), LedgerError> {
        let path = listed.folder.join(LOCK);
        match File::open(&path) {
            Ok(lock) => lock.lock().map_err(LedgerError::io("lock", &path)),
            // It has ended and removed everything.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LedgerError::io("open", &path)(error)),
        }
    }

    /// Makes something that is listed this process's own, to remove it or to use it; `None` where
    /// another process uses it.
    ///
    /// # Errors
    /// Its folder cannot be used any more.
    pub fn take(&self, listed: &Listed) -> Result<Option<Claim>, LedgerError> {
        let path = listed.folder.join(LOCK);
        let lock = File::open(&path).map_err(LedgerError::io("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Claim {
                entry: listed.entry.clone(),
                folder: listed.folder.clone(),
                _lock: lock,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(LedgerError::io("lock", &path)(error)),
        }
    }
}

impl LedgerError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
