//! Writes a template as Go prints its struct: one line, every field, types in brackets.
//!
//! The rules, each visible in the recorded texts:
//! * `Name:(string)web`: texts stand as they are, without quotes and escapes.
//! * `([]v1.Volume)<nil>`, `(*int64)<nil>`: what is absent or empty; a map or a list that went
//!   through the API server is never empty but there.
//! * `([]string)[a b]`, `(map[string]string)map[k:v]`: elements have no type of their own; maps are
//!   sorted by key.
//! * `(*v1.Probe){…}`, `(*int64)30`: what a pointer points to.
//!
//! A template's metadata has no timestamps and no managed fields worth the name: both are written
//! as if they were not set, whatever the manifest says.

use serde_json::Value;

use super::fields::{self, Place};
use super::quantity::Quantity;

const NO_TIME: &str = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}";
const MANAGED_FIELDS: &str = "[]v1.ManagedFieldsEntry";

/// The text of a pod template.
pub(super) fn template_text(template: &Value) -> String {
    Writer::write(template, Quantity::go)
}

/// A text that two templates have in common exactly where they mean the same: what is empty is as
/// good as absent, and quantities count by their amount.
pub(in crate::cluster::controllers) fn meaning(template: &Value) -> String {
    Writer::write(template, Quantity::amount)
}

struct Writer {
    out: String,
    /// How a quantity is written.
    quantity: fn(Quantity) -> String,
}

impl Writer {
    fn write(template: &Value, quantity: fn(Quantity) -> String) -> String {
        let mut writer = Self {
            out: String::with_capacity(8 * 1024),
            quantity,
        };
        writer.typed("v1.PodTemplateSpec", template);
        writer.out
    }

    /// Writes `(type)value`.
    fn typed(&mut self, kind: &str, value: &Value) {
        self.out.push('(');
        self.out.push_str(kind);
        self.out.push(')');
        self.plain(kind, value);
    }

    /// Writes a value without its type; what is absent is `Null`.
    fn plain(&mut self, kind: &str, value: &Value) {
        if let Some(pointed) = kind.strip_prefix('*') {
            if value.is_null() {
                self.out.push_str("<nil>");
            } else {
                self.plain(pointed, value);
            }
        } else if let Some(element) = kind.strip_prefix("[]") {
            self.list(kind, element, value);
        } else if let Some(fields) = fields::of(kind) {
            self.structure(fields, value);
        } else {
            self.scalar(kind, value);
        }
    }

    fn structure(&mut self, fields: &[fields::Field], value: &Value) {
        self.out.push('{');
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.out.push(' ');
            }
            self.out.push_str(field.name);
            self.out.push(':');
            let inner = match &field.place {
                Place::Key(key) => value.get(key).unwrap_or(&Value::Null),
                Place::Inline => value,
            };
            self.typed(field.kind, inner);
        }
        self.out.push('}');
    }

    fn list(&mut self, kind: &str, element: &str, value: &Value) {
        match value.as_array() {
            Some(items) if !items.is_empty() && kind != MANAGED_FIELDS => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push(' ');
                    }
                    self.plain(element, item);
                }
                self.out.push(']');
            }
            _ => self.out.push_str("<nil>"),
        }
    }

    fn map(&mut self, element: &str, value: &Value) {
        let mut entries: Vec<_> = value.as_object().into_iter().flatten().collect();
        if entries.is_empty() {
            self.out.push_str("<nil>");
            return;
        }
        entries.sort_by_key(|(key, _)| key.as_str());
        self.out.push_str("map[");
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if index > 0 {
                self.out.push(' ');
            }
            self.out.push_str(key);
            self.out.push(':');
            self.plain(element, value);
        }
        self.out.push(']');
    }

    fn scalar(&mut self, kind: &str, value: &Value) {
        let text = match kind {
            "map[string]string" => return self.map("string", value),
            "v1.ResourceList" => return self.map("resource.Quantity", value),
            "resource.Quantity" => {
                let quantity = Quantity::parse(value.as_str().unwrap_or("0"));
                (self.quantity)(quantity.unwrap_or_default())
            }
            "intstr.IntOrString" => int_or_string(value),
            "v1.Time" => NO_TIME.to_owned(),
            "int32" | "int64" => value.as_i64().unwrap_or_default().to_string(),
            "bool" => value.as_bool().unwrap_or_default().to_string(),
            _ => value.as_str().unwrap_or_default().to_owned(),
        };
        self.out.push_str(&text);
    }
}

fn int_or_string(value: &Value) -> String {
    let is_text = i32::from(value.is_string());
    let number = value.as_i64().unwrap_or_default();
    let text = value.as_str().unwrap_or_default();
    format!("{{Type:(intstr.Type){is_text} IntVal:(int32){number} StrVal:(string){text}}}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(kind: &str, value: &Value) -> String {
        let mut writer = Writer {
            out: String::new(),
            quantity: Quantity::go,
        };
        writer.typed(kind, value);
        writer.out
    }

    #[test]
    fn values_are_written_as_go_prints_them() {
        for (kind, value, expected) in [
            ("string", json!("a \"b\"\n"), "(string)a \"b\"\n"),
            ("*int64", Value::Null, "(*int64)<nil>"),
            ("*int64", json!(0), "(*int64)0"),
            ("[]string", json!([]), "([]string)<nil>"),
            ("[]string", json!(["a", "b"]), "([]string)[a b]"),
            (
                "map[string]string",
                json!({"b": "2", "a": "1"}),
                "(map[string]string)map[a:1 b:2]",
            ),
            (
                "*v1.HostPathVolumeSource",
                json!({}),
                "(*v1.HostPathVolumeSource){Path:(string) Type:(*v1.HostPathType)<nil>}",
            ),
            (
                "intstr.IntOrString",
                json!("http"),
                "(intstr.IntOrString){Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)http}",
            ),
        ] {
            assert_eq!(text(kind, &value), expected);
        }
    }

    #[test]
    fn keys_of_an_inlined_struct_stand_in_the_outer_object() {
        let volume = json!({"name": "v", "cephfs": {"monitors": ["m"]}});
        let text = text("v1.Volume", &volume);
        assert!(
            text.contains("CephFS:(*v1.CephFSVolumeSource){Monitors:([]string)[m]"),
            "{text}"
        );
    }

    #[test]
    fn templates_that_mean_the_same_have_the_same_meaning() {
        let container = |container: Value| json!({"spec": {"containers": [container]}});
        let limited = |memory: &str| {
            container(json!({"name": "c", "resources": {"limits": {"memory": memory}}}))
        };
        let plain = container(json!({"name": "c"}));
        for (a, b, same) in [
            (
                plain.clone(),
                container(json!({"name": "c", "args": [], "resources": {}})),
                true,
            ),
            (limited("1Gi"), limited("1073741824"), true),
            (limited("1Gi"), limited("2Gi"), false),
            (limited("1Gi"), plain.clone(), false),
            (plain.clone(), container(json!({"name": "d"})), false),
            (
                plain,
                container(json!({"name": "c", "securityContext": {}})),
                false,
            ),
        ] {
            assert_eq!(meaning(&a) == meaning(&b), same, "{a} {b}");
        }
    }
}
