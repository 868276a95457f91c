//! How the components of the cluster come back to a watch that broke.

use std::time::Duration;

use backon::ExponentialBuilder;
use kube::runtime::watcher::ExponentialBackoff;

/// Waits that double until the watch is there again. They are short, whatever the pace: the server
/// is in the same process.
pub(crate) fn retries() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(5))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .into()
}
