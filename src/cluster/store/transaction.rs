//! Reading and writing under the store's lock.

use std::sync::{Arc, MutexGuard};

use serde_json::Value;

use super::{Change, ChangeKind, Collection, CollectionName, Contents, Key, LOG_LENGTH, Stored};
use crate::cluster::object::meta;

/// Exclusive access to the store.
pub(crate) struct Transaction<'a> {
    contents: MutexGuard<'a, Contents>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(contents: MutexGuard<'a, Contents>) -> Self {
        Self { contents }
    }

    /// The revision of the newest write of any collection.
    pub(crate) fn revision(&self) -> u64 {
        self.contents.revision
    }

    pub(crate) fn get(&self, collection: CollectionName, key: &Key) -> Option<Arc<Stored>> {
        self.contents
            .collections
            .get(collection)?
            .objects
            .get(key)
            .cloned()
    }

    /// The objects of one namespace, or of all, in the order of their keys.
    pub(crate) fn list<'s>(
        &'s self,
        collection: CollectionName,
        namespace: Option<&'s str>,
    ) -> impl Iterator<Item = (&'s Key, &'s Arc<Stored>)> {
        let start = Key::new(namespace.unwrap_or_default(), "");
        self.contents
            .collections
            .get(collection)
            .into_iter()
            .flat_map(move |collection| collection.objects.range(start.clone()..))
            .take_while(move |(key, _)| namespace.is_none_or(|name| key.namespace == name))
    }

    /// Writes an object at a new revision, whether it was there or not.
    pub(crate) fn put(
        &mut self,
        collection: CollectionName,
        key: Key,
        mut value: Value,
    ) -> Arc<Stored> {
        let revision = self.next_revision();
        meta::set(&mut value, "resourceVersion", revision.to_string());
        let object = Arc::new(Stored::new(revision, value));
        let collection = self.collection(collection);
        let previous = collection.objects.insert(key.clone(), object.clone());
        let kind = if previous.is_some() {
            ChangeKind::Modified
        } else {
            ChangeKind::Added
        };
        collection.record(Change {
            kind,
            key,
            object: object.clone(),
            previous,
        });
        object
    }

    /// Removes an object; its last state carries the revision of the removal.
    pub(crate) fn remove(&mut self, collection: CollectionName, key: &Key) -> Option<Arc<Stored>> {
        let previous = self.collection(collection).objects.remove(key)?;
        let revision = self.next_revision();
        let mut value = previous.value.clone();
        meta::set(&mut value, "resourceVersion", revision.to_string());
        let object = Arc::new(Stored::new(revision, value));
        self.collection(collection).record(Change {
            kind: ChangeKind::Deleted,
            key: key.clone(),
            object: object.clone(),
            previous: Some(previous),
        });
        Some(object)
    }

    fn next_revision(&mut self) -> u64 {
        self.contents.revision += 1;
        self.contents.revision
    }

    fn collection(&mut self, name: CollectionName) -> &mut Collection {
        self.contents.collections.entry(name).or_default()
    }
}

impl Collection {
    fn record(&mut self, change: Change) {
        let revision = change.revision();
        if self.log.len() == LOG_LENGTH
            && let Some(oldest) = self.log.pop_front()
        {
            self.forgotten = oldest.revision();
        }
        self.log.push_back(Arc::new(change));
        self.newest.send_replace(revision);
    }
}
