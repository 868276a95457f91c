//! How long ago a timestamp in an object was set, in simulated time.
//!
//! Timestamps in objects are wall-clock time in whole seconds. At pace 100 a second is a hundred
//! simulated ones, so a deadline of ten seconds cannot be measured by them. A controller therefore
//! remembers the instant at which it first saw each timestamp of each object, and ages count from
//! there, at the clock's pace. A timestamp that is older when it is first seen counts from the wall
//! clock, less the second that whole seconds may hide.
//!
//! Ages are kept per key of the work queue. Each pass names the timestamps that it cares about, and
//! what it no longer names is forgotten: a pod that was not ready in between begins anew, even
//! within one second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cluster::clock::{self, Clock};
use crate::cluster::store::Key;

/// What a whole-second timestamp may be too early by.
const RESOLUTION: Duration = Duration::from_secs(1);

/// The timestamps that a controller has seen.
pub(crate) struct Ages {
    clock: Clock,
    seen: Mutex<HashMap<Key, HashMap<String, Seen>>>,
}

#[derive(Clone, Copy)]
struct Seen {
    timestamp: Timestamp,
    since: Instant,
}

impl Ages {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            seen: Mutex::default(),
        }
    }

    /// The simulated ages of timestamps, by the uid of the object that each stands in. All other
    /// timestamps of the key are forgotten.
    pub(crate) fn observe(
        &self,
        key: &Key,
        timestamps: impl IntoIterator<Item = (String, Timestamp)>,
    ) -> HashMap<String, Duration> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.remove(key).unwrap_or_default();
        let now: HashMap<String, Seen> = timestamps
            .into_iter()
            .map(|(uid, timestamp)| {
                let known = before.get(&uid).filter(|seen| seen.timestamp == timestamp);
                let since = known.map_or_else(
                    || began(Instant::now(), clock::timestamp(), timestamp),
                    |seen| seen.since,
                );
                (uid, Seen { timestamp, since })
            })
            .collect();
        let ages = now
            .iter()
            .map(|(uid, seen)| (uid.clone(), self.clock.simulated_since(seen.since)))
            .collect();
        if !now.is_empty() {
            seen.insert(key.clone(), now);
        }
        ages
    }

    /// Lets a timestamp begin now, though its text may be the same as before: the controller that
    /// wrote it knows better than whole seconds do.
    pub(crate) fn renew(&self, key: &Key, uid: &str, timestamp: Timestamp) {
        let since = Instant::now();
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key.clone())
            .or_default()
            .insert(uid.to_owned(), Seen { timestamp, since });
    }
}

/// The instant at which a timestamp that is seen for the first time was set, as far as the wall
/// clock can tell.
///
/// Worked example: at 12:00:09.5 a timestamp of 12:00:09 may have been set just now, so it begins
/// now; one of 12:00:00 was set at least 8.5 s ago, and begins then.
fn began(now: Instant, wall: Timestamp, timestamp: Timestamp) -> Instant {
    let age = Duration::try_from(wall.duration_since(timestamp)).unwrap_or_default();
    now.checked_sub(age.saturating_sub(RESOLUTION))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::new("ns", "web")
    }

    fn one(ages: &Ages, timestamp: Timestamp) -> Duration {
        ages.observe(&key(), [("u".to_owned(), timestamp)])["u"]
    }

    #[test]
    fn a_timestamp_of_the_present_second_begins_now() {
        let now = Instant::now() + Duration::from_secs(100);
        let wall: Timestamp = "2026-01-01T12:00:09.5Z".parse().unwrap();
        for (timestamp, ago) in [
            ("2026-01-01T12:00:09Z", 0),
            ("2026-01-01T12:00:00Z", 8_500),
            ("2026-01-01T12:00:30Z", 0),
        ] {
            let began = began(now, wall, timestamp.parse().unwrap());
            assert_eq!(now - began, Duration::from_millis(ago), "{timestamp}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ages_run_at_the_pace_until_the_timestamp_changes() {
        let clock = Clock::new(100.0);
        let ages = Ages::new(clock.clone());
        let first = clock::timestamp();
        assert_eq!(one(&ages, first), Duration::ZERO);
        clock.sleep(Duration::from_secs(30)).await;
        assert_eq!(one(&ages, first), Duration::from_secs(30));
        let second = first + Duration::from_secs(1);
        assert_eq!(one(&ages, second), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timestamp_begins_anew_when_it_is_renewed_or_was_away() {
        let clock = Clock::new(1.0);
        let ages = Ages::new(clock.clone());
        let timestamp = clock::timestamp();
        one(&ages, timestamp);
        clock.sleep(Duration::from_secs(5)).await;
        ages.renew(&key(), "u", timestamp);
        clock.sleep(Duration::from_secs(2)).await;
        assert_eq!(one(&ages, timestamp), Duration::from_secs(2));
        ages.observe(&key(), []);
        assert_eq!(one(&ages, timestamp), Duration::ZERO);
    }
}
