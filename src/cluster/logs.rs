//! What containers print: a bounded buffer for each, with readers that follow.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use super::clock;

/// Lines that a container's log keeps.
const LINES: usize = 2000;

/// The logs of all containers of a cluster, by pod and container.
#[derive(Clone, Default)]
pub(crate) struct Logs {
    shared: Arc<Mutex<HashMap<LogKey, Runs>>>,
}

/// The uid of the pod and the name of the container.
type LogKey = (String, String);

/// The newest run of a container and the one before, each with its container id.
#[derive(Default)]
struct Runs {
    current: Option<(String, Log)>,
    previous: Option<(String, Log)>,
}

/// The log of one run of a container. Clones write to and read from the same buffer.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Mutex<Lines>>,
    /// Counts lines ever written; the end of the log closes it.
    written: Arc<watch::Sender<Written>>,
}

#[derive(Clone, Copy, Default)]
struct Written {
    count: usize,
    ended: bool,
}

#[derive(Default)]
struct Lines {
    kept: VecDeque<(Timestamp, String)>,
    forgotten: usize,
}

impl Logs {
    /// Begins the log of a new run; of the runs before it, the newest is kept.
    pub(crate) fn begin(&self, pod_uid: &str, container: &str, id: &str) -> Log {
        let log = Log::default();
        let mut logs = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = logs
            .entry((pod_uid.to_owned(), container.to_owned()))
            .or_default();
        runs.previous = runs.current.replace((id.to_owned(), log.clone()));
        log
    }

    /// The log of a run.
    pub(crate) fn find(&self, pod_uid: &str, container: &str, id: &str) -> Option<Log> {
        let logs = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = logs.get(&(pod_uid.to_owned(), container.to_owned()))?;
        let found = runs.iter().find(|(of, _)| of == id);
        found.map(|(_, log)| log.clone())
    }

    /// Ends and forgets the logs of a pod that is gone.
    pub(crate) fn forget(&self, pod_uid: &str) {
        let mut logs = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        logs.retain(|(uid, _), runs| {
            let stays = uid != pod_uid;
            if !stays {
                runs.iter().for_each(|(_, log)| log.end());
            }
            stays
        });
    }
}

impl Runs {
    fn iter(&self) -> impl Iterator<Item = &(String, Log)> {
        self.current.iter().chain(&self.previous)
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            shared: Arc::default(),
            written: Arc::new(watch::Sender::new(Written::default())),
        }
    }
}

impl Log {
    /// A log in which there is nothing and will be nothing.
    pub(crate) fn ended() -> Self {
        let log = Self::default();
        log.end();
        log
    }

    /// Appends a line, without its line break.
    pub fn write(&self, line: impl Into<String>) {
        let mut lines = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.kept.len() == LINES {
            lines.kept.pop_front();
            lines.forgotten += 1;
        }
        lines.kept.push_back((clock::timestamp(), line.into()));
        drop(lines);
        self.written.send_modify(|written| written.count += 1);
    }

    /// Tells readers that no more will come.
    pub(crate) fn end(&self) {
        self.written.send_modify(|written| written.ended = true);
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader {
            log: self.clone(),
            position: 0,
            written: self.written.subscribe(),
        }
    }
}

/// A place in a log.
pub(crate) struct Reader {
    log: Log,
    position: usize,
    written: watch::Receiver<Written>,
}

impl Reader {
    /// The lines that are there and were not read yet.
    pub(crate) fn ready(&mut self) -> Vec<(Timestamp, String)> {
        let lines = self
            .log
            .shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let skip = self.position.saturating_sub(lines.forgotten);
        self.position = lines.forgotten + lines.kept.len();
        lines.kept.iter().skip(skip).cloned().collect()
    }

    /// Waits for lines; `None` when the log has ended and everything was read.
    pub(crate) async fn next(&mut self) -> Option<Vec<(Timestamp, String)>> {
        loop {
            let ended = self.written.borrow_and_update().ended;
            let lines = self.ready();
            if !lines.is_empty() {
                return Some(lines);
            }
            if ended || self.written.changed().await.is_err() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[(Timestamp, String)]) -> Vec<&str> {
        lines.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[tokio::test]
    async fn a_reader_gets_what_was_written_and_what_comes_until_the_end() {
        let log = Log::default();
        log.write("one");
        let mut reader = log.reader();
        assert_eq!(texts(&reader.next().await.unwrap()), ["one"]);
        let reading = tokio::spawn(async move {
            let mut rest = Vec::new();
            while let Some(lines) = reader.next().await {
                rest.extend(lines);
            }
            rest
        });
        log.write("two");
        log.write("three");
        log.end();
        assert_eq!(texts(&reading.await.unwrap()), ["two", "three"]);
    }

    #[test]
    fn a_long_log_keeps_its_end() {
        let log = Log::default();
        for line in 0..=LINES {
            log.write(line.to_string());
        }
        let lines = log.reader().ready();
        assert_eq!((lines.len(), lines[0].1.as_str()), (LINES, "1"));
    }

    #[test]
    fn the_last_two_runs_are_kept() {
        let logs = Logs::default();
        for id in ["a", "b", "c"] {
            logs.begin("u", "app", id).write(id);
        }
        let read = |id| Some(logs.find("u", "app", id)?.reader().ready());
        assert_eq!(texts(&read("c").unwrap()), ["c"]);
        assert_eq!(texts(&read("b").unwrap()), ["b"]);
        assert!(read("a").is_none());
    }

    #[tokio::test]
    async fn the_logs_of_a_pod_that_is_gone_end() {
        let logs = Logs::default();
        let (gone, stays) = (logs.begin("u", "app", "a"), logs.begin("v", "app", "b"));
        logs.forget("u");
        assert!(logs.find("u", "app", "a").is_none());
        assert!(gone.reader().next().await.is_none());
        stays.write("still here");
        assert_eq!(texts(&stays.reader().next().await.unwrap()), ["still here"]);
    }
}
