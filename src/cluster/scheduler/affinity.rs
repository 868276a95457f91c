//! Whether a node is one of those that a pod wants.
//!
//! Source: `staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go`.

use k8s_openapi::api::core::v1::{Node, NodeSelectorRequirement, NodeSelectorTerm, Pod};
use kube::ResourceExt as _;

/// Whether a node has the labels of the pod's `nodeSelector`, and fits one term of its required
/// node affinity.
pub(super) fn is_wanted(pod: &Pod, node: &Node) -> bool {
    let Some(spec) = &pod.spec else { return true };
    let selected = spec
        .node_selector
        .iter()
        .flatten()
        .all(|(key, value)| node.labels().get(key) == Some(value));
    let required = spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref())
        .and_then(|affinity| {
            affinity
                .required_during_scheduling_ignored_during_execution
                .as_ref()
        });
    let terms = |terms: &[NodeSelectorTerm]| terms.iter().any(|term| fits(term, node));
    selected && required.is_none_or(|required| terms(&required.node_selector_terms))
}

/// A term without requirements fits no node.
fn fits(term: &NodeSelectorTerm, node: &Node) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let label = |key: &str| node.labels().get(key).map(String::as_str);
    let field = |key: &str| match key {
        "metadata.name" => node.metadata.name.as_deref(),
        _ => None,
    };
    !(expressions.is_empty() && fields.is_empty())
        && expressions
            .iter()
            .all(|wanted| holds(wanted, label(&wanted.key)))
        && fields
            .iter()
            .all(|wanted| holds(wanted, field(&wanted.key)))
}

fn holds(requirement: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let is_listed = value.is_some_and(|value| values.iter().any(|listed| listed == value));
    let numbers = || {
        let bound: i64 = values.first()?.parse().ok()?;
        Some((value?.parse::<i64>().ok()?, bound))
    };
    match requirement.operator.as_str() {
        "In" => is_listed,
        "NotIn" => !is_listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => numbers().is_some_and(|(value, bound)| value > bound),
        "Lt" => numbers().is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_node() -> Node {
        let labels = json!({"disk": "ssd", "cores": "8"});
        from_value(json!({"metadata": {"name": "n1", "labels": labels}})).unwrap()
    }

    fn wants(spec: Value) -> bool {
        let mut whole = json!({"containers": []});
        json_patch::merge(&mut whole, &spec);
        is_wanted(&from_value(json!({"spec": whole})).unwrap(), &mk_node())
    }

    fn required(terms: Value) -> Value {
        json!({"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
        }}})
    }

    #[test]
    fn a_node_selector_wants_all_its_labels() {
        assert!(wants(json!({})));
        assert!(wants(json!({"nodeSelector": {"disk": "ssd"}})));
        assert!(!wants(
            json!({"nodeSelector": {"disk": "ssd", "zone": "a"}})
        ));
    }

    #[test]
    fn operators_compare_labels() {
        for (key, operator, values, expected) in [
            ("disk", "In", json!(["hdd", "ssd"]), true),
            ("disk", "In", json!(["hdd"]), false),
            ("disk", "NotIn", json!(["hdd"]), true),
            ("zone", "NotIn", json!(["a"]), true),
            ("disk", "Exists", json!(null), true),
            ("zone", "Exists", json!(null), false),
            ("zone", "DoesNotExist", json!(null), true),
            ("cores", "Gt", json!(["4"]), true),
            ("cores", "Gt", json!(["8"]), false),
            ("cores", "Lt", json!(["16"]), true),
            ("disk", "Lt", json!(["16"]), false),
            ("disk", "Like", json!(["s*"]), false),
        ] {
            let wanted = json!({"key": key, "operator": operator, "values": values});
            let spec = required(json!([{"matchExpressions": [wanted]}]));
            assert_eq!(wants(spec), expected, "{key} {operator} {values}");
        }
    }

    #[test]
    fn one_term_is_enough_and_a_term_wants_all_it_says() {
        let ssd = json!({"key": "disk", "operator": "In", "values": ["ssd"]});
        let zone = json!({"key": "zone", "operator": "Exists"});
        let name = |name: &str| json!({"key": "metadata.name", "operator": "In", "values": [name]});
        for (terms, expected) in [
            (
                json!([{"matchExpressions": [zone]}, {"matchExpressions": [ssd]}]),
                true,
            ),
            (json!([{"matchExpressions": [zone, ssd]}]), false),
            (
                json!([{"matchExpressions": [ssd], "matchFields": [name("n1")]}]),
                true,
            ),
            (json!([{"matchFields": [name("n2")]}]), false),
            (json!([{}]), false),
            (json!([]), false),
        ] {
            assert_eq!(wants(required(terms.clone())), expected, "{terms}");
        }
        let mut both = required(json!([{"matchExpressions": [ssd]}]));
        both["nodeSelector"] = json!({"zone": "a"});
        assert!(!wants(both));
    }
}
