//! What is kept of a ReplicaSet.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::ResourceExt as _;

use super::deployment::{count, revision};
use super::template::template;
use crate::history::facts::{Facts, ReplicaSetFacts};

pub(in crate::observer) fn facts(replicaset: &ReplicaSet) -> Facts {
    let spec = replicaset.spec.clone().unwrap_or_default();
    let status = replicaset.status.clone().unwrap_or_default();
    Facts::ReplicaSet(ReplicaSetFacts {
        owner: super::pod::controller(replicaset, "Deployment"),
        hash: replicaset
            .labels()
            .get("pod-template-hash")
            .cloned()
            .unwrap_or_default(),
        revision: revision(replicaset.annotations()),
        replicas: i64::from(spec.replicas.unwrap_or(1)),
        total: i64::from(status.replicas),
        ready: count(status.ready_replicas),
        available: count(status.available_replicas),
        template: spec.template.as_ref().map(template).unwrap_or_default(),
    })
}
