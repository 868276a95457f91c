//! Protobuf bodies as JSON. Clients of Go's typed packages send them, `kubectl create` among them;
//! answers are always JSON, which such clients accept.
//!
//! A body is `k8s\0` and an envelope: field 1 names the type, field 2 holds the object. What its
//! fields are is in the [`super::schema`]; fields that are not there are skipped.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go`.

#[cfg(test)]
pub(super) mod tests;
mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::wire::{Fields, Wire, varint};
use super::schema::{self, Field, Presence, Shape, Struct, Type};

/// The media type of such bodies.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

const MAGIC: &[u8] = b"k8s\0";

/// Reads a body.
///
/// # Errors
/// The body is no message of a kind that the schema has.
pub(crate) fn decode(body: &[u8]) -> Result<Value, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or_else(|| {
        format!(
            "provided data does not appear to be a protobuf message, expected prefix {}",
            "[107 56 115 0]"
        )
    })?;
    let (mut type_meta, mut raw): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::new(envelope) {
        match field? {
            (1, Wire::Delimited(bytes)) => type_meta = bytes,
            (2, Wire::Delimited(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (api_version, kind) = type_of(type_meta)?;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let known = schema::find(group, version, kind).ok_or_else(|| {
        format!(
            "no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \
             \"pkg/api/legacyscheme/scheme.go:30\""
        )
    })?;
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    message(known, raw, &mut object)?;
    Ok(Value::Object(object))
}

/// `apiVersion` and `kind` of the envelope.
fn type_of(type_meta: &[u8]) -> Result<(&str, &str), String> {
    let (mut api_version, mut kind) = ("", "");
    for field in Fields::new(type_meta) {
        match field? {
            (1, Wire::Delimited(bytes)) => api_version = text(bytes)?,
            (2, Wire::Delimited(bytes)) => kind = text(bytes)?,
            _ => {}
        }
    }
    Ok((api_version, kind))
}

/// Reads the fields of a message into an object.
fn message(known: &Struct, bytes: &[u8], object: &mut Map<String, Value>) -> Result<(), String> {
    for field in Fields::new(bytes) {
        let (number, wire) = field?;
        if let Some(field) = known.numbered(number) {
            put(field, wire, object)?;
        }
    }
    Ok(())
}

fn put(field: &Field, wire: Wire<'_>, object: &mut Map<String, Value>) -> Result<(), String> {
    match field.shape {
        Shape::Inline(inner) => message(inner, delimited(field, wire)?, object),
        Shape::One(kind) => {
            let value = single(field, kind, wire)?;
            // What is no pointer is always on the wire; zero says that it is absent.
            let is_absent = field.presence == Presence::Value && is_zero(&value);
            if !value.is_null() && !is_absent {
                object.insert(field.name.to_owned(), value);
            }
            Ok(())
        }
        Shape::List(item, _) => {
            let list = object.entry(field.name).or_insert_with(|| json!([]));
            let values = match (item, wire) {
                (Type::Int32 | Type::Int64, Wire::Delimited(packed)) => numbers(packed)?,
                _ => vec![single(field, item, wire)?],
            };
            if let Value::Array(list) = list {
                list.extend(values);
            }
            Ok(())
        }
        Shape::Map(kind, _) => {
            let (key, value) = entry(field, kind, delimited(field, wire)?)?;
            let map = object.entry(field.name).or_insert_with(|| json!({}));
            if let Value::Object(map) = map {
                map.insert(key, value);
            }
            Ok(())
        }
    }
}

/// An entry of a map: field 1 is the key, field 2 the value; each may be left out when it is zero.
fn entry(field: &Field, kind: Type, bytes: &[u8]) -> Result<(String, Value), String> {
    let (mut key, mut value) = (String::new(), single(field, kind, Wire::Delimited(&[]))?);
    for part in Fields::new(bytes) {
        match part? {
            (1, Wire::Delimited(bytes)) => text(bytes)?.clone_into(&mut key),
            (2, wire) => value = single(field, kind, wire)?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// A single value; null where it says that there is none.
fn single(field: &Field, kind: Type, wire: Wire<'_>) -> Result<Value, String> {
    Ok(match kind {
        Type::Bool => (number(field, wire)? != 0).into(),
        Type::Int32 | Type::Int64 => number(field, wire)?.into(),
        Type::Text => text(delimited(field, wire)?)?.into(),
        Type::Bytes => BASE64.encode(delimited(field, wire)?).into(),
        Type::Time => time(delimited(field, wire)?, "%Y-%m-%dT%H:%M:%SZ")?,
        Type::MicroTime => time(delimited(field, wire)?, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
        Type::Quantity => text(only_field(delimited(field, wire)?)?)?.into(),
        Type::IntOrText => int_or_text(delimited(field, wire)?)?,
        Type::FieldsV1 => serde_json::from_slice(only_field(delimited(field, wire)?)?)
            .map_err(|error| format!("{}: {error}", field.name))?,
        Type::Struct(inner) => {
            let mut object = Map::new();
            message(inner, delimited(field, wire)?, &mut object)?;
            Value::Object(object)
        }
    })
}

fn is_zero(value: &Value) -> bool {
    *value == json!(false) || *value == json!(0) || *value == json!("")
}

fn number(field: &Field, wire: Wire<'_>) -> Result<i64, String> {
    match wire {
        Wire::Varint(value) => Ok(value.cast_signed()),
        other => Err(wrong_wire_type(field, other)),
    }
}

fn delimited<'b>(field: &Field, wire: Wire<'b>) -> Result<&'b [u8], String> {
    match wire {
        Wire::Delimited(bytes) => Ok(bytes),
        other => Err(wrong_wire_type(field, other)),
    }
}

fn wrong_wire_type(field: &Field, wire: Wire<'_>) -> String {
    let wire_type = wire.wire_type();
    format!(
        "proto: wrong wireType = {wire_type} for field {}",
        field.name
    )
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "proto: a text is not UTF-8".to_owned())
}

fn numbers(mut packed: &[u8]) -> Result<Vec<Value>, String> {
    let mut numbers = Vec::new();
    while !packed.is_empty() {
        numbers.push(varint(&mut packed)?.cast_signed().into());
    }
    Ok(numbers)
}

/// The text or bytes that a message wraps.
fn only_field(bytes: &[u8]) -> Result<&[u8], String> {
    let mut inner: &[u8] = &[];
    for field in Fields::new(bytes) {
        if let (1, Wire::Delimited(bytes)) = field? {
            inner = bytes;
        }
    }
    Ok(inner)
}

/// Seconds and nanoseconds since 1970; an empty message is no time at all.
fn time(bytes: &[u8], format: &str) -> Result<Value, String> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields::new(bytes) {
        match field? {
            (1, Wire::Varint(value)) => seconds = value.cast_signed(),
            (2, Wire::Varint(value)) => nanos = value.cast_signed(),
            _ => {}
        }
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let out_of_range = |_| format!("proto: the time {seconds}.{nanos} is out of range");
    let nanos = i32::try_from(nanos).unwrap_or(i32::MAX);
    let time = Timestamp::new(seconds, nanos).map_err(out_of_range)?;
    Ok(time.strftime(format).to_string().into())
}

/// Field 1 says which of the others counts: 0 the number, 1 the text.
fn int_or_text(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut given) = (false, 0, "");
    for field in Fields::new(bytes) {
        match field? {
            (1, Wire::Varint(kind)) => is_text = kind == 1,
            (2, Wire::Varint(value)) => number = value.cast_signed(),
            (3, Wire::Delimited(bytes)) => given = text(bytes)?,
            _ => {}
        }
    }
    Ok(if is_text { given.into() } else { number.into() })
}
