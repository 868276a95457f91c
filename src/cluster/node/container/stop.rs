//! The end of a container: preStop hook, SIGTERM, and SIGKILL when the grace period is over.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use k8s_openapi::api::core::v1::LifecycleHandler;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Life;
use crate::cluster::clock::Clock;
use crate::cluster::node::probe::{self, Asked};
use crate::cluster::node::tally::Outcome;

/// The least time between SIGTERM and SIGKILL.
const LEAST_GRACE: Duration = Duration::from_secs(2);
/// A limit on the work of an HTTP hook, which no pace makes faster.
const HOOK_LIMIT: Duration = Duration::from_secs(10);

impl Life {
    /// Runs the preStop hook, sends SIGTERM, and ends when it is time for SIGKILL.
    pub(super) fn stop_sequence(
        &self,
        deadline: Instant,
        terminate: watch::Sender<bool>,
    ) -> BoxFuture<'static, ()> {
        let host = self.place.host.clone();
        let asked = self.asked();
        let about = self.about();
        let stop = self.stop.clone();
        let hook = self
            .place
            .spec
            .lifecycle
            .clone()
            .and_then(|lifecycle| lifecycle.pre_stop);
        async move {
            if let Some(hook) = hook {
                let ran = tokio::time::timeout_at(deadline, run_hook(&hook, &asked, &host.clock));
                if !matches!(ran.await, Ok(Ok(()))) {
                    host.recorder
                        .warning(about, "FailedPreStopHook", "PreStopHook failed");
                }
            }
            // Nobody listening is a process that has just ended.
            let _ = terminate.send(true);
            let deadline = deadline.max(host.clock.after(LEAST_GRACE));
            wait_until(deadline, stop).await;
        }
        .boxed()
    }

    /// The grace period of a container that is restarted.
    pub(super) fn grace(&self) -> Duration {
        let spec = self.place.pod.spec.as_ref();
        let seconds = spec
            .and_then(|spec| spec.termination_grace_period_seconds)
            .unwrap_or(30);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(1))
    }
}

/// Waits for the order to stop; returns when everything must have ended.
pub(super) async fn asked_to_stop(stop: &mut watch::Receiver<Option<Instant>>) -> Instant {
    match stop
        .wait_for(Option::is_some)
        .await
        .map(|deadline| *deadline)
    {
        Ok(Some(deadline)) => deadline,
        // The worker is gone, and with it the pod.
        _ => Instant::now(),
    }
}

/// Waits until a deadline, or until a nearer one that is set meanwhile.
async fn wait_until(mut deadline: Instant, mut stop: watch::Receiver<Option<Instant>>) {
    loop {
        if let Some(nearer) = *stop.borrow_and_update() {
            deadline = deadline.min(nearer.max(Instant::now()));
        }
        tokio::select! {
            () = tokio::time::sleep_until(deadline) => return,
            changed = stop.changed() => if changed.is_err() {
                tokio::time::sleep_until(deadline).await;
                return;
            },
        }
    }
}

pub(super) async fn maybe(future: Option<&mut BoxFuture<'static, ()>>) {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn run_hook(hook: &LifecycleHandler, asked: &Asked, clock: &Clock) -> Result<(), ()> {
    if let Some(sleep) = &hook.sleep {
        clock
            .sleep(Duration::from_secs(
                u64::try_from(sleep.seconds).unwrap_or_default(),
            ))
            .await;
        return Ok(());
    }
    match &hook.http_get {
        Some(action) => match probe::http(action, asked, HOOK_LIMIT).await {
            Outcome::Success => Ok(()),
            Outcome::Failure(_) => Err(()),
        },
        // Images of this cluster have no shell to execute anything in.
        None => Err(()),
    }
}
