//! Empties namespaces that are being deleted, pods first, and lets them go when they are empty.
//!
//! ```text
//! deletion ─► 5 s ─► pods ─► all other kinds ─► finalize
//!                     └────────────┴──► conditions, and another pass when something goes
//! ```
//!
//! Kubernetes looks again when half of what the rest should take is over. So does this controller,
//! but it also looks whenever an object of such a namespace changes on its way out.
//!
//! Source: `pkg/controller/namespace/namespace_controller.go`.

mod conditions;
mod sweep;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::time::Instant;

use self::conditions::Remains;
use self::sweep::{Metadata, Sweep, namespaced, sweep};
use super::runtime::{Action, Controller, Trigger, changes, on_change};
use crate::cluster::clock::{self, Clock};
use crate::cluster::store::Key;

/// How long a deleted namespace is left alone, for writes that are still under way.
const BATCH_DELAY: Duration = Duration::from_secs(5);
/// What keeps a namespace until its content is gone.
const FINALIZER: &str = "kubernetes";

/// The namespace controller.
pub(crate) struct NamespaceController {
    client: Client,
    clock: Clock,
    begun: Begun,
}

/// The namespaces whose batch delay is over, and since when. Only for them a change of an object
/// means anything.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<HashMap<String, Instant>>>);

impl Begun {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NamespaceController {
    pub(crate) fn new(client: Client, clock: Clock) -> Self {
        Self {
            client,
            clock,
            begun: Begun::default(),
        }
    }

    /// Namespaces that are being deleted, once their batch delay is over.
    fn on_deletion(&self) -> Trigger {
        let (clock, begun) = (self.clock.clone(), self.begun.clone());
        let namespaces = Api::<Namespace>::all(self.client.clone());
        changes(namespaces, watcher::Config::default())
            .filter(|namespace| std::future::ready(is_deleted(namespace)))
            .map(move |namespace| {
                let (clock, begun) = (clock.clone(), begun.clone());
                async move {
                    clock.sleep(BATCH_DELAY).await;
                    let name = namespace.name_any();
                    begun
                        .lock()
                        .entry(name.clone())
                        .or_insert_with(Instant::now);
                    vec![Key::new("", name)]
                }
            })
            .buffer_unordered(usize::MAX)
            .boxed()
    }

    /// The namespaces of objects that are on their way out.
    fn on_departure(&self, resource: &ApiResource) -> Trigger {
        let begun = self.begun.clone();
        let objects: Api<Metadata> = Api::all_with(self.client.clone(), resource);
        on_change(objects, watcher::Config::default(), move |object| {
            let home = object.namespace().unwrap_or_default();
            if object.metadata.deletion_timestamp.is_some() && begun.lock().contains_key(&home) {
                vec![Key::new("", home)]
            } else {
                Vec::new()
            }
        })
    }

    async fn report(&self, namespace: &Namespace, remains: &Remains) -> Result<(), kube::Error> {
        let status = namespace.status.clone().unwrap_or_default();
        let current = status.conditions.unwrap_or_default();
        let now = Time(clock::timestamp());
        let Some(conditions) = conditions::update(&current, remains, &now) else {
            return Ok(());
        };
        let patch = Patch::Merge(json!({"status": {"conditions": conditions}}));
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces
            .patch_status(&namespace.name_any(), &PatchParams::default(), &patch)
            .await
            .map(drop)
    }

    /// Takes this controller's finalizer off, which removes the namespace if nothing else holds
    /// it.
    async fn finalize(&self, mut namespace: Namespace) -> Result<(), kube::Error> {
        if let Some(finalizers) = finalizers(&mut namespace) {
            finalizers.retain(|finalizer| finalizer != FINALIZER);
        }
        namespace.metadata.resource_version = None;
        let name = namespace.name_any();
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces
            .replace_subresource("finalize", &name, &PostParams::default(), &namespace)
            .await
            .map(drop)
    }
}

impl Controller for NamespaceController {
    const NAME: &'static str = "namespace-controller";

    fn triggers(&self) -> Vec<Trigger> {
        // Events come in masses, and go without a trace.
        let departures = namespaced()
            .filter(|resource| resource.plural != "events")
            .map(|resource| self.on_departure(&resource));
        std::iter::once(self.on_deletion())
            .chain(departures)
            .collect()
    }

    async fn reconcile(&self, key: &Key) -> Result<Action, kube::Error> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = namespaces.get_opt(&key.name).await?;
        let Some(mut namespace) = found.filter(is_deleted) else {
            self.begun.lock().remove(&key.name);
            return Ok(Action::Await);
        };
        let begun = self.begun.lock().get(&key.name).copied();
        let held = finalizers(&mut namespace).is_some_and(|held| !held.is_empty());
        let (Some(begun), true) = (begun, held) else {
            return Ok(Action::Await);
        };
        let waited = BATCH_DELAY + self.clock.simulated_since(begun);
        let sweep = sweep(&self.client, &key.name, waited).await;
        self.report(&namespace, &sweep.remains).await?;
        match sweep {
            Sweep {
                error: Some(error), ..
            } => Err(error),
            Sweep { is_empty: true, .. } => {
                self.finalize(namespace).await?;
                Ok(Action::Await)
            }
            // Nothing more is expected of itself; a change will call.
            Sweep {
                estimate: Duration::ZERO,
                ..
            } => Ok(Action::Await),
            Sweep { estimate, .. } => Ok(Action::Again(estimate / 2 + Duration::from_secs(1))),
        }
    }
}

fn is_deleted(namespace: &Namespace) -> bool {
    namespace.metadata.deletion_timestamp.is_some()
}

fn finalizers(namespace: &mut Namespace) -> Option<&mut Vec<String>> {
    namespace.spec.as_mut()?.finalizers.as_mut()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
    use kube::api::{DeleteParams, ListParams};
    use serde_json::Value;

    use super::*;
    use crate::cluster::controllers::testbed::{Testbed, change, create, eventually};

    async fn mk_testbed() -> Testbed {
        let testbed = Testbed::new().await;
        testbed.run(NamespaceController::new(
            testbed.client.clone(),
            testbed.clock.clone(),
        ));
        testbed
    }

    async fn delete_namespace(testbed: &Testbed) {
        let namespaces = testbed.all::<Namespace>();
        namespaces
            .delete("ns", &DeleteParams::default())
            .await
            .unwrap();
    }

    async fn gone(testbed: &Testbed) {
        let namespaces = testbed.all::<Namespace>();
        eventually(&namespaces, "the namespace goes", <[Namespace]>::is_empty).await;
    }

    fn mk_pod(name: &str, finalizers: &Value) -> Value {
        json!({
            "metadata": {"name": name, "finalizers": finalizers},
            "spec": {
                "terminationGracePeriodSeconds": 30,
                "containers": [{"name": "app", "image": "app:v1"}],
            },
        })
    }

    /// The reasons of the conditions about failures, content and finalizers.
    fn reasons(namespace: &Namespace) -> Vec<&str> {
        let status = namespace.status.as_ref().unwrap();
        let conditions = status.conditions.iter().flatten().skip(2);
        conditions
            .filter_map(|condition| condition.reason.as_deref())
            .collect()
    }

    async fn reported(testbed: &Testbed, expected: [&str; 3]) -> Namespace {
        let namespaces = testbed.all::<Namespace>();
        let what = format!("the conditions {expected:?}");
        eventually(&namespaces, &what, |namespaces| {
            namespaces
                .iter()
                .any(|namespace| reasons(namespace) == expected)
        })
        .await
        .remove(0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_namespace_goes_with_all_it_holds_after_the_batch_delay() {
        let testbed = mk_testbed().await;
        create(&testbed.ns::<Pod>(), mk_pod("p", &json!([]))).await;
        create(
            &testbed.ns::<ConfigMap>(),
            json!({"metadata": {"name": "c"}}),
        )
        .await;
        let spec = json!({"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]});
        let service = json!({"metadata": {"name": "s"}, "spec": spec});
        create(&testbed.ns::<Service>(), service).await;
        let start = Instant::now();
        delete_namespace(&testbed).await;
        gone(&testbed).await;
        assert_eq!(start.elapsed().as_secs(), 5);
        let all = ListParams::default();
        assert!(
            testbed
                .ns::<Pod>()
                .list(&all)
                .await
                .unwrap()
                .items
                .is_empty()
        );
        assert!(
            testbed
                .ns::<ConfigMap>()
                .list(&all)
                .await
                .unwrap()
                .items
                .is_empty()
        );
        assert!(
            testbed
                .ns::<Service>()
                .list(&all)
                .await
                .unwrap()
                .items
                .is_empty()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_else_goes_before_the_last_pod() {
        let testbed = mk_testbed().await;
        let (pods, config_maps) = (testbed.ns::<Pod>(), testbed.ns::<ConfigMap>());
        create(&pods, mk_pod("p", &json!(["lab/kubelet"]))).await;
        create(&config_maps, json!({"metadata": {"name": "c"}})).await;
        delete_namespace(&testbed).await;
        reported(
            &testbed,
            ["ContentDeleted", "ContentRemoved", "ContentHasNoFinalizers"],
        )
        .await;
        let pod = pods.get("p").await.unwrap();
        assert!(pod.metadata.deletion_timestamp.is_some());
        assert!(config_maps.get_opt("c").await.unwrap().is_some());
        change(&pods, "p", json!({"metadata": {"finalizers": null}})).await;
        gone(&testbed).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_finalizer_holds_the_namespace_which_tells_why() {
        let testbed = mk_testbed().await;
        let config_maps = testbed.ns::<ConfigMap>();
        let held = json!({"metadata": {"name": "c", "finalizers": ["lab/hold"]}});
        create(&config_maps, held).await;
        delete_namespace(&testbed).await;
        let expected = [
            "ContentDeleted",
            "SomeResourcesRemain",
            "SomeFinalizersRemain",
        ];
        let namespace = reported(&testbed, expected).await;
        let conditions = namespace.status.unwrap().conditions.unwrap();
        assert_eq!(
            conditions[3].message.as_deref(),
            Some("Some resources are remaining: configmaps. has 1 resource instances")
        );
        assert_eq!(
            conditions[4].message.as_deref(),
            Some(
                "Some content in the namespace has finalizers remaining: lab/hold in 1 resource \
                 instances"
            )
        );
        let start = Instant::now();
        change(&config_maps, "c", json!({"metadata": {"finalizers": null}})).await;
        gone(&testbed).await;
        assert!(
            start.elapsed().is_zero(),
            "the change called for the pass, not a timer"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_finalizer_of_the_namespace_itself_outlives_its_content() {
        let testbed = mk_testbed().await;
        let namespaces = testbed.all::<Namespace>();
        let hold = json!({"metadata": {"finalizers": ["lab/hold"]}});
        change(&namespaces, "ns", hold).await;
        create(
            &testbed.ns::<ConfigMap>(),
            json!({"metadata": {"name": "c"}}),
        )
        .await;
        delete_namespace(&testbed).await;
        eventually(&namespaces, "the content goes", |namespaces| {
            let spec = namespaces[0].spec.clone().unwrap_or_default();
            spec.finalizers.unwrap_or_default().is_empty()
        })
        .await;
        let config_maps = testbed.ns::<ConfigMap>().list(&ListParams::default()).await;
        assert!(config_maps.unwrap().items.is_empty());
        change(&namespaces, "ns", json!({"metadata": {"finalizers": null}})).await;
        gone(&testbed).await;
    }
}
