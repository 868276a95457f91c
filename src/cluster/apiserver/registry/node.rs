//! Nodes. Source: `pkg/registry/core/node/strategy.go` and
//! `pkg/apis/core/validation/validation.go`, `ValidateNode`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::names::{broken_label_value, broken_qualified_name};
use super::{Kind, NameRule, Resource, Scope, Subresource, Typed, kind};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::{FieldError, FieldPath};

pub(crate) static RESOURCE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Node",
    collection: "nodes",
    plural: "nodes",
    singular: "node",
    short_names: &["no"],
    categories: &[],
    scope: Scope::Cluster,
    subresources: &[Subresource::Status],
    names: NameRule::Subdomain,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

const EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "PreferNoSchedule"];

struct Rules;

impl Kind for Rules {
    type Object = Node;

    const HAS_STATUS: bool = true;
    const IS_BORN_WITH_STATUS: bool = true;
    const FIELDS: &'static [&'static str] = &["spec.unschedulable"];

    fn default(node: &mut Node) {
        node.spec.get_or_insert_default();
    }

    fn initialize(node: &mut Node) {
        prepare(node);
    }

    fn validate(node: &Node, _: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = FieldPath::new("spec").child("taints");
        let taints = node
            .spec
            .iter()
            .flat_map(|spec| spec.taints.iter().flatten());
        let mut seen = BTreeSet::new();
        for (index, taint) in taints.enumerate() {
            let path = path.index(index);
            for why in broken_qualified_name(&taint.key) {
                errors.push(FieldError::invalid(
                    path.child("key"),
                    &json!(taint.key),
                    &why,
                ));
            }
            let value = taint.value.as_deref().unwrap_or_default();
            let broken = broken_label_value(value);
            if !broken.is_empty() {
                let why = broken.join(";");
                errors.push(FieldError::invalid(
                    path.child("value"),
                    &json!(value),
                    &why,
                ));
            }
            if !EFFECTS.contains(&taint.effect.as_str()) {
                let effect = json!(taint.effect);
                errors.push(FieldError::not_supported(
                    path.child("effect"),
                    &effect,
                    &EFFECTS,
                ));
            }
            if !seen.insert((&taint.key, &taint.effect)) {
                errors.push(FieldError::duplicate(&path, &json!(taint)));
            }
        }
        errors
    }

    fn prepare_status(new: &mut Node, _: &Node) {
        prepare(new);
    }

    fn field(node: &Value, field: &str) -> String {
        let text = kind::at_path(node, field);
        if text.is_empty() {
            "false".to_owned()
        } else {
            text
        }
    }

    fn printer() -> &'static Printer {
        &table::node::PRINTER
    }
}

/// What can be used of a node is what it has, unless it says less.
fn prepare(node: &mut Node) {
    let status = node.status.get_or_insert_default();
    status.daemon_endpoints.get_or_insert_default();
    status.node_info.get_or_insert_default();
    if status.allocatable.is_none() {
        status.allocatable.clone_from(&status.capacity);
    }
}
