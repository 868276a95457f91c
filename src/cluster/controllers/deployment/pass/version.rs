//! The new `ReplicaSet` of a pass: found or made, with its revision.
//!
//! Source: `pkg/controller/deployment/sync.go`, `getNewReplicaSet`.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::api::PostParams;
use kube::{Error, ResourceExt as _};

use super::{Pass, Step};
use crate::cluster::controllers::deployment::fenceposts::{Fenceposts, rolls};
use crate::cluster::controllers::deployment::progress::{self, CREATE_FAILED, CREATED, FOUND};
use crate::cluster::controllers::deployment::sets::{desired, replicas};
use crate::cluster::controllers::deployment::status::{self, PROGRESSING, condition};
use crate::cluster::controllers::deployment::{revision, rolling, template};
use crate::cluster::controllers::recorder::reference;
use crate::cluster::controllers::{claim, refused};

impl Pass<'_> {
    /// Brings revision and annotations of the new `ReplicaSet` up to date, and then those of the
    /// deployment. One at a time, so that a client that sees the deployment's revision finds it on
    /// a `ReplicaSet`.
    pub(super) async fn sync_revision(&mut self) -> Result<Step, Error> {
        let Some(set) = self.sets.new_set() else {
            return Ok(Step::Continue);
        };
        let next = revision::next(self.sets.old().map(|(_, set)| set));
        let mut changed = set.clone();
        let from = self.deployment.annotations();
        let annotated = revision::annotate_new(from, changed.annotations_mut(), next);
        let min_ready = |spec: Option<i32>| spec.unwrap_or_default();
        let wanted = self.deployment.spec.as_ref();
        let wanted = min_ready(wanted.and_then(|spec| spec.min_ready_seconds));
        let spec = changed.spec.get_or_insert_default();
        if annotated || min_ready(spec.min_ready_seconds) != wanted {
            spec.min_ready_seconds = (wanted != 0).then_some(wanted);
            let post = PostParams::default();
            let name = changed.name_any();
            self.replica_sets.replace(&name, &post, &changed).await?;
            return Ok(Step::End);
        }
        let name = set.name_any();
        let revision = set.annotations().get(revision::REVISION).cloned();
        let mut is_due = self.set_revision(revision.unwrap_or_default());
        let status = self.deployment.status.clone().unwrap_or_default();
        let is_first = status::find(&status, PROGRESSING).is_none();
        let told = is_first && progress::deadline(&self.deployment).is_some();
        if told {
            let message = format!("Found new replica set \"{name}\"");
            is_due |= self.tell(condition(PROGRESSING, "True", FOUND, message, self.now));
        }
        if is_due {
            self.write(told).await
        } else {
            Ok(Step::Continue)
        }
    }

    /// Notes a revision on the deployment and tells whether it is another one.
    fn set_revision(&mut self, revision: String) -> bool {
        let annotations = self.deployment.annotations_mut();
        annotations.insert(revision::REVISION.to_owned(), revision.clone()) != Some(revision)
    }

    /// Makes the new `ReplicaSet` where there is none.
    pub(super) async fn ensure_new(&mut self) -> Result<Step, Error> {
        if self.sets.new.is_some() {
            return Ok(Step::Continue);
        }
        let revision = revision::next(&self.sets.all);
        let set = self.first_version_of(revision);
        let (name, size) = (set.name_any(), desired(&set));
        let post = PostParams::default();
        let (set, is_made) = match self.replica_sets.create(&post, &set).await {
            Ok(set) => (set, true),
            Err(error) if refused::is_already_exists(&error) => {
                (self.namesake(&name, error).await?, false)
            }
            // Whatever is made here goes at once, and so does the deployment.
            Err(error) if refused::is_namespace_terminating(&error) => return Ok(Step::End),
            Err(error) => return Err(self.tell_create_failure(&name, error).await),
        };
        if is_made && size > 0 {
            self.report_scaling(&name, 0, size);
        }
        self.sets.new = Some(self.sets.all.len());
        self.sets.all.push(set);
        let mut is_due = self.set_revision(revision.to_string());
        let told = is_made && progress::deadline(&self.deployment).is_some();
        if told {
            let message = format!("Created new replica set \"{name}\"");
            is_due |= self.tell(condition(PROGRESSING, "True", CREATED, message, self.now));
        }
        if is_due {
            self.write(told).await
        } else {
            Ok(Step::Continue)
        }
    }

    /// The `ReplicaSet` of the present template, in its first size.
    fn first_version_of(&self, revision: i64) -> ReplicaSet {
        let wanted = replicas(&self.deployment);
        let bounds = Fenceposts::of(&self.deployment);
        let mut set = template::new_replica_set(&self.deployment);
        let size = if self.deployment.spec.as_ref().is_some_and(rolls) {
            rolling::new_size(wanted, bounds, 0, self.sets.total(desired))
        } else {
            wanted
        };
        set.spec.get_or_insert_default().replicas = Some(size);
        let annotations = set.annotations_mut();
        revision::annotate_new(self.deployment.annotations(), annotations, revision);
        revision::annotate_sizes(annotations, wanted, wanted + bounds.surge);
        set
    }

    /// The `ReplicaSet` that has the name already. Where it is another's or of another template,
    /// the hash was met before, and the next pass makes another from the raised count.
    async fn namesake(&mut self, name: &str, error: Error) -> Result<ReplicaSet, Error> {
        let found = self.replica_sets.get(name).await?;
        let wanted = template::meaning_of_deployment(&self.deployment);
        let uid = self.deployment.uid().unwrap_or_default();
        if claim::is_controlled_by(&found, &uid)
            && template::meaning_of_replica_set(&found) == wanted
        {
            return Ok(found);
        }
        let status = self.deployment.status.get_or_insert_default();
        *status.collision_count.get_or_insert_default() += 1;
        self.write(false).await?;
        Err(error)
    }

    async fn tell_create_failure(&mut self, name: &str, error: Error) -> Error {
        let why = refused::message(&error);
        let message = format!("Failed to create new replica set \"{name}\": {why}");
        self.controller.recorder.warning(
            reference(&self.deployment),
            CREATE_FAILED,
            message.clone(),
        );
        if progress::deadline(&self.deployment).is_some() {
            self.tell(condition(
                PROGRESSING,
                "False",
                CREATE_FAILED,
                message,
                self.now,
            ));
            // The first error counts; the next pass comes in any case.
            let _ = self.write(true).await;
        }
        error
    }
}
