//! Whether a configuration can be merged: fields that the kind has, items with their keys, each
//! item once.
//!
//! Source: `sigs.k8s.io/structured-merge-diff/v6/typed/{validate,helpers}.go`.

use serde_json::Value;

use super::element::{as_items, item_place, item_step, under};
use super::set::readable;
use crate::cluster::apiserver::schema::{Place, Struct};

/// Why a configuration cannot be merged, at the first place that is wrong. `unknown` names the
/// fields that the kind does not have, as its decoder found them.
///
/// # Errors
/// The text of upstream, which begins with the path.
pub(super) fn check(
    schema: &'static Struct,
    configuration: &Value,
    unknown: &[String],
) -> Result<(), String> {
    let root = Path {
        keyed: String::new(),
        indexed: String::new(),
    };
    below(Place::Struct(schema), configuration, &root, unknown)
}

/// Where something stands: with the keys of items, as it is told, and with their numbers, as the
/// decoder tells it.
struct Path {
    keyed: String,
    indexed: String,
}

impl Path {
    fn field(&self, name: &str) -> Self {
        let dot = if self.indexed.is_empty() { "" } else { "." };
        Self {
            keyed: format!("{}.{name}", self.keyed),
            indexed: format!("{}{dot}{name}", self.indexed),
        }
    }

    fn item(&self, key: &str, index: usize) -> Self {
        Self {
            keyed: format!("{}{key}", self.keyed),
            indexed: format!("{}[{index}]", self.indexed),
        }
    }
}

fn below(place: Place, value: &Value, path: &Path, unknown: &[String]) -> Result<(), String> {
    if unknown.contains(&path.indexed) {
        return Err(format!("{}: field not declared in schema", path.keyed));
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        below(under(place, name).0, value, &path.field(name), unknown)?;
    }
    let mut seen: Vec<String> = Vec::new();
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        let mut key = format!("[{index}]");
        if as_items(place, value).is_some() {
            let step = item_step(place, item).ok_or_else(|| {
                format!(
                    "{}: element {index}: associative list with keys has an element that omits \
                     key field \"{}\" (and doesn't have default value)",
                    path.keyed,
                    missing_key(place, item)
                )
            })?;
            key = readable(&step);
            if seen.contains(&step) {
                return Err(format!("{}: duplicate entries for key {key}", path.keyed));
            }
            seen.push(step);
        }
        below(item_place(place), item, &path.item(&key, index), unknown)?;
    }
    Ok(())
}

fn missing_key(place: Place, item: &Value) -> &'static str {
    let Place::Keyed(keys, kind) = place else {
        return "";
    };
    let is_missing = |key: &&&str| item.get(**key).is_none() && kind.default_of(key).is_none();
    keys.iter().find(is_missing).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::apiserver::schema;

    #[test]
    fn the_first_fault_is_named_with_its_path() {
        let deployment = schema::find("apps", "v1", "Deployment").unwrap();
        let mk_container = |container: Value| json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}});
        for (configuration, unknown, fault) in [
            (
                json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1}}),
                None,
                None,
            ),
            (
                json!({"spec": {"replica": 1}}),
                Some("spec.replica"),
                Some(".spec.replica: field not declared in schema"),
            ),
            (
                mk_container(json!({"name": "c", "imag": "x"})),
                Some("spec.template.spec.containers[0].imag"),
                Some(
                    ".spec.template.spec.containers[name=\"c\"].imag: field not declared in schema",
                ),
            ),
            (
                mk_container(json!({"image": "x"})),
                None,
                Some(
                    ".spec.template.spec.containers: element 0: associative list with keys has an \
                     element that omits key field \"name\" (and doesn't have default value)",
                ),
            ),
            (
                mk_container(json!({"name": "c", "ports": [
                    {"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"},
                ]})),
                None,
                Some(
                    ".spec.template.spec.containers[name=\"c\"].ports: duplicate entries for key \
                     [containerPort=80,protocol=\"TCP\"]",
                ),
            ),
        ] {
            let unknown: Vec<String> = unknown.map(str::to_owned).into_iter().collect();
            let found = check(deployment, &configuration, &unknown).err();
            assert_eq!(found.as_deref(), fault, "{configuration}");
        }
    }
}
