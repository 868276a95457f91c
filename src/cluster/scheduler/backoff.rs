//! How long a pod that no node could take is left alone.
//!
//! Source: `pkg/scheduler/backend/queue/backoff_queue.go`.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::store::Key;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);

/// The pods that could not be placed. Instants are given, so that simulated durations can be
/// scaled beforehand.
#[derive(Debug, Default)]
pub(super) struct Backoffs(HashMap<Key, Backoff>);

#[derive(Debug)]
struct Backoff {
    uid: String,
    failures: u32,
    since: Instant,
}

impl Backoffs {
    /// Notes that a pod could not be placed.
    pub(super) fn fail(&mut self, key: &Key, uid: &str, now: Instant) {
        let known = self.0.get(key).filter(|known| known.uid == uid);
        let failures = known.map_or(0, |known| known.failures) + 1;
        let backoff = Backoff {
            uid: uid.to_owned(),
            failures,
            since: now,
        };
        self.0.insert(key.clone(), backoff);
    }

    /// Forgets a pod that has been placed or has gone.
    pub(super) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// When a pod failed last, and how long it is left alone from then on.
    pub(super) fn of(&self, key: &Key, uid: &str) -> Option<(Instant, Duration)> {
        let known = self.0.get(key).filter(|known| known.uid == uid)?;
        Some((known.since, delay(known.failures)))
    }
}

/// 1 s after the first failure, 2 s after the second, and so on up to 10 s.
fn delay(failures: u32) -> Duration {
    FIRST
        .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
        .min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_ten_seconds() {
        let seconds: Vec<u64> = (1..7).map(|failures| delay(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 10, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_pod_of_the_same_name_starts_anew() {
        let (mut backoffs, key) = (Backoffs::default(), Key::new("ns", "p"));
        let now = Instant::now();
        let of =
            |backoffs: &Backoffs, uid| backoffs.of(&key, uid).map(|(_, delay)| delay.as_secs());
        backoffs.fail(&key, "u", now);
        backoffs.fail(&key, "u", now);
        assert_eq!((of(&backoffs, "u"), of(&backoffs, "v")), (Some(2), None));
        backoffs.fail(&key, "v", now);
        assert_eq!(of(&backoffs, "v"), Some(1));
        backoffs.forget(&key);
        assert_eq!(of(&backoffs, "v"), None);
    }
}
