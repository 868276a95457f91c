//! Deletes what has lost its owners, and lets owners go after their dependents, or without them.
//!
//! ```text
//! metadata watches of all kinds ─► graph: which uids must be looked at
//!                                    │
//!           live reads of the object, its owners, its dependents ─► decision ─► one write
//! ```
//!
//! The key of a pass is a uid. Only metadata is ever read, so large objects cost nothing.
//!
//! Source: `pkg/controller/garbagecollector/garbagecollector.go`.

mod decision;
mod graph;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use self::decision::{FOREGROUND, ORPHAN, Standing, Step, decide, standing};
use self::graph::{Graph, Place};
use super::recorder::Recorder;
use super::refused;
use super::runtime::{Action, Controller, Trigger};
use crate::cluster::apiserver::{Scope, served};
use crate::cluster::clock::Clock;
use crate::cluster::retries::retries;
use crate::cluster::store::Key;

const COMPONENT: &str = "garbage-collector-controller";

type Metadata = PartialObjectMeta<DynamicObject>;

/// The garbage collector.
pub(crate) struct GarbageCollector {
    client: Client,
    recorder: Recorder,
    resources: Vec<(ApiResource, Scope)>,
    graph: Arc<Mutex<Graph>>,
}

impl GarbageCollector {
    pub(crate) fn new(client: Client, clock: Clock) -> Self {
        Self {
            recorder: Recorder::new(client.clone(), clock, COMPONENT),
            client,
            // Events own nothing, nothing owns them, and there are many.
            resources: served()
                .filter(|(resource, _)| resource.plural != "events")
                .collect(),
            graph: Arc::default(),
        }
    }

    fn graph(&self) -> MutexGuard<'_, Graph> {
        lock(&self.graph)
    }

    /// The uids that changes of one resource call for.
    fn on_change(&self, index: usize) -> Trigger {
        let graph = self.graph.clone();
        let (resource, _) = &self.resources[index];
        let objects: Api<Metadata> = Api::all_with(self.client.clone(), resource);
        watcher(objects, watcher::Config::default())
            .backoff(retries())
            .map(move |event| {
                let mut graph = lock(&graph);
                let affected = match event {
                    Ok(watcher::Event::Init) => {
                        graph.begin_list(index);
                        Vec::new()
                    }
                    Ok(watcher::Event::InitDone) => graph.end_list(index),
                    Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object)) => {
                        graph.observe(place(index, &object), &object.metadata)
                    }
                    Ok(watcher::Event::Delete(object)) => {
                        graph.forget(&object.uid().unwrap_or_default())
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a watch of the garbage collector is resumed");
                        Vec::new()
                    }
                };
                affected.into_iter().map(|uid| Key::new("", uid)).collect()
            })
            .boxed()
    }

    /// The objects of a resource where one of them stands.
    fn objects(&self, resource: usize, namespace: Option<&str>) -> Api<Metadata> {
        let (resource, scope) = &self.resources[resource];
        match (scope, namespace) {
            (Scope::Namespaced, Some(namespace)) if !namespace.is_empty() => {
                Api::namespaced_with(self.client.clone(), namespace, resource)
            }
            _ => Api::all_with(self.client.clone(), resource),
        }
    }

    /// How the owners of an object stand now.
    async fn owners(
        &self,
        object: &ObjectMeta,
    ) -> Result<Vec<(OwnerReference, Standing)>, kube::Error> {
        let mut owners = Vec::new();
        for reference in object.owner_references.iter().flatten() {
            let known = self.resources.iter().position(|(resource, _)| {
                resource.api_version == reference.api_version && resource.kind == reference.kind
            });
            let standing = match known {
                Some(index) if self.can_own(index, object) => {
                    let owners = self.objects(index, object.namespace.as_deref());
                    let found = owners.get_opt(&reference.name).await?;
                    standing(reference, found.as_ref().map(|owner| &owner.metadata))
                }
                _ => Standing::Unknown,
            };
            owners.push((reference.clone(), standing));
        }
        Ok(owners)
    }

    /// An owner is in its dependents' namespace or in none.
    fn can_own(&self, owner: usize, object: &ObjectMeta) -> bool {
        self.resources[owner].1 == Scope::Cluster || object.namespace.is_some()
    }

    /// The objects that name an object as their owner now, with the indices of their resources.
    async fn dependents(
        &self,
        owner: &ObjectMeta,
    ) -> Result<(Vec<usize>, Vec<ObjectMeta>), kube::Error> {
        let (mut indices, mut dependents) = (Vec::new(), Vec::new());
        for (index, (_, scope)) in self.resources.iter().enumerate() {
            if owner.namespace.is_some() && *scope == Scope::Cluster {
                continue;
            }
            let objects = self.objects(index, owner.namespace.as_deref());
            for object in objects.list(&ListParams::default()).await? {
                let owners = object.owner_references();
                if owners
                    .iter()
                    .any(|reference| Some(&reference.uid) == owner.uid.as_ref())
                {
                    indices.push(index);
                    dependents.push(object.metadata);
                }
            }
        }
        Ok((indices, dependents))
    }

    /// Tells of owners that exist, but in a namespace where the dependent cannot have them.
    fn warn_of_strangers(&self, place: &Place, object: &ObjectMeta) {
        for owner in object.owner_references.iter().flatten() {
            if !self.graph().is_elsewhere(&owner.uid, &place.namespace) {
                continue;
            }
            let (resource, _) = &self.resources[place.resource];
            let about = ObjectReference {
                api_version: Some(resource.api_version.clone()),
                kind: Some(resource.kind.clone()),
                namespace: object.namespace.clone(),
                name: object.name.clone(),
                uid: object.uid.clone(),
                ..ObjectReference::default()
            };
            let message = format!(
                "ownerRef [{}/{}, namespace: {namespace}, name: {}, uid: {}] does not exist in \
                 namespace \"{namespace}\"",
                owner.api_version,
                owner.kind,
                owner.name,
                owner.uid,
                namespace = place.namespace,
            );
            self.recorder
                .warning(about, "OwnerRefInvalidNamespace", message);
        }
    }

    /// Frees all dependents of an object of their reference to it.
    async fn free(
        &self,
        owner: &ObjectMeta,
        indices: &[usize],
        dependents: &[ObjectMeta],
    ) -> Result<(), kube::Error> {
        let uids: Vec<String> = owner.uid.iter().cloned().collect();
        for (index, dependent) in indices.iter().zip(dependents) {
            let objects = self.objects(*index, dependent.namespace.as_deref());
            release(&objects, dependent, &uids).await?;
        }
        Ok(())
    }
}

impl Controller for GarbageCollector {
    const NAME: &'static str = COMPONENT;

    fn triggers(&self) -> Vec<Trigger> {
        (0..self.resources.len())
            .map(|index| self.on_change(index))
            .collect()
    }

    async fn reconcile(&self, key: &Key) -> Result<Action, kube::Error> {
        let uid = &key.name;
        let Some(place) = self.graph().place(uid).cloned() else {
            return Ok(Action::Await);
        };
        let objects = self.objects(place.resource, Some(&place.namespace));
        let Some(object) = objects.get_opt(&place.name).await? else {
            return Ok(Action::Await);
        };
        let object = object.metadata;
        if object.uid.as_ref() != Some(uid) {
            return Ok(Action::Await);
        }
        self.warn_of_strangers(&place, &object);
        let owners = self.owners(&object).await?;
        let (indices, dependents) = if decision::needs_dependents(&object, &owners) {
            self.dependents(&object).await?
        } else {
            (Vec::new(), Vec::new())
        };
        match decide(&object, &owners, &dependents) {
            Step::Nothing => {}
            Step::Orphan => {
                self.free(&object, &indices, &dependents).await?;
                remove_finalizer(&objects, &object, ORPHAN).await?;
            }
            Step::Finish => remove_finalizer(&objects, &object, FOREGROUND).await?,
            Step::Release(uids) => release(&objects, &object, &uids).await?,
            Step::Delete { policy, unblock } => {
                let object = if unblock {
                    unblock_owners(&objects, object).await?
                } else {
                    object
                };
                delete(&objects, &object, policy).await?;
            }
        }
        Ok(Action::Await)
    }
}

fn lock(graph: &Mutex<Graph>) -> MutexGuard<'_, Graph> {
    graph.lock().unwrap_or_else(PoisonError::into_inner)
}

fn place(resource: usize, object: &Metadata) -> Place {
    Place {
        resource,
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

/// Removes the references to owners of some uids.
async fn release(
    objects: &Api<Metadata>,
    object: &ObjectMeta,
    uids: &[String],
) -> Result<(), kube::Error> {
    let kept: Vec<&OwnerReference> = object
        .owner_references
        .iter()
        .flatten()
        .filter(|owner| !uids.contains(&owner.uid))
        .collect();
    patch(objects, object, json!({"ownerReferences": kept}))
        .await
        .map(drop)
}

async fn unblock_owners(
    objects: &Api<Metadata>,
    object: ObjectMeta,
) -> Result<ObjectMeta, kube::Error> {
    let mut owners = object.owner_references.clone().unwrap_or_default();
    for owner in &mut owners {
        owner.block_owner_deletion = Some(false);
    }
    let patched = patch(objects, &object, json!({"ownerReferences": owners})).await?;
    Ok(patched.unwrap_or(object))
}

async fn remove_finalizer(
    objects: &Api<Metadata>,
    object: &ObjectMeta,
    finalizer: &str,
) -> Result<(), kube::Error> {
    let finalizers = object.finalizers.iter().flatten();
    let kept: Vec<&String> = finalizers.filter(|other| *other != finalizer).collect();
    patch(objects, object, json!({"finalizers": kept}))
        .await
        .map(drop)
}

/// Changes the metadata of an object that must be as it was read; `None` when it has gone.
async fn patch(
    objects: &Api<Metadata>,
    object: &ObjectMeta,
    mut change: Value,
) -> Result<Option<ObjectMeta>, kube::Error> {
    change["uid"] = json!(object.uid);
    change["resourceVersion"] = json!(object.resource_version);
    let name = object.name.as_deref().unwrap_or_default();
    let patch = Patch::Merge(json!({"metadata": change}));
    match objects.patch(name, &PatchParams::default(), &patch).await {
        Ok(patched) => Ok(Some(patched.metadata)),
        Err(error) if refused::is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Deletes an object that must be as it was read.
async fn delete(
    objects: &Api<Metadata>,
    object: &ObjectMeta,
    policy: PropagationPolicy,
) -> Result<(), kube::Error> {
    let params = DeleteParams {
        propagation_policy: Some(policy),
        preconditions: Some(Preconditions {
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
        }),
        ..DeleteParams::default()
    };
    let name = object.name.as_deref().unwrap_or_default();
    match objects.delete(name, &params).await {
        Err(error) if !refused::is_not_found(&error) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
