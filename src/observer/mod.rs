//! Kubernetes watches, told to the history: one list and one watch for each kind.
//!
//! A broken watch is resumed where it broke. Where the server no longer knows that place, a new
//! list says what is there now; objects that are gone meanwhile are told as deleted, and a gap is
//! noted, because changes between may be missing. No change is told twice.
//!
//! `facts` decides what is kept of an object, one pure file for each kind.

mod facts;
mod follow;
mod pod_status;

use std::fmt::Debug;

use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::history::History;
use crate::history::facts::Facts;

/// Watches one namespace, for as long as it lives.
#[derive(Debug)]
pub struct Observer {
    _watches: JoinSet<()>,
}

impl Observer {
    /// Begins to watch a namespace and what is in it; returns when all of it has been seen once.
    ///
    /// A namespace that does not exist yet is watched too: its creation will be seen.
    pub async fn start(client: &Client, namespace: &str, history: &History) -> Self {
        let mut watches = Watches {
            history,
            tasks: JoinSet::new(),
            lists: Vec::new(),
        };
        let only = watcher::Config::default().fields(&format!("metadata.name={namespace}"));
        watches.follow(Api::all(client.clone()), only, facts::namespace::facts);
        let all = watcher::Config::default;
        let client = || client.clone();
        watches.follow(
            Api::namespaced(client(), namespace),
            all(),
            facts::deployment::facts,
        );
        watches.follow(
            Api::namespaced(client(), namespace),
            all(),
            facts::replicaset::facts,
        );
        watches.follow(
            Api::namespaced(client(), namespace),
            all(),
            facts::pod::facts,
        );
        watches.follow(
            Api::namespaced(client(), namespace),
            all(),
            facts::endpointslice::facts,
        );
        watches.follow(
            Api::namespaced(client(), namespace),
            all(),
            facts::service::facts,
        );
        watches.follow(
            Api::namespaced(client(), namespace),
            all(),
            facts::event::facts,
        );
        for listed in watches.lists {
            // A watch that cannot list is tried again for ever; its first list ends the wait.
            let _ = listed.await;
        }
        Self {
            _watches: watches.tasks,
        }
    }
}

/// The watches that are being started.
struct Watches<'h> {
    history: &'h History,
    tasks: JoinSet<()>,
    lists: Vec<oneshot::Receiver<()>>,
}

impl Watches<'_> {
    fn follow<K>(&mut self, api: Api<K>, config: watcher::Config, facts: fn(&K) -> Facts)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
    {
        let (watch, listed) = follow::follow(api, config, self.history.clone(), facts);
        self.tasks.spawn(watch);
        self.lists.push(listed);
    }
}
