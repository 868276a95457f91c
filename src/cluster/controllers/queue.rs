//! Which keys wait, which are being worked on, and which must be done again. No time in here.
//!
//! A key is never worked on twice at once: what arrives meanwhile is remembered, once.
//! Source: `staging/src/k8s.io/client-go/util/workqueue/queue.go`.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::cluster::store::Key;

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Key>,
    /// The same keys, to find them.
    queued: HashSet<Key>,
    running: HashSet<Key>,
    /// Keys that came while they were being worked on.
    dirty: HashSet<Key>,
    failures: HashMap<Key, u32>,
}

impl Queue {
    pub(super) fn add(&mut self, key: Key) {
        if self.running.contains(&key) {
            self.dirty.insert(key);
        } else if self.queued.insert(key.clone()) {
            self.waiting.push_back(key);
        }
    }

    /// The next key to work on, if fewer than `workers` are at work.
    pub(super) fn start(&mut self, workers: usize) -> Option<Key> {
        if self.running.len() >= workers {
            return None;
        }
        let key = self.waiting.pop_front()?;
        self.queued.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    /// Ends the work on a key, whatever came of it.
    pub(super) fn finish(&mut self, key: &Key) {
        self.running.remove(key);
        if self.dirty.remove(key) {
            self.add(key.clone());
        }
    }

    /// How often the key has failed in a row, this failure included.
    pub(super) fn fail(&mut self, key: &Key) -> u32 {
        let failures = self.failures.entry(key.clone()).or_default();
        *failures += 1;
        *failures
    }

    pub(super) fn forget(&mut self, key: &Key) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::new("ns", name)
    }

    #[test]
    fn a_key_waits_once_and_is_never_worked_on_twice_at_once() {
        let mut queue = Queue::default();
        queue.add(key("a"));
        queue.add(key("a"));
        assert_eq!(queue.start(2), Some(key("a")));
        assert_eq!(queue.start(2), None);
        queue.add(key("a"));
        queue.add(key("a"));
        assert_eq!(queue.start(2), None, "it is still running");
        queue.finish(&key("a"));
        assert_eq!(queue.start(2), Some(key("a")));
        queue.finish(&key("a"));
        assert_eq!(queue.start(2), None);
    }

    #[test]
    fn workers_bound_the_work() {
        let mut queue = Queue::default();
        queue.add(key("a"));
        queue.add(key("b"));
        assert_eq!(queue.start(1), Some(key("a")));
        assert_eq!(queue.start(1), None);
        queue.finish(&key("a"));
        assert_eq!(queue.start(1), Some(key("b")));
    }

    #[test]
    fn failures_count_until_they_are_forgotten() {
        let mut queue = Queue::default();
        assert_eq!((queue.fail(&key("a")), queue.fail(&key("a"))), (1, 2));
        queue.forget(&key("a"));
        assert_eq!(queue.fail(&key("a")), 1);
    }
}
