//! How long to wait before trying again: doubling, with a ceiling, forgotten after a good run.
//!
//! Source: `pkg/kubelet/kubelet.go` (`backOffPeriod`, `MaxCrashLoopBackOff`, `imageBackOffPeriod`).

use std::time::Duration;

/// The first wait of both crash loops and image pulls.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// A run of this length ends a crash loop.
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);

/// The waits of one container.
///
/// Crash loops: the first restart is at once, then 10, 20, 40, 80, 160, 300, 300 s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after a failed pull: 10 s the first time.
    pub(super) fn after_failed_pull(&mut self) -> Duration {
        self.failures += 1;
        doubled(self.failures - 1)
    }

    /// The wait after a container ended that had run for some (simulated) time; `None` restarts at
    /// once.
    pub(super) fn after_exit(&mut self, ran: Duration) -> Option<Duration> {
        if ran > FORGIVEN_AFTER {
            self.failures = 0;
        }
        self.failures += 1;
        (self.failures > 1).then(|| doubled(self.failures - 2))
    }
}

fn doubled(times: u32) -> Duration {
    FIRST
        .saturating_mul(2_u32.saturating_pow(times))
        .min(LONGEST)
}

/// A wait as Kubernetes spells it: `40s`, `1m20s`, `5m0s`.
pub(super) fn spelled(wait: Duration) -> String {
    let (minutes, seconds) = (wait.as_secs() / 60, wait.as_secs() % 60);
    if minutes == 0 {
        format!("{seconds}s")
    } else {
        format!("{minutes}m{seconds}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crash_loops_restart_once_and_then_wait_longer_and_longer() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                backoff
                    .after_exit(Duration::from_secs(1))
                    .map_or(0, |wait| wait.as_secs())
            })
            .collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(
            backoff.after_exit(Duration::from_mins(11)),
            None,
            "a good run is forgiven"
        );
    }

    #[test]
    fn failed_pulls_wait_from_the_first_time() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..3)
            .map(|_| backoff.after_failed_pull().as_secs())
            .collect();
        assert_eq!(waits, [10, 20, 40]);
    }

    #[test]
    fn waits_are_spelled_as_kubernetes_does() {
        for (seconds, text) in [(10, "10s"), (80, "1m20s"), (300, "5m0s")] {
            assert_eq!(spelled(Duration::from_secs(seconds)), text);
        }
    }
}
