//! A set of fields in the form in which `managedFields` stores it.
//!
//! Each key is one step: `f:` a field, `k:` an item by its keys, `v:` a value of a set. A step
//! without steps below it is owned; one with steps below it is owned when it also holds `.`:
//!
//! ```text
//! {"f:spec": {"f:replicas": {}}}           .spec.replicas
//! {"f:data": {".": {}, "f:a": {}}}         .data and .data.a
//! ```
//!
//! Source: `sigs.k8s.io/structured-merge-diff/v6/fieldpath/{set,serialize}.go`.

use serde_json::{Map, Value};

/// Marks a step as owned that has steps below it.
const SELF: &str = ".";

/// What nobody owns, because every write has it or the server alone sets it.
const NEVER_OWNED: [&[&str]; 10] = [
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:selfLink"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:managedFields"],
    &["f:metadata", "f:resourceVersion"],
];

/// The steps below one step.
pub(super) type Node = Map<String, Value>;

/// A set of fields of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FieldSet(Node);

impl FieldSet {
    pub(super) fn new(root: Node) -> Self {
        Self(root)
    }

    /// Reads a `fieldsV1`; `None` where it is none.
    pub(super) fn parse(value: Value) -> Option<Self> {
        match value {
            Value::Object(root) if root.iter().all(is_step) => Some(Self(root)),
            _ => None,
        }
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    pub(super) fn root(&self) -> &Node {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Owns what the other set owns, too.
    pub(super) fn add(&mut self, other: &Self) {
        for (step, node) in nodes(&other.0) {
            add(&mut self.0, step, node);
        }
    }

    /// Owns no longer what the other set owns. What lies below stays.
    pub(super) fn remove(&mut self, other: &Self) {
        for (step, node) in nodes(&other.0) {
            remove(&mut self.0, step, node);
        }
    }

    /// What both sets own.
    pub(super) fn common(&self, other: &Self) -> Self {
        Self(common(&self.0, &other.0))
    }

    /// Owns nothing at or below a path any longer.
    pub(super) fn cut(&mut self, path: &[&str]) {
        cut(&mut self.0, path);
    }

    /// Owns nothing any longer that nobody may own.
    pub(super) fn strip(&mut self) {
        for path in NEVER_OWNED {
            self.cut(path);
        }
        if let Some(Value::Object(metadata)) = self.0.get_mut("f:metadata") {
            metadata.remove(SELF);
            if metadata.is_empty() {
                self.0.remove("f:metadata");
            }
        }
    }

    /// The owned paths as people read them: `.spec.containers[name="c"].image`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect_paths(&self.0, "", &mut paths);
        paths
    }
}

/// Puts a step with what is below it, where there is anything to say.
pub(super) fn put(parent: &mut Node, step: String, is_owned: bool, mut below: Node) {
    if is_owned && !below.is_empty() {
        below.insert(SELF.to_owned(), Value::Object(Node::new()));
    }
    if is_owned || !below.is_empty() {
        parent.insert(step, Value::Object(below));
    }
}

/// Whether a step is owned itself, not only something below it.
pub(super) fn is_owned(node: &Node) -> bool {
    node.is_empty() || node.contains_key(SELF)
}

/// The steps directly below a step.
pub(super) fn nodes(parent: &Node) -> impl Iterator<Item = (&String, &Node)> {
    parent
        .iter()
        .filter(|(step, _)| *step != SELF)
        .filter_map(|(step, node)| Some((step, node.as_object()?)))
}

fn is_step((step, node): (&String, &Value)) -> bool {
    let is_known = step == SELF || ["f:", "k:", "v:"].iter().any(|kind| step.starts_with(kind));
    is_known
        && node
            .as_object()
            .is_some_and(|below| below.iter().all(is_step))
}

fn add(parent: &mut Node, step: &str, node: &Node) {
    let Some(Value::Object(existing)) = parent.get_mut(step) else {
        parent.insert(step.to_owned(), Value::Object(node.clone()));
        return;
    };
    let owned = is_owned(existing) || is_owned(node);
    for (step, node) in nodes(node) {
        add(existing, step, node);
    }
    mark(existing, owned);
}

fn remove(parent: &mut Node, step: &str, node: &Node) {
    let Some(Value::Object(existing)) = parent.get_mut(step) else {
        return;
    };
    let owned = is_owned(existing) && !is_owned(node);
    for (step, node) in nodes(node) {
        remove(existing, step, node);
    }
    mark(existing, owned);
    if existing.is_empty() && !owned {
        parent.remove(step);
    }
}

fn common(one: &Node, other: &Node) -> Node {
    let mut shared = Node::new();
    for (step, node) in nodes(one) {
        if let Some(Value::Object(counterpart)) = other.get(step) {
            let owned = is_owned(node) && is_owned(counterpart);
            put(&mut shared, step.clone(), owned, common(node, counterpart));
        }
    }
    shared
}

fn cut(parent: &mut Node, path: &[&str]) {
    let [step, rest @ ..] = path else { return };
    if rest.is_empty() {
        parent.remove(*step);
    } else if let Some(Value::Object(node)) = parent.get_mut(*step) {
        let owned = is_owned(node);
        cut(node, rest);
        mark(node, owned);
        if node.is_empty() && !owned {
            parent.remove(*step);
        }
    }
}

/// Writes down whether a step is owned, in the form that fits what is below it.
fn mark(node: &mut Node, owned: bool) {
    node.remove(SELF);
    if owned && !node.is_empty() {
        node.insert(SELF.to_owned(), Value::Object(Node::new()));
    }
}

fn collect_paths(parent: &Node, path: &str, paths: &mut Vec<String>) {
    for (step, node) in nodes(parent) {
        let path = format!("{path}{}", readable(step));
        if is_owned(node) {
            paths.push(path.clone());
        }
        collect_paths(node, &path, paths);
    }
}

/// One step as people read it: `.image`, `[containerPort=80,protocol="TCP"]`, `[="a"]`.
pub(super) fn readable(step: &str) -> String {
    if let Some(name) = step.strip_prefix("f:") {
        return format!(".{name}");
    }
    if let Some(value) = step.strip_prefix("v:") {
        return format!("[={value}]");
    }
    let keys: Node = step
        .strip_prefix("k:")
        .and_then(|keys| serde_json::from_str(keys).ok())
        .unwrap_or_default();
    let keys: Vec<String> = keys
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("[{}]", keys.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mk_set(value: Value) -> FieldSet {
        FieldSet::parse(value).unwrap()
    }

    #[test]
    fn adding_joins_and_removing_leaves_what_lies_below() {
        let labels = json!({"f:labels": {".": {}, "f:a": {}}});
        for (one, other, sum, rest) in [
            (
                json!({"f:a": {}}),
                json!({"f:b": {}}),
                json!({"f:a": {}, "f:b": {}}),
                json!({"f:a": {}}),
            ),
            (
                labels.clone(),
                json!({"f:labels": {}}),
                labels.clone(),
                json!({"f:labels": {"f:a": {}}}),
            ),
            (
                labels.clone(),
                json!({"f:labels": {"f:a": {}}}),
                labels.clone(),
                json!({"f:labels": {}}),
            ),
            (json!({"f:labels": {}}), labels.clone(), labels, json!({})),
        ] {
            let mut set = mk_set(one.clone());
            set.add(&mk_set(other.clone()));
            assert_eq!(set.into_value(), sum, "{one} + {other}");
            let mut set = mk_set(one.clone());
            set.remove(&mk_set(other.clone()));
            assert_eq!(set.into_value(), rest, "{one} - {other}");
        }
    }

    #[test]
    fn what_both_own_is_common() {
        let one = mk_set(json!({"f:spec": {"f:replicas": {}, "f:paused": {}}, "f:data": {}}));
        let other = mk_set(json!({"f:spec": {".": {}, "f:replicas": {}}, "f:data": {"f:a": {}}}));
        assert_eq!(
            one.common(&other).into_value(),
            json!({"f:spec": {"f:replicas": {}}})
        );
    }

    #[test]
    fn identity_and_server_fields_are_stripped() {
        let mut set = mk_set(json!({
            "f:kind": {},
            "f:metadata": {".": {}, "f:name": {}, "f:labels": {"f:a": {}}},
        }));
        set.strip();
        assert_eq!(
            set.into_value(),
            json!({"f:metadata": {"f:labels": {"f:a": {}}}})
        );
        let mut set = mk_set(json!({"f:metadata": {".": {}, "f:uid": {}}}));
        set.strip();
        assert!(set.is_empty());
    }

    #[test]
    fn paths_read_as_upstream_prints_them() {
        let set = mk_set(json!({"f:spec": {
            "f:containers": {"k:{\"name\":\"c\"}": {
                "f:image": {},
                "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {}},
            }},
            "f:finalizers": {"v:\"a/b\"": {}},
        }}));
        assert_eq!(
            set.paths(),
            [
                ".spec.containers[name=\"c\"].image",
                ".spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.finalizers[=\"a/b\"]",
            ]
        );
    }

    #[test]
    fn what_is_no_set_is_not_read() {
        for value in [json!([]), json!({"spec": {}}), json!({"f:a": 1})] {
            assert_eq!(FieldSet::parse(value.clone()), None, "{value}");
        }
    }
}
