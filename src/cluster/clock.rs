//! The cluster's clock: simulated durations at a pace, timestamps by the wall.
//!
//! The *pace* says how many times faster than real time simulated durations run: an image pull, a
//! container's start, probe periods, grace periods, deadlines, back-offs. At pace 1 the cluster
//! takes its time as a real one does. Timestamps in objects are always wall-clock time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Scales simulated durations. Clones share one pace.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The bits of an `f64`.
    pace: Arc<AtomicU64>,
}

impl Clock {
    /// A clock at a pace; anything that is not a positive number counts as 1.
    #[must_use]
    pub fn new(pace: f64) -> Self {
        let clock = Self {
            pace: Arc::default(),
        };
        clock.set_pace(pace);
        clock
    }

    /// How many times faster than real time simulated durations run.
    #[must_use]
    pub fn pace(&self) -> f64 {
        f64::from_bits(self.pace.load(Ordering::Relaxed))
    }

    /// Changes the pace for all durations that begin from now on.
    pub fn set_pace(&self, pace: f64) {
        let pace = if pace.is_finite() && pace > 0.0 {
            pace
        } else {
            1.0
        };
        self.pace.store(pace.to_bits(), Ordering::Relaxed);
    }

    /// The real duration of a simulated one.
    #[must_use]
    pub fn real(&self, simulated: Duration) -> Duration {
        simulated.div_f64(self.pace())
    }

    /// Waits for a simulated duration.
    pub async fn sleep(&self, simulated: Duration) {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the replacement that the ban names"
        )]
        tokio::time::sleep(self.real(simulated)).await;
    }

    /// The instant at which a simulated duration from now ends.
    #[must_use]
    pub fn after(&self, simulated: Duration) -> Instant {
        Instant::now() + self.real(simulated)
    }

    /// How much simulated time has passed since an instant, at the present pace.
    #[must_use]
    pub fn simulated_since(&self, start: Instant) -> Duration {
        start.elapsed().mul_f64(self.pace())
    }
}

/// The wall-clock time that objects carry.
#[must_use]
pub fn timestamp() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn simulated_durations_are_divided_by_the_pace() {
        let clock = Clock::new(10.0);
        let start = Instant::now();
        clock.sleep(Duration::from_secs(30)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert_eq!(clock.simulated_since(start), Duration::from_secs(30));
    }

    #[test]
    fn a_pace_that_means_nothing_is_real_time() {
        for pace in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(
                (Clock::new(pace).pace() - 1.0).abs() < f64::EPSILON,
                "{pace}"
            );
        }
    }
}
