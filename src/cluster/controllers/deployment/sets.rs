//! The `ReplicaSet`s of a `Deployment`: which one is new, which are old, and what they count.
//!
//! Source: `pkg/controller/deployment/util/deployment_util.go`, `FindNewReplicaSet`.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube::ResourceExt as _;

use super::{revision, template};

/// All `ReplicaSet`s of a `Deployment`, oldest first.
#[derive(Debug, Default)]
pub(super) struct Sets {
    pub(super) all: Vec<ReplicaSet>,
    /// The place of the one that has the template of the `Deployment`.
    pub(super) new: Option<usize>,
}

impl Sets {
    /// Sorts them and finds the new one: the oldest that has the template.
    ///
    /// Creation times are whole seconds, in which a fast cluster makes several; upstream lets the
    /// name decide then, here the revision does before it, as in a cluster that takes its time.
    pub(super) fn sort(deployment: &Deployment, mut all: Vec<ReplicaSet>) -> Self {
        all.sort_by_cached_key(|set| {
            (
                set.creation_timestamp(),
                revision::of(set).unwrap_or_default(),
                set.name_any(),
            )
        });
        let wanted = template::meaning_of_deployment(deployment);
        let new = all
            .iter()
            .position(|set| template::meaning_of_replica_set(set) == wanted);
        Self { all, new }
    }

    pub(super) fn new_set(&self) -> Option<&ReplicaSet> {
        self.all.get(self.new?)
    }

    /// The others with their places, oldest first.
    pub(super) fn old(&self) -> impl Iterator<Item = (usize, &ReplicaSet)> {
        self.all
            .iter()
            .enumerate()
            .filter(|(place, _)| Some(*place) != self.new)
    }

    /// The sum of a count over all.
    pub(super) fn total(&self, count: impl Fn(&ReplicaSet) -> i32) -> i32 {
        self.all.iter().map(count).sum()
    }
}

/// The pods that a `Deployment` wants; one where it does not say.
pub(super) fn replicas(deployment: &Deployment) -> i32 {
    let spec = deployment.spec.as_ref();
    spec.and_then(|spec| spec.replicas).unwrap_or(1)
}

/// The pods that a `ReplicaSet` wants; one where it does not say.
pub(super) fn desired(set: &ReplicaSet) -> i32 {
    let spec = set.spec.as_ref();
    spec.and_then(|spec| spec.replicas).unwrap_or(1)
}

/// The pods that a `ReplicaSet` had when it last wrote its status.
pub(super) fn actual(set: &ReplicaSet) -> i32 {
    set.status.as_ref().map_or(0, |status| status.replicas)
}

pub(super) fn ready(set: &ReplicaSet) -> i32 {
    let status = set.status.as_ref();
    status.and_then(|status| status.ready_replicas).unwrap_or(0)
}

pub(super) fn available(set: &ReplicaSet) -> i32 {
    let status = set.status.as_ref();
    status
        .and_then(|status| status.available_replicas)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn mk_set(name: &str, created: &str, revision: &str, image: &str) -> ReplicaSet {
        from_value(json!({
            "metadata": {
                "name": name,
                "creationTimestamp": created,
                "annotations": {"deployment.kubernetes.io/revision": revision},
            },
            "spec": {
                "selector": {},
                "template": {
                    "metadata": {"labels": {"app": "web", "pod-template-hash": name}},
                    "spec": {"containers": [{"name": "c", "image": image}]},
                },
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_oldest_with_the_template_is_new_and_the_others_are_old() {
        let deployment: Deployment = from_value(json!({
            "spec": {
                "selector": {},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "app:v2"}]},
                },
            },
        }))
        .unwrap();
        let sets = Sets::sort(
            &deployment,
            vec![
                mk_set("d", "2026-01-01T00:00:03Z", "4", "app:v2"),
                mk_set("a", "2026-01-01T00:00:02Z", "10", "app:v3"),
                mk_set("b", "2026-01-01T00:00:02Z", "9", "app:v2"),
                mk_set("c", "2026-01-01T00:00:01Z", "1", "app:v1"),
            ],
        );
        let names: Vec<_> = sets.all.iter().map(kube::ResourceExt::name_any).collect();
        assert_eq!(names, ["c", "b", "a", "d"]);
        assert_eq!(
            sets.new_set().map(kube::ResourceExt::name_any).as_deref(),
            Some("b")
        );
        let old: Vec<_> = sets.old().map(|(place, _)| place).collect();
        assert_eq!(old, [0, 2, 3]);
    }
}
