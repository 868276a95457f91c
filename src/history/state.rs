//! The newest facts of each object: a history folded up to now.

use std::collections::BTreeMap;

use super::facts::{
    DeploymentFacts, EndpointSliceFacts, Facts, NamespaceFacts, PodFacts, ReplicaSetFacts,
    ServiceFacts,
};
use super::record::{Change, ChangeKind, Entry, Record};

/// The objects that exist, by name. Events are not state; they stay in the records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Deployments.
    pub deployments: BTreeMap<String, Known<DeploymentFacts>>,
    /// ReplicaSets.
    pub replicasets: BTreeMap<String, Known<ReplicaSetFacts>>,
    /// Pods.
    pub pods: BTreeMap<String, Known<PodFacts>>,
    /// EndpointSlices.
    pub slices: BTreeMap<String, Known<EndpointSliceFacts>>,
    /// Services.
    pub services: BTreeMap<String, Known<ServiceFacts>>,
    /// Namespaces.
    pub namespaces: BTreeMap<String, Known<NamespaceFacts>>,
}

/// An object that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Known<F> {
    /// Its uid.
    pub uid: String,
    /// Its newest facts.
    pub facts: F,
}

impl State {
    /// The state after some records.
    #[must_use]
    pub fn after<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let mut state = Self::default();
        for record in records {
            if let Entry::Change(change) = &record.entry {
                state.fold(change);
            }
        }
        state
    }

    /// Takes note of a change.
    pub fn fold(&mut self, change: &Change) {
        match &change.facts {
            Facts::Deployment(facts) => put(&mut self.deployments, change, facts),
            Facts::ReplicaSet(facts) => put(&mut self.replicasets, change, facts),
            Facts::Pod(facts) => put(&mut self.pods, change, facts),
            Facts::EndpointSlice(facts) => put(&mut self.slices, change, facts),
            Facts::Service(facts) => put(&mut self.services, change, facts),
            Facts::Namespace(facts) => put(&mut self.namespaces, change, facts),
            Facts::Event(_) => {}
        }
    }

    /// The ReplicaSets of a Deployment, by name.
    pub fn replicasets_of<'s>(
        &'s self,
        deployment_uid: &'s str,
    ) -> impl Iterator<Item = (&'s String, &'s Known<ReplicaSetFacts>)> {
        self.replicasets
            .iter()
            .filter(move |(_, known)| known.facts.owner.as_deref() == Some(deployment_uid))
    }

    /// The pods of a ReplicaSet, by name.
    pub fn pods_of<'s>(
        &'s self,
        replicaset_uid: &'s str,
    ) -> impl Iterator<Item = (&'s String, &'s Known<PodFacts>)> {
        self.pods
            .iter()
            .filter(move |(_, known)| known.facts.owner.as_deref() == Some(replicaset_uid))
    }
}

fn put<F: Clone>(objects: &mut BTreeMap<String, Known<F>>, change: &Change, facts: &F) {
    if change.change == ChangeKind::Deleted {
        // A new object may have the name already; the late news is of the old one.
        if objects
            .get(&change.name)
            .is_some_and(|known| known.uid == change.uid)
        {
            objects.remove(&change.name);
        }
    } else {
        let known = Known {
            uid: change.uid.clone(),
            facts: facts.clone(),
        };
        objects.insert(change.name.clone(), known);
    }
}
