//! The nodes with the pods that are on them.
//!
//! Source: `pkg/scheduler/backend/cache/snapshot.go`.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::ResourceExt as _;

use super::resources::{Amounts, requests};

/// A node that a pod might go to.
pub(super) struct Candidate<'a> {
    pub(super) node: &'a Node,
    /// The pods that have been assigned to it and have not ended.
    pub(super) pods: Vec<&'a Pod>,
    pub(super) allocatable: Amounts,
    /// What its pods have asked for.
    pub(super) requested: Amounts,
}

impl Candidate<'_> {
    pub(super) fn name(&self) -> &str {
        self.node.metadata.name.as_deref().unwrap_or_default()
    }

    /// How many pods it can hold.
    pub(super) fn pod_limit(&self) -> usize {
        usize::try_from(self.allocatable.get("pods") / 1000).unwrap_or_default()
    }
}

/// All nodes as candidates, in their order.
pub(super) fn candidates<'a>(nodes: &'a [Node], pods: &'a [Pod]) -> Vec<Candidate<'a>> {
    let mut by_node: HashMap<&str, Vec<&Pod>> = HashMap::new();
    for pod in pods.iter().filter(|pod| !has_ended(pod)) {
        if let Some(node) = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) {
            by_node.entry(node).or_default().push(pod);
        }
    }
    nodes
        .iter()
        .map(|node| {
            let pods = by_node.remove(node.name_any().as_str()).unwrap_or_default();
            let mut requested = Amounts::default();
            for pod in &pods {
                requested.add(&requests(pod));
            }
            let status = node.status.as_ref();
            Candidate {
                node,
                pods,
                allocatable: Amounts::read(status.and_then(|status| status.allocatable.as_ref())),
                requested,
            }
        })
        .collect()
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_node_counts_the_pods_that_were_assigned_to_it_and_have_not_ended() {
        let node: Node = from_value(json!({
            "metadata": {"name": "n1"},
            "status": {"allocatable": {"cpu": "4", "pods": "110"}},
        }))
        .unwrap();
        let pod = |node: &str, phase: &str| -> Pod {
            let container = json!({"name": "c", "resources": {"requests": {"cpu": "1"}}});
            let spec = json!({"nodeName": node, "containers": [container]});
            from_value(json!({"spec": spec, "status": {"phase": phase}})).unwrap()
        };
        let pods = [
            pod("n1", "Running"),
            pod("n1", "Pending"),
            pod("n1", "Failed"),
            pod("n1", "Succeeded"),
            pod("n2", "Running"),
        ];
        let nodes = [node];
        let candidates = candidates(&nodes, &pods);
        assert_eq!(candidates[0].name(), "n1");
        assert_eq!(candidates[0].pods.len(), 2);
        assert_eq!(candidates[0].requested.get("cpu"), 2000);
        assert_eq!(candidates[0].allocatable.get("cpu"), 4000);
        assert_eq!(candidates[0].pod_limit(), 110);
    }
}
