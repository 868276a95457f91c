//! Validation of resource requests and limits.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `ValidateContainerResourceRequirements`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;
use serde_json::json;

use crate::cluster::apiserver::registry::names::broken_qualified_name;
use crate::cluster::object::{FieldError, FieldPath, Quantity};

/// Resources that a container can have, besides huge pages and extended ones.
const CONTAINER_RESOURCES: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];
/// Names without a domain that mean something elsewhere, in quotas and volumes.
const OTHER_RESOURCES: [&str; 16] = [
    "configmaps",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.nodeports",
    "storage",
];

pub(super) fn validate_resources(
    resources: &ResourceRequirements,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let none = BTreeMap::new();
    let limits = resources.limits.as_ref().unwrap_or(&none);
    let requests = resources.requests.as_ref().unwrap_or(&none);
    let limits_path = path.child("limits");
    let requests_path = path.child("requests");
    for (name, limit) in limits {
        validate_amount(name, limit, &limits_path.key(name), errors);
    }
    for (name, request) in requests {
        validate_amount(name, request, &requests_path.key(name), errors);
        match limits.get(name) {
            Some(limit) if amount(request) > amount(limit) => errors.push(FieldError::invalid(
                &requests_path,
                &json!(request.0),
                &format!("must be less than or equal to {name} limit of {}", limit.0),
            )),
            // What a node hands out piece by piece cannot be promised twice.
            Some(limit) if !may_overcommit(name) && amount(request) != amount(limit) => {
                errors.push(FieldError::invalid(
                    &requests_path,
                    &json!(request.0),
                    &format!("must be equal to {name} limit of {}", limit.0),
                ));
            }
            None if !may_overcommit(name) => errors.push(FieldError::required(
                &limits_path,
                "Limit must be set for non overcommitable resources",
            )),
            _ => {}
        }
    }
}

/// Decoding has refused every text that is no quantity.
fn amount(text: &Text) -> Quantity {
    Quantity::parse(&text.0).unwrap_or(Quantity::ZERO)
}

fn may_overcommit(name: &str) -> bool {
    !name.contains('/') && !name.starts_with("hugepages-")
}

fn validate_amount(name: &str, text: &Text, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let mut complain = |why: &str| errors.push(FieldError::invalid(path, &json!(name), why));
    for why in broken_qualified_name(name) {
        complain(&why);
    }
    if !name.contains('/') {
        let of_container = CONTAINER_RESOURCES.contains(&name) || name.starts_with("hugepages-");
        if !of_container && !OTHER_RESOURCES.contains(&name) {
            complain("must be a standard resource type or fully qualified");
        }
        if !of_container {
            complain("must be a standard resource for containers");
        }
    }
    let amount = amount(text);
    if amount.is_negative() {
        let why = "must be greater than or equal to 0";
        errors.push(FieldError::invalid(path, &json!(text.0), why));
    }
    if name.contains('/') && !amount.is_whole() {
        errors.push(FieldError::invalid(
            path,
            &json!(text.0),
            "must be an integer",
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    #[test]
    fn requests_stay_below_limits_and_resources_have_known_names() {
        for (resources, fields) in [
            (
                json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}),
                vec![],
            ),
            (
                json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1001m"}}),
                vec!["r.requests"],
            ),
            (
                json!({"requests": {"foo": "1"}}),
                vec!["r.requests[foo]", "r.requests[foo]"],
            ),
            (json!({"requests": {"pods": "1"}}), vec!["r.requests[pods]"]),
            (
                json!({"limits": {"x.io/gpu": "1"}, "requests": {"x.io/gpu": "1"}}),
                vec![],
            ),
            (
                json!({"limits": {"x.io/gpu": "1500m"}}),
                vec!["r.limits[x.io/gpu]"],
            ),
            (json!({"requests": {"x.io/gpu": "1"}}), vec!["r.limits"]),
            (
                json!({"limits": {"memory": "-1"}}),
                vec!["r.limits[memory]"],
            ),
        ] {
            let typed: ResourceRequirements = from_value(resources.clone()).unwrap();
            let mut errors = Vec::new();
            validate_resources(&typed, &FieldPath::new("r"), &mut errors);
            let found: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
            assert_eq!(found, fields, "{resources}");
        }
    }
}
