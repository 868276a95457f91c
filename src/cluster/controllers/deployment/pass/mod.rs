//! One pass over one `Deployment`: what it reads, and every write that the decisions ask for.
//!
//! Here are its order and the deployment's own writes; [`version`] makes the new `ReplicaSet` and
//! keeps the revisions, [`sizes`] moves the pods.

mod sizes;
mod version;

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition, ReplicaSet};
use kube::api::{ListParams, PostParams};
use kube::{Api, Error, ResourceExt as _};

use super::Deployments;
use super::fenceposts::rolls;
use super::progress::{self, Estimate};
use super::scale;
use super::sets::{Sets, replicas};
use super::status::{self, PROGRESSING};
use crate::cluster::clock;
use crate::cluster::controllers::claim;
use crate::cluster::controllers::recorder::reference;
use crate::cluster::controllers::runtime::Action;
use crate::cluster::object::label_selector::LabelSelector;
use crate::cluster::store::Key;

/// A pass, with the newest state that it knows.
pub(super) struct Pass<'a> {
    controller: &'a Deployments,
    key: &'a Key,
    deployments: Api<Deployment>,
    replica_sets: Api<ReplicaSet>,
    deployment: Deployment,
    sets: Sets,
    /// In whole seconds, as what is written is read again.
    now: Timestamp,
    has_written: bool,
}

/// Whether a pass goes on after a step, or leaves the rest to the pass that its write calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Continue,
    End,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        controller: &'a Deployments,
        key: &'a Key,
        deployments: Api<Deployment>,
        deployment: Deployment,
    ) -> Self {
        let now = clock::timestamp();
        Self {
            controller,
            key,
            deployments,
            replica_sets: Api::namespaced(controller.client.clone(), &key.namespace),
            deployment,
            sets: Sets::default(),
            now: Timestamp::from_second(now.as_second()).unwrap_or(now),
            has_written: false,
        }
    }

    /// The whole pass, in the order of upstream's `syncDeployment`.
    pub(super) async fn run(mut self) -> Result<Action, Error> {
        let selector = selector(&self.deployment);
        if selector.is_empty() {
            return self.refuse_to_select_all().await;
        }
        if self.claim(&selector).await? == Step::End {
            return Ok(Action::Await);
        }
        let goes = self.deployment.metadata.deletion_timestamp.is_some();
        if !goes && let Some(condition) = progress::pause(&self.deployment, self.now) {
            self.tell(condition);
            self.write(true).await?;
        }
        if self.sync_revision().await? == Step::End {
            return Ok(Action::Await);
        }
        if goes {
            return self.write_counts().await;
        }
        if progress::is_paused(&self.deployment) {
            self.scale().await?;
            self.forget_old().await?;
            return self.write_counts().await;
        }
        if scale::is_due(replicas(&self.deployment), &self.members()) {
            self.scale().await?;
            return self.write_counts().await;
        }
        if self.deployment.spec.as_ref().is_some_and(rolls) {
            self.roll().await
        } else {
            self.recreate(&selector).await
        }
    }

    /// A selector of everything is a mistake that must not be acted on.
    async fn refuse_to_select_all(mut self) -> Result<Action, Error> {
        self.controller.recorder.warning(
            reference(&self.deployment),
            "SelectingAll",
            "This deployment is selecting all pods. A non-empty selector is required.",
        );
        let generation = self.deployment.metadata.generation;
        let status = self.deployment.status.get_or_insert_default();
        if status.observed_generation < generation {
            status.observed_generation = generation;
            self.write(false).await?;
        }
        Ok(Action::Await)
    }

    async fn claim(&mut self, selector: &LabelSelector) -> Result<Step, Error> {
        let all = self.replica_sets.list(&ListParams::default()).await?.items;
        let claimed = claim::claim(
            &self.deployment,
            selector,
            &self.deployments,
            &self.replica_sets,
            all,
        );
        let Some(claimed) = claimed.await? else {
            return Ok(Step::End);
        };
        self.sets = Sets::sort(&self.deployment, claimed);
        Ok(Step::Continue)
    }

    fn tell(&mut self, condition: DeploymentCondition) -> bool {
        status::set(self.deployment.status.get_or_insert_default(), condition)
    }

    /// Writes the counts, without a word on progress.
    async fn write_counts(mut self) -> Result<Action, Error> {
        let status = status::calculate(&self.deployment, &self.sets, self.now);
        if self.deployment.status.as_ref() != Some(&status) {
            self.deployment.status = Some(status);
            self.write(false).await?;
        }
        Ok(Action::Await)
    }

    /// Writes the whole status, and asks for another pass when the deadline will be over.
    async fn write_status(mut self) -> Result<Action, Error> {
        let age = self.age_of_progress();
        let Estimate { status, told } =
            progress::estimate(&self.deployment, &self.sets, self.now, age);
        if self.deployment.status.as_ref() != Some(&status) {
            self.deployment.status = Some(status.clone());
            if self.write(told).await? == Step::End {
                return Ok(Action::Await);
            }
        }
        let age = self.age_of_progress();
        let again = progress::look_again(&self.deployment, &status, age);
        Ok(again.map_or(Action::Await, Action::Again))
    }

    /// How long ago the `Progressing` condition was told.
    fn age_of_progress(&self) -> Duration {
        let told = self.progress_told();
        let ages = self.controller.ages.observe(self.key, told);
        ages.into_values().next().unwrap_or_default()
    }

    /// The deployment's uid and the time of its `Progressing` condition.
    fn progress_told(&self) -> Option<(String, Timestamp)> {
        let status = self.deployment.status.as_ref()?;
        let time = status::find(status, PROGRESSING)?
            .last_update_time
            .as_ref()?;
        Some((self.deployment.uid()?, time.0))
    }

    /// Writes status and revision. The status endpoint takes annotations too, and what goes through
    /// it does not count as a new generation. `told` says that progress was told anew.
    ///
    /// A pass writes the deployment once, as upstream's can, for it keeps the version that it read.
    /// What comes later is left to the pass that the first write calls for, which may see it in
    /// another light: a `ReplicaSet` made right after a resume is never told of as created.
    async fn write(&mut self, told: bool) -> Result<Step, Error> {
        if self.has_written {
            return Ok(Step::End);
        }
        self.has_written = true;
        let post = PostParams::default();
        let written = self
            .deployments
            .replace_status(&self.key.name, &post, &self.deployment);
        self.deployment = written.await?;
        if let Some((uid, time)) = self.progress_told().filter(|_| told) {
            self.controller.ages.renew(self.key, &uid, time);
        }
        Ok(Step::Continue)
    }
}

fn selector(deployment: &Deployment) -> LabelSelector {
    deployment
        .spec
        .as_ref()
        .map_or_else(LabelSelector::default, |spec| {
            LabelSelector::from_structured(&spec.selector)
        })
}
