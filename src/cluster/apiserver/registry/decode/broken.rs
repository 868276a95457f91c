//! Why a value could not be read, in the words of Go's decoder.

use std::fmt;

use serde::de::{Expected, Unexpected};
use serde_json::Value;

/// Why a value could not be read. It is completed on its way out of the nested structs.
#[derive(Debug)]
pub(super) struct Broken {
    why: Why,
    /// The innermost struct that holds the value.
    holder: Option<&'static str>,
    /// The fields that lead to the value, the innermost first.
    fields: Vec<String>,
}

#[derive(Debug)]
enum Why {
    Type { found: String, expected: String },
    Text(String),
}

impl Broken {
    fn new(why: Why) -> Self {
        Self {
            why,
            holder: None,
            fields: Vec::new(),
        }
    }

    /// The value is of another kind than `T`.
    pub(super) fn mismatch<T>(found: &Value) -> Self {
        Self::new(Why::Type {
            found: go_value(found),
            expected: go_type(std::any::type_name::<T>()),
        })
    }

    /// The number does not fit into `T`.
    pub(super) fn number<T>(found: &Value) -> Self {
        Self::new(Why::Type {
            found: format!("number {found}"),
            expected: go_type(std::any::type_name::<T>()),
        })
    }

    /// The value stands in a field of a struct.
    pub(super) fn inside(mut self, holder: &'static str, field: &str) -> Self {
        self.holder.get_or_insert(holder);
        self.fields.push(field.to_owned());
        self
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, expected) = match &self.why {
            Why::Type { found, expected } => (found, expected),
            Why::Text(text) => return f.write_str(text),
        };
        write!(f, "json: cannot unmarshal {found} into Go ")?;
        match self.holder {
            Some(holder) => {
                write!(f, "struct field {holder}")?;
                for field in self.fields.iter().rev() {
                    write!(f, ".{field}")?;
                }
            }
            None => f.write_str("value")?,
        }
        write!(f, " of type {expected}")
    }
}

impl std::error::Error for Broken {}

impl serde::de::Error for Broken {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(Why::Text(text.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "bool".to_owned(),
            Unexpected::Signed(number) => format!("number {number}"),
            Unexpected::Unsigned(number) => format!("number {number}"),
            Unexpected::Float(number) => format!("number {number}"),
            Unexpected::Str(_) => "string".to_owned(),
            Unexpected::Seq => "array".to_owned(),
            _ => "object".to_owned(),
        };
        Self::new(Why::Type {
            found,
            expected: go_type(&expected.to_string()),
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }
}

/// What Go calls the kind of a JSON value.
fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(number) if number.is_f64() => format!("number {number}"),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

/// What Go calls a type, given its Rust name: `Vec<…::Container>` is `[]v1.Container`.
fn go_type(name: &str) -> String {
    let (outer, inner) = match name.split_once('<') {
        Some((outer, inner)) => (outer, inner.trim_end_matches('>')),
        None => (name, ""),
    };
    match outer.rsplit("::").next().unwrap_or(outer) {
        "Vec" => format!("[]{}", go_type(inner)),
        "BTreeMap" => {
            let (_, value) = inner.split_once(", ").unwrap_or(("", inner));
            format!("map[string]{}", go_type(value))
        }
        "String" => "string".to_owned(),
        "i32" | "IntOrString" | "a 32-bit integer" => "int32".to_owned(),
        "i64" => "int64".to_owned(),
        "f64" => "float64".to_owned(),
        "bool" => "bool".to_owned(),
        "Quantity" => "resource.Quantity".to_owned(),
        "ByteString" => "[]uint8".to_owned(),
        other => format!("v1.{other}"),
    }
}
