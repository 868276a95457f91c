//! When each request of a flow is due.

use std::time::Duration;

use tokio::time::Instant;

/// Evenly spaced requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub(super) start: Instant,
    /// Requests a second.
    pub(super) rate: f64,
}

impl Schedule {
    /// When a request is due, by its number from 0. Each is computed from the start, so that no
    /// error adds up: at 200/s request 12,000 is due after exactly a minute.
    pub(super) fn due(&self, seq: u64) -> Instant {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a flow has fewer than 2^52 requests"
        )]
        let seconds = seq as f64 / self.rate;
        self.start + Duration::from_secs_f64(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_error_adds_up() {
        let schedule = Schedule {
            start: Instant::now(),
            rate: 200.0,
        };
        assert_eq!(schedule.due(1) - schedule.start, Duration::from_millis(5));
        assert_eq!(
            schedule.due(12_000) - schedule.start,
            Duration::from_secs(60)
        );
        let odd = Schedule {
            rate: 333.0,
            ..schedule
        };
        assert_eq!(odd.due(333 * 3600) - odd.start, Duration::from_secs(3600));
    }
}
