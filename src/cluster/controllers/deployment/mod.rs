//! The `Deployment` controller: runs versions of a template, one `ReplicaSet` each, and moves pods
//! from one to the next.
//!
//! ```text
//! claim ─► revision ─► paused or scaled? ─► scale ─────────────────┐
//!                              │ no                                ├─► status
//!                              └──► rolling: grow new, or shrink old│
//!                                   recreate: end old, then new ────┘
//! ```
//!
//! Each pass takes one step and writes the status; the step wakes the next pass. [`pass`] reads and
//! writes; the decisions are in the other files, all of them pure. The rollback by annotation, which
//! no client uses any longer, is left out.
//!
//! Source: `pkg/controller/deployment/deployment_controller.go`.

mod fenceposts;
mod history;
mod pass;
mod progress;
mod recreate;
mod revision;
mod rolling;
mod scale;
mod sets;
mod status;
mod template;

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::runtime::watcher;
use kube::{Api, Client, Error, ResourceExt as _};

use self::pass::Pass;
use super::ages::Ages;
use super::owned::on_owned_change;
use super::recorder::Recorder;
use super::runtime::{Action, Controller, Trigger, controller_key, events, key_of, on_change};
use crate::cluster::clock::Clock;
use crate::cluster::object::label_selector::LabelSelector;
use crate::cluster::store::Key;

/// The controller of all `Deployment`s.
pub(crate) struct Deployments {
    client: Client,
    recorder: Recorder,
    /// Since when each deployment has said what it says of its progress.
    ages: Ages,
}

impl Deployments {
    pub(crate) fn new(client: Client, clock: Clock) -> Self {
        Self {
            recorder: Recorder::new(client.clone(), clock.clone(), Self::NAME),
            ages: Ages::new(clock),
            client,
        }
    }
}

impl Controller for Deployments {
    const NAME: &'static str = "deployment-controller";

    fn triggers(&self) -> Vec<Trigger> {
        let client = self.client.clone();
        vec![
            on_change::<Deployment>(
                Api::all(client.clone()),
                watcher::Config::default(),
                |object| vec![key_of(object)],
            ),
            on_owned_change::<ReplicaSet, _>(Api::all(client.clone()), "Deployment", {
                let client = client.clone();
                move |orphan| matching(client.clone(), orphan)
            }),
            on_pod_gone(client),
        ]
    }

    async fn reconcile(&self, key: &Key) -> Result<Action, Error> {
        let deployments: Api<Deployment> = Api::namespaced(self.client.clone(), &key.namespace);
        let Some(deployment) = deployments.get_opt(&key.name).await? else {
            self.ages.observe(key, []);
            return Ok(Action::Await);
        };
        Box::pin(Pass::new(self, key, deployments, deployment).run()).await
    }
}

/// The deployments whose selector an orphaned `ReplicaSet` matches.
async fn matching(client: Client, orphan: ReplicaSet) -> Vec<Key> {
    let namespace = orphan.namespace().unwrap_or_default();
    let deployments: Api<Deployment> = Api::namespaced(client, &namespace);
    let Ok(found) = deployments.list(&ListParams::default()).await else {
        return Vec::new();
    };
    let selects = |deployment: &&Deployment| {
        let selector = deployment.spec.as_ref().map(|spec| &spec.selector);
        let selector = selector.map(LabelSelector::from_structured);
        selector.is_some_and(|selector| {
            !selector.is_empty() && selector.matches(orphan.metadata.labels.as_ref())
        })
    };
    found.iter().filter(selects).map(key_of).collect()
}

/// Calls for a deployment that is recreated when a pod of it is gone: it may be the last old one.
fn on_pod_gone(client: Client) -> Trigger {
    events::<Pod>(Api::all(client.clone()), watcher::Config::default())
        .filter_map(async |event| match event {
            watcher::Event::Delete(pod) => Some(pod),
            _ => None,
        })
        .then(move |pod| recreated(client.clone(), pod))
        .map(|key| key.into_iter().collect())
        .boxed()
}

/// The deployment of a pod, if it is recreated.
async fn recreated(client: Client, pod: Pod) -> Option<Key> {
    let replica_set = controller_key(&pod, "ReplicaSet")?;
    let replica_sets: Api<ReplicaSet> = Api::namespaced(client.clone(), &replica_set.namespace);
    let replica_set = replica_sets.get_opt(&replica_set.name).await.ok()??;
    let key = controller_key(&replica_set, "Deployment")?;
    let deployments: Api<Deployment> = Api::namespaced(client, &key.namespace);
    let deployment = deployments.get_opt(&key.name).await.ok()??;
    let strategy = deployment.spec?.strategy?.type_?;
    (strategy == "Recreate").then_some(key)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Namespace;
    use kube::api::PostParams;
    use serde_json::{from_value, json};

    use super::*;
    use crate::cluster::apiserver::ApiServer;
    use crate::cluster::apiserver::settings::Settings;
    use crate::cluster::logs::Logs;
    use crate::cluster::store::Store;

    #[tokio::test]
    async fn a_pod_that_is_gone_calls_for_its_deployment_where_that_is_recreated() {
        for (strategy, expected) in [
            ("Recreate", Some(Key::new("ns", "web"))),
            ("RollingUpdate", None),
        ] {
            let server = ApiServer::new(Store::default(), Logs::default(), Settings::default());
            let client = server.client("test");
            let post = PostParams::default();
            let namespace: Namespace = from_value(json!({"metadata": {"name": "ns"}})).unwrap();
            Api::all(client.clone())
                .create(&post, &namespace)
                .await
                .unwrap();
            let owned_by = |kind: &str, name: &str| {
                json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u",
                    "controller": true}])
            };
            let template = json!({
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "app:v1"}]},
            });
            let selector = json!({"matchLabels": {"app": "web"}});
            let deployment: Deployment = from_value(json!({
                "metadata": {"name": "web"},
                "spec": {"strategy": {"type": strategy}, "selector": selector,
                    "template": template},
            }))
            .unwrap();
            let replica_set: ReplicaSet = from_value(json!({
                "metadata": {"name": "web-1", "labels": {"app": "web"},
                    "ownerReferences": owned_by("Deployment", "web")},
                "spec": {"selector": selector, "template": template},
            }))
            .unwrap();
            let (deployments, replica_sets) = (
                Api::namespaced(client.clone(), "ns"),
                Api::namespaced(client.clone(), "ns"),
            );
            deployments.create(&post, &deployment).await.unwrap();
            replica_sets.create(&post, &replica_set).await.unwrap();
            let pod: Pod = from_value(json!({
                "metadata": {"name": "web-1-x", "namespace": "ns",
                    "ownerReferences": owned_by("ReplicaSet", "web-1")},
            }))
            .unwrap();
            assert_eq!(recreated(client, pod).await, expected, "{strategy}");
        }
    }
}
