//! One watch, from its first list to its end.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use backon::ExponentialBuilder;
use futures::StreamExt as _;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher as watch};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::history::facts::Facts;
use crate::history::record::{Change, ChangeKind, Gap};
use crate::history::{Entry, History};

/// A broken watch is resumed after this at first, and after this at the latest.
const FIRST_RETRY: Duration = Duration::from_millis(10);
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// The future that follows a kind, and the news that its first list is complete.
pub(super) fn follow<K>(
    api: Api<K>,
    config: watcher::Config,
    history: History,
    facts: fn(&K) -> Facts,
) -> (impl Future<Output = ()> + Send, oneshot::Receiver<()>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let (listed, is_listed) = oneshot::channel();
    let book = Book::<K> {
        history,
        facts,
        known: HashMap::new(),
        listing: None,
    };
    (run(api, config, book, listed), is_listed)
}

async fn run<K>(
    api: Api<K>,
    config: watcher::Config,
    mut book: Book<K>,
    listed: oneshot::Sender<()>,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut events = pin!(watch(api, config).backoff(retries()));
    let mut listed = Some(listed);
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                let is_complete = matches!(event, watcher::Event::InitDone);
                book.note(event);
                if is_complete && let Some(listed) = listed.take() {
                    // The one who waits may have gone.
                    let _ = listed.send(());
                }
            }
            Err(error) => book.broken(&error),
        }
    }
}

/// Waits between attempts that double until one succeeds.
fn retries() -> watcher::ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_RETRY)
        .with_max_delay(LONGEST_RETRY)
        .without_max_times()
        .into()
}

/// What has been told of a kind so far.
struct Book<K> {
    history: History,
    facts: fn(&K) -> Facts,
    /// The newest version of each object, by uid.
    known: HashMap<String, K>,
    /// The objects that a list in progress has shown.
    listing: Option<HashSet<String>>,
}

impl<K: Resource<DynamicType = ()> + Clone> Book<K> {
    fn note(&mut self, event: watcher::Event<K>) {
        match event {
            watcher::Event::Init => self.listing = Some(HashSet::new()),
            watcher::Event::InitApply(object) => {
                if let Some(listing) = &mut self.listing {
                    listing.insert(object.uid().unwrap_or_default());
                }
                self.seen(object);
            }
            watcher::Event::InitDone => {
                let listing = self.listing.take().unwrap_or_default();
                let gone: Vec<K> = self
                    .known
                    .extract_if(|uid, _| !listing.contains(uid))
                    .map(|(_, object)| object)
                    .collect();
                for object in gone {
                    self.tell(ChangeKind::Deleted, &object, true);
                }
            }
            watcher::Event::Apply(object) => self.seen(object),
            watcher::Event::Delete(object) => {
                self.known.remove(&object.uid().unwrap_or_default());
                self.tell(ChangeKind::Deleted, &object, false);
            }
        }
    }

    /// Tells an object unless this version of it has been told.
    fn seen(&mut self, object: K) {
        let known = self.known.get(&object.uid().unwrap_or_default());
        let change = match known {
            Some(known) if known.resource_version() == object.resource_version() => return,
            Some(_) => ChangeKind::Modified,
            None => ChangeKind::Added,
        };
        self.tell(change, &object, false);
        self.known.insert(object.uid().unwrap_or_default(), object);
    }

    fn tell(&self, change: ChangeKind, object: &K, inferred: bool) {
        self.history.append(Entry::Change(Change {
            change,
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            resource_version: object.resource_version().unwrap_or_default(),
            inferred,
            facts: (self.facts)(object),
        }));
    }

    /// A cut connection loses nothing. A place that the server has forgotten does, and so may a
    /// first list that fails.
    fn broken(&self, error: &watcher::Error) {
        let kind = K::kind(&()).into_owned();
        match error {
            watcher::Error::WatchError(status) if status.code == 410 => {
                self.history.append(Entry::Gap(Gap {
                    kind,
                    why: status.message.clone(),
                }));
            }
            error => tracing::debug!(%error, kind, "a watch is resumed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Namespace;
    use serde_json::{from_value, json};

    use super::super::facts::namespace::facts;
    use super::*;
    use crate::history::{Clock, Sink};

    fn mk_book() -> Book<Namespace> {
        let history = History::new(0, Clock::start(), Sink::none());
        Book {
            history,
            facts,
            known: HashMap::new(),
            listing: None,
        }
    }

    fn mk_object(uid: &str, version: &str) -> Namespace {
        from_value(json!({"metadata": {"name": uid, "uid": uid, "resourceVersion": version}}))
            .unwrap()
    }

    fn told(book: &Book<Namespace>) -> Vec<(ChangeKind, String, bool)> {
        book.history.read(|records| {
            records
                .iter()
                .filter_map(|record| match &record.entry {
                    Entry::Change(change) => Some((
                        change.change,
                        format!("{}@{}", change.name, change.resource_version),
                        change.inferred,
                    )),
                    _ => None,
                })
                .collect()
        })
    }

    #[test]
    fn after_a_new_list_nothing_is_told_twice_and_nothing_is_lost() {
        let mut book = mk_book();
        for event in [
            watcher::Event::Init,
            watcher::Event::InitApply(mk_object("a", "1")),
            watcher::Event::InitApply(mk_object("b", "2")),
            watcher::Event::InitDone,
            watcher::Event::Apply(mk_object("a", "3")),
            // The watch breaks here; meanwhile b goes, c comes and a changes.
            watcher::Event::Init,
            watcher::Event::InitApply(mk_object("a", "5")),
            watcher::Event::InitApply(mk_object("c", "6")),
            watcher::Event::InitDone,
            watcher::Event::Apply(mk_object("c", "6")),
            watcher::Event::Delete(mk_object("c", "7")),
        ] {
            book.note(event);
        }
        let told = told(&book);
        let told: Vec<(ChangeKind, &str, bool)> = told
            .iter()
            .map(|(kind, name, inferred)| (*kind, name.as_str(), *inferred))
            .collect();
        assert_eq!(
            told,
            [
                (ChangeKind::Added, "a@1", false),
                (ChangeKind::Added, "b@2", false),
                (ChangeKind::Modified, "a@3", false),
                (ChangeKind::Modified, "a@5", false),
                (ChangeKind::Added, "c@6", false),
                (ChangeKind::Deleted, "b@2", true),
                (ChangeKind::Deleted, "c@7", false),
            ]
        );
    }

    #[test]
    fn only_a_forgotten_place_is_a_gap() {
        let book = mk_book();
        book.broken(&watcher::Error::NoResourceVersion);
        assert!(book.history.records().is_empty());
        let expired = kube::core::Status::failure("too old", "Expired")
            .with_code(410)
            .boxed();
        book.broken(&watcher::Error::WatchError(expired));
        assert!(matches!(book.history.records()[0].entry, Entry::Gap(_)));
    }
}
