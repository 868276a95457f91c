//! What an update may change in a pod: almost nothing.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `ValidatePodUpdate`.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::{Container, PodSpec, Toleration};
use serde_json::{Value, json};

use crate::cluster::apiserver::registry::numbers::within;
use crate::cluster::object::{FieldError, FieldPath};

const RIGID: &str = "pod updates may not change fields other than \
                     `spec.containers[*].image`,`spec.initContainers[*].image`,\
                     `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
                     tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 \
                     if it was previously negative)";

/// What is wrong with the new spec, given the old one.
pub(super) fn validate(new: &PodSpec, old: &PodSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = FieldPath::new("spec");
    let new_inits = new.init_containers.as_deref().unwrap_or_default();
    let old_inits = old.init_containers.as_deref().unwrap_or_default();
    for (name, new, old) in [
        ("containers", &*new.containers, &*old.containers),
        ("initContainers", new_inits, old_inits),
    ] {
        if new.len() != old.len() {
            errors.push(FieldError::forbidden(
                path.child(name),
                "pod updates may not add or remove containers",
            ));
            return errors;
        }
    }
    check_deadline(new, old, &path, &mut errors);
    check_tolerations(new, old, &path, &mut errors);
    let munged = with_old_values(new, old);
    if errors.is_empty() && munged != *old {
        let mut changes = String::new();
        describe(&json!(old), &json!(munged), "spec", &mut changes);
        errors.push(FieldError::forbidden(&path, &format!("{RIGID}\n{changes}")));
    }
    errors
}

/// A deadline can be set, and shortened.
fn check_deadline(new: &PodSpec, old: &PodSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let path = path.child("activeDeadlineSeconds");
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), old) => {
            within(new, 0, i64::from(i32::MAX), path.clone(), errors);
            if old.is_some_and(|old| old < new) {
                let why = "must be less than or equal to previous value";
                errors.push(FieldError::invalid(path, &new.into(), why));
            }
        }
        (None, Some(_)) => errors.push(FieldError::invalid(
            path,
            &Value::Null,
            "must not update from a positive integer to nil value",
        )),
        (None, None) => {}
    }
}

fn check_tolerations(new: &PodSpec, old: &PodSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let without_time = |toleration: &Toleration| Toleration {
        toleration_seconds: None,
        ..toleration.clone()
    };
    let kept: Vec<Toleration> = new.tolerations.iter().flatten().map(without_time).collect();
    let mut before = old.tolerations.iter().flatten();
    if !before.all(|toleration| kept.contains(&without_time(toleration))) {
        errors.push(FieldError::forbidden(
            path.child("tolerations"),
            "existing toleration can not be modified except its tolerationSeconds",
        ));
    }
}

/// The new spec with everything that may change taken from the old one.
fn with_old_values(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let images = |new: &mut [Container], old: &[Container]| {
        for (new, old) in new.iter_mut().zip(old) {
            new.image.clone_from(&old.image);
        }
    };
    let mut munged = new.clone();
    images(&mut munged.containers, &old.containers);
    if let (Some(new), Some(old)) = (&mut munged.init_containers, &old.init_containers) {
        images(new, old);
    }
    munged.active_deadline_seconds = old.active_deadline_seconds;
    munged.tolerations.clone_from(&old.tolerations);
    let gates = old.scheduling_gates.clone().unwrap_or_default();
    let left = new.scheduling_gates.iter().flatten();
    if left.into_iter().all(|gate| gates.contains(gate)) {
        munged.scheduling_gates.clone_from(&old.scheduling_gates);
    }
    let grace = old.termination_grace_period_seconds;
    if grace.is_some_and(|seconds| seconds < 0)
        && munged.termination_grace_period_seconds == Some(1)
    {
        munged.termination_grace_period_seconds = grace;
    }
    munged
}

/// Writes a line with `-` and one with `+` for every value that differs.
fn describe(old: &Value, new: &Value, path: &str, text: &mut String) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let added = after.keys().filter(|key| !before.contains_key(*key));
            for key in before.keys().chain(added) {
                describe(&old[key], &new[key], &format!("{path}.{key}"), text);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (index, (old, new)) in before.iter().zip(after).enumerate() {
                describe(old, new, &format!("{path}[{index}]"), text);
            }
        }
        _ if old == new => {}
        _ => {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "- {path}: {old}\n+ {path}: {new}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    #[test]
    fn only_images_deadlines_and_further_tolerations_may_change() {
        let old = json!({
            "containers": [{"name": "c", "image": "app:v1"}],
            "activeDeadlineSeconds": 60,
            "tolerations": [{"key": "a", "operator": "Exists"}],
            "terminationGracePeriodSeconds": -1,
            "schedulingGates": [{"name": "a"}],
        });
        let complaints = |change: Value| {
            let mut new = old.clone();
            json_patch::merge(&mut new, &change);
            let new: PodSpec = from_value(new).unwrap();
            let old: PodSpec = from_value(old.clone()).unwrap();
            let errors = validate(&new, &old);
            errors
                .into_iter()
                .map(|error| error.field)
                .collect::<Vec<_>>()
        };
        for (change, fields) in [
            (json!({}), vec![]),
            (
                json!({"containers": [{"name": "c", "image": "app:v2"}]}),
                vec![],
            ),
            (json!({"activeDeadlineSeconds": 30}), vec![]),
            (
                json!({"activeDeadlineSeconds": 90}),
                vec!["spec.activeDeadlineSeconds"],
            ),
            (
                json!({"activeDeadlineSeconds": null}),
                vec!["spec.activeDeadlineSeconds"],
            ),
            (json!({"terminationGracePeriodSeconds": 1}), vec![]),
            (json!({"terminationGracePeriodSeconds": 2}), vec!["spec"]),
            (
                json!({"tolerations": [
                    {"key": "a", "operator": "Exists", "tolerationSeconds": 5}, {"key": "b"},
                ]}),
                vec![],
            ),
            (json!({"tolerations": []}), vec!["spec.tolerations"]),
            (json!({"nodeName": "x"}), vec!["spec"]),
            (json!({"schedulingGates": null}), vec![]),
            (json!({"schedulingGates": [{"name": "b"}]}), vec!["spec"]),
            (json!({"containers": []}), vec!["spec.containers"]),
        ] {
            assert_eq!(complaints(change.clone()), fields, "{change}");
        }
    }
}
