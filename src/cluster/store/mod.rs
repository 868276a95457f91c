//! A versioned store: collections of objects, one revision for all, and a bounded log per
//! collection from which watches read.
//!
//! Every write happens inside a [`Transaction`], which holds the lock for its whole life. A handler
//! reads, decides and writes under it, so nothing can change in between and no write is ever
//! retried. Watches never hold the lock while they wait.

mod cursor;
mod object;
mod transaction;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub(crate) use cursor::{Cursor, Expired};
pub(crate) use object::{Change, ChangeKind, Key, Stored};
pub(crate) use transaction::Transaction;

/// Changes that a collection remembers for watches that start in the past.
const LOG_LENGTH: usize = 1024;

/// The name of a collection: the plural of the resource with its group.
pub(crate) type CollectionName = &'static str;

/// All objects of one cluster.
#[derive(Clone, Default)]
pub(crate) struct Store {
    shared: Arc<Mutex<Contents>>,
}

#[derive(Default)]
struct Contents {
    revision: u64,
    collections: HashMap<CollectionName, Collection>,
}

struct Collection {
    objects: BTreeMap<Key, Arc<Stored>>,
    log: VecDeque<Arc<Change>>,
    /// The revision up to which the log has forgotten.
    forgotten: u64,
    /// The revision of the newest change, for those who wait.
    newest: watch::Sender<u64>,
}

impl Default for Collection {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            log: VecDeque::new(),
            forgotten: 0,
            newest: watch::Sender::new(0),
        }
    }
}

impl Store {
    /// Begins a transaction; it ends when it is dropped.
    pub(crate) fn begin(&self) -> Transaction<'_> {
        Transaction::new(self.lock())
    }

    /// A cursor over the changes of a collection after a revision.
    pub(crate) fn watch(&self, collection: CollectionName, after: u64) -> Cursor {
        let newest = self
            .lock()
            .collections
            .entry(collection)
            .or_default()
            .newest
            .subscribe();
        Cursor::new(self.clone(), collection, after, newest)
    }

    /// A panic under the lock can leave nothing half-written: each write is one map insertion.
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
