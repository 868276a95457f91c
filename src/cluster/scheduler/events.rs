//! The scheduler's events, in the newer of the two forms that Kubernetes has: with an `eventTime`
//! and an `action`, and a `series` for repetitions. Controllers and kubelets write the older form
//! through `controllers::recorder`.
//!
//! Source: `staging/src/k8s.io/client-go/tools/events/event_broadcaster.go`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::{Event, EventSource, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use super::NAME;
use crate::cluster::clock;
use crate::cluster::controllers::recorder::reference;
use crate::cluster::store::Key;

const INSTANCE: &str = "default-scheduler-rollout-lab";

/// Writes events about pods. An event that cannot be written is lost: its namespace goes away.
pub(super) struct Events {
    client: Client,
    /// The last failure that was told of each pod.
    failures: Mutex<HashMap<Key, Told>>,
}

#[derive(Clone)]
struct Told {
    /// The pod's; a pod that has changed since begins a new event.
    resource_version: Option<String>,
    message: String,
    event: String,
    count: i32,
}

impl Events {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            failures: Mutex::default(),
        }
    }

    pub(super) async fn scheduled(&self, key: &Key, pod: &Pod, node: &str) {
        self.forget(key);
        let message = format!(
            "Successfully assigned {}/{} to {node}",
            key.namespace, key.name
        );
        self.create(key, event(pod, "Normal", "Scheduled", "Binding", message))
            .await;
    }

    /// Tells that no node can take a pod: once, and from then on by its count.
    pub(super) async fn failed(&self, key: &Key, pod: &Pod, message: &str) {
        let known = self.failures().get(key).cloned();
        let again = known.filter(|told| {
            told.resource_version == pod.metadata.resource_version && told.message == message
        });
        let told = if let Some(told) = again {
            Told {
                count: told.count + 1,
                ..told
            }
        } else {
            let event = event(
                pod,
                "Warning",
                "FailedScheduling",
                "Scheduling",
                message.into(),
            );
            let told = Told {
                resource_version: pod.metadata.resource_version.clone(),
                message: message.to_owned(),
                event: event.name_any(),
                count: 1,
            };
            self.create(key, event).await;
            told
        };
        if told.count > 1 {
            let now = MicroTime(clock::timestamp());
            let series = json!({"series": {"count": told.count, "lastObservedTime": now}});
            let _ = self
                .api(key)
                .patch(&told.event, &PatchParams::default(), &Patch::Merge(series))
                .await;
        }
        self.failures().insert(key.clone(), told);
    }

    /// Forgets a pod that has gone.
    pub(super) fn forget(&self, key: &Key) {
        self.failures().remove(key);
    }

    async fn create(&self, key: &Key, event: Event) {
        let _ = self.api(key).create(&PostParams::default(), &event).await;
    }

    fn api(&self, key: &Key) -> Api<Event> {
        Api::namespaced(self.client.clone(), &key.namespace)
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<Key, Told>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn event(pod: &Pod, kind: &str, reason: &str, action: &str, message: String) -> Event {
    let now = clock::timestamp();
    Event {
        action: Some(action.to_owned()),
        event_time: Some(MicroTime(now)),
        involved_object: reference(pod),
        message: Some(message),
        metadata: ObjectMeta {
            name: Some(format!("{}.{:x}", pod.name_any(), now.as_nanosecond())),
            namespace: pod.namespace(),
            ..ObjectMeta::default()
        },
        reason: Some(reason.to_owned()),
        reporting_component: Some(NAME.to_owned()),
        reporting_instance: Some(INSTANCE.to_owned()),
        source: Some(EventSource::default()),
        type_: Some(kind.to_owned()),
        ..Event::default()
    }
}
