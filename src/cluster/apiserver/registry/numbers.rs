//! Numbers with bounds, and ports by number or name.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/api/validation/generic.go` and
//! `staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go`.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use crate::cluster::object::{FieldError, FieldPath};

/// Complains of a number below zero.
pub(crate) fn non_negative(
    value: Option<impl Into<i64>>,
    path: FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if let Some(value) = value.map(Into::into)
        && value < 0
    {
        errors.push(FieldError::invalid(
            path,
            &value.into(),
            "must be greater than or equal to 0",
        ));
    }
}

/// Complains of a number outside of a range.
pub(crate) fn within(
    value: i64,
    lowest: i64,
    highest: i64,
    path: FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if !(lowest..=highest).contains(&value) {
        errors.push(FieldError::invalid(
            path,
            &value.into(),
            &format!("must be between {lowest} and {highest}, inclusive"),
        ));
    }
}

/// Complains of a number that is no port.
pub(crate) fn port_number(port: i32, path: FieldPath, errors: &mut Vec<FieldError>) {
    within(port.into(), 1, 65_535, path, errors);
}

/// Complains of a port that is neither a number nor a name of one.
pub(crate) fn port(port: &IntOrString, path: FieldPath, errors: &mut Vec<FieldError>) {
    match port {
        IntOrString::Int(number) => port_number(*number, path, errors),
        IntOrString::String(name) => errors.extend(
            broken_port_name(name)
                .iter()
                .map(|why| FieldError::invalid(&path, &json!(name), why)),
        ),
    }
}

/// Why a text is no name of a port; empty when it is one.
pub(crate) fn broken_port_name(name: &str) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > 15 {
        broken.push("must be no more than 15 characters");
    }
    if name.is_empty() || !name.bytes().all(allowed) {
        broken.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        broken.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        broken.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        broken.push("must not begin or end with a hyphen");
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_has_a_number_or_a_short_name() {
        let complaints = |value: IntOrString| {
            let mut errors = Vec::new();
            port(&value, FieldPath::new("port"), &mut errors);
            errors.len()
        };
        for (value, count) in [
            (IntOrString::Int(0), 1),
            (IntOrString::Int(1), 0),
            (IntOrString::Int(65_535), 0),
            (IntOrString::Int(65_536), 1),
            (IntOrString::String("http".to_owned()), 0),
            (IntOrString::String("http-2".to_owned()), 0),
            (IntOrString::String("x_y".to_owned()), 1),
            (IntOrString::String("80".to_owned()), 1),
            (IntOrString::String("a--b".to_owned()), 1),
            (IntOrString::String("-a".to_owned()), 1),
            (IntOrString::String("sixteen-letters-x".to_owned()), 1),
            (IntOrString::String(String::new()), 2),
        ] {
            assert_eq!(complaints(value.clone()), count, "{value:?}");
        }
    }
}
