//! What lies directly below a place of an object, by the step that leads there.
//!
//! Source: `sigs.k8s.io/structured-merge-diff/v6/typed/helpers.go`.

use serde_json::{Map, Value};

use crate::cluster::apiserver::schema::{Field, Place, Type};

/// The step to a field of an object.
pub(super) fn field_step(name: &str) -> String {
    format!("f:{name}")
}

/// The place under a name, and the field that it is where the schema names it.
pub(super) fn under(place: Place, name: &str) -> (Place, Option<&'static Field>) {
    match place {
        Place::Struct(known) => match known.field(name) {
            Some(field) => (field.place(), Some(field)),
            None => (Place::Unknown, None),
        },
        Place::Map(value) => (value.place(), None),
        _ => (Place::Unknown, None),
    }
}

/// The object at a place that has fields; `None` where it is one value.
pub(super) fn as_fields(place: Place, value: &Value) -> Option<&Map<String, Value>> {
    match place {
        Place::Struct(_) | Place::Map(_) | Place::Unknown => value.as_object(),
        Place::Leaf | Place::Keyed(..) | Place::Set => None,
    }
}

/// The list at a place whose items merge one by one.
pub(super) fn as_items(place: Place, value: &Value) -> Option<&Vec<Value>> {
    match place {
        Place::Keyed(..) | Place::Set => value.as_array(),
        _ => None,
    }
}

/// The place of an item of a list.
pub(super) fn item_place(place: Place) -> Place {
    match place {
        Place::Keyed(_, item) => item.place(),
        _ => Place::Leaf,
    }
}

/// The step to an item of a list; `None` where it lacks a key.
pub(super) fn item_step(place: Place, item: &Value) -> Option<String> {
    match place {
        Place::Keyed(keys, kind) => {
            Some(format!("k:{}", Value::Object(keys_of(keys, kind, item)?)))
        }
        _ => Some(format!("v:{item}")),
    }
}

/// The keys of an item with their values; `None` where one is missing.
fn keys_of(keys: &[&str], kind: Type, item: &Value) -> Option<Map<String, Value>> {
    keys.iter()
        .map(|key| {
            let value = match item.get(key) {
                Some(value) => value.clone(),
                None => kind.default_of(key)?.into(),
            };
            Some(((*key).to_owned(), value))
        })
        .collect()
}

/// The items of a list with their steps, of items with equal steps the first; `None` where the
/// value is no list whose items merge one by one.
pub(super) fn items(place: Place, value: &Value) -> Option<Vec<(String, &Value)>> {
    let list = as_items(place, value)?;
    let mut found: Vec<(String, &Value)> = Vec::with_capacity(list.len());
    for item in list {
        if let Some(step) = item_step(place, item)
            && find(&found, &step).is_none()
        {
            found.push((step, item));
        }
    }
    Some(found)
}

/// The item of a step.
pub(super) fn find<'v>(items: &[(String, &'v Value)], step: &str) -> Option<&'v Value> {
    items
        .iter()
        .find(|(known, _)| known == step)
        .map(|(_, item)| *item)
}
