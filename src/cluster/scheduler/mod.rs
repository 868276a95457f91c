//! Assigns pods to nodes, one after the other.
//!
//! ```text
//! pod without a node ─► snapshot ─► filter ─► score ─► binding
//!                                     └─ no node ─► event, condition, back-off
//! ```
//!
//! A pod that no node can take is tried again when a node changes or a pod makes room, though
//! not before its back-off is over, and in any case after five minutes. Each pass reads the nodes
//! and their pods anew, so a pod is placed with all earlier ones in view.
//!
//! Source: `pkg/scheduler/schedule_one.go` and `pkg/scheduler/eventhandlers.go`.

mod affinity;
mod backoff;
mod events;
mod filter;
mod resources;
mod score;
mod snapshot;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Binding, Node, ObjectReference, Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::core::Status;
use kube::runtime::{PredicateConfig, WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde::Serialize;
use serde_json::json;
use tokio::time::Instant;

use self::backoff::Backoffs;
use self::events::Events;
use self::filter::Rejection;
use self::snapshot::{Candidate, candidates};
use super::clock::{self, Clock};
use super::controllers::runtime::{Action, Controller, Trigger, key_of};
use super::store::Key;

/// The scheduler's name in `spec.schedulerName` and in its events.
const NAME: &str = "default-scheduler";
/// A pod that waits is tried again after this, whatever happens.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// Pods that have no node yet.
const PENDING: &str = "spec.nodeName=,spec.schedulerName=default-scheduler";
/// Pods that take up room on a node.
const PLACED: &str = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed";

/// The scheduler. It runs as a controller whose keys are pods.
pub(crate) struct Scheduler {
    client: Client,
    clock: Clock,
    events: Events,
    backoffs: Mutex<Backoffs>,
}

impl Scheduler {
    pub(crate) fn new(client: Client, clock: Clock) -> Self {
        Self {
            events: Events::new(client.clone()),
            client,
            clock,
            backoffs: Mutex::default(),
        }
    }

    fn backoffs(&self) -> MutexGuard<'_, Backoffs> {
        self.backoffs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Pods that come without a node, or change while they have none. What is written to their
    /// status, by this scheduler most of all, is no reason to try again.
    fn on_pending_pod(&self) -> Trigger {
        let config = watcher::Config::default().fields(PENDING);
        watcher(Api::<Pod>::all(self.client.clone()), config)
            .default_backoff()
            .touched_objects()
            .predicate_filter(
                |pod: &Pod| Some(digest(&(pod.metadata.generation, pod.labels()))),
                PredicateConfig::default(),
            )
            .filter_map(async |pod| Some(vec![key_of(&pod.ok()?)]))
            .boxed()
    }

    /// All waiting pods, when a node comes or changes in a way that matters to them.
    fn on_node(&self) -> Trigger {
        let client = self.client.clone();
        watcher(Api::<Node>::all(client.clone()), watcher::Config::default())
            .default_backoff()
            .touched_objects()
            .predicate_filter(
                |node: &Node| {
                    let spec = node.spec.as_ref();
                    let status = node.status.as_ref();
                    Some(digest(&(
                        node.labels(),
                        spec.map(|spec| (spec.unschedulable, &spec.taints)),
                        status.map(|status| &status.allocatable),
                    )))
                },
                PredicateConfig::default(),
            )
            .filter_map(async |node| node.ok())
            .then(move |_| pending(client.clone()))
            .boxed()
    }

    /// All waiting pods, when a pod makes room on a node: it has ended, or has gone. After a lost
    /// watch this may have happened unseen.
    fn on_room(&self) -> Trigger {
        let client = self.client.clone();
        let config = watcher::Config::default().fields(PLACED);
        watcher(Api::<Pod>::all(client.clone()), config)
            .default_backoff()
            .filter_map(async |event| match event.ok()? {
                watcher::Event::Delete(_) | watcher::Event::InitDone => Some(()),
                _ => None,
            })
            .then(move |()| pending(client.clone()))
            .boxed()
    }

    async fn bind(&self, key: &Key, pod: &Pod, node: &str) -> Result<(), kube::Error> {
        let binding = Binding {
            metadata: ObjectMeta {
                name: Some(key.name.clone()),
                uid: pod.uid(),
                ..ObjectMeta::default()
            },
            target: ObjectReference {
                kind: Some("Node".to_owned()),
                name: Some(node.to_owned()),
                ..ObjectReference::default()
            },
        };
        let post = PostParams::default();
        let pods = self.pods(&key.namespace);
        let _: Status = pods
            .create_subresource("binding", &key.name, &post, &binding)
            .await?;
        self.events.scheduled(key, pod, node).await;
        Ok(())
    }

    /// Tells a pod why it has to wait, in an event and in its status.
    async fn report(&self, key: &Key, pod: &Pod, message: &str) -> Result<(), kube::Error> {
        self.events.failed(key, pod, message).await;
        let status = pod.status.clone().unwrap_or_default();
        let current = status.conditions.unwrap_or_default();
        let conditions = with_unschedulable(&current, pod.metadata.generation, message);
        if conditions == current {
            return Ok(());
        }
        let patch = Patch::Merge(json!({
            "metadata": {"uid": pod.metadata.uid},
            "status": {"conditions": conditions},
        }));
        self.pods(&key.namespace)
            .patch_status(&key.name, &PatchParams::default(), &patch)
            .await
            .map(drop)
    }
}

impl Controller for Scheduler {
    const NAME: &'static str = NAME;

    /// One at a time: the next pod must see where the last one went.
    const WORKERS: usize = 1;

    fn triggers(&self) -> Vec<Trigger> {
        vec![self.on_pending_pod(), self.on_node(), self.on_room()]
    }

    async fn reconcile(&self, key: &Key) -> Result<Action, kube::Error> {
        let found = self.pods(&key.namespace).get_opt(&key.name).await?;
        let Some(pod) = found.filter(is_pending) else {
            self.backoffs().forget(key);
            self.events.forget(key);
            return Ok(Action::Await);
        };
        let uid = pod.uid().unwrap_or_default();
        let backoff = self.backoffs().of(key, &uid);
        if let Some((since, delay)) = backoff
            && let Some(left) = delay.checked_sub(self.clock.simulated_since(since))
            && !left.is_zero()
        {
            return Ok(Action::Again(left));
        }
        let placed = ListParams::default().fields(PLACED);
        let pods = Api::<Pod>::all(self.client.clone()).list(&placed).await?;
        let nodes = Api::<Node>::all(self.client.clone());
        let nodes = nodes.list(&ListParams::default()).await?;
        match place(&pod, candidates(&nodes.items, &pods.items)) {
            Ok(node) => {
                self.bind(key, &pod, &node).await?;
                self.backoffs().forget(key);
                Ok(Action::Await)
            }
            Err(message) => {
                self.backoffs().fail(key, &uid, Instant::now());
                self.report(key, &pod, &message).await?;
                Ok(Action::Again(LONGEST_WAIT))
            }
        }
    }
}

/// The best node for a pod, or why there is none.
fn place(pod: &Pod, candidates: Vec<Candidate<'_>>) -> Result<String, String> {
    let mut rejections: Vec<Rejection> = Vec::new();
    let mut feasible = Vec::new();
    for candidate in candidates {
        match filter::check(pod, &candidate) {
            Ok(()) => feasible.push(candidate),
            Err(rejection) => rejections.push(rejection),
        }
    }
    score::best(pod, &feasible)
        .map(|candidate| candidate.name().to_owned())
        .ok_or_else(|| filter::message(&rejections))
}

/// Whether a pod waits for this scheduler.
fn is_pending(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && pod.spec.as_ref().is_some_and(|spec| {
            spec.node_name.is_none()
                && spec.scheduler_name.as_deref() == Some(NAME)
                && spec.scheduling_gates.as_ref().is_none_or(Vec::is_empty)
        })
}

/// The conditions of a pod with the one that no node can take it. It keeps the time of its
/// transition as long as it only changes its words.
fn with_unschedulable(
    current: &[PodCondition],
    generation: Option<i64>,
    message: &str,
) -> Vec<PodCondition> {
    let mut conditions = current.to_vec();
    let mut condition = PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "False".to_owned(),
        reason: Some("Unschedulable".to_owned()),
        message: Some(message.to_owned()),
        observed_generation: generation,
        last_transition_time: Some(Time(clock::timestamp())),
        ..PodCondition::default()
    };
    match conditions
        .iter_mut()
        .find(|old| old.type_ == condition.type_)
    {
        Some(old) => {
            if old.status == condition.status {
                condition
                    .last_transition_time
                    .clone_from(&old.last_transition_time);
            }
            *old = condition;
        }
        None => conditions.push(condition),
    }
    conditions
}

/// The keys of all pods that wait.
async fn pending(client: Client) -> Vec<Key> {
    let waiting = ListParams::default().fields(PENDING);
    let pods = Api::<Pod>::all(client).list(&waiting).await;
    pods.into_iter().flatten().map(|pod| key_of(&pod)).collect()
}

/// A number that is equal for equal values.
fn digest(value: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    json!(value).to_string().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
