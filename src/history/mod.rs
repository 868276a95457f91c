//! What happened, in order, on one clock.
//!
//! Observer, prober and steps only append. Criteria read, and so does the live view: a verdict is
//! a pure function of a history, today's or a stored one. Each scenario has a history of its own;
//! all of a run are written to one file, a line a [`Record`].
//!
//! * [`record`]: what can be told; [`criterion`]: what can be asked.
//! * [`facts`]: what is kept of a Kubernetes object; [`state`]: the newest of each.
//! * [`stamp`]: the clock; `sink`: the file.

pub mod criterion;
pub mod facts;
pub mod record;
mod sink;
pub mod stamp;
pub mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use record::{Entry, Record};
pub use sink::{Sink, SinkError, read};
pub use stamp::{Clock, Stamp};
pub use state::State;

/// A wait looks again after so many samples; after each would be too often.
const SAMPLES_PER_NEWS: usize = 10;

/// The history of one scenario. Clones append to the same one.
#[derive(Clone, Debug)]
pub struct History {
    scenario: usize,
    clock: Clock,
    sink: Sink,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    contents: Mutex<Contents>,
    /// Counts what may end a wait: every record but a sample, and every tenth sample.
    news: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Contents {
    records: Vec<Arc<Record>>,
    samples: usize,
    state: State,
}

impl History {
    /// An empty history of the scenario of a number, which also writes to a sink.
    #[must_use]
    pub fn new(scenario: usize, clock: Clock, sink: Sink) -> Self {
        let shared = Shared {
            contents: Mutex::default(),
            news: watch::Sender::new(0),
        };
        Self {
            scenario,
            clock,
            sink,
            shared: Arc::new(shared),
        }
    }

    /// The clock of the run.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Appends an entry that happens now; returns its stamp.
    #[expect(
        clippy::must_use_candidate,
        reason = "most who append do not care when it was"
    )]
    pub fn append(&self, entry: Entry) -> Stamp {
        let mut contents = self.lock();
        // Stamped under the lock, so that the records are in the order of their stamps.
        let record = Arc::new(Record {
            at: self.clock.now(),
            scenario: self.scenario,
            entry,
        });
        let at = record.at;
        let is_news = match &record.entry {
            Entry::Change(change) => {
                contents.state.fold(change);
                true
            }
            Entry::Sample(_) => {
                contents.samples += 1;
                contents.samples.is_multiple_of(SAMPLES_PER_NEWS)
            }
            _ => true,
        };
        self.sink.write(&record);
        contents.records.push(record);
        drop(contents);
        if is_news {
            self.shared.news.send_modify(|count| *count += 1);
        }
        at
    }

    /// All records so far. They are shared, not copied, so that a long look at them keeps nobody
    /// from appending.
    #[must_use]
    pub fn records(&self) -> Vec<Arc<Record>> {
        self.lock().records.clone()
    }

    /// Reads the records in place. Whoever appends waits meanwhile, so this is for short looks.
    pub fn read<T>(&self, read: impl FnOnce(&[Arc<Record>]) -> T) -> T {
        read(&self.lock().records)
    }

    /// Reads the newest facts of all objects.
    pub fn state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock().state)
    }

    /// Waits until something can be read from the state; `None` when the limit has passed.
    ///
    /// There is no polling: `find` runs when there is news.
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        mut find: impl FnMut(&State) -> Option<T>,
    ) -> Option<T> {
        self.wait(Instant::now() + limit, || self.state(&mut find))
            .await
    }

    /// Waits until `find` finds something; `None` when the deadline has passed.
    pub async fn wait<T>(
        &self,
        deadline: Instant,
        mut find: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let mut news = self.news();
        loop {
            if let Some(found) = find() {
                return Some(found);
            }
            if Instant::now() >= deadline || !news.next(deadline).await {
                return None;
            }
        }
    }

    /// The news from now on.
    #[must_use]
    pub fn news(&self) -> News {
        News(self.shared.news.subscribe())
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.shared
            .contents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells when a history has something new to look at.
#[derive(Debug)]
pub struct News(watch::Receiver<usize>);

impl News {
    /// Waits for something newer than the last time; `false` when the deadline comes first.
    pub async fn next(&mut self, deadline: Instant) -> bool {
        let changed = tokio::time::timeout_at(deadline, self.0.changed()).await;
        matches!(changed, Ok(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::facts::{Facts, NamespaceFacts};
    use super::record::{Change, ChangeKind};
    use super::*;

    fn mk_namespace(phase: &str) -> Entry {
        let facts = NamespaceFacts {
            phase: phase.to_owned(),
            ..NamespaceFacts::default()
        };
        Entry::Change(Change {
            change: ChangeKind::Modified,
            name: "lab".to_owned(),
            uid: "u".to_owned(),
            resource_version: "1".to_owned(),
            inferred: false,
            facts: Facts::Namespace(facts),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_the_change_that_fulfils_it() {
        let history = History::new(0, Clock::start(), Sink::none());
        let waiting = tokio::spawn({
            let history = history.clone();
            async move {
                let phase = |state: &State| {
                    let namespace = state.namespaces.values().next()?;
                    let phase = &namespace.facts.phase;
                    (phase == "Active").then(|| phase.clone())
                };
                history.wait_for(Duration::from_secs(5), phase).await
            }
        });
        history.append(mk_namespace("Pending"));
        history.append(mk_namespace("Active"));
        assert_eq!(waiting.await.unwrap().as_deref(), Some("Active"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_its_limit() {
        let history = History::new(0, Clock::start(), Sink::none());
        let never = history
            .wait_for(Duration::from_secs(5), |_| None::<()>)
            .await;
        assert_eq!(never, None);
    }
}
