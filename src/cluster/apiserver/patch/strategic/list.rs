//! Lists of a strategic merge patch: which items are one, what becomes of each, and their order.
//!
//! Source: `mergeSlice` and `normalizeElementOrder` of
//! `staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go`.

use serde_json::Value;

use super::{
    PATCH, Schema, cleaned, fields, inner, merge_fields, unknown_directive, without_directives,
};
use crate::cluster::apiserver::patch::go;
use crate::cluster::apiserver::schema::{ListRule, Shape};
use crate::cluster::object::refusal::{self, Refusal};

/// What makes two items of a list one.
#[derive(Clone, Copy)]
enum Identity {
    Value,
    Key(&'static str),
}

impl Identity {
    fn of(self, item: &Value) -> Option<&Value> {
        match self {
            Self::Value => Some(item),
            Self::Key(key) => item.get(key),
        }
    }

    fn position(self, list: &[Value], item: &Value) -> Option<usize> {
        let wanted = self.of(item)?;
        list.iter().position(|known| self.of(known) == Some(wanted))
    }

    /// # Errors
    /// An item has no key.
    fn check(self, list: &[Value]) -> Result<(), Refusal> {
        let Self::Key(key) = self else {
            return Ok(());
        };
        match list.iter().find(|item| item.get(key).is_none()) {
            None => Ok(()),
            Some(item) => Err(refusal::unknown(format!(
                "map: {} does not contain declared merge key: {key}",
                go::text(item)
            ))),
        }
    }
}

/// The list of a field after a patch, in the order that the patch gives or has.
pub(super) fn merge_list(
    schema: Schema,
    name: &str,
    old: Vec<Value>,
    new: Vec<Value>,
    order: Option<Vec<Value>>,
) -> Result<Vec<Value>, Refusal> {
    let shape = schema
        .and_then(|known| known.field(name))
        .map(|field| field.shape);
    let identity = match shape {
        Some(Shape::List(_, ListRule::Keyed([key, ..]))) => Identity::Key(key),
        Some(Shape::List(_, ListRule::Merged(key))) => Identity::Key(key),
        Some(Shape::List(_, ListRule::Set)) => Identity::Value,
        _ if new.is_empty() && order.is_some() => return Ok(old),
        _ => return Ok(cleaned(new)),
    };
    let mut merged = old.clone();
    let mut wanted = Vec::with_capacity(new.len());
    let mut replace = false;
    for item in new {
        match item.get(PATCH) {
            None => wanted.push(item),
            Some(directive) => match directive.as_str() {
                Some("delete") => {
                    identity.check(std::slice::from_ref(&item))?;
                    merged.retain(|known| identity.of(known) != identity.of(&item));
                }
                Some("replace") => replace = true,
                Some("merge") => {
                    return Err(refusal::unknown(
                        "merging lists cannot yet be specified in the patch",
                    ));
                }
                _ => return Err(unknown_directive(directive, fields(item.clone()))),
            },
        }
    }
    identity.check(&wanted)?;
    if replace {
        return Ok(cleaned(wanted));
    }
    if let Some(order) = &order {
        check_order(identity, &wanted, order)?;
    }
    for item in &wanted {
        match identity.position(&merged, item) {
            Some(index) => {
                let known = std::mem::take(&mut merged[index]);
                merged[index] = merge_item(inner(schema, name), known, item)?;
            }
            None => merged.extend(without_directives(item.clone())),
        }
    }
    let order = order.unwrap_or(wanted);
    identity.check(&order)?;
    identity.check(&merged)?;
    Ok(arranged(identity, merged, &order, &old))
}

fn merge_item(schema: Schema, known: Value, item: &Value) -> Result<Value, Refusal> {
    match (known, item) {
        (Value::Object(known), Value::Object(item)) => {
            merge_fields(schema, known, item.clone()).map(Value::Object)
        }
        _ => Ok(item.clone()),
    }
}

/// The items of the patch must come in the order that it gives.
fn check_order(identity: Identity, wanted: &[Value], order: &[Value]) -> Result<(), Refusal> {
    let mut ordered = order.iter().filter_map(|item| identity.of(item));
    let fits = order.is_empty()
        || wanted
            .iter()
            .all(|item| ordered.any(|next| identity.of(item) == Some(next)));
    if fits {
        return Ok(());
    }
    Err(refusal::unknown(format!(
        "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
        go::text(&wanted.to_vec().into()),
        go::text(&order.to_vec().into())
    )))
}

/// Items in the given order; those that only the object has keep the places that they had before
/// the others, as far as these were there.
///
/// Object `[a, b]` and patch `[c]` give `[c, a, b]`; with the order `[a, c]` they give `[a, c, b]`.
fn arranged(identity: Identity, merged: Vec<Value>, order: &[Value], old: &[Value]) -> Vec<Value> {
    let (mut given, mut others): (Vec<Value>, Vec<Value>) = merged
        .into_iter()
        .partition(|item| identity.position(order, item).is_some());
    given.sort_by_key(|item| identity.position(order, item));
    others.sort_by_key(|item| identity.position(old, item));
    let mut given = given.into_iter().peekable();
    let mut all = Vec::with_capacity(given.len() + others.len());
    for other in others {
        let place = identity.position(old, &other);
        let is_before = |item: &Value| match identity.position(old, item) {
            Some(index) => place.is_none_or(|place| index < place),
            None => true,
        };
        while let Some(item) = given.next_if(is_before) {
            all.push(item);
        }
        all.push(other);
    }
    all.extend(given);
    all
}
