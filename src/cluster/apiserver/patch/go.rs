//! Values and their sorts in the words of Go, which patches that fail are described in.
//!
//! Source: Go, `fmt`; `staging/src/k8s.io/apimachinery/pkg/runtime/converter.go`.

use serde_json::Value;

use crate::cluster::apiserver::schema::{Field, Shape, Struct, Type};

/// A value as `%v` prints it: `map[spec:map[replicas:2]]`.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(text).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}:{}", text(value)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        scalar => scalar.to_string(),
    }
}

/// The Go type of a decoded value.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        _ => kind_of(value),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

/// Why an object does not fit its type, at the first place that does not; `None` where all plain
/// values fit. Values with a form of their own, as quantities, are for the decoder to judge.
pub(super) fn misfit(schema: &Struct, object: &Value) -> Option<String> {
    let Value::Object(fields) = object else {
        return Some(format!("cannot restore struct from: {}", kind_of(object)));
    };
    fields.iter().find_map(|(name, value)| {
        let field = schema.field(name)?;
        if value.is_null() {
            return None;
        }
        field_misfit(field, value)
    })
}

fn field_misfit(field: &Field, value: &Value) -> Option<String> {
    match field.shape {
        Shape::One(wanted) => value_misfit(wanted, value),
        Shape::Inline(inner) => misfit(inner, value),
        Shape::List(item, _) => match value {
            Value::Array(items) => items.iter().find_map(|value| value_misfit(item, value)),
            other => Some(format!("cannot restore slice from {}", kind_of(other))),
        },
        Shape::Map(entry, _) => match value {
            Value::Object(entries) => entries
                .values()
                .find_map(|value| value_misfit(entry, value)),
            other => Some(format!("cannot restore map from {}", kind_of(other))),
        },
    }
}

fn value_misfit(wanted: Type, value: &Value) -> Option<String> {
    let wanted = match wanted {
        Type::Struct(inner) => return misfit(inner, value),
        Type::Text => "string",
        Type::Bool => "bool",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        _ => return None,
    };
    let given = kind_of(value);
    match (given, wanted) {
        ("invalid", _) | ("int64", "int32") => None,
        (given, wanted) if given == wanted => None,
        // Go can convert between numbers, and a number to a text, but here it must not.
        ("float64", "int32" | "int64") | ("int64", "string") => {
            Some(format!("cannot convert {given} to {wanted}"))
        }
        (_, wanted) => Some(format!("unrecognized type: {wanted}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::apiserver::schema;

    #[test]
    fn values_print_as_go_prints_them() {
        let value = json!({"b": [1, "x", null, true], "a": {"c": 1.5}});
        assert_eq!(text(&value), "map[a:map[c:1.5] b:[1 x <nil> true]]");
    }

    #[test]
    fn the_first_value_of_a_wrong_sort_is_named() {
        let deployment = schema::find("apps", "v1", "Deployment").unwrap();
        for (spec, said) in [
            (json!({"replicas": 1, "paused": null}), None),
            (json!({"replicas": "x"}), Some("unrecognized type: int32")),
            (
                json!({"replicas": 1.5}),
                Some("cannot convert float64 to int32"),
            ),
            (json!({"paused": "yes"}), Some("unrecognized type: bool")),
            (
                json!({"strategy": {"type": 1}}),
                Some("cannot convert int64 to string"),
            ),
            (
                json!({"strategy": "Recreate"}),
                Some("cannot restore struct from: string"),
            ),
            (
                json!({"template": {"spec": {"containers": {}}}}),
                Some("cannot restore slice from map"),
            ),
            (
                json!({"template": {"metadata": {"labels": {"a": true}}}}),
                Some("unrecognized type: string"),
            ),
        ] {
            let object = json!({"spec": spec});
            assert_eq!(misfit(deployment, &object).as_deref(), said, "{object}");
        }
    }
}
