//! Lays a configuration over an object, and takes away what it no longer says.
//!
//! Source: `sigs.k8s.io/structured-merge-diff/v6/typed/{merge,remove}.go` and `prune` of
//! `merge/update.go` there.

use std::collections::VecDeque;

use serde_json::Value;

use super::element::{as_fields, find, item_place, item_step, items, under};
use super::set::{FieldSet, Node, is_owned, nodes};
use crate::cluster::apiserver::schema::{Field, Place, Struct};

/// The object with a configuration laid over it: its values win, what it does not say stays.
pub(super) fn merge(schema: &'static Struct, live: &Value, configuration: &Value) -> Value {
    laid_over(Place::Struct(schema), Some(live), configuration)
}

fn laid_over(place: Place, live: Option<&Value>, configuration: &Value) -> Value {
    let Some(live) = live else {
        return configuration.clone();
    };
    if let (Some(fields), Some(wanted)) = (as_fields(place, live), as_fields(place, configuration))
    {
        let mut merged = fields.clone();
        for (name, value) in wanted {
            let value = laid_over(under(place, name).0, fields.get(name), value);
            merged.insert(name.clone(), value);
        }
        return Value::Object(merged);
    }
    if let (Some(items), Some(wanted)) = (items(place, live), items(place, configuration)) {
        return Value::Array(lists(place, &items, wanted.into()));
    }
    // A struct or list that the configuration calls null is one that it does not speak of.
    let speaks = !configuration.is_null() || matches!(place, Place::Leaf | Place::Unknown);
    if speaks { configuration } else { live }.clone()
}

/// Items in the order of the configuration; each item that only the object has stays behind the
/// one that it stood behind.
///
/// Live `[a, x, b]` under `[c, b, a]` gives `[x, c, b, a]`: `a` waits for its turn behind `b`.
fn lists(
    place: Place,
    live: &[(String, &Value)],
    mut wanted: VecDeque<(String, &Value)>,
) -> Vec<Value> {
    let is_shared = |(step, _): &&(String, &Value)| find(live, step).is_some();
    let names: Vec<String> = wanted.iter().map(|(step, _)| step.clone()).collect();
    let mut merged = Vec::with_capacity(live.len() + wanted.len());
    for (step, item) in live {
        if !names.contains(step) {
            merged.push((*item).clone());
        } else if wanted
            .iter()
            .find(is_shared)
            .is_some_and(|(next, _)| next == step)
        {
            while let Some((next, wish)) = wanted.pop_front() {
                let counterpart = find(live, &next);
                merged.push(laid_over(item_place(place), counterpart, wish));
                if next == *step {
                    break;
                }
            }
        }
    }
    for (step, wish) in wanted {
        merged.push(laid_over(item_place(place), find(live, &step), wish));
    }
    merged
}

/// Removes what the applier owned before and nobody owns now, the applier itself included.
pub(super) fn prune(
    schema: &'static Struct,
    merged: &mut Value,
    before: &FieldSet,
    owners: &[&FieldSet],
) {
    let owners: Vec<&Node> = owners.iter().map(|owner| owner.root()).collect();
    prune_below(Place::Struct(schema), merged, before.root(), &owners);
}

fn prune_below(place: Place, value: &mut Value, before: &Node, owners: &[&Node]) {
    let is_fields = as_fields(place, value).is_some();
    match value {
        Value::Object(fields) if is_fields => {
            for (step, node) in nodes(before) {
                let Some(name) = step.strip_prefix("f:") else {
                    continue;
                };
                let (place, field) = under(place, name);
                let held = held_below(owners, step);
                if claims(node, field) && !held.iter().any(|held| claims(held, field)) {
                    fields.remove(name);
                } else if let Some(value) = fields.get_mut(name) {
                    prune_below(place, value, node, &held);
                }
            }
        }
        Value::Array(list) if matches!(place, Place::Keyed(..) | Place::Set) => {
            list.retain_mut(|item| {
                let step = item_step(place, item).unwrap_or_default();
                let Some(node) = before.get(&step).and_then(Value::as_object) else {
                    return true;
                };
                let held = held_below(owners, &step);
                let stays = !is_owned(node) || held.iter().any(|held| is_owned(held));
                if stays {
                    prune_below(item_place(place), item, node, &held);
                }
                stays
            });
        }
        _ => {}
    }
}

/// What each owner has below a step.
fn held_below<'s>(owners: &[&'s Node], step: &str) -> Vec<&'s Node> {
    let below = |owner: &&'s Node| owner.get(step).and_then(Value::as_object);
    owners.iter().filter_map(below).collect()
}

/// Whether a set claims a field itself. A field of a struct counts as claimed by what is in it; a
/// key of a map does not.
fn claims(node: &Node, field: Option<&'static Field>) -> bool {
    field.is_some() || is_owned(node)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::owned::owned;
    use super::*;
    use crate::cluster::apiserver::schema;

    fn deployment() -> &'static Struct {
        schema::find("apps", "v1", "Deployment").unwrap()
    }

    fn mk_pod(containers: &Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn items_merge_by_their_keys_and_atomic_values_are_replaced() {
        let live = mk_pod(&json!([
            {"name": "a", "image": "1", "command": ["x", "y"], "env": [{"name": "A", "value": "1"}]},
            {"name": "side", "image": "2"},
        ]));
        let wanted = mk_pod(&json!([
            {"name": "a", "command": ["z"], "env": [{"name": "B", "value": "2"}]},
        ]));
        assert_eq!(
            merge(deployment(), &live, &wanted),
            mk_pod(&json!([
                {
                    "name": "a",
                    "image": "1",
                    "command": ["z"],
                    "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                },
                {"name": "side", "image": "2"},
            ]))
        );
    }

    #[test]
    fn merged_lists_follow_the_order_of_the_configuration() {
        for (live, wanted, merged) in [
            ("abc", "cb", "acb"),
            ("abx", "ba", "bxa"),
            ("axb", "cba", "xcba"),
            ("ab", "acb", "acb"),
            ("", "ab", "ab"),
            ("ab", "", "ab"),
        ] {
            let mk_list = |names: &str| -> Value {
                names.chars().map(|name| json!({"name": name})).collect()
            };
            assert_eq!(
                merge(
                    deployment(),
                    &mk_pod(&mk_list(live)),
                    &mk_pod(&mk_list(wanted))
                ),
                mk_pod(&mk_list(merged)),
                "{live} under {wanted}"
            );
        }
    }

    #[test]
    fn only_what_nobody_owns_any_longer_is_pruned() {
        let schema = deployment();
        let object = json!({
            "metadata": {"labels": {"a": "1", "b": "2"}, "annotations": {"n": "1"}},
            "spec": {
                "replicas": 3,
                "paused": true,
                "template": {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}},
            },
        });
        let before = owned(schema, &object);
        let mine = owned(
            schema,
            &json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}}),
        );
        let other = owned(
            schema,
            &json!({"metadata": {"labels": {"a": "1"}}, "spec": {"replicas": 3}}),
        );
        let mut pruned = object.clone();
        prune(schema, &mut pruned, &before, &[&mine, &other]);
        assert_eq!(
            pruned,
            json!({
                "metadata": {"labels": {"a": "1"}},
                "spec": {
                    "replicas": 3,
                    "template": {"spec": {"containers": [{"name": "a"}]}},
                },
            })
        );
        let mut untouched = object.clone();
        prune(schema, &mut untouched, &FieldSet::default(), &[&mine]);
        assert_eq!(untouched, object, "what others wrote stays");
    }
}
