//! Who is owned by whom, as far as the watches have told. No I/O in here.
//!
//! The API finds the owners of an object but not its dependents; without an index, each object
//! that goes would mean a search through all kinds. The graph is that index, and it serves one
//! purpose: it turns a change into the uids that must be looked at. What is done with them is
//! decided on live reads, so a watch that lags costs time and nothing else.
//!
//! Source: `pkg/controller/garbagecollector/graph_builder.go`.

use std::collections::{BTreeSet, HashMap, HashSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::decision::{is_orphaning, is_waiting};

/// Where an object stands: the index of its resource, its namespace (empty for cluster-scoped
/// objects) and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) resource: usize,
    pub(super) namespace: String,
    pub(super) name: String,
}

#[derive(Debug)]
struct Node {
    place: Place,
    owners: Vec<OwnerReference>,
    /// It goes in the foreground: once its dependents have gone.
    waiting: bool,
    /// It goes once its dependents have been set free.
    orphaning: bool,
}

/// All objects by uid, and the dependents of each, whether the owner has been seen or not.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: HashMap<String, Node>,
    dependents: HashMap<String, BTreeSet<String>>,
    /// While a resource is listed anew: what has not been seen again yet.
    unseen: HashMap<usize, HashSet<String>>,
}

impl Graph {
    pub(super) fn place(&self, uid: &str) -> Option<&Place> {
        Some(&self.nodes.get(uid)?.place)
    }

    /// An object came or changed; returns the uids to look at.
    pub(super) fn observe(&mut self, place: Place, metadata: &ObjectMeta) -> Vec<String> {
        let Some(uid) = metadata.uid.clone() else {
            return Vec::new();
        };
        if let Some(unseen) = self.unseen.get_mut(&place.resource) {
            unseen.remove(&uid);
        }
        let node = Node {
            place,
            owners: metadata.owner_references.clone().unwrap_or_default(),
            waiting: is_waiting(metadata),
            orphaning: is_orphaning(metadata),
        };
        let old = self.detach(&uid);
        let mut affected = Vec::new();
        let old_owners = old.as_ref().map_or(&[][..], |old| &old.owners);
        // An owner may have waited for a reference that has gone or no longer blocks.
        for owner in old_owners
            .iter()
            .filter(|owner| !node.owners.contains(owner))
        {
            self.if_waiting(&owner.uid, &mut affected);
        }
        let is_news = old.is_none() || old_owners != node.owners;
        if is_news
            && node
                .owners
                .iter()
                .any(|owner| self.is_doubtful(owner, &node))
        {
            affected.push(uid.clone());
        }
        let began = |now: bool, before: fn(&Node) -> bool| now && !old.as_ref().is_some_and(before);
        if began(node.orphaning, |old| old.orphaning) || began(node.waiting, |old| old.waiting) {
            affected.push(uid.clone());
        }
        if began(node.waiting, |old| old.waiting) {
            affected.extend(self.dependents_of(&uid));
        }
        self.attach(uid, node);
        affected
    }

    /// An object has gone; returns the uids to look at.
    pub(super) fn forget(&mut self, uid: &str) -> Vec<String> {
        let mut affected = self.dependents_of(uid);
        if let Some(old) = self.detach(uid) {
            for owner in &old.owners {
                self.if_waiting(&owner.uid, &mut affected);
            }
        }
        affected
    }

    /// A resource is going to be listed anew.
    pub(super) fn begin_list(&mut self, resource: usize) {
        let known = self
            .nodes
            .iter()
            .filter(|(_, node)| node.place.resource == resource)
            .map(|(uid, _)| uid.clone())
            .collect();
        self.unseen.insert(resource, known);
    }

    /// The list is complete: what has not been seen again has gone.
    pub(super) fn end_list(&mut self, resource: usize) -> Vec<String> {
        let gone = self.unseen.remove(&resource).unwrap_or_default();
        gone.iter().flat_map(|uid| self.forget(uid)).collect()
    }

    /// Whether the graph knows an object of this uid in some other namespace than the one where
    /// a dependent looks for it.
    pub(super) fn is_elsewhere(&self, uid: &str, namespace: &str) -> bool {
        self.place(uid)
            .is_some_and(|place| !place.namespace.is_empty() && place.namespace != namespace)
    }

    /// Whether an owner must be looked at before it can be relied on: it has not been seen, goes
    /// in the foreground, or is not where the reference says.
    fn is_doubtful(&self, owner: &OwnerReference, dependent: &Node) -> bool {
        self.nodes.get(&owner.uid).is_none_or(|node| {
            node.waiting
                || node.place.name != owner.name
                || self.is_elsewhere(&owner.uid, &dependent.place.namespace)
        })
    }

    fn if_waiting(&self, uid: &str, affected: &mut Vec<String>) {
        if self.nodes.get(uid).is_some_and(|node| node.waiting) {
            affected.push(uid.to_owned());
        }
    }

    fn dependents_of(&self, uid: &str) -> Vec<String> {
        let dependents = self.dependents.get(uid).into_iter().flatten();
        dependents.cloned().collect()
    }

    fn attach(&mut self, uid: String, node: Node) {
        for owner in &node.owners {
            let dependents = self.dependents.entry(owner.uid.clone()).or_default();
            dependents.insert(uid.clone());
        }
        self.nodes.insert(uid, node);
    }

    fn detach(&mut self, uid: &str) -> Option<Node> {
        let node = self.nodes.remove(uid)?;
        for owner in &node.owners {
            if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                dependents.remove(uid);
                if dependents.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
        Some(node)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    /// An object whose uid is its name, owned by others whose uid is theirs.
    fn mk_object(name: &str, owners: &[&str], change: Value) -> (Place, ObjectMeta) {
        let owners: Vec<Value> = owners
            .iter()
            .map(|owner| {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": owner})
            })
            .collect();
        let mut whole = json!({"name": name, "uid": name, "ownerReferences": owners});
        json_patch::merge(&mut whole, &change);
        let place = Place {
            resource: 0,
            namespace: "ns".to_owned(),
            name: name.to_owned(),
        };
        (place, from_value(whole).unwrap())
    }

    fn observe(graph: &mut Graph, name: &str, owners: &[&str], change: Value) -> Vec<String> {
        let (place, metadata) = mk_object(name, owners, change);
        graph.observe(place, &metadata)
    }

    fn going(finalizer: &str) -> Value {
        json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [finalizer]})
    }

    /// `owner` with the dependents `a` and `b`.
    fn mk_family() -> Graph {
        let mut graph = Graph::default();
        observe(&mut graph, "owner", &[], json!({}));
        observe(&mut graph, "a", &["owner"], json!({}));
        observe(&mut graph, "b", &["owner"], json!({}));
        graph
    }

    #[test]
    fn a_dependent_is_looked_at_when_its_owner_is_unknown_and_left_alone_when_it_is_there() {
        let mut graph = Graph::default();
        assert_eq!(
            observe(&mut graph, "early", &["owner"], json!({})),
            ["early"]
        );
        assert!(
            observe(&mut graph, "early", &["owner"], json!({})).is_empty(),
            "no news"
        );
        assert!(observe(&mut graph, "owner", &[], json!({})).is_empty());
        assert!(observe(&mut graph, "late", &["owner"], json!({})).is_empty());
    }

    #[test]
    fn an_owner_that_goes_leaves_its_dependents_to_be_looked_at() {
        let mut graph = mk_family();
        assert_eq!(graph.forget("owner"), ["a", "b"]);
        assert_eq!(observe(&mut graph, "c", &["owner"], json!({})), ["c"]);
    }

    #[test]
    fn an_owner_in_the_foreground_and_its_dependents_are_looked_at_together() {
        let mut graph = mk_family();
        let foreground = || going("foregroundDeletion");
        assert_eq!(
            observe(&mut graph, "owner", &[], foreground()),
            ["owner", "a", "b"]
        );
        assert!(
            observe(&mut graph, "owner", &[], foreground()).is_empty(),
            "no news"
        );
        assert_eq!(graph.forget("a"), ["owner"]);
        assert_eq!(observe(&mut graph, "c", &["owner"], json!({})), ["c"]);
        assert_eq!(
            observe(&mut graph, "b", &[], json!({})),
            ["owner"],
            "released"
        );
    }

    #[test]
    fn an_owner_that_orphans_is_looked_at_alone() {
        let mut graph = mk_family();
        assert_eq!(
            observe(&mut graph, "owner", &[], going("orphan")),
            ["owner"]
        );
    }

    #[test]
    fn an_owner_that_is_not_where_the_reference_says_is_doubtful() {
        let mut graph = mk_family();
        let (mut place, metadata) = mk_object("far", &["owner"], json!({}));
        place.namespace = "other".to_owned();
        assert_eq!(graph.observe(place, &metadata), ["far"]);
        assert!(graph.is_elsewhere("owner", "other"));
        assert!(!graph.is_elsewhere("owner", "ns") && !graph.is_elsewhere("nobody", "ns"));
        let misnamed = json!({"ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "another", "uid": "owner"},
        ]});
        assert_eq!(observe(&mut graph, "d", &[], misnamed), ["d"]);
    }

    #[test]
    fn what_a_new_list_does_not_show_has_gone() {
        let mut graph = mk_family();
        graph.begin_list(0);
        observe(&mut graph, "a", &["owner"], json!({}));
        observe(&mut graph, "b", &["owner"], json!({}));
        assert_eq!(graph.end_list(0), ["a", "b"]);
        assert_eq!(graph.place("owner"), None);
        assert_eq!(graph.place("a").map(|place| place.name.as_str()), Some("a"));
    }
}
