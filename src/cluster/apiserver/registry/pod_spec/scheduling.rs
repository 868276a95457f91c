//! Validation of what steers a pod to its node: tolerations, spreading, affinity.
//!
//! Source: `pkg/apis/core/validation/validation.go`.

use k8s_openapi::api::core::v1::{
    Affinity, NodeSelectorTerm, PodAffinityTerm, Toleration, TopologySpreadConstraint,
};
use serde_json::json;

use crate::cluster::apiserver::registry::names::{broken_label_value, broken_qualified_name};
use crate::cluster::apiserver::registry::selector::validate_selector;
use crate::cluster::object::{FieldError, FieldPath};

const EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "PreferNoSchedule"];

pub(super) fn validate_tolerations(
    tolerations: &[Toleration],
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = path.index(index);
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let (key, operator) = (text(&toleration.key), text(&toleration.operator));
        let (value, effect) = (text(&toleration.value), text(&toleration.effect));
        if !key.is_empty() {
            for why in broken_qualified_name(&key) {
                errors.push(FieldError::invalid(path.child("key"), &json!(key), &why));
            }
        }
        if key.is_empty() && operator != "Exists" {
            errors.push(FieldError::invalid(
                path.child("operator"),
                &json!(operator),
                "operator must be Exists when `key` is empty, which means \"match all values and \
                 all keys\"",
            ));
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            errors.push(FieldError::invalid(
                path.child("effect"),
                &json!(effect),
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            ));
        }
        let operator_path = path.child("operator");
        match operator.as_str() {
            "" | "Equal" => {
                let broken = broken_label_value(&value);
                if !broken.is_empty() {
                    let why = broken.join(";");
                    errors.push(FieldError::invalid(operator_path, &json!(value), &why));
                }
            }
            "Exists" if !value.is_empty() => errors.push(FieldError::invalid(
                operator_path,
                &json!(toleration),
                "value must be empty when `operator` is 'Exists'",
            )),
            "Exists" => {}
            other => errors.push(FieldError::not_supported(
                operator_path,
                &json!(other),
                &["Equal", "Exists"],
            )),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect.as_str()) {
            let path = path.child("effect");
            errors.push(FieldError::not_supported(path, &json!(effect), &EFFECTS));
        }
    }
}

pub(super) fn validate_spread(
    constraints: &[TopologySpreadConstraint],
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    for (index, constraint) in constraints.iter().enumerate() {
        let path = path.index(index);
        if constraint.max_skew <= 0 {
            errors.push(FieldError::invalid(
                path.child("maxSkew"),
                &constraint.max_skew.into(),
                "must be greater than zero",
            ));
        }
        check_topology_key(&constraint.topology_key, &path, errors);
        let action = constraint.when_unsatisfiable.as_str();
        let supported = ["DoNotSchedule", "ScheduleAnyway"];
        if !supported.contains(&action) {
            let path = path.child("whenUnsatisfiable");
            errors.push(FieldError::not_supported(path, &json!(action), &supported));
        }
        if let Some(selector) = &constraint.label_selector {
            validate_selector(selector, &path.child("labelSelector"), errors);
        }
    }
}

fn check_topology_key(key: &str, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let path = path.child("topologyKey");
    if key.is_empty() {
        errors.push(FieldError::required(path, "can not be empty"));
        return;
    }
    for why in broken_qualified_name(key) {
        errors.push(FieldError::invalid(&path, &json!(key), &why));
    }
}

pub(super) fn validate_affinity(
    affinity: &Affinity,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    if let Some(node) = &affinity.node_affinity {
        let path = path.child("nodeAffinity");
        if let Some(selector) = &node.required_during_scheduling_ignored_during_execution {
            let path = path.child(REQUIRED).child("nodeSelectorTerms");
            if selector.node_selector_terms.is_empty() {
                let hint = "must have at least one node selector term";
                errors.push(FieldError::required(&path, hint));
            }
            for (index, term) in selector.node_selector_terms.iter().enumerate() {
                validate_node_term(term, &path.index(index), errors);
            }
        }
        let preferred = &node.preferred_during_scheduling_ignored_during_execution;
        for (index, term) in preferred.iter().flatten().enumerate() {
            let path = path.child(PREFERRED).index(index);
            check_weight(term.weight, &path, errors);
            validate_node_term(&term.preference, &path.child("preference"), errors);
        }
    }
    let of_pods = affinity.pod_affinity.as_ref().map(|pods| {
        (
            &pods.required_during_scheduling_ignored_during_execution,
            &pods.preferred_during_scheduling_ignored_during_execution,
        )
    });
    let against_pods = affinity.pod_anti_affinity.as_ref().map(|pods| {
        (
            &pods.required_during_scheduling_ignored_during_execution,
            &pods.preferred_during_scheduling_ignored_during_execution,
        )
    });
    for (name, terms) in [("podAffinity", of_pods), ("podAntiAffinity", against_pods)] {
        let Some((required, preferred)) = terms else {
            continue;
        };
        let path = path.child(name);
        for (index, term) in required.iter().flatten().enumerate() {
            validate_pod_term(term, &path.child(REQUIRED).index(index), errors);
        }
        for (index, term) in preferred.iter().flatten().enumerate() {
            let path = path.child(PREFERRED).index(index);
            check_weight(term.weight, &path, errors);
            validate_pod_term(
                &term.pod_affinity_term,
                &path.child("podAffinityTerm"),
                errors,
            );
        }
    }
}

fn check_weight(weight: i32, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if !(1..=100).contains(&weight) {
        errors.push(FieldError::invalid(
            path.child("weight"),
            &weight.into(),
            "must be in the range 1-100",
        ));
    }
}

fn validate_node_term(term: &NodeSelectorTerm, path: &FieldPath, errors: &mut Vec<FieldError>) {
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        let path = path.child("matchExpressions").index(index);
        let count = requirement.values.as_ref().map_or(0, Vec::len);
        let values = path.child("values");
        match requirement.operator.as_str() {
            "In" | "NotIn" if count == 0 => errors.push(FieldError::required(
                values,
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if count > 0 => errors.push(FieldError::forbidden(
                values,
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "Gt" | "Lt" if count != 1 => errors.push(FieldError::required(
                values,
                "must be specified single value when `operator` is 'Lt' or 'Gt'",
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            other => errors.push(FieldError::invalid(
                path.child("operator"),
                &json!(other),
                "not a valid selector operator",
            )),
        }
        for why in broken_qualified_name(&requirement.key) {
            let key = json!(requirement.key);
            errors.push(FieldError::invalid(path.child("key"), &key, &why));
        }
    }
}

fn validate_pod_term(term: &PodAffinityTerm, path: &FieldPath, errors: &mut Vec<FieldError>) {
    for (name, selector) in [
        ("labelSelector", &term.label_selector),
        ("namespaceSelector", &term.namespace_selector),
    ] {
        if let Some(selector) = selector {
            validate_selector(selector, &path.child(name), errors);
        }
    }
    check_topology_key(&term.topology_key, path, errors);
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    fn fields(errors: &[FieldError]) -> Vec<&str> {
        errors.iter().map(|error| error.field.as_str()).collect()
    }

    #[test]
    fn tolerations_say_what_they_tolerate() {
        for (toleration, expected) in [
            (json!({"operator": "Exists"}), vec![]),
            (json!({"key": "k", "value": "v"}), vec![]),
            (json!({"value": "v"}), vec!["t[0].operator"]),
            (
                json!({"key": "k", "operator": "Exists", "value": "v"}),
                vec!["t[0].operator"],
            ),
            (
                json!({"key": "k", "operator": "Exists", "tolerationSeconds": 5}),
                vec!["t[0].effect"],
            ),
            (
                json!({"key": "k", "operator": "In", "effect": "X"}),
                vec!["t[0].operator", "t[0].effect"],
            ),
        ] {
            let typed: Toleration = from_value(toleration.clone()).unwrap();
            let mut errors = Vec::new();
            validate_tolerations(&[typed], &FieldPath::new("t"), &mut errors);
            assert_eq!(fields(&errors), expected, "{toleration}");
        }
    }

    #[test]
    fn terms_of_pods_need_a_topology_and_terms_of_nodes_an_operator() {
        let affinity: Affinity = from_value(json!({
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "k", "operator": "Foo"}]}],
            }},
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 0, "podAffinityTerm": {"topologyKey": ""}},
            ]},
        }))
        .unwrap();
        let mut errors = Vec::new();
        validate_affinity(&affinity, &FieldPath::new("a"), &mut errors);
        let preferred = "a.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]";
        assert_eq!(
            fields(&errors),
            [
                "a.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution\
                 .nodeSelectorTerms[0].matchExpressions[0].operator"
                    .to_owned(),
                format!("{preferred}.weight"),
                format!("{preferred}.podAffinityTerm.topologyKey"),
            ]
        );
    }
}
