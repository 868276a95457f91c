//! What the store holds: an object at one revision, and a change from one to the next.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

/// Where an object stands in its collection; the namespace is empty for cluster-scoped objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// An object at one revision. Its JSON text is made once, however many watches send it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) revision: u64,
    /// The object without `apiVersion` and `kind`.
    pub(crate) value: Value,
    json: OnceLock<Bytes>,
}

impl Stored {
    pub(crate) fn new(revision: u64, value: Value) -> Self {
        Self {
            revision,
            value,
            json: OnceLock::new(),
        }
    }

    pub(crate) fn json(&self) -> &Bytes {
        self.json
            .get_or_init(|| Bytes::from(self.value.to_string()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// One entry of a collection's log.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) key: Key,
    /// The object after the change; for a deletion its last state, at the deletion's revision.
    pub(crate) object: Arc<Stored>,
    /// The object before the change: a watch with a selector must know whether it showed it.
    pub(crate) previous: Option<Arc<Stored>>,
}

impl Change {
    pub(crate) fn revision(&self) -> u64 {
        self.object.revision
    }
}
