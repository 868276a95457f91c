//! Reading the body of a write.

use std::fmt::Write as _;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::registry::Resource;
use super::{protobuf, text};
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};

/// What Go's decoder looks for first.
const TYPE_META: &str = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; \
                         Kind string \"json:\\\"kind,omitempty\\\"\" }";
/// How much of a body a refusal shows.
const SUMMARY_LENGTH: usize = 1024;

/// The media type of a body, without parameters; JSON where the client names none.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map_or("application/json", str::trim)
}

/// The object in a body.
///
/// # Errors
/// A 415 for a form that is not read here, a 400 for a body that is not of the resource's kind.
pub(crate) fn object(
    resource: &Resource,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, Refusal> {
    let value = value(resource.kind, headers, body)?;
    check_type(resource, &value)?;
    Ok(value)
}

/// What is in a body that should hold an object of a kind.
///
/// # Errors
/// A 415 for a form that is not read here, a 400 for a body that cannot be read.
pub(crate) fn value(kind: &str, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let read = match media_type(headers) {
        "application/json" => text::json(body)
            .map_err(|why| format!("couldn't get version/kind; json parse error: {why}")),
        "application/yaml" => text::yaml(body)
            .map_err(|why| format!("couldn't get version/kind; yaml parse error: {why}")),
        protobuf::MEDIA_TYPE => protobuf::decode(body),
        _ => {
            return Err(refusal::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json, application/yaml, application/vnd.kubernetes.protobuf",
            ));
        }
    };
    let why = match read {
        Ok(Value::Object(fields)) => return Ok(Value::Object(fields)),
        Ok(other) => format!(
            "couldn't get version/kind; json parse error: {}",
            text::cannot_unmarshal(&other, TYPE_META)
        ),
        Err(why) => why,
    };
    Err(refusal::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({})",
        summary(body)
    )))
}

/// The body as a refusal shows it: JSON as it is, everything else in hexadecimal.
fn summary(body: &[u8]) -> String {
    let shown = &body[..body.len().min(SUMMARY_LENGTH)];
    let dots = if shown.len() < body.len() { " ..." } else { "" };
    match shown.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{dots}", String::from_utf8_lossy(shown)),
        Some(_) => {
            let mut digits = String::new();
            for byte in shown {
                // Writing to a String cannot fail.
                let _ = write!(digits, "{byte:02x}");
            }
            digits + dots
        }
    }
}

/// The type may be left out; what is given must fit.
///
/// # Errors
/// A 400 in the words of upstream's decoder.
pub(crate) fn check_type(resource: &Resource, object: &Value) -> Result<(), Refusal> {
    let given = |key: &str| object[key].as_str().unwrap_or_default();
    let (kind, api_version) = (given("kind"), given("apiVersion"));
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let refuse = |given_kind: &str, why: String| {
        Err(refusal::bad_request(format!(
            "{given_kind} in version \"{version}\" cannot be handled as a {}: {why}",
            resource.kind
        )))
    };
    let same_version = group == resource.group && version == resource.version;
    if !api_version.is_empty() && !same_version {
        return refuse(
            kind,
            format!(
                "no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \
                 \"pkg/api/legacyscheme/scheme.go:30\""
            ),
        );
    }
    if !kind.is_empty() && kind != resource.kind {
        let internal = if resource.group.is_empty() {
            "core"
        } else {
            resource.group
        };
        return refuse(
            kind,
            format!(
                "converting ({version}.{kind}) to ({internal}.{}): unknown conversion",
                resource.kind
            ),
        );
    }
    Ok(())
}

/// Completes and checks the name and the namespace of an object against the URL.
///
/// # Errors
/// A 400 where body and URL disagree.
pub(crate) fn locate(
    object: &mut Value,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Result<(), Refusal> {
    let given = meta::namespace(object);
    match namespace {
        Some(namespace) if given.is_empty() => meta::set(object, "namespace", namespace),
        Some(namespace) if given == namespace => {}
        None if given.is_empty() => {}
        _ => {
            return Err(refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the \
                 request",
            ));
        }
    }
    if let Some(name) = name {
        let given = meta::name(object);
        if given.is_empty() {
            meta::set(object, "name", name);
        } else if given != name {
            return Err(refusal::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )));
        }
    }
    Ok(())
}
