//! What outlives the request that began it: forwarded ports, and the connections that carry them.

use std::future::Future;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The open sessions of a server. Clones begin and end them together.
#[derive(Clone)]
pub(crate) struct Sessions {
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Counts the times that all open streams were cut.
    cuts: watch::Sender<u64>,
}

impl Sessions {
    /// Sessions that end when the token says so; the tracker knows when the last has ended.
    pub(crate) fn new(stop: CancellationToken, tasks: TaskTracker) -> Self {
        Self {
            stop,
            tasks,
            cuts: watch::Sender::new(0),
        }
    }

    /// Runs a session until it ends by itself, is cut, or the cluster stops.
    pub(super) fn begin(&self, session: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let mut cuts = self.cuts();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = cuts.changed() => {}
                () = session => {}
            }
        });
    }

    /// Ends all that are open.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Changes with each cut, for streams that are the body of an answer.
    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }
}

/// Sessions that nothing but a cut ends from outside.
impl Default for Sessions {
    fn default() -> Self {
        Self::new(CancellationToken::new(), TaskTracker::new())
    }
}
