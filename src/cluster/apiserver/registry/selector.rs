//! Validation of label selectors with `matchLabels` and `matchExpressions`.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::json;

use super::metadata::validate_labels;
use super::names::{broken_label_value, broken_qualified_name};
use crate::cluster::object::{FieldError, FieldPath};

/// What is wrong with a selector.
pub(crate) fn validate_selector(
    selector: &LabelSelector,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if let Some(labels) = &selector.match_labels {
        errors.extend(validate_labels(&path.child("matchLabels"), labels));
    }
    for (index, expression) in selector.match_expressions.iter().flatten().enumerate() {
        let path = path.child("matchExpressions").index(index);
        let values = expression.values.as_deref().unwrap_or_default();
        match expression.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
                path.child("values"),
                "must be specified when `operator` is 'In' or 'NotIn'",
            )),
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::forbidden(
                path.child("values"),
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.push(FieldError::invalid(
                path.child("operator"),
                &json!(other),
                "not a valid selector operator",
            )),
        }
        for why in broken_qualified_name(&expression.key) {
            errors.push(FieldError::invalid(
                path.child("key"),
                &json!(expression.key),
                &why,
            ));
        }
        for (index, value) in values.iter().enumerate() {
            for why in broken_label_value(value) {
                let path = path.child("values").index(index);
                errors.push(FieldError::invalid(path, &json!(value), &why));
            }
        }
    }
}

/// Whether a selector has operators that can be evaluated; validation names those that cannot.
pub(crate) fn is_readable(selector: &LabelSelector) -> bool {
    selector
        .match_expressions
        .iter()
        .flatten()
        .all(|expression| {
            let has_values = expression
                .values
                .as_ref()
                .is_some_and(|values| !values.is_empty());
            match expression.operator.as_str() {
                "In" | "NotIn" => has_values,
                "Exists" | "DoesNotExist" => !has_values,
                _ => false,
            }
        })
}
