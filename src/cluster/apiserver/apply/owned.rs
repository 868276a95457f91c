//! The fields that an applied configuration lays claim to: its leaves, its list items, and the
//! keys of its maps. A struct counts only through what is in it.
//!
//! Source: `sigs.k8s.io/structured-merge-diff/v6/typed/tofieldset.go`.

use serde_json::{Map, Value};

use super::element::{as_fields, field_step, item_place, items, under};
use super::set::{self, FieldSet, Node};
use crate::cluster::apiserver::schema::{Place, Struct};

/// The fields of a configuration.
pub(super) fn owned(schema: &'static Struct, configuration: &Value) -> FieldSet {
    FieldSet::new(below(Place::Struct(schema), configuration).unwrap_or_default())
}

/// What is owned below a value; `None` where the value is one leaf.
fn below(place: Place, value: &Value) -> Option<Node> {
    let mut node = Node::new();
    if let Some(fields) = as_fields(place, value) {
        for (name, value) in fields {
            let (place, field) = under(place, name);
            let below = below(place, value);
            let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
            let is_owned = below.is_none() || is_empty || field.is_none();
            set::put(
                &mut node,
                field_step(name),
                is_owned,
                below.unwrap_or_default(),
            );
        }
    } else {
        for (step, item) in items(place, value)? {
            let below = below(item_place(place), item).unwrap_or_default();
            set::put(&mut node, step, true, below);
        }
    }
    Some(node)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::apiserver::schema;

    #[test]
    fn leaves_items_and_map_keys_are_owned_and_structs_are_not() {
        let deployment = schema::find("apps", "v1", "Deployment").unwrap();
        let configuration = json!({
            "metadata": {"labels": {"app": "web"}, "finalizers": ["a/b"]},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {},
                "template": {"spec": {"containers": [{
                    "name": "c",
                    "image": "i",
                    "command": ["a", "b"],
                    "ports": [{"containerPort": 80}],
                }]}},
            },
        });
        assert_eq!(
            owned(deployment, &configuration).into_value(),
            json!({
                "f:metadata": {
                    "f:finalizers": {"v:\"a/b\"": {}},
                    "f:labels": {"f:app": {}},
                },
                "f:spec": {
                    "f:replicas": {},
                    "f:selector": {},
                    "f:strategy": {},
                    "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {
                        ".": {},
                        "f:command": {},
                        "f:image": {},
                        "f:name": {},
                        "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                            ".": {},
                            "f:containerPort": {},
                        }},
                    }}}},
                },
            })
        );
    }
}
