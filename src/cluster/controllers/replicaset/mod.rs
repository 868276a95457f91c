//! The `ReplicaSet` controller: keeps as many pods of one template as the spec says.
//!
//! ```text
//! pods ─► claim ─► too few: create, in growing batches
//!                  too many: delete, by deletion_rank
//!                ─► status, from the pods as they were before
//! ```
//!
//! Source: `pkg/controller/replicaset/replica_set.go`.

mod deletion_rank;
mod pods;
mod status;

use std::collections::HashMap;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetStatus};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::runtime::watcher;
use kube::{Api, Client, Error, ResourceExt as _};

use self::status::{Failure, Observed};
use super::ages::Ages;
use super::claim;
use super::owned::on_owned_change;
use super::recorder::{self, Recorder};
use super::refused;
use super::runtime::{Action, Controller, Trigger, key_of, on_change};
use crate::cluster::clock::{self, Clock};
use crate::cluster::object::label_selector::LabelSelector;
use crate::cluster::store::Key;

/// Pods that one pass creates or deletes at most.
const BURST: usize = 500;

/// The controller of all `ReplicaSet`s.
pub(crate) struct ReplicaSets {
    client: Client,
    recorder: Recorder,
    /// Since when each pod has been ready.
    ages: Ages,
}

/// Why the pods of a pass are not as they should be: what the status tells, and what makes the
/// runtime try again.
struct Trouble {
    failure: Failure,
    error: Error,
}

impl ReplicaSets {
    pub(crate) fn new(client: Client, clock: Clock) -> Self {
        Self {
            recorder: Recorder::new(client.clone(), clock.clone(), Self::NAME),
            ages: Ages::new(clock),
            client,
        }
    }
}

impl Controller for ReplicaSets {
    const NAME: &'static str = "replicaset-controller";

    fn triggers(&self) -> Vec<Trigger> {
        let client = self.client.clone();
        vec![
            on_change::<ReplicaSet>(
                Api::all(client.clone()),
                watcher::Config::default(),
                |object| vec![key_of(object)],
            ),
            on_owned_change::<Pod, _>(Api::all(client.clone()), "ReplicaSet", move |orphan| {
                matching(client.clone(), orphan)
            }),
        ]
    }

    async fn reconcile(&self, key: &Key) -> Result<Action, Error> {
        let replica_sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &key.namespace);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let Some(owner) = replica_sets.get_opt(&key.name).await? else {
            self.ages.observe(key, []);
            return Ok(Action::Await);
        };
        let uid = owner.uid().unwrap_or_default();
        let selector = selector(&owner);
        let all = pods.list(&ListParams::default()).await?.items;
        let terminating = all
            .iter()
            .filter(|pod| pods::is_terminating(pod) && claim::is_controlled_by(*pod, &uid))
            .filter(|pod| selector.matches(pod.metadata.labels.as_ref()))
            .count();
        let candidates = all.iter().filter(|pod| pods::is_active(pod)).cloned();
        let candidates = candidates.collect();
        let claimed = claim::claim(&owner, &selector, &replica_sets, &pods, candidates).await?;
        let Some(active) = claimed else {
            return Ok(Action::Await);
        };
        let trouble = if owner.metadata.deletion_timestamp.is_none() {
            self.manage(&owner, &pods, &active, &all).await.err()
        } else {
            None
        };
        let ready_for = self.ready_for(key, &owner, &active);
        let observed = Observed {
            active: &active,
            terminating,
            ready_for: &ready_for,
        };
        let failure = trouble.as_ref().map(|trouble| &trouble.failure);
        let status = status::calculate(&owner, &observed, failure, clock::timestamp());
        let next = next_available(&owner, &active, &ready_for);
        write_status(&replica_sets, owner, status).await?;
        match trouble {
            Some(trouble) => Err(trouble.error),
            None => Ok(next.map_or(Action::Await, Action::Again)),
        }
    }
}

impl ReplicaSets {
    /// Creates or deletes pods until there are as many as there should be.
    async fn manage(
        &self,
        owner: &ReplicaSet,
        pods: &Api<Pod>,
        active: &[Pod],
        all: &[Pod],
    ) -> Result<(), Trouble> {
        let wanted = owner.spec.as_ref().and_then(|spec| spec.replicas);
        let wanted = usize::try_from(wanted.unwrap_or(1)).unwrap_or_default();
        if active.len() < wanted {
            let missing = (wanted - active.len()).min(BURST);
            return self.create(owner, pods, missing).await;
        }
        let surplus = (active.len() - wanted).min(BURST);
        if surplus == 0 {
            return Ok(());
        }
        let active: Vec<&Pod> = active.iter().collect();
        let related = self.related(owner, all).await.map_err(|error| Trouble {
            failure: Failure {
                reason: "FailedDelete",
                message: refused::message(&error),
            },
            error,
        })?;
        let doomed = deletion_rank::first_to_go(&active, related, surplus, clock::timestamp());
        self.delete(owner, pods, &doomed).await
    }

    async fn create(
        &self,
        owner: &ReplicaSet,
        pods: &Api<Pod>,
        missing: usize,
    ) -> Result<(), Trouble> {
        let pod = pods::new_pod(owner);
        for batch in slow_start(missing) {
            let post = PostParams::default();
            let attempts = (0..batch).map(|_| pods.create(&post, &pod));
            let mut trouble = None;
            for result in join_all(attempts).await {
                match result {
                    Ok(created) => self.recorder.normal(
                        recorder::reference(owner),
                        "SuccessfulCreate",
                        format!("Created pod: {}", created.name_any()),
                    ),
                    // The namespace goes away, and the ReplicaSet with it.
                    Err(error) if refused::is_namespace_terminating(&error) => {}
                    Err(error) => {
                        let message = refused::message(&error);
                        self.recorder.warning(
                            recorder::reference(owner),
                            "FailedCreate",
                            format!("Error creating: {message}"),
                        );
                        let failure = Failure {
                            reason: "FailedCreate",
                            message,
                        };
                        trouble.get_or_insert(Trouble { failure, error });
                    }
                }
            }
            if let Some(trouble) = trouble {
                return Err(trouble);
            }
        }
        Ok(())
    }

    async fn delete(
        &self,
        owner: &ReplicaSet,
        pods: &Api<Pod>,
        doomed: &[&Pod],
    ) -> Result<(), Trouble> {
        let attempts = doomed.iter().map(async |pod| {
            let name = pod.name_any();
            let result = pods.delete(&name, &DeleteParams::default()).await;
            (name, result)
        });
        let mut trouble = None;
        for (name, result) in join_all(attempts).await {
            match result {
                Ok(_) => self.recorder.normal(
                    recorder::reference(owner),
                    "SuccessfulDelete",
                    format!("Deleted pod: {name}"),
                ),
                Err(error) if refused::is_not_found(&error) => {}
                Err(error) => {
                    let message = refused::message(&error);
                    self.recorder.warning(
                        recorder::reference(owner),
                        "FailedDelete",
                        format!("Error deleting: {message}"),
                    );
                    let failure = Failure {
                        reason: "FailedDelete",
                        message: format!("unable to delete pods: {message}"),
                    };
                    trouble.get_or_insert(Trouble { failure, error });
                }
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// The pods of all `ReplicaSet`s that have the same controller as this one.
    async fn related<'a>(&self, owner: &ReplicaSet, all: &'a [Pod]) -> Result<Vec<&'a Pod>, Error> {
        let Some(controller) = claim::controller(owner) else {
            return Ok(Vec::new());
        };
        let namespace = owner.namespace().unwrap_or_default();
        let replica_sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), &namespace);
        let siblings = replica_sets.list(&ListParams::default()).await?;
        let selectors: Vec<LabelSelector> = siblings
            .iter()
            .filter(|sibling| claim::is_controlled_by(*sibling, &controller.uid))
            .map(selector)
            .collect();
        Ok(all
            .iter()
            .filter(|pod| {
                selectors
                    .iter()
                    .any(|selector| selector.matches(pod.metadata.labels.as_ref()))
            })
            .collect())
    }

    /// How long each ready pod has been ready, where that matters.
    fn ready_for(
        &self,
        key: &Key,
        owner: &ReplicaSet,
        active: &[Pod],
    ) -> HashMap<String, Duration> {
        let matters = !status::min_ready(owner).is_zero();
        let since = active
            .iter()
            .filter(|_| matters)
            .filter_map(|pod| Some((pod.uid()?, pods::ready_since(pod)?)));
        self.ages.observe(key, since)
    }
}

/// The `ReplicaSet`s whose selector an orphaned pod matches.
async fn matching(client: Client, orphan: Pod) -> Vec<Key> {
    let namespace = orphan.namespace().unwrap_or_default();
    let replica_sets: Api<ReplicaSet> = Api::namespaced(client, &namespace);
    let Ok(found) = replica_sets.list(&ListParams::default()).await else {
        return Vec::new();
    };
    found
        .iter()
        .filter(|owner| {
            let selector = selector(owner);
            // A selector of everything would take pods that are nobody's business.
            !selector.is_empty() && selector.matches(orphan.metadata.labels.as_ref())
        })
        .map(key_of)
        .collect()
}

fn selector(owner: &ReplicaSet) -> LabelSelector {
    owner
        .spec
        .as_ref()
        .map_or_else(LabelSelector::default, |spec| {
            LabelSelector::from_structured(&spec.selector)
        })
}

/// Batches of 1, 2, 4, 8… that make up a count: what fails, fails once before many are tried.
///
/// Worked example: 10 is 1 + 2 + 4 + 3.
fn slow_start(count: usize) -> impl Iterator<Item = usize> {
    let mut left = count;
    let mut next = 1;
    std::iter::from_fn(move || {
        let batch = next.min(left);
        left -= batch;
        next *= 2;
        (batch > 0).then_some(batch)
    })
}

/// The time until the next pod that is ready becomes available; `None` where there is none.
fn next_available(
    owner: &ReplicaSet,
    active: &[Pod],
    ready_for: &HashMap<String, Duration>,
) -> Option<Duration> {
    active
        .iter()
        .filter_map(|pod| status::available_in(owner, pod, ready_for))
        .filter(|left| !left.is_zero())
        .min()
}

/// Writes a status that differs, and once again where somebody else wrote in between.
async fn write_status(
    replica_sets: &Api<ReplicaSet>,
    mut owner: ReplicaSet,
    status: ReplicaSetStatus,
) -> Result<(), Error> {
    if owner.status.as_ref() == Some(&status) {
        return Ok(());
    }
    owner.status = Some(status);
    let name = owner.name_any();
    let post = PostParams::default();
    match replica_sets.replace_status(&name, &post, &owner).await {
        Err(error) if refused::is_conflict(&error) => {
            let newest = replica_sets.get(&name).await?;
            owner.metadata = newest.metadata;
            owner.spec = newest.spec;
            replica_sets.replace_status(&name, &post, &owner).await?;
        }
        Err(error) if refused::is_not_found(&error) => {}
        result => drop(result?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_double_up_to_the_count() {
        for (count, batches) in [
            (0, vec![]),
            (1, vec![1]),
            (2, vec![1, 1]),
            (3, vec![1, 2]),
            (10, vec![1, 2, 4, 3]),
        ] {
            assert_eq!(slow_start(count).collect::<Vec<_>>(), batches);
        }
    }
}
