//! Validation of `metadata`, the same for every kind.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Resource;
use super::names::{broken_label_value, broken_name, broken_qualified_name};
use crate::cluster::object::meta;
use crate::cluster::object::{FieldError, FieldPath};

/// Bytes that all annotations of an object may have together.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// What is wrong with the metadata of a new object.
pub(crate) fn validate_metadata(resource: &Resource, object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = meta::name(object);
    if name.is_empty() {
        errors.push(FieldError::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else {
        for why in broken_name(resource.names, name) {
            errors.push(FieldError::invalid("metadata.name", &name.into(), &why));
        }
    }
    let metadata = &object["metadata"];
    errors.extend(label_errors("metadata.labels", texts(&metadata["labels"])));
    errors.extend(annotation_errors(
        "metadata.annotations",
        texts(&metadata["annotations"]),
    ));
    errors.extend(owner_errors(&metadata["ownerReferences"]));
    errors
}

/// What is wrong with the metadata of an update.
pub(crate) fn validate_metadata_update(
    resource: &Resource,
    new: &Value,
    old: &Value,
) -> Vec<FieldError> {
    let mut errors = validate_metadata(resource, new);
    let uid = meta::uid(new);
    if !uid.is_empty() && uid != meta::uid(old) {
        errors.push(FieldError::invalid(
            "metadata.uid",
            &uid.into(),
            "field is immutable",
        ));
    }
    if meta::is_terminating(old) {
        let added: Vec<String> = meta::finalizers(new)
            .filter(|finalizer| !meta::finalizers(old).any(|known| known == *finalizer))
            .map(|finalizer| format!("\"{finalizer}\""))
            .collect();
        if !added.is_empty() {
            errors.push(FieldError::forbidden(
                "metadata.finalizers",
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new \
                     finalizers []string{{{}}}",
                    added.join(", ")
                ),
            ));
        }
    }
    errors
}

/// Owners are named in full, and one of them at most is the controller.
fn owner_errors(owners: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut controller: Option<&Value> = None;
    for (index, owner) in owners.as_array().into_iter().flatten().enumerate() {
        let path = FieldPath::new("metadata.ownerReferences").index(index);
        for (key, what) in [
            ("apiVersion", "version"),
            ("kind", "kind"),
            ("name", "name"),
            ("uid", "uid"),
        ] {
            if owner[key].as_str().unwrap_or_default().is_empty() {
                let why = format!("{what} must not be empty");
                errors.push(FieldError::invalid(path.child(key), &"".into(), &why));
            }
        }
        if owner["controller"] == true
            && let Some(other) = controller.replace(owner)
        {
            let name = |owner: &Value| owner["name"].as_str().unwrap_or_default().to_owned();
            errors.push(FieldError::invalid(
                "metadata.ownerReferences",
                owners,
                &format!(
                    "Only one reference can have Controller set to true. Found \"true\" in \
                     references for {} and {}",
                    name(other),
                    name(owner)
                ),
            ));
        }
    }
    errors
}

/// What is wrong with a map of labels, wherever it stands.
pub(crate) fn validate_labels(
    path: &FieldPath,
    labels: &BTreeMap<String, String>,
) -> Vec<FieldError> {
    label_errors(&path.to_string(), pairs(labels))
}

/// What is wrong with a map of annotations, wherever it stands.
pub(crate) fn validate_annotations(
    path: &FieldPath,
    annotations: &BTreeMap<String, String>,
) -> Vec<FieldError> {
    annotation_errors(&path.to_string(), pairs(annotations))
}

fn pairs(map: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    map.iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
}

fn texts(map: &Value) -> impl Iterator<Item = (&str, &str)> {
    map.as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
}

fn label_errors<'a>(
    field: &str,
    labels: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (key, value) in labels {
        let broken_key = broken_qualified_name(key);
        let broken_value = broken_label_value(value);
        let complaints = broken_key
            .iter()
            .map(|why| (key, why))
            .chain(broken_value.iter().map(|why| (value, why)));
        errors.extend(complaints.map(|(text, why)| FieldError::invalid(field, &text.into(), why)));
    }
    errors
}

fn annotation_errors<'a>(
    field: &str,
    annotations: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut size = 0;
    for (key, value) in annotations {
        size += key.len() + value.len();
        errors.extend(
            broken_qualified_name(&key.to_lowercase())
                .iter()
                .map(|why| FieldError::invalid(field, &key.into(), why)),
        );
    }
    if size > ANNOTATIONS_LIMIT {
        errors.push(FieldError::too_long(field, ANNOTATIONS_LIMIT));
    }
    errors
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn owners_are_named_in_full_and_one_controls() {
        let owner = |name: &str, controller: bool| {
            json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": "u",
                "controller": controller})
        };
        for (owners, fields) in [
            (json!([owner("a", true), owner("b", false)]), vec![]),
            (
                json!([owner("a", true), owner("b", true)]),
                vec!["metadata.ownerReferences"],
            ),
            (
                json!([owner("", false)]),
                vec!["metadata.ownerReferences[0].name"],
            ),
        ] {
            let errors = owner_errors(&owners);
            let found: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
            assert_eq!(found, fields, "{owners}");
        }
    }
}
