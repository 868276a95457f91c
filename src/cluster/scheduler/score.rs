//! Which of the nodes that can take a pod takes it.
//!
//! Two of upstream's scores decide: how much a node would have left, and how few pods of the same
//! owner it has already. Upstream breaks ties at random; here the emptier node wins, then the
//! first by name, so the same cluster always decides the same.
//!
//! Source: `pkg/scheduler/framework/plugins/{noderesources/least_allocated,
//! podtopologyspread/scoring}.go`.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use super::resources::{CPU, MEMORY, requests};
use super::snapshot::Candidate;

/// The weight of spreading, where what a node has left weighs 1.
const SPREAD_WEIGHT: i128 = 2;
const MAX_SCORE: i128 = 100;
/// What a pod that asks for nothing is taken to use, in thousandths: 100m, and 200 MiB.
const MODEST: [(&str, i128); 2] = [(CPU, 100), (MEMORY, 200 * 1024 * 1024 * 1000)];

/// The best of some candidates; `None` if there is none.
pub(super) fn best<'c, 'a>(
    pod: &Pod,
    candidates: &'c [Candidate<'a>],
) -> Option<&'c Candidate<'a>> {
    let siblings: Vec<i128> = candidates
        .iter()
        .map(|candidate| siblings_on(pod, candidate))
        .collect();
    let most = siblings.iter().copied().max()?;
    let fewest = siblings.iter().copied().min()?;
    let scored = candidates.iter().zip(siblings);
    scored
        .max_by_key(|(candidate, siblings)| {
            let score = left_over(pod, candidate) + SPREAD_WEIGHT * spread(*siblings, fewest, most);
            let pods = Reverse(candidate.pods.len());
            (score, pods, Reverse(candidate.name().to_owned()))
        })
        .map(|(candidate, _)| candidate)
}

/// The share of CPU and memory that the node has left with this pod, 0 to 100.
///
/// Example: a node of 4 CPUs of which 1 is asked for, and a pod that asks for 1: 50 for the CPU;
/// with 100 for the memory it is 75.
fn left_over(pod: &Pod, candidate: &Candidate<'_>) -> i128 {
    let shares = MODEST.iter().map(|(name, modest)| {
        let allocatable = candidate.allocatable.get(name);
        let wanted = |pod: &Pod| match requests(pod).get(name) {
            0 => *modest,
            some => some,
        };
        let others: i128 = candidate.pods.iter().map(|pod| wanted(pod)).sum();
        let left = allocatable - others - wanted(pod);
        if allocatable <= 0 || left <= 0 {
            0
        } else {
            left * MAX_SCORE / allocatable
        }
    });
    shares.sum::<i128>() / 2
}

/// How well a node spreads the siblings, 0 to 100.
///
/// Example: with 2, 1 and 1 siblings on three nodes, the scores are 50, 100 and 100.
fn spread(siblings: i128, fewest: i128, most: i128) -> i128 {
    if most == 0 {
        return MAX_SCORE;
    }
    MAX_SCORE * (most + fewest - siblings) / most
}

/// The pods on a node that do the same as this one: those of its controller, or those with its
/// labels when it has none. Pods that are on their way out don't count.
fn siblings_on(pod: &Pod, candidate: &Candidate<'_>) -> i128 {
    let is_sibling = |other: &Pod| {
        let same = match controller(pod) {
            Some(uid) => controller(other) == Some(uid),
            None => !pod.labels().is_empty() && other.labels() == pod.labels(),
        };
        same && other.namespace() == pod.namespace() && other.metadata.deletion_timestamp.is_none()
    };
    let others = candidate.pods.iter();
    others.filter(|other| is_sibling(other)).map(|_| 1).sum()
}

fn controller(pod: &Pod) -> Option<&str> {
    let owners = pod.owner_references().iter();
    let mut controllers = owners.filter(|owner| owner.controller == Some(true));
    controllers.next().map(|owner| owner.uid.as_str())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Node;
    use serde_json::{Value, from_value, json};

    use super::super::snapshot::candidates;
    use super::*;

    fn mk_node(name: &str, cpu: &str) -> Node {
        let allocatable = json!({"cpu": cpu, "memory": "8Gi", "pods": "110"});
        from_value(json!({"metadata": {"name": name}, "status": {"allocatable": allocatable}}))
            .unwrap()
    }

    fn mk_pod(node: Option<&str>, owner: Option<&str>, change: Value) -> Pod {
        let owners: Vec<Value> = owner
            .iter()
            .map(|uid| {
                json!({
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "rs",
                    "uid": uid,
                    "controller": true,
                })
            })
            .collect();
        let mut whole = json!({
            "metadata": {"namespace": "ns", "labels": {"app": "web"}, "ownerReferences": owners},
            "spec": {"nodeName": node, "containers": [{"name": "c"}]},
        });
        json_patch::merge(&mut whole, &change);
        from_value(whole).unwrap()
    }

    fn chosen(pod: &Pod, nodes: &[Node], pods: &[Pod]) -> String {
        let candidates = candidates(nodes, pods);
        best(pod, &candidates).unwrap().name().to_owned()
    }

    fn three_nodes() -> [Node; 3] {
        ["n1", "n2", "n3"].map(|name| mk_node(name, "4"))
    }

    #[test]
    fn replicas_go_to_a_node_each_before_they_share() {
        let pod = || mk_pod(None, Some("rs"), json!({}));
        let mut placed = Vec::new();
        for expected in ["n1", "n2", "n3", "n1", "n2", "n3", "n1"] {
            assert_eq!(chosen(&pod(), &three_nodes(), &placed), expected);
            placed.push(mk_pod(Some(expected), Some("rs"), json!({})));
        }
    }

    #[test]
    fn pods_without_a_controller_spread_by_their_labels() {
        let placed = [
            mk_pod(Some("n1"), None, json!({})),
            mk_pod(
                Some("n2"),
                None,
                json!({"metadata": {"labels": {"app": "db"}}}),
            ),
            mk_pod(
                Some("n3"),
                None,
                json!({"metadata": {"namespace": "other"}}),
            ),
        ];
        assert_eq!(
            chosen(&mk_pod(None, None, json!({})), &three_nodes(), &placed),
            "n2"
        );
    }

    #[test]
    fn siblings_that_are_going_do_not_count() {
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        let placed = [
            mk_pod(Some("n1"), Some("rs"), going),
            mk_pod(Some("n2"), Some("rs"), json!({})),
            mk_pod(Some("n3"), Some("rs"), json!({})),
        ];
        assert_eq!(
            chosen(
                &mk_pod(None, Some("rs"), json!({})),
                &three_nodes(),
                &placed
            ),
            "n1"
        );
    }

    #[test]
    fn without_siblings_the_node_with_the_most_left_wins() {
        let nodes = [mk_node("n1", "2"), mk_node("n2", "8"), mk_node("n3", "4")];
        assert_eq!(
            chosen(&mk_pod(None, Some("rs"), json!({})), &nodes, &[]),
            "n2"
        );
    }

    #[test]
    fn equal_nodes_are_told_apart_by_their_pods_then_by_their_names() {
        let pod = mk_pod(None, Some("rs"), json!({}));
        assert_eq!(chosen(&pod, &three_nodes(), &[]), "n1");
        let nodes = [mk_node("n1", "0"), mk_node("n2", "0")];
        let nothing_left = json!({"status": {"allocatable": {"memory": "0"}}});
        let nodes = nodes.map(|node| {
            let mut node = json!(node);
            json_patch::merge(&mut node, &nothing_left);
            from_value(node).unwrap()
        });
        let placed = [mk_pod(Some("n1"), Some("other"), json!({}))];
        assert_eq!(chosen(&pod, &nodes, &placed), "n2");
    }

    #[test]
    fn scores_are_shares_of_a_hundred() {
        for (siblings, fewest, most, expected) in [
            (0, 0, 0, 100),
            (1, 0, 1, 0),
            (0, 0, 1, 100),
            (2, 1, 2, 50),
            (1, 1, 2, 100),
        ] {
            assert_eq!(spread(siblings, fewest, most), expected);
        }
        let nodes = [mk_node("n1", "4")];
        let asks = |cpu: &str, memory: &str, node: Option<&str>| {
            let requests = json!({"cpu": cpu, "memory": memory});
            let container = json!({"name": "c", "resources": {"requests": requests}});
            mk_pod(node, None, json!({"spec": {"containers": [container]}}))
        };
        let placed = [asks("1", "2Gi", Some("n1"))];
        let candidates = candidates(&nodes, &placed);
        assert_eq!(left_over(&asks("1", "2Gi", None), &candidates[0]), 50);
        assert_eq!(left_over(&asks("2", "6Gi", None), &candidates[0]), 12);
    }
}
