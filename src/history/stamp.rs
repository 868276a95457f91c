//! The one clock of a run: microseconds since it began.

use std::fmt;
use std::ops::Sub;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A moment of a run, in microseconds since its beginning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The moment as seconds since the beginning.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.since(Self(0)).as_secs_f64()
    }

    /// The time from an earlier moment to this one; zero where that is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The moment that comes a while later.
    #[must_use]
    pub fn plus(self, while_: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(while_.as_micros()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub for Stamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// `12.345 s`.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.seconds())
    }
}

/// Gives out stamps. Monotonic: a change of the wall clock does not move it.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
    wall: Timestamp,
}

impl Clock {
    /// Starts the clock of a run.
    #[must_use]
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            wall: Timestamp::now(),
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Stamp {
        self.at(Instant::now())
    }

    /// The stamp of an instant.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Stamp {
        Stamp(0).plus(instant.saturating_duration_since(self.start))
    }

    /// The wall-clock time at which the run began.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.wall
    }
}
