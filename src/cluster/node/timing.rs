//! How long the steps of a pod's life take, in simulated time.
//!
//! Measured on a real Kubernetes 1.36.2 with containerd: from `Scheduled` to `Pulled` 0.6 s, to
//! `Created` 0.07 s more, to `Started` 0.13 s more; the exit of a container shows in the status
//! after 0.4 s and the pod goes 0.7 s later.

use std::time::Duration;

/// Making the pod's sandbox and network.
pub(super) const SANDBOX: Duration = Duration::from_millis(550);
/// Pulling an image that the node does not have.
pub(super) const PULL: Duration = Duration::from_millis(1200);
/// Creating a container.
pub(super) const CREATE: Duration = Duration::from_millis(65);
/// Starting a container.
pub(super) const START: Duration = Duration::from_millis(130);
/// Until the kubelet notices that a container has ended. Upstream looks once a second.
pub(super) const NOTICE_EXIT: Duration = Duration::from_millis(400);
/// Until a pod whose containers have ended is removed.
pub(super) const CLEAN_UP: Duration = Duration::from_millis(700);
/// Until a container whose configuration could not be resolved is tried again.
pub(super) const CONFIG_RETRY: Duration = Duration::from_secs(10);
