//! What differs between two versions of an object.
//!
//! Source: `sigs.k8s.io/structured-merge-diff/v6/typed/compare.go`.

use serde_json::Value;

use super::element::{as_fields, as_items, field_step, find, item_place, items, under};
use super::set::{self, FieldSet, Node};
use crate::cluster::apiserver::schema::{Place, Presence, Struct};

/// The fields that a write touches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// Fields that are new or have a new value.
    pub(super) written: FieldSet,
    /// Fields that are no longer there.
    pub(super) removed: FieldSet,
}

/// Compares an object before and after a write. Equal parts are not looked into.
pub(super) fn compare(schema: &'static Struct, old: &Value, new: &Value) -> Changes {
    let mut below = Below::default();
    let sides = Sides {
        old: Some(old),
        new: Some(new),
        old_there: true,
        new_there: true,
    };
    if !sides.are_equal() {
        descend(Place::Struct(schema), sides, &mut below);
    }
    Changes {
        written: FieldSet::new(below.written),
        removed: FieldSet::new(below.removed),
    }
}

/// What was found below one place.
#[derive(Default)]
struct Below {
    written: Node,
    removed: Node,
}

/// The two versions of one place. What the Go types always write is there even when it is absent
/// here: it is zero.
#[derive(Clone, Copy)]
struct Sides<'v> {
    old: Option<&'v Value>,
    new: Option<&'v Value>,
    old_there: bool,
    new_there: bool,
}

impl Sides<'_> {
    fn are_equal(&self) -> bool {
        match (self.old, self.new) {
            (Some(old), Some(new)) => old == new,
            (Some(old), None) => self.new_there && is_zero(old),
            (None, Some(new)) => self.old_there && is_zero(new),
            (None, None) => true,
        }
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.old.into_iter().chain(self.new)
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn visit(step: String, place: Place, sides: Sides<'_>, found: &mut Below) {
    if sides.are_equal() {
        return;
    }
    let mut below = Below::default();
    let is_leaf = !descend(place, sides, &mut below);
    let changed = is_leaf && sides.old_there && sides.new_there;
    let written = !sides.old_there || changed;
    set::put(&mut found.written, step.clone(), written, below.written);
    set::put(&mut found.removed, step, !sides.new_there, below.removed);
}

/// Looks below a place; `false` where there is nothing below, so that the place is one value.
fn descend(place: Place, sides: Sides<'_>, below: &mut Below) -> bool {
    if sides
        .values()
        .all(|value| as_fields(place, value).is_some())
    {
        fields(place, sides, below)
    } else if sides.values().all(|value| as_items(place, value).is_some()) {
        list_items(place, sides, below)
    } else {
        false
    }
}

fn fields(place: Place, sides: Sides<'_>, below: &mut Below) -> bool {
    let old = sides.old.and_then(Value::as_object);
    let new = sides.new.and_then(Value::as_object);
    let gone = old
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .filter(|name| new.is_none_or(|new| !new.contains_key(*name)));
    let mut any = false;
    for name in new.into_iter().flatten().map(|(name, _)| name).chain(gone) {
        any = true;
        let (place, field) = under(place, name);
        let always = field.is_some_and(|field| field.presence == Presence::Always);
        let old = old.and_then(|fields| fields.get(name));
        let new = new.and_then(|fields| fields.get(name));
        let sides = Sides {
            old,
            new,
            old_there: old.is_some() || (always && sides.old_there),
            new_there: new.is_some() || (always && sides.new_there),
        };
        visit(field_step(name), place, sides, below);
    }
    any
}

fn list_items(place: Place, sides: Sides<'_>, below: &mut Below) -> bool {
    let old = sides
        .old
        .and_then(|list| items(place, list))
        .unwrap_or_default();
    let new = sides
        .new
        .and_then(|list| items(place, list))
        .unwrap_or_default();
    let gone = old.iter().filter(|(step, _)| find(&new, step).is_none());
    for (step, _) in new.iter().chain(gone) {
        let (old, new) = (find(&old, step), find(&new, step));
        let sides = Sides {
            old,
            new,
            old_there: old.is_some(),
            new_there: new.is_some(),
        };
        visit(step.clone(), item_place(place), sides, below);
    }
    !(old.is_empty() && new.is_empty())
}
