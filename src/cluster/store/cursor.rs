//! A reader's place in a collection's log.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Change, CollectionName, Store};

/// The log no longer reaches back to where the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub(crate) struct Expired {
    pub(crate) asked: u64,
    /// The revision after which the log still knows everything.
    pub(crate) oldest: u64,
}

/// Delivers each change of a collection once, in order.
pub(crate) struct Cursor {
    store: Store,
    collection: CollectionName,
    position: u64,
    newest: watch::Receiver<u64>,
}

impl Cursor {
    pub(super) fn new(
        store: Store,
        collection: CollectionName,
        position: u64,
        newest: watch::Receiver<u64>,
    ) -> Self {
        Self {
            store,
            collection,
            position,
            newest,
        }
    }

    /// Waits for the changes after the last ones delivered; never returns an empty list.
    ///
    /// Dropping the future loses nothing: the position moves only with the return.
    ///
    /// # Errors
    /// [`Expired`] when the reader fell behind the log.
    pub(crate) async fn next(&mut self) -> Result<Vec<Arc<Change>>, Expired> {
        loop {
            self.newest.mark_unchanged();
            let changes = self.pending()?;
            if let Some(last) = changes.last() {
                self.position = last.revision();
                return Ok(changes);
            }
            if self.newest.changed().await.is_err() {
                // The sender lives in the store, which this cursor keeps alive.
                std::future::pending::<()>().await;
            }
        }
    }

    fn pending(&self) -> Result<Vec<Arc<Change>>, Expired> {
        let contents = self.store.lock();
        let Some(collection) = contents.collections.get(self.collection) else {
            return Ok(Vec::new());
        };
        if self.position < collection.forgotten {
            return Err(Expired {
                asked: self.position,
                oldest: collection.forgotten,
            });
        }
        let start = collection
            .log
            .partition_point(|change| change.revision() <= self.position);
        Ok(collection.log.range(start..).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ChangeKind, Key, LOG_LENGTH};
    use super::*;

    const THINGS: CollectionName = "things";

    fn put(store: &Store, name: &str) -> u64 {
        let object = json!({"metadata": {"name": name}});
        store
            .begin()
            .put(THINGS, Key::new("ns", name), object)
            .revision
    }

    #[tokio::test]
    async fn a_cursor_delivers_each_change_once_and_in_order() {
        let store = Store::default();
        let start = put(&store, "before");
        let mut cursor = store.watch(THINGS, start);
        put(&store, "a");
        put(&store, "a");
        store.begin().remove(THINGS, &Key::new("ns", "a"));
        let kinds: Vec<_> = cursor
            .next()
            .await
            .unwrap()
            .iter()
            .map(|c| c.kind)
            .collect();
        assert_eq!(
            kinds,
            [ChangeKind::Added, ChangeKind::Modified, ChangeKind::Deleted]
        );

        let waiting = tokio::spawn(async move { cursor.next().await.unwrap().len() });
        put(&store, "b");
        assert_eq!(waiting.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_cursor_behind_the_log_is_told_so() {
        let store = Store::default();
        let first = put(&store, "a");
        let mut late = store.watch(THINGS, first);
        for _ in 0..=LOG_LENGTH {
            put(&store, "a");
        }
        let expired = late.next().await.unwrap_err();
        assert_eq!(
            expired,
            Expired {
                asked: first,
                oldest: first + 1
            }
        );
    }

    #[tokio::test]
    async fn the_last_state_of_a_removed_object_has_the_revision_of_its_removal() {
        let store = Store::default();
        let created = put(&store, "a");
        let removed = store.begin().remove(THINGS, &Key::new("ns", "a")).unwrap();
        assert_eq!(removed.revision, created + 1);
        assert_eq!(
            removed.value["metadata"]["resourceVersion"],
            json!(removed.revision.to_string())
        );
    }
}
