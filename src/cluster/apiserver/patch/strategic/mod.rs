//! Strategic merge patch: a partial object whose lists merge by the keys of the schema, with
//! directives for what cannot be said by values.
//!
//! | directive | meaning |
//! |---|---|
//! | `null` | the field goes |
//! | `$patch: replace`, `delete` | the map, or the list that holds it, is replaced or emptied; the item goes |
//! | `$setElementOrder/x` | the order of the list `x` |
//! | `$deleteFromPrimitiveList/x` | values that go from the list `x` |
//! | `$retainKeys` | the only fields that stay |
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go`.

mod list;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use self::list::merge_list;
use super::go;
use crate::cluster::apiserver::schema::Struct;
use crate::cluster::object::refusal::{self, Refusal};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

type Fields = Map<String, Value>;
/// Nothing is known of what is in a map of values.
type Schema = Option<&'static Struct>;

/// The object after a patch.
///
/// # Errors
/// A refusal of a patch whose directives do not fit.
pub(super) fn merge(schema: Schema, object: Value, patch: &Fields) -> Result<Value, Refusal> {
    let object = match object {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    };
    merge_fields(schema, object, patch.clone()).map(Value::Object)
}

fn merge_fields(schema: Schema, mut object: Fields, mut patch: Fields) -> Result<Fields, Refusal> {
    if let Some(directive) = patch.remove(PATCH) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Fields::new()),
            _ => Err(unknown_directive(&directive, patch)),
        };
    }
    retain_keys(&mut object, &mut patch)?;
    set_orders(schema, &mut object, &mut patch)?;
    for (name, value) in patch {
        if let Some(name) = name.strip_prefix(DELETE_FROM) {
            delete_values(&mut object, name, &value)?;
            continue;
        }
        if value.is_null() {
            object.remove(&name);
            continue;
        }
        let merged = match (object.remove(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                Some(Value::Object(merge_fields(inner(schema, &name), old, new)?))
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                Some(Value::Array(merge_list(schema, &name, old, new, None)?))
            }
            (_, value) => without_directives(value),
        };
        if let Some(merged) = merged {
            object.insert(name, merged);
        }
    }
    Ok(object)
}

fn inner(schema: Schema, name: &str) -> Schema {
    schema?.field(name)?.inner()
}

/// Drops fields of the object that the patch does not retain.
fn retain_keys(object: &mut Fields, patch: &mut Fields) -> Result<(), Refusal> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    let malformed = || refusal::bad_request("invalid patch format of retainKeys");
    let keys = keys.as_array().ok_or_else(malformed)?;
    let is_kept = |name: &String| keys.iter().any(|key| key.as_str() == Some(name));
    let is_directive = |name: &str| name.starts_with(DELETE_FROM) || name.starts_with(SET_ORDER);
    let fits = patch
        .iter()
        .all(|(name, value)| value.is_null() || is_directive(name) || is_kept(name));
    if !fits {
        return Err(malformed());
    }
    object.retain(|name, _| is_kept(name));
    Ok(())
}

/// Merges the lists for which the patch gives an order, and takes them out of the patch.
fn set_orders(schema: Schema, object: &mut Fields, patch: &mut Fields) -> Result<(), Refusal> {
    let directives: Vec<String> = patch
        .keys()
        .filter(|name| name.starts_with(SET_ORDER))
        .cloned()
        .collect();
    for directive in directives {
        let name = &directive[SET_ORDER.len()..];
        let order = list(patch.remove(&directive).unwrap_or_default())?;
        let new = patch.remove(name).map(list).transpose()?;
        let old = object.remove(name).map(list).transpose()?;
        if old.is_none() && new.is_none() {
            continue;
        }
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        let merged = merge_list(schema, name, old, new, Some(order))?;
        object.insert(name.to_owned(), Value::Array(merged));
    }
    Ok(())
}

fn list(value: Value) -> Result<Vec<Value>, Refusal> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(refusal::unknown(format!(
            "expected a []interface {{}}, but received a {}",
            go::type_of(&other)
        ))),
    }
}

fn delete_values(object: &mut Fields, name: &str, values: &Value) -> Result<(), Refusal> {
    let values = values
        .as_array()
        .ok_or_else(|| refusal::bad_request("invalid patch format of primitive list"))?;
    if let Some(Value::Array(list)) = object.get_mut(name) {
        list.retain(|value| !values.contains(value));
    }
    Ok(())
}

/// A new value without directives and nulls; `None` where nothing was meant to be added.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(fields) if fields.contains_key(PATCH) => {
            let replaces = fields[PATCH] == "replace";
            replaces.then(|| Value::Object(plain(fields)))
        }
        Value::Object(fields) => Some(Value::Object(plain(fields))),
        Value::Array(list) => Some(Value::Array(cleaned(list))),
        other => Some(other),
    }
}

fn plain(fields: Fields) -> Fields {
    let is_directive = |name: &str| {
        name == PATCH
            || name == RETAIN_KEYS
            || name.starts_with(SET_ORDER)
            || name.starts_with(DELETE_FROM)
    };
    fields
        .into_iter()
        .filter(|(name, _)| !is_directive(name))
        .filter_map(|(name, value)| Some((name, without_directives(value)?)))
        .collect()
}

fn cleaned(list: Vec<Value>) -> Vec<Value> {
    list.into_iter().filter_map(without_directives).collect()
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

fn unknown_directive(directive: &Value, mut patch: Fields) -> Refusal {
    patch.insert(PATCH.to_owned(), directive.clone());
    refusal::unknown(format!(
        "unknown patch type: {} in map: {}",
        go::text(directive),
        go::text(&Value::Object(patch))
    ))
}
