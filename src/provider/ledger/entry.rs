//! What the ledger knows of something that was made.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{DRAFT, ENTRY, KUBECONFIG, LOCK};

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// A whole cluster.
    Cluster,
    /// Namespaces in a cluster that was there before; they carry the run's label.
    Namespaces,
}

/// What is known of something that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The word that chooses its provider, such as `kind`.
    pub provider: String,
    /// The name of the cluster, as its provider knows it.
    pub name: String,
    /// How much of it was made here.
    pub extent: Extent,
    /// The id of the run that made it.
    pub run: String,
    /// When, RFC 3339, to the second.
    pub made: String,
    /// The number of the process that made it.
    pub process: u32,
    /// Whether it is meant to stay.
    pub kept: bool,
    /// The context in the kubeconfig.
    pub context: String,
    /// The user's own kubeconfig, where it is not the one in the folder; an empty path stands for
    /// the default one.
    pub kubeconfig: Option<PathBuf>,
    /// Where this machine serves the labs' node port, if it does.
    pub published: Option<SocketAddr>,
}

impl Entry {
    /// What this process begins to make now.
    #[must_use]
    pub fn new(provider: &str, name: &str, extent: Extent, run: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            name: name.to_owned(),
            extent,
            run: run.to_owned(),
            made: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            process: std::process::id(),
            kept: false,
            context: String::new(),
            kubeconfig: None,
            published: None,
        }
    }

    /// Whether it was made inside a cluster that is listed, too.
    #[must_use]
    pub fn is_inside(&self, cluster: &Self) -> bool {
        self.extent == Extent::Namespaces
            && cluster.extent == Extent::Cluster
            && self.provider == cluster.provider
            && self.name == cluster.name
    }

    /// The name of its folder. A context may have any name, so it is not a part of this.
    pub(super) fn folder(&self) -> String {
        match self.extent {
            Extent::Cluster => format!("{}-{}", self.provider, self.name),
            Extent::Namespaces => format!("{}-run-{}", self.provider, self.run),
        }
    }
}

/// Whether something that was made is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The process that uses it lives.
    InUse,
    /// It was meant to stay.
    Kept,
    /// Its process was killed before it could remove it.
    Left,
}

/// Something that was made, as the ledger lists it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is known of it.
    pub entry: Entry,
    /// Whether it is needed.
    pub state: State,
    pub(super) folder: PathBuf,
}

impl Listed {
    /// What a folder holds; `None` where it is not the ledger's, or not complete yet.
    pub(super) fn of(folder: PathBuf) -> Option<Self> {
        let name = folder.file_name()?.to_str()?;
        if name.starts_with(DRAFT) {
            return None;
        }
        let entry: Entry = serde_json::from_slice(&fs::read(folder.join(ENTRY)).ok()?).ok()?;
        let lock = File::open(folder.join(LOCK)).ok()?;
        let state = match lock.try_lock_shared() {
            Ok(()) if entry.kept => State::Kept,
            Ok(()) => State::Left,
            Err(_) => State::InUse,
        };
        Some(Self {
            entry,
            state,
            folder,
        })
    }

    /// Its kubeconfig; `None` stands for the user's default one.
    #[must_use]
    pub fn kubeconfig(&self) -> Option<PathBuf> {
        kubeconfig(&self.entry, &self.folder)
    }

    /// The run that works in this cluster now, of all that is listed.
    #[must_use]
    pub fn user<'a>(&self, all: &'a [Self]) -> Option<&'a Entry> {
        let is_user =
            |other: &&Self| other.state == State::InUse && other.entry.is_inside(&self.entry);
        Some(&all.iter().find(is_user)?.entry)
    }
}

/// The kubeconfig of something with a folder; `None` stands for the user's default one.
pub(super) fn kubeconfig(entry: &Entry, folder: &Path) -> Option<PathBuf> {
    match &entry.kubeconfig {
        Some(path) if path.as_os_str().is_empty() => None,
        Some(path) => Some(path.clone()),
        None => Some(folder.join(KUBECONFIG)),
    }
}
