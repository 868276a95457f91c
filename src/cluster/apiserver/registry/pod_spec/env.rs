//! Validation of environment variables and where their values come from.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `ValidateEnv` and `ValidateEnvFrom`.

use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector,
};
use serde_json::json;

use crate::cluster::apiserver::registry::names::{broken_config_key, broken_subdomain};
use crate::cluster::object::{FieldError, FieldPath};

const BAD_NAME: &str = "a valid environment variable name must consist only of printable ASCII \
                        characters other than '='";

/// The fields of a pod that can be a variable's value, besides single labels and annotations.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// The resources of a container that can be a variable's value.
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

pub(super) fn validate_env(env: &[EnvVar], path: &FieldPath, errors: &mut Vec<FieldError>) {
    for (index, variable) in env.iter().enumerate() {
        let path = path.index(index);
        if variable.name.is_empty() {
            errors.push(FieldError::required(path.child("name"), ""));
        } else if !is_name(&variable.name) {
            let name = json!(variable.name);
            errors.push(FieldError::invalid(path.child("name"), &name, BAD_NAME));
        }
        if let Some(source) = &variable.value_from {
            let value = variable.value.as_deref().unwrap_or_default();
            validate_source(source, value, &path.child("valueFrom"), errors);
        }
    }
}

fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
}

fn validate_source(
    source: &EnvVarSource,
    value: &str,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let mut sources = usize::from(source.file_key_ref.is_some());
    if let Some(field) = &source.field_ref {
        sources += 1;
        validate_field(field, &path.child("fieldRef"), errors);
    }
    if let Some(resource) = &source.resource_field_ref {
        sources += 1;
        validate_resource_field(resource, &path.child("resourceFieldRef"), errors);
    }
    if let Some(key) = &source.config_map_key_ref {
        sources += 1;
        validate_key(&key.name, &key.key, &path.child("configMapKeyRef"), errors);
    }
    if let Some(key) = &source.secret_key_ref {
        sources += 1;
        validate_key(&key.name, &key.key, &path.child("secretKeyRef"), errors);
    }
    let complaint = if sources == 0 {
        "must specify one of: `configMapKeyRef`, `fieldRef`, `fileKeyRef`, `resourceFieldRef` or \
         `secretKeyRef`"
    } else if !value.is_empty() {
        "may not be specified when `value` is not empty"
    } else if sources > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    errors.push(FieldError::invalid(path, &json!(""), complaint));
}

/// A field of the pod.
fn validate_field(field: &ObjectFieldSelector, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let name = field.field_path.as_str();
    if name.is_empty() {
        errors.push(FieldError::required(path.child("fieldPath"), ""));
        return;
    }
    let is_entry = |map: &str| {
        name.strip_prefix(map)
            .is_some_and(|key| key.starts_with("['") && key.ends_with("']"))
    };
    let known_elsewhere = [
        "metadata.annotations",
        "metadata.labels",
        "spec.restartPolicy",
        "spec.schedulerName",
        "status.phase",
    ];
    if FIELDS.contains(&name) || is_entry("metadata.labels") || is_entry("metadata.annotations") {
        return;
    }
    let path = path.child("fieldPath");
    errors.push(if known_elsewhere.contains(&name) {
        FieldError::not_supported(path, &json!(name), &FIELDS)
    } else {
        FieldError::invalid(
            path,
            &json!(name),
            &format!("error converting fieldPath: field label not supported: {name}"),
        )
    });
}

fn validate_resource_field(
    field: &ResourceFieldSelector,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let name = field.resource.as_str();
    let is_huge_page = name.contains(".hugepages-");
    if name.is_empty() {
        errors.push(FieldError::required(path.child("resource"), ""));
    } else if !RESOURCES.contains(&name) && !is_huge_page {
        let path = path.child("resource");
        errors.push(FieldError::not_supported(path, &json!(name), &RESOURCES));
    }
}

/// A key of a ConfigMap or Secret.
fn validate_key(name: &str, key: &str, path: &FieldPath, errors: &mut Vec<FieldError>) {
    for why in broken_subdomain(name) {
        errors.push(FieldError::invalid(path.child("name"), &json!(name), &why));
    }
    if key.is_empty() {
        errors.push(FieldError::required(path.child("key"), ""));
    } else {
        for why in broken_config_key(key) {
            errors.push(FieldError::invalid(path.child("key"), &json!(key), &why));
        }
    }
}

pub(super) fn validate_env_from(
    sources: &[EnvFromSource],
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    for (index, source) in sources.iter().enumerate() {
        let place = path.index(index);
        let prefix = source.prefix.as_deref().unwrap_or_default();
        if !is_name(prefix) {
            let field = place.child("prefix");
            errors.push(FieldError::invalid(field, &json!(prefix), BAD_NAME));
        }
        let config_map = source.config_map_ref.as_ref().map(|from| &from.name);
        let secret = source.secret_ref.as_ref().map(|from| &from.name);
        for (field, name) in [("configMapRef", config_map), ("secretRef", secret)] {
            let Some(name) = name else { continue };
            let field = place.child(field).child("name");
            if name.is_empty() {
                errors.push(FieldError::required(field, ""));
            } else {
                for why in broken_subdomain(name) {
                    errors.push(FieldError::invalid(&field, &json!(name), &why));
                }
            }
        }
        let complaint = match (config_map, secret) {
            (None, None) => "must specify one of: `configMapRef` or `secretRef`",
            (Some(_), Some(_)) => "may not have more than one field specified at a time",
            _ => continue,
        };
        errors.push(FieldError::invalid(path, &json!(""), complaint));
    }
}
