//! Validation of the pod templates of Deployments and ReplicaSets.
//!
//! Source: `pkg/apis/apps/validation/validation.go`, `ValidatePodTemplateSpecForReplicaSet`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector as Structured;
use serde_json::{Value, json};

use super::{Home, validate_spec};
use crate::cluster::apiserver::registry::metadata::{validate_annotations, validate_labels};
use crate::cluster::apiserver::registry::selector::{is_readable, validate_selector};
use crate::cluster::object::label_selector::LabelSelector;
use crate::cluster::object::{FieldError, FieldPath};

/// What is wrong with a selector and with the template that it must select. `path` is that of the
/// spec which holds both; `given` is what the client sent there.
pub(crate) fn validate_template(
    selector: &Structured,
    template: &PodTemplateSpec,
    given: &Value,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let selector_path = path.child("selector");
    let is_given = given["selector"].is_object();
    if is_given {
        validate_selector(selector, &selector_path, errors);
        if *selector == Structured::default() {
            errors.push(FieldError::invalid(
                &selector_path,
                &json!({}),
                "empty selector is invalid for deployment",
            ));
        }
    } else {
        errors.push(FieldError::required(&selector_path, ""));
    }
    if !is_readable(selector) {
        errors.push(FieldError::invalid(
            &selector_path,
            &json!(selector),
            "invalid label selector",
        ));
        return;
    }
    let metadata = template.metadata.clone().unwrap_or_default();
    let query = LabelSelector::from_structured(selector);
    // No selector selects nothing; an empty one would select everything.
    if !is_given || !query.matches(metadata.labels.as_ref()) {
        errors.push(FieldError::invalid(
            path.child("template.metadata.labels"),
            &shown(metadata.labels.as_ref()),
            "`selector` does not match template `labels`",
        ));
    }
    let path = path.child("template");
    if let Some(labels) = &metadata.labels {
        errors.extend(validate_labels(&path.child("labels"), labels));
    }
    if let Some(annotations) = &metadata.annotations {
        errors.extend(validate_annotations(
            &path.child("annotations"),
            annotations,
        ));
    }
    let spec = template.spec.clone().unwrap_or_default();
    let path = path.child("spec");
    validate_spec(&spec, Home::Template, &path, errors);
    let restart_policy = spec.restart_policy.as_deref().unwrap_or_default();
    if restart_policy != "Always" {
        errors.push(FieldError::not_supported(
            path.child("restartPolicy"),
            &json!(restart_policy),
            &["Always"],
        ));
    }
    if spec.active_deadline_seconds.is_some() {
        errors.push(FieldError::forbidden(
            path.child("activeDeadlineSeconds"),
            "activeDeadlineSeconds in ReplicaSet is not Supported",
        ));
    }
}

/// Labels as upstream shows them: `null` for none.
fn shown(labels: Option<&BTreeMap<String, String>>) -> Value {
    labels
        .filter(|labels| !labels.is_empty())
        .map_or(Value::Null, |labels| json!(labels))
}
