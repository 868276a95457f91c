//! Why a node cannot take a pod, and how that is told.
//!
//! Source: `pkg/scheduler/framework/plugins/{nodeunschedulable,tainttoleration,nodeaffinity,
//! noderesources}` and `pkg/scheduler/framework/types.go`, `FitError`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, Taint, Toleration};

use super::affinity;
use super::resources::{Amounts, requests};
use super::snapshot::Candidate;

const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";

/// Why one node cannot take a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    reasons: Vec<String>,
    /// Whether the node could take it if other pods went.
    is_curable: bool,
}

impl Rejection {
    fn incurable(reason: &str) -> Self {
        Self {
            reasons: vec![reason.to_owned()],
            is_curable: false,
        }
    }
}

/// Whether a node can take a pod; the first rule that it breaks tells why not.
pub(super) fn check(pod: &Pod, candidate: &Candidate<'_>) -> Result<(), Rejection> {
    let node_spec = candidate.node.spec.as_ref();
    let tolerations = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.tolerations.as_deref());
    let tolerations = tolerations.unwrap_or_default();
    let cordon = Taint {
        key: UNSCHEDULABLE_TAINT.to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Taint::default()
    };
    let is_cordoned = node_spec.is_some_and(|spec| spec.unschedulable == Some(true));
    if is_cordoned && !is_tolerated(&cordon, tolerations) {
        return Err(Rejection::incurable("node(s) were unschedulable"));
    }
    let taints = node_spec
        .into_iter()
        .flat_map(|spec| spec.taints.iter().flatten());
    let mut repelling = taints.filter(|taint| taint.effect != "PreferNoSchedule");
    if repelling.any(|taint| !is_tolerated(taint, tolerations)) {
        return Err(Rejection::incurable("node(s) had untolerated taint(s)"));
    }
    if !affinity::is_wanted(pod, candidate.node) {
        let reason = "node(s) didn't match Pod's node affinity/selector";
        return Err(Rejection::incurable(reason));
    }
    check_room(&requests(pod), candidate)
}

/// All that is lacking is told together.
fn check_room(wanted: &Amounts, candidate: &Candidate<'_>) -> Result<(), Rejection> {
    let mut reasons = Vec::new();
    let mut is_curable = true;
    if candidate.pods.len() >= candidate.pod_limit() {
        reasons.push("Too many pods".to_owned());
    }
    for (name, amount) in wanted.iter().filter(|(_, amount)| *amount > 0) {
        let allocatable = candidate.allocatable.get(name);
        if amount > allocatable - candidate.requested.get(name) {
            reasons.push(format!("Insufficient {name}"));
            is_curable &= amount <= allocatable;
        }
    }
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(Rejection {
            reasons,
            is_curable,
        })
    }
}

/// Source: `staging/src/k8s.io/api/core/v1/toleration.go`.
fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| {
        let any_or = |own: &Option<String>, wanted: &str| {
            own.as_deref()
                .is_none_or(|own| own.is_empty() || own == wanted)
        };
        let value_fits = match toleration.operator.as_deref() {
            Some("Exists") => true,
            None | Some("" | "Equal") => {
                toleration.value.as_deref().unwrap_or_default()
                    == taint.value.as_deref().unwrap_or_default()
            }
            Some(_) => false,
        };
        any_or(&toleration.effect, &taint.effect)
            && any_or(&toleration.key, &taint.key)
            && value_fits
    })
}

/// The message for a pod that no node can take.
///
/// Example: `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.`, followed
/// by why removing other pods would not help either. This scheduler removes none: all its pods
/// are of one priority.
pub(super) fn message(rejections: &[Rejection]) -> String {
    if rejections.is_empty() {
        return "no nodes available to schedule pods".to_owned();
    }
    let total = rejections.len();
    let reasons = rejections.iter().flat_map(|rejection| &rejection.reasons);
    let preemption = rejections.iter().map(|rejection| {
        if rejection.is_curable {
            "No preemption victims found for incoming pod"
        } else {
            "Preemption is not helpful for scheduling"
        }
    });
    format!(
        "0/{total} nodes are available: {}. no new claims to deallocate, preemption: 0/{total} \
         nodes are available: {}.",
        histogram(reasons.map(String::as_str)),
        histogram(preemption),
    )
}

/// `2 Insufficient cpu, 2 Insufficient memory`, sorted as text.
fn histogram<'a>(reasons: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut bars: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    bars.sort();
    bars.join(", ")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Node;
    use serde_json::{Value, from_value, json};

    use super::super::snapshot::candidates;
    use super::*;

    fn mk_node(change: Value) -> Node {
        let allocatable = json!({"cpu": "4", "memory": "8Gi", "pods": "3"});
        let mut whole = json!({"metadata": {"name": "n1"}, "status": {"allocatable": allocatable}});
        json_patch::merge(&mut whole, &change);
        from_value(whole).unwrap()
    }

    fn mk_pod(requests: Value, spec: Value) -> Pod {
        let container = json!({"name": "c", "resources": {"requests": requests}});
        let mut whole = json!({"containers": [container]});
        json_patch::merge(&mut whole, &spec);
        from_value(json!({"spec": whole})).unwrap()
    }

    fn rejection(pod: &Pod, node: Node, others: &[Pod]) -> Option<Rejection> {
        let nodes = [node];
        check(pod, &candidates(&nodes, others)[0]).err()
    }

    fn curable(reasons: &[&str]) -> Rejection {
        Rejection {
            reasons: reasons.iter().map(ToString::to_string).collect(),
            is_curable: true,
        }
    }

    #[test]
    fn the_first_broken_rule_tells_why() {
        let cordoned = json!({"spec": {"unschedulable": true}});
        let tainted = |effect: &str| json!({"spec": {"taints": [{"key": "k", "value": "v", "effect": effect}]}});
        let mut both = cordoned.clone();
        json_patch::merge(&mut both, &tainted("NoSchedule"));
        let tolerate = |toleration: Value| json!({"tolerations": [toleration]});
        let (no, unschedulable, taint, affinity) = (
            json!({}),
            "node(s) were unschedulable",
            "node(s) had untolerated taint(s)",
            "node(s) didn't match Pod's node affinity/selector",
        );
        let exists = json!({"operator": "Exists"});
        for (spec, node, expected) in [
            (no.clone(), no.clone(), None),
            (no.clone(), cordoned.clone(), Some(unschedulable)),
            (no.clone(), both.clone(), Some(unschedulable)),
            (no.clone(), tainted("NoSchedule"), Some(taint)),
            (no.clone(), tainted("NoExecute"), Some(taint)),
            (no.clone(), tainted("PreferNoSchedule"), None),
            (tolerate(exists), both, None),
            (
                tolerate(json!({"key": "k", "value": "v"})),
                tainted("NoSchedule"),
                None,
            ),
            (
                tolerate(json!({"key": "k", "value": "x"})),
                tainted("NoSchedule"),
                Some(taint),
            ),
            (
                tolerate(json!({"key": "k", "operator": "Exists", "effect": "NoExecute"})),
                tainted("NoSchedule"),
                Some(taint),
            ),
            (
                tolerate(json!({"key": UNSCHEDULABLE_TAINT, "operator": "Exists"})),
                cordoned,
                None,
            ),
            (json!({"nodeSelector": {"a": "b"}}), no, Some(affinity)),
        ] {
            let pod = mk_pod(json!({}), spec.clone());
            let expected = expected.map(Rejection::incurable);
            assert_eq!(
                rejection(&pod, mk_node(node.clone()), &[]),
                expected,
                "{spec} {node}"
            );
        }
    }

    #[test]
    fn requests_must_fit_into_what_the_node_has_left() {
        let on_node = |requests: Value| mk_pod(requests, json!({"nodeName": "n1"}));
        let others = [
            on_node(json!({"cpu": "2"})),
            on_node(json!({"memory": "6Gi"})),
        ];
        for (requests, expected) in [
            (json!({"cpu": "2", "memory": "2Gi"}), None),
            (
                json!({"cpu": "2001m"}),
                Some(curable(&["Insufficient cpu"])),
            ),
            (
                json!({"cpu": "3", "memory": "3Gi"}),
                Some(curable(&["Insufficient cpu", "Insufficient memory"])),
            ),
            (
                json!({"cpu": "5"}),
                Some(Rejection::incurable("Insufficient cpu")),
            ),
            (
                json!({"lab/gpu": "1"}),
                Some(Rejection::incurable("Insufficient lab/gpu")),
            ),
            (json!({"lab/gpu": "0"}), None),
        ] {
            let pod = mk_pod(requests.clone(), json!({}));
            assert_eq!(
                rejection(&pod, mk_node(json!({})), &others),
                expected,
                "{requests}"
            );
        }
        let full = [on_node(json!({})), on_node(json!({})), on_node(json!({}))];
        let pod = mk_pod(json!({}), json!({}));
        assert_eq!(
            rejection(&pod, mk_node(json!({})), &full),
            Some(curable(&["Too many pods"]))
        );
    }

    #[test]
    fn messages_are_those_of_kubernetes() {
        let incurable = |reasons: &[&str]| Rejection {
            reasons: reasons.iter().map(ToString::to_string).collect(),
            is_curable: false,
        };
        let cpu_and_memory = &["Insufficient cpu", "Insufficient memory"];
        for (rejections, expected) in [
            (vec![], "no nodes available to schedule pods"),
            (
                vec![incurable(cpu_and_memory), incurable(cpu_and_memory)],
                "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. no new claims \
                 to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful \
                 for scheduling.",
            ),
            (
                vec![
                    incurable(&["node(s) were unschedulable"]),
                    incurable(&["node(s) had untolerated taint(s)"]),
                ],
                "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were \
                 unschedulable. no new claims to deallocate, preemption: 0/2 nodes are available: \
                 2 Preemption is not helpful for scheduling.",
            ),
            (
                vec![
                    curable(&["Insufficient cpu"]),
                    curable(&["Insufficient cpu"]),
                    incurable(&["node(s) had untolerated taint(s)"]),
                ],
                "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. \
                 no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is \
                 not helpful for scheduling, 2 No preemption victims found for incoming pod.",
            ),
        ] {
            assert_eq!(message(&rejections), expected);
        }
    }
}
