//! Runs a controller: its triggers fill a queue, its passes empty it.

use std::collections::HashMap;
use std::fmt::Debug;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{FutureExt as _, Stream, StreamExt as _};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::time::{DelayQueue, delay_queue};

use super::queue::Queue;
use crate::cluster::clock::Clock;
use crate::cluster::retries::retries;
use crate::cluster::store::Key;

/// A pass that fails is tried again after this, doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(5);
const LONGEST_RETRY: Duration = Duration::from_secs(1000);

/// What should happen to the key after a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing until something changes.
    Await,
    /// Another pass after a simulated duration, even if nothing changes.
    Again(Duration),
}

/// Why a pass did not end well. Both are tried again: a key that panicked must not stay in work for
/// ever.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Api(kube::Error),
    #[error("the pass panicked")]
    Panic,
}

/// Keys that a change calls for.
pub(crate) type Trigger = BoxStream<'static, Vec<Key>>;

/// A controller: what wakes it, and what one pass does.
pub(crate) trait Controller: Send + Sync + 'static {
    const NAME: &'static str;

    /// Keys worked on at once. Source: `--concurrent-deployment-syncs`.
    const WORKERS: usize = 5;

    /// The changes that call for a pass.
    fn triggers(&self) -> Vec<Trigger>;

    /// One pass over one object, which may no longer exist.
    fn reconcile(&self, key: &Key) -> impl Future<Output = Result<Action, kube::Error>> + Send;
}

/// The keys that changes of a kind call for: each object that comes, changes or goes is handed to
/// `keys`. After a lost watch every object is handed over again.
pub(crate) fn on_change<K>(
    api: Api<K>,
    config: watcher::Config,
    keys: impl Fn(&K) -> Vec<Key> + Send + 'static,
) -> Trigger
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    changes(api, config)
        .map(move |object| keys(&object))
        .boxed()
}

/// Every object of a kind that comes, changes or goes; its `deletionTimestamp` does not tell the
/// last apart, only a read does.
pub(crate) fn changes<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = K> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    events(api, config).filter_map(async |event| match event {
        watcher::Event::Apply(object)
        | watcher::Event::InitApply(object)
        | watcher::Event::Delete(object) => Some(object),
        watcher::Event::Init | watcher::Event::InitDone => None,
    })
}

/// The same with what became of each object, and with the beginning and the end of each listing.
pub(crate) fn events<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = watcher::Event<K>> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    watcher(api, config)
        .backoff(retries())
        .filter_map(async |event| {
            event
                .inspect_err(|error| tracing::debug!(%error, "a controller's watch is resumed"))
                .ok()
        })
}

/// The key of an object.
pub(crate) fn key_of<K: Resource>(object: &K) -> Key {
    Key::new(object.namespace().unwrap_or_default(), object.name_any())
}

/// The key of the controller of an object, if that is of a kind.
pub(crate) fn controller_key<K: Resource>(object: &K, kind: &str) -> Option<Key> {
    let owner = object
        .owner_references()
        .iter()
        .find(|owner| owner.controller == Some(true) && owner.kind == kind)?;
    Some(Key::new(
        object.namespace().unwrap_or_default(),
        owner.name.as_str(),
    ))
}

/// Runs a controller until it is told to stop.
pub(crate) async fn run<C: Controller>(controller: Arc<C>, clock: Clock, stop: CancellationToken) {
    let triggers: SelectAll<Trigger> = controller.triggers().into_iter().collect();
    let mut triggers = pin!(triggers);
    let mut queue = Queue::default();
    let mut later = Later::default();
    let mut passes = JoinSet::new();
    loop {
        while let Some(key) = queue.start(C::WORKERS) {
            let controller = controller.clone();
            passes.spawn(async move {
                let pass = AssertUnwindSafe(controller.reconcile(&key)).catch_unwind();
                let result = pass.await.map_err(|_| Failure::Panic);
                (key, result.and_then(|result| result.map_err(Failure::Api)))
            });
        }
        tokio::select! {
            () = stop.cancelled() => return,
            Some(keys) = triggers.next() => keys.into_iter().for_each(|key| queue.add(key)),
            Some(key) = later.next() => queue.add(key),
            Some(Ok((key, result))) = passes.join_next() => {
                queue.finish(&key);
                match result {
                    Ok(action) => {
                        queue.forget(&key);
                        if let Action::Again(delay) = action {
                            later.insert(key, clock.real(delay));
                        }
                    }
                    Err(error) => {
                        let failures = queue.fail(&key);
                        tracing::debug!(controller = C::NAME, ?key, %error, failures, "pass failed");
                        later.insert(key, clock.real(retry_delay(failures)));
                    }
                }
            },
        }
    }
}

/// Keys that come back by themselves, each at most once: the newest wish counts.
#[derive(Default)]
struct Later {
    queue: DelayQueue<Key>,
    places: HashMap<Key, delay_queue::Key>,
}

impl Later {
    fn insert(&mut self, key: Key, delay: Duration) {
        if let Some(place) = self.places.get(&key) {
            self.queue.reset(place, delay);
        } else {
            let place = self.queue.insert(key.clone(), delay);
            self.places.insert(key, place);
        }
    }

    /// The next key that is due; `None` while there is none.
    async fn next(&mut self) -> Option<Key> {
        let key = self.queue.next().await?.into_inner();
        self.places.remove(&key);
        Some(key)
    }
}

/// 5 ms after the first failure, 10 ms after the second, and so on.
fn retry_delay(failures: u32) -> Duration {
    FIRST_RETRY
        .saturating_mul(2_u32.saturating_pow(failures - 1))
        .min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_double_up_to_a_limit() {
        assert_eq!(retry_delay(1), Duration::from_millis(5));
        assert_eq!(retry_delay(4), Duration::from_millis(40));
        assert_eq!(retry_delay(40), LONGEST_RETRY);
    }
}
