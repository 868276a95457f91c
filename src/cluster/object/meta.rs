//! Reading and writing `metadata` of a JSON object.

use serde_json::{Map, Value};

/// The revision annotation of Deployments and ReplicaSets.
pub(crate) const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// The text at `metadata.KEY`, empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"][key].as_str().unwrap_or_default()
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "name")
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, "uid")
}

pub(crate) fn resource_version(object: &Value) -> &str {
    text(object, "resourceVersion")
}

/// Whether deletion has been asked for and the object is still there.
pub(crate) fn is_terminating(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

pub(crate) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    object["metadata"]["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

pub(crate) fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"]
        .as_i64()
        .unwrap_or_default()
}

/// The `metadata` map, made when it is not there.
pub(crate) fn edit(object: &mut Value) -> &mut Map<String, Value> {
    child(object, "metadata")
}

/// The map at `KEY`, made when it is not there or is not a map.
pub(crate) fn child<'a>(object: &'a mut Value, key: &str) -> &'a mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let slot = &mut object[key];
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(map) => map,
        _ => unreachable!("the slot was made a map above"),
    }
}

pub(crate) fn set(object: &mut Value, key: &str, value: impl Into<Value>) {
    edit(object).insert(key.to_owned(), value.into());
}

/// Carries `metadata.KEY` of `old` over to `new`: its value, or its absence.
pub(crate) fn carry(new: &mut Value, old: &Value, key: &str) {
    match old["metadata"].get(key) {
        Some(value) => {
            edit(new).insert(key.to_owned(), value.clone());
        }
        None => {
            edit(new).remove(key);
        }
    }
}
