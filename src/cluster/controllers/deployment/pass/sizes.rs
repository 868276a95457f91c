//! The sizes that a pass gives to `ReplicaSet`s, and the old ones that it forgets.
//!
//! Source: `pkg/controller/deployment/{rolling,recreate,sync}.go`.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Error, ResourceExt as _};

use super::{Pass, Step};
use crate::cluster::controllers::deployment::fenceposts::{Fenceposts, rolls};
use crate::cluster::controllers::deployment::rolling::{self, Counts};
use crate::cluster::controllers::deployment::scale::{self, Member, Wanted};
use crate::cluster::controllers::deployment::sets::{available, desired, replicas};
use crate::cluster::controllers::deployment::{history, recreate, revision, status};
use crate::cluster::controllers::recorder::reference;
use crate::cluster::controllers::refused;
use crate::cluster::controllers::runtime::Action;
use crate::cluster::object::label_selector::LabelSelector;

impl Pass<'_> {
    pub(super) async fn roll(mut self) -> Result<Action, Error> {
        if self.ensure_new().await? == Step::End {
            return Ok(Action::Await);
        }
        if self.grow_new().await? || self.shrink_old().await {
            return self.write_status().await;
        }
        self.forget_old_when_complete().await?;
        self.write_status().await
    }

    async fn grow_new(&mut self) -> Result<bool, Error> {
        let (Some(place), Some(new)) = (self.sets.new, self.sets.new_set()) else {
            return Ok(false);
        };
        let wanted = replicas(&self.deployment);
        let bounds = Fenceposts::of(&self.deployment);
        let before = desired(new);
        let size = rolling::new_size(wanted, bounds, before, self.sets.total(desired));
        if size == before {
            return Ok(false);
        }
        self.resize(place, size).await?;
        Ok(true)
    }

    /// Shrinks the old `ReplicaSet`s; an error ends it, for what caused it calls for another pass.
    async fn shrink_old(&mut self) -> bool {
        let counts = |set: &ReplicaSet| Counts {
            desired: desired(set),
            available: available(set),
        };
        let (places, old): (Vec<_>, Vec<_>) = self
            .sets
            .old()
            .map(|(place, set)| (place, counts(set)))
            .unzip();
        let new = self.sets.new_set().map_or_else(Counts::default, counts);
        let bounds = Fenceposts::of(&self.deployment);
        let changes = rolling::shrink_old(replicas(&self.deployment), bounds, new, &old);
        let is_due = !changes.is_empty();
        for change in changes {
            let place = places[change.place];
            match self.resize(place, change.size).await {
                // Upstream's status counts such pods as given up at once, and all other changes
                // from the next pass on.
                Ok(set) if change.is_unhealthy => self.sets.all[place] = set,
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "an old ReplicaSet was not scaled down");
                    return false;
                }
            }
        }
        is_due
    }

    pub(super) async fn recreate(mut self, selector: &LabelSelector) -> Result<Action, Error> {
        let active: Vec<usize> = self
            .sets
            .old()
            .filter(|(_, set)| desired(set) > 0)
            .map(|(place, _)| place)
            .collect();
        for place in &active {
            self.resize(*place, 0).await?;
        }
        if !active.is_empty() || self.old_pods_run(selector).await? {
            return self.write_status().await;
        }
        if self.ensure_new().await? == Step::End {
            return Ok(Action::Await);
        }
        if let (Some(place), Some(new)) = (self.sets.new, self.sets.new_set())
            && desired(new) != replicas(&self.deployment)
        {
            self.resize(place, replicas(&self.deployment)).await?;
        }
        self.forget_old_when_complete().await?;
        self.write_status().await
    }

    async fn old_pods_run(&self, selector: &LabelSelector) -> Result<bool, Error> {
        if self.sets.old().next().is_none() {
            return Ok(false);
        }
        let pods: Api<Pod> = Api::namespaced(self.controller.client.clone(), &self.key.namespace);
        let matching = ListParams::default().labels(&selector.to_string());
        let pods = pods.list(&matching).await?.items;
        Ok(recreate::old_pods_run(&self.sets, &pods))
    }

    /// What scaling knows of the `ReplicaSet`s.
    pub(super) fn members(&self) -> Vec<Member> {
        let member = |(place, set): (usize, &ReplicaSet)| Member {
            is_new: self.sets.new == Some(place),
            desired: desired(set),
            available: available(set),
            noted_desired: revision::desired_replicas(set),
            noted_max: revision::max_replicas(set),
        };
        self.sets.all.iter().enumerate().map(member).collect()
    }

    pub(super) async fn scale(&mut self) -> Result<(), Error> {
        let status = self.deployment.status.as_ref();
        let wanted = Wanted {
            replicas: replicas(&self.deployment),
            surge: Fenceposts::of(&self.deployment).surge,
            rolls: self.deployment.spec.as_ref().is_some_and(rolls),
            actual: status
                .and_then(|status| status.replicas)
                .unwrap_or_default(),
        };
        for resize in scale::plan(wanted, &self.members()) {
            self.resize(resize.place, resize.size).await?;
        }
        Ok(())
    }

    /// Gives a `ReplicaSet` a size and notes what the deployment wants; writes nothing where both
    /// are so already. Returns what was written; the pass goes on with what it found.
    async fn resize(&self, place: usize, size: i32) -> Result<ReplicaSet, Error> {
        let mut set = self.sets.all[place].clone();
        let before = desired(&set);
        let wanted = replicas(&self.deployment);
        let max = wanted + Fenceposts::of(&self.deployment).surge;
        let noted = revision::annotate_sizes(set.annotations_mut(), wanted, max);
        if before == size && !noted {
            return Ok(set);
        }
        set.spec.get_or_insert_default().replicas = Some(size);
        let name = set.name_any();
        let post = PostParams::default();
        let written = self.replica_sets.replace(&name, &post, &set).await?;
        if before != size {
            self.report_scaling(&name, before, size);
        }
        Ok(written)
    }

    pub(super) fn report_scaling(&self, name: &str, from: i32, to: i32) {
        let direction = if to > from { "up" } else { "down" };
        self.controller.recorder.normal(
            reference(&self.deployment),
            "ScalingReplicaSet",
            format!("Scaled {direction} replica set {name} from {from} to {to}"),
        );
    }

    /// Judged by the status that the pass found: what it changed itself is not complete yet.
    async fn forget_old_when_complete(&self) -> Result<(), Error> {
        let stored = self.deployment.status.clone().unwrap_or_default();
        if status::is_complete(&self.deployment, &stored) {
            self.forget_old().await?;
        }
        Ok(())
    }

    pub(super) async fn forget_old(&self) -> Result<(), Error> {
        let old = self.sets.old().map(|(_, set)| set);
        for set in history::expendable(&self.deployment, old) {
            let name = set.name_any();
            match self
                .replica_sets
                .delete(&name, &DeleteParams::default())
                .await
            {
                Err(error) if !refused::is_not_found(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
