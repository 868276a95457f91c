//! ConfigMaps. Source: `pkg/registry/core/configmap/strategy.go` and
//! `pkg/apis/core/validation/validation.go`, `ValidateConfigMap`.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::names::broken_config_key;
use super::{Kind, NameRule, Resource, Scope, Typed};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::{FieldError, FieldPath};

pub(crate) static RESOURCE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "ConfigMap",
    collection: "configmaps",
    plural: "configmaps",
    singular: "configmap",
    short_names: &["cm"],
    categories: &[],
    scope: Scope::Namespaced,
    subresources: &[],
    names: NameRule::Subdomain,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

/// Bytes that all values of a ConfigMap may have together.
const LIMIT: usize = 1024 * 1024;

struct Rules;

impl Kind for Rules {
    type Object = ConfigMap;

    fn validate(map: &ConfigMap, _: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut size = 0;
        for (key, value) in map.data.iter().flatten() {
            check_key(key, &FieldPath::new("data"), &mut errors);
            if map
                .binary_data
                .as_ref()
                .is_some_and(|data| data.contains_key(key))
            {
                errors.push(FieldError::invalid(
                    FieldPath::new("data").key(key),
                    &json!(key),
                    "duplicate of key present in binaryData",
                ));
            }
            size += value.len();
        }
        for (key, value) in map.binary_data.iter().flatten() {
            check_key(key, &FieldPath::new("binaryData"), &mut errors);
            size += value.0.len();
        }
        if size > LIMIT {
            // Upstream has no name for the whole object.
            errors.push(FieldError::too_long("[]", LIMIT));
        }
        errors
    }

    fn validate_update(new: &ConfigMap, old: &ConfigMap) -> Vec<FieldError> {
        if old.immutable != Some(true) {
            return Vec::new();
        }
        [
            ("immutable", new.immutable == old.immutable),
            ("data", new.data == old.data),
            ("binaryData", new.binary_data == old.binary_data),
        ]
        .into_iter()
        .filter(|(_, is_same)| !is_same)
        .map(|(field, _)| {
            FieldError::forbidden(field, "field is immutable when `immutable` is set")
        })
        .collect()
    }

    fn printer() -> &'static Printer {
        &table::configmap::PRINTER
    }
}

fn check_key(key: &str, path: &FieldPath, errors: &mut Vec<FieldError>) {
    for why in broken_config_key(key) {
        errors.push(FieldError::invalid(path.key(key), &json!(key), &why));
    }
}
