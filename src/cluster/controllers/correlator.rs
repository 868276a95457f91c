//! Which events are the same, which are too similar, and which are too many.
//!
//! Source: `staging/src/k8s.io/client-go/tools/record/events_cache.go`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::recorder::Note;

/// Distinct messages of one reason on one object before they are told as one.
const SIMILAR_LIMIT: usize = 10;
/// Similar events further apart than this are not counted together.
const SIMILAR_WINDOW: Duration = Duration::from_secs(600);
/// Events of one source on one object that may come at once, and how fast more are allowed.
const BURST: f64 = 25.0;
const REFILL: Duration = Duration::from_secs(300);
const AGGREGATE_PREFIX: &str = "(combined from similar events): ";

/// What to do with a note.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Write it as a new event, to be remembered under this key.
    Create { key: String, message: String },
    /// It is the event of this name again.
    Count {
        name: String,
        count: i32,
        message: String,
    },
    /// Too many: it is not written.
    Drop,
}

/// Remembers what was written. Durations are simulated by scaling `now` beforehand.
#[derive(Default)]
pub(super) struct Correlator {
    similar: HashMap<String, Similar>,
    written: HashMap<String, Written>,
    buckets: HashMap<String, Bucket>,
}

struct Similar {
    messages: HashSet<String>,
    last: Instant,
}

struct Written {
    name: String,
    count: i32,
}

struct Bucket {
    tokens: f64,
    last: Instant,
}

impl Correlator {
    /// Judges a note at an instant; `pace` scales the windows.
    pub(super) fn judge(&mut self, note: &Note, now: Instant, pace: f64) -> Decision {
        let (key, message) = self.aggregate(note, now, pace);
        if !self.take_token(note, now, pace) {
            return Decision::Drop;
        }
        match self.written.get_mut(&key) {
            Some(written) => {
                written.count += 1;
                Decision::Count {
                    name: written.name.clone(),
                    count: written.count,
                    message,
                }
            }
            None => Decision::Create { key, message },
        }
    }

    /// Remembers that the event of a key was created under a name.
    pub(super) fn created(&mut self, key: String, name: String) {
        self.written.insert(key, Written { name, count: 1 });
    }

    /// Forgets an event that has gone, so that the next one is created anew.
    pub(super) fn gone(&mut self, name: &str) {
        self.written.retain(|_, written| written.name != name);
    }

    fn aggregate(&mut self, note: &Note, now: Instant, pace: f64) -> (String, String) {
        let group = format!("{}|{}|{}", note.identity(), note.kind.name(), note.reason);
        let similar = self
            .similar
            .entry(group.clone())
            .or_insert_with(|| Similar {
                messages: HashSet::new(),
                last: now,
            });
        if now.duration_since(similar.last) > SIMILAR_WINDOW.div_f64(pace) {
            similar.messages.clear();
        }
        similar.last = now;
        // Upstream forgets any one message at the limit; here it is always the newest, so that the
        // first nine keep events of their own.
        let is_known = similar.messages.contains(&note.message);
        if is_known || similar.messages.len() < SIMILAR_LIMIT - 1 {
            similar.messages.insert(note.message.clone());
            return (format!("{group}|{}", note.message), note.message.clone());
        }
        (group, format!("{AGGREGATE_PREFIX}{}", note.message))
    }

    fn take_token(&mut self, note: &Note, now: Instant, pace: f64) -> bool {
        let bucket = self
            .buckets
            .entry(format!("{}|{}", note.identity(), note.kind.name()))
            .or_insert(Bucket {
                tokens: BURST,
                last: now,
            });
        let passed = now.duration_since(bucket.last).as_secs_f64() * pace;
        bucket.tokens = (bucket.tokens + passed / REFILL.as_secs_f64()).min(BURST);
        bucket.last = now;
        let granted = bucket.tokens >= 1.0;
        if granted {
            bucket.tokens -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::super::recorder::NoteKind;
    use super::*;

    fn note(message: &str) -> Note {
        Note {
            component: "replicaset-controller",
            host: None,
            about: k8s_openapi::api::core::v1::ObjectReference {
                kind: Some("ReplicaSet".to_owned()),
                namespace: Some("ns".to_owned()),
                name: Some("web".to_owned()),
                uid: Some("u".to_owned()),
                ..Default::default()
            },
            kind: NoteKind::Normal,
            reason: "SuccessfulCreate",
            message: message.to_owned(),
        }
    }

    fn judge(correlator: &mut Correlator, message: &str) -> Decision {
        let decision = correlator.judge(&note(message), Instant::now(), 1.0);
        if let Decision::Create { key, .. } = &decision {
            correlator.created(key.clone(), format!("name of {message}"));
        }
        decision
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_event_is_counted() {
        let mut correlator = Correlator::default();
        assert!(matches!(
            judge(&mut correlator, "a"),
            Decision::Create { .. }
        ));
        assert_eq!(
            judge(&mut correlator, "a"),
            Decision::Count {
                name: "name of a".into(),
                count: 2,
                message: "a".into()
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_tenth_similar_event_is_told_with_those_that_follow() {
        let mut correlator = Correlator::default();
        for index in 1..10 {
            let decision = judge(&mut correlator, &format!("pod {index}"));
            assert!(
                matches!(decision, Decision::Create { message, .. } if !message.starts_with('('))
            );
        }
        let decision = judge(&mut correlator, "pod 10");
        assert!(matches!(
            decision,
            Decision::Create { message, .. }
                if message == "(combined from similar events): pod 10"
        ));
        assert!(matches!(
            judge(&mut correlator, "pod 11"),
            Decision::Count { count: 2, .. }
        ));
        assert!(matches!(
            judge(&mut correlator, "pod 1"),
            Decision::Count { count: 2, message, .. } if message == "pod 1"
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_cut_off_and_let_through_again_later() {
        let mut correlator = Correlator::default();
        for _ in 0..25 {
            assert_ne!(judge(&mut correlator, "a"), Decision::Drop);
        }
        assert_eq!(judge(&mut correlator, "a"), Decision::Drop);
        tokio::time::advance(REFILL).await;
        assert_ne!(judge(&mut correlator, "a"), Decision::Drop);
    }
}
