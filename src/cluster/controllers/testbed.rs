//! A cluster in miniature for the controllers' tests: an API server with a namespace `ns`, and
//! the controllers that a test starts on it. Use it under paused time: what never happens then
//! fails at once.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::runtime::{self, Controller};
use crate::cluster::apiserver::ApiServer;
use crate::cluster::apiserver::settings::Settings;
use crate::cluster::clock::Clock;
use crate::cluster::logs::Logs;
use crate::cluster::store::Store;

/// Longer than anything that a controller waits for.
const LIMIT: Duration = Duration::from_mins(30);

pub(in crate::cluster) struct Testbed {
    pub(in crate::cluster) client: Client,
    pub(in crate::cluster) clock: Clock,
    stop: CancellationToken,
    _guard: DropGuard,
}

impl Testbed {
    /// A server with the namespace `ns`.
    pub(in crate::cluster) async fn new() -> Self {
        let clock = Clock::new(1.0);
        let server = ApiServer::new(Store::default(), Logs::default(), Settings::default());
        let stop = CancellationToken::new();
        let testbed = Self {
            client: server.client("test"),
            clock,
            stop: stop.clone(),
            _guard: stop.drop_guard(),
        };
        let ns: Api<Namespace> = testbed.all();
        create(&ns, json!({"metadata": {"name": "ns"}})).await;
        // Pods need it.
        create(
            &testbed.ns::<ServiceAccount>(),
            json!({"metadata": {"name": "default"}}),
        )
        .await;
        testbed
    }

    /// Starts a controller; it ends with the testbed.
    pub(in crate::cluster) fn run<C: Controller>(&self, controller: C) {
        let (clock, stop) = (self.clock.clone(), self.stop.clone());
        tokio::spawn(runtime::run(Arc::new(controller), clock, stop));
    }

    /// Lets everything happen that takes no time: under paused time, the clock stands still until
    /// all have nothing left to do.
    pub(in crate::cluster) async fn settle(&self) {
        self.clock.sleep(Duration::from_millis(1)).await;
    }

    /// The API of a kind in the namespace `ns`.
    pub(in crate::cluster) fn ns<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), "ns")
    }

    /// The API of a cluster-scoped kind.
    pub(in crate::cluster) fn all<K>(&self) -> Api<K>
    where
        K: Resource<Scope = ClusterResourceScope, DynamicType = ()>,
    {
        Api::all(self.client.clone())
    }
}

/// Creates an object from JSON, and writes its status where one is given.
pub(in crate::cluster) fn create<K>(api: &Api<K>, object: Value) -> impl Future<Output = K>
where
    K: Resource + Clone + Debug + Serialize + DeserializeOwned,
{
    let (api, status) = (api.clone(), object.get("status").cloned());
    async move {
        let typed: K = from_value(object).unwrap();
        let created = api.create(&PostParams::default(), &typed).await.unwrap();
        match status {
            Some(status) => {
                let name = created.meta().name.clone().unwrap();
                set_status(&api, &name, status).await
            }
            None => created,
        }
    }
}

/// Merges something into the status of an object.
pub(in crate::cluster) async fn set_status<K>(api: &Api<K>, name: &str, status: Value) -> K
where
    K: Clone + Debug + DeserializeOwned,
{
    let patch = Patch::Merge(json!({"status": status}));
    api.patch_status(name, &PatchParams::default(), &patch)
        .await
        .unwrap()
}

/// Merges something into an object.
pub(in crate::cluster) async fn change<K>(api: &Api<K>, name: &str, change: Value) -> K
where
    K: Clone + Debug + DeserializeOwned,
{
    api.patch(name, &PatchParams::default(), &Patch::Merge(change))
        .await
        .unwrap()
}

/// Waits until the objects of an API are as they should be, and returns them.
pub(in crate::cluster) async fn eventually<K>(
    api: &Api<K>,
    what: &str,
    holds: impl Fn(&[K]) -> bool,
) -> Vec<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut changes = pin!(watcher(api.clone(), watcher::Config::default()));
    let wait = async {
        loop {
            changes.next().await;
            let objects = api.list(&ListParams::default()).await.unwrap().items;
            if holds(&objects) {
                return objects;
            }
        }
    };
    match tokio::time::timeout(LIMIT, wait).await {
        Ok(objects) => objects,
        Err(elapsed) => panic!(
            "{what}: {elapsed}, there are {:#?}",
            api.list(&ListParams::default()).await.unwrap().items
        ),
    }
}
