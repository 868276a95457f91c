//! A cluster of an API server, the two controllers, and a kubelet that the test moves.
//!
//! Time is paused in these tests: a simulated wait passes as soon as nothing else is left to do. So
//! [`Lab::settle`] is the moment at which every controller has done what it will do.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Namespace, Pod, ServiceAccount};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::watcher;
use kube::{Api, Client, Error, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt as _;

use super::super::deployment::Deployments;
use super::super::replicaset::ReplicaSets;
use super::super::runtime::{self, changes, events};
use crate::cluster::apiserver::ApiServer;
use crate::cluster::apiserver::settings::Settings;
use crate::cluster::clock::Clock;
use crate::cluster::logs::Logs;
use crate::cluster::store::Store;

/// Longer than any retry, shorter than any deadline of a test.
const SETTLING: Duration = Duration::from_millis(500);

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

/// How long a pod takes to end.
const ENDING: Duration = Duration::from_millis(700);

const REFUSAL: &str = r#"{
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "pods \"web\" is forbidden: exceeded quota: q",
    "reason": "Forbidden",
    "code": 403
}"#;

/// The cluster of a scenario, with everything that a watcher of it saw.
pub(super) struct Lab {
    pub(super) server: ApiServer,
    pub(super) client: Client,
    pub(super) clock: Clock,
    /// While it is set, the `ReplicaSet` controller is refused every new pod, as by a quota.
    pub(super) refuse_pods: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Seen>>>,
    _stop: DropGuard,
}

/// One version of an object, as a watcher saw it.
#[derive(Clone)]
pub(super) enum Seen {
    Deployment(Box<Deployment>),
    ReplicaSet(Box<ReplicaSet>),
    Event(Box<Event>),
}

impl Lab {
    pub(super) async fn start() -> Self {
        let clock = Clock::new(1.0);
        let server = ApiServer::new(Store::default(), Logs::default(), Settings::default());
        let stop = CancellationToken::new();
        let lab = Self {
            client: server.client("test"),
            clock: clock.clone(),
            refuse_pods: Arc::default(),
            seen: Arc::default(),
            _stop: stop.clone().drop_guard(),
            server,
        };
        lab.create_in(
            Api::<Namespace>::all(lab.client.clone()),
            json!({"metadata": {"name": "ns"}}),
        )
        .await;
        // Pods need it.
        let accounts: Api<ServiceAccount> = Api::namespaced(lab.client.clone(), "ns");
        lab.create_in(accounts, json!({"metadata": {"name": "default"}}))
            .await;
        lab.watch(|object| Seen::Deployment(Box::new(object)));
        lab.watch(|object| Seen::ReplicaSet(Box::new(object)));
        lab.watch(|object| Seen::Event(Box::new(object)));
        tokio::spawn(keep_pods(lab.client.clone(), clock.clone()));
        let deployments = Deployments::new(lab.server.client("controllers"), clock.clone());
        let replica_sets = ReplicaSets::new(lab.refusing_client(), clock.clone());
        tokio::spawn(runtime::run(
            Arc::new(deployments),
            clock.clone(),
            stop.clone(),
        ));
        tokio::spawn(runtime::run(Arc::new(replica_sets), clock, stop));
        lab
    }

    fn refusing_client(&self) -> Client {
        let (server, refuse) = (self.server.clone(), self.refuse_pods.clone());
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let creates_pod =
                request.method() == Method::POST && request.uri().path().ends_with("/pods");
            let refused = creates_pod && refuse.load(Ordering::Relaxed);
            let server = server.clone();
            async move {
                if refused {
                    let body = Full::from(REFUSAL).map_err(|never| match never {});
                    let response = Response::builder().status(StatusCode::FORBIDDEN);
                    return response.body(body.boxed_unsync());
                }
                let Ok(response) = server.oneshot(request).await;
                Ok(response.map(|body| body.map_err(tower::BoxError::from).boxed_unsync()))
            }
        });
        Client::new(service, "default")
    }

    fn watch<K>(&self, seen_as: impl Fn(K) -> Seen + Send + 'static)
    where
        K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
    {
        let seen = self.seen.clone();
        let events = events::<K>(Api::all(self.client.clone()), watcher::Config::default());
        tokio::spawn(events.for_each(move |event| {
            if let watcher::Event::Apply(object) | watcher::Event::InitApply(object) = event {
                seen.lock().unwrap().push(seen_as(object));
            }
            std::future::ready(())
        }));
    }

    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), "ns")
    }

    pub(super) async fn create<K>(&self, object: Value) -> K
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Serialize,
    {
        self.create_in(self.api(), object).await
    }

    async fn create_in<K>(&self, api: Api<K>, object: Value) -> K
    where
        K: Clone + std::fmt::Debug + DeserializeOwned + Serialize,
    {
        let object: K = from_value(object).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap()
    }

    /// Changes the deployment `web` as a client does.
    pub(super) async fn change(&self, patch: &Value) {
        self.api::<Deployment>()
            .patch("web", &PatchParams::default(), &Patch::Merge(patch))
            .await
            .unwrap();
    }

    /// Lets every controller do what it will do without further ado.
    pub(super) async fn settle(&self) {
        self.clock.sleep(SETTLING).await;
    }

    /// Lets pods become ready, one after the other, and end, until nothing moves any more.
    pub(super) async fn roll_out(&self) {
        self.settle().await;
        loop {
            let pods = self.pods().await;
            let ending = pods
                .iter()
                .any(|pod| pod.metadata.deletion_timestamp.is_some());
            match next_pod(pods) {
                Some(pod) => self.set_ready(&pod, true).await,
                None if ending => {}
                None => return,
            }
            self.settle().await;
        }
    }

    pub(super) async fn set_ready(&self, pod: &Pod, ready: bool) {
        let ready = json!({
            "type": "Ready",
            "status": if ready { "True" } else { "False" },
            "lastTransitionTime": crate::cluster::clock::timestamp().strftime("%FT%TZ").to_string(),
        });
        let status = json!({"status": {"phase": "Running", "conditions": [ready]}});
        self.api::<Pod>()
            .patch_status(
                &pod.name_any(),
                &PatchParams::default(),
                &Patch::Merge(status),
            )
            .await
            .unwrap();
    }

    pub(super) async fn pods(&self) -> Vec<Pod> {
        self.list().await
    }

    pub(super) async fn list<K>(&self) -> Vec<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned,
    {
        let all = self.api::<K>().list(&ListParams::default()).await;
        all.unwrap().items
    }

    /// The deployment `web`.
    pub(super) async fn deployment(&self) -> Deployment {
        self.api().get("web").await.unwrap()
    }

    /// `Type=Status Reason` of a condition of the deployment `web`.
    pub(super) async fn condition(&self, kind: &str) -> String {
        let status = self.deployment().await.status.unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let condition = conditions.iter().find(|condition| condition.type_ == kind);
        condition.map_or_else(String::new, |condition| {
            let reason = condition.reason.clone().unwrap_or_default();
            format!("{} {reason}", condition.status)
        })
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The desired size of each `ReplicaSet`, oldest first.
    pub(super) async fn sizes(&self) -> Vec<i32> {
        let mut sets: Vec<ReplicaSet> = self.list().await;
        sets.sort_by_key(|set| set.annotations().get(REVISION).cloned());
        sets.iter()
            .map(|set| set.spec.as_ref().and_then(|spec| spec.replicas).unwrap())
            .collect()
    }

    /// The messages of all events of a reason, in order.
    pub(super) fn messages(&self, reason: &str) -> Vec<String> {
        let of_reason = |seen: Seen| match seen {
            Seen::Event(event) if event.reason.as_deref() == Some(reason) => event.message,
            _ => None,
        };
        self.seen().into_iter().filter_map(of_reason).collect()
    }
}

/// Keeps each pod that was asked to go for a while, as its kubelet does until its containers have
/// ended.
async fn keep_pods(client: Client, clock: Clock) {
    let pods: Api<Pod> = Api::namespaced(client, "ns");
    let mut changes = pin!(changes(pods.clone(), watcher::Config::default()));
    while let Some(pod) = changes.next().await {
        let name = pod.name_any();
        if pod.metadata.deletion_timestamp.is_some() {
            let (pods, clock) = (pods.clone(), clock.clone());
            tokio::spawn(async move {
                clock.sleep(ENDING).await;
                // It is gone after one or the other.
                let _ = set_finalizers(&pods, &name, &[]).await;
                let now = DeleteParams::default().grace_period(0);
                let _ = pods.delete(&name, &now).await;
            });
        } else if pod.finalizers().is_empty() {
            // It may be gone already.
            let _ = set_finalizers(&pods, &name, &["lab/kubelet"]).await;
        }
    }
}

async fn set_finalizers(pods: &Api<Pod>, name: &str, finalizers: &[&str]) -> Result<Pod, Error> {
    let patch = Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
    pods.patch(name, &PatchParams::default(), &patch).await
}

/// The oldest pod that is not ready and whose image there is.
fn next_pod(mut pods: Vec<Pod>) -> Option<Pod> {
    pods.retain(|pod| pod.metadata.deletion_timestamp.is_none() && !has_bad_image(pod));
    pods.sort_by_key(|pod| (pod.creation_timestamp(), pod.name_any()));
    pods.into_iter().find(|pod| !is_ready(pod))
}

fn has_bad_image(pod: &Pod) -> bool {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut images = containers.filter_map(|container| container.image.as_deref());
    images.any(|image| image.ends_with(":1.161"))
}

pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready");
    ready.any(|condition| condition.status == "True")
}

/// A deployment `web` with every default, changed by a merge patch.
pub(super) fn mk_deployment(changes: &Value) -> Value {
    let mut deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1},
            },
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": mk_pod_spec("app:v1"),
            },
        },
    });
    json_patch::merge(&mut deployment, changes);
    deployment
}

/// A change of the deployment's image.
pub(super) fn mk_image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": mk_pod_spec(image)}}})
}

/// The spec of a pod with every default.
pub(super) fn mk_pod_spec(image: &str) -> Value {
    json!({
        "containers": [{
            "name": "c",
            "image": image,
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
        }],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 1,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    })
}
