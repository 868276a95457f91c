//! SIGINT and SIGTERM: the first ends the run in order, the second at once.

use std::io;

use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::provider::embedded;
use crate::provider::ledger::{Extent, Ledger, Listed, State};

/// A token that the first SIGINT or SIGTERM cancels, so that a run ends in order and removes what
/// it made; the second ends the process at once. It has to be asked for inside a runtime.
///
/// # Errors
/// Signals cannot be listened for.
pub fn cancelled_by_signals() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let cancel = token.clone();
    let mut signals = Signals::listen()?;
    tokio::spawn(async move {
        signals.next().await;
        cancel.cancel();
        signals.next().await;
        leave();
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    Ok(token)
}

/// Says how to remove what this process has made and does not remove itself any more. Only the
/// kubeconfig of an embedded cluster, which ends now, must not stay even then.
fn leave() {
    let listed = Ledger::of_user().and_then(|ledger| ledger.list());
    let process = std::process::id();
    let is_ours = |listed: &Listed| listed.entry.process == process && listed.state == State::InUse;
    let mut ours = listed.unwrap_or_default();
    ours.retain(is_ours);
    if ours.is_empty() {
        return;
    }
    // Any other kubeconfig leads to a cluster that goes on, or is the user's own.
    let embedded = ours.iter().filter(|listed| {
        listed.entry.provider == embedded::NAME && listed.entry.extent == Extent::Cluster
    });
    for kubeconfig in embedded.filter_map(Listed::kubeconfig) {
        // It may be gone already.
        let _ = std::fs::remove_file(kubeconfig);
    }
    eprintln!("ended at once; to remove what is left: rollout-lab clean");
}

/// What ends a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGINT, or Ctrl+C.
    Interrupt,
    /// SIGTERM.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is none"))]
    Terminate,
}

/// The signals of this process; none is lost from here on.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
