//! Why the API server says no: a `Status` with the code, the reason and the text of Kubernetes.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go` and
//! `staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go`.

use std::fmt::Write as _;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use kube::core::Status;
use kube::core::response::{StatusCause, StatusDetails, StatusSummary};
use serde_json::Value;

/// A refused request. Boxed, because a `Status` is large and refusals are rare.
pub(crate) type Refusal = Box<Status>;

/// The resource or kind that a refusal speaks of: `deployments` or `Deployment`, with its group.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) group: &'a str,
    /// The plural name, or the kind where Kubernetes uses the kind (`Invalid`).
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

impl Subject<'_> {
    /// `deployments.apps`, or `pods` in the core group.
    fn qualified(self) -> String {
        if self.group.is_empty() {
            self.kind.to_owned()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    fn details(self) -> StatusDetails {
        details(self.name, self.group, self.kind)
    }
}

fn details(name: &str, group: &str, kind: &str) -> StatusDetails {
    StatusDetails {
        name: name.to_owned(),
        group: group.to_owned(),
        kind: kind.to_owned(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    }
}

fn refuse(code: u16, reason: &str, message: String, details: Option<StatusDetails>) -> Refusal {
    Box::new(Status {
        status: Some(StatusSummary::Failure),
        code,
        message,
        metadata: Some(ListMeta::default()),
        reason: reason.to_owned(),
        details,
    })
}

pub(crate) fn not_found(subject: Subject<'_>) -> Refusal {
    let message = format!("{} \"{}\" not found", subject.qualified(), subject.name);
    refuse(404, "NotFound", message, Some(subject.details()))
}

pub(crate) fn already_exists(subject: Subject<'_>) -> Refusal {
    let message = format!(
        "{} \"{}\" already exists",
        subject.qualified(),
        subject.name
    );
    refuse(409, "AlreadyExists", message, Some(subject.details()))
}

pub(crate) fn conflict(subject: Subject<'_>, why: &str) -> Refusal {
    let message = format!(
        "Operation cannot be fulfilled on {} \"{}\": {why}",
        subject.qualified(),
        subject.name
    );
    refuse(409, "Conflict", message, Some(subject.details()))
}

/// The conflict of a writer that has not seen the newest version.
pub(crate) fn stale(subject: Subject<'_>) -> Refusal {
    conflict(
        subject,
        "the object has been modified; please apply your changes to the latest version and try \
         again",
    )
}

pub(crate) fn forbidden(subject: Subject<'_>, why: &str) -> Refusal {
    let message = format!(
        "{} \"{}\" is forbidden: {why}",
        subject.qualified(),
        subject.name
    );
    refuse(403, "Forbidden", message, Some(subject.details()))
}

/// No new content in a namespace that goes away.
pub(crate) fn namespace_terminating(subject: Subject<'_>, namespace: &str) -> Refusal {
    let mut refusal = forbidden(
        subject,
        &format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        ),
    );
    if let Some(details) = &mut refusal.details {
        details.causes.push(StatusCause {
            reason: "NamespaceTerminating".to_owned(),
            message: format!("namespace {namespace} is being terminated"),
            field: "metadata.namespace".to_owned(),
        });
    }
    refusal
}

pub(crate) fn bad_request(message: impl Into<String>) -> Refusal {
    refuse(400, "BadRequest", message.into(), None)
}

pub(crate) fn unauthorized() -> Refusal {
    refuse(401, "Unauthorized", "Unauthorized".to_owned(), None)
}

pub(crate) fn unsupported_media_type(message: &str) -> Refusal {
    refuse(415, "UnsupportedMediaType", message.to_owned(), None)
}

/// A patch of a form that is not known.
pub(crate) fn unsupported_patch() -> Refusal {
    refuse(
        415,
        "UnsupportedMediaType",
        "415: Unsupported Media Type".to_owned(),
        Some(details("", "", "")),
    )
}

pub(crate) fn not_acceptable(message: &str) -> Refusal {
    refuse(406, "NotAcceptable", message.to_owned(), None)
}

pub(crate) fn method_not_allowed() -> Refusal {
    refuse(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource".to_owned(),
        Some(details("", "", "")),
    )
}

/// A conversation with the processes of a pod: `exec`, `attach`.
pub(crate) fn no_session(subresource: &str) -> Refusal {
    let message = format!(
        "this cluster offers no {subresource}: its containers are built in, without a shell; read \
         their logs, and reach them at their pods' addresses"
    );
    refuse(405, "MethodNotAllowed", message, Some(details("", "", "")))
}

/// Ports are to be forwarded in a protocol that the cluster does not speak.
pub(crate) fn unknown_forwarding(spoken: &str) -> Refusal {
    let message = format!(
        "this cluster forwards ports only over a WebSocket with the subprotocol {spoken}, which \
         kubectl does not speak; reach containers at their pods' addresses"
    );
    refuse(405, "MethodNotAllowed", message, Some(details("", "", "")))
}

/// A path under a served group that names no served resource.
pub(crate) fn unknown_resource() -> Refusal {
    refuse(
        404,
        "NotFound",
        "the server could not find the requested resource".to_owned(),
        Some(details("", "", "")),
    )
}

/// The patch names a path or tests a value that is not there.
pub(crate) fn unprocessable_patch() -> Refusal {
    refuse(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request".to_owned(),
        Some(details("", "", "")),
    )
}

/// A list or watch from a revision that the server no longer remembers.
pub(crate) fn expired(message: impl Into<String>) -> Refusal {
    refuse(410, "Expired", message.into(), None)
}

/// A read that asks for a revision of the future.
pub(crate) fn too_large_resource_version(asked: u64, current: u64) -> Refusal {
    let mut detail = details("", "", "");
    detail.causes.push(StatusCause {
        reason: "ResourceVersionTooLarge".to_owned(),
        message: "Too large resource version".to_owned(),
        field: String::new(),
    });
    detail.retry_after_seconds = 1;
    refuse(
        504,
        "Timeout",
        format!("Timeout: Too large resource version: {asked}, current: {current}"),
        Some(detail),
    )
}

pub(crate) fn internal(message: impl Into<String>) -> Refusal {
    let message = format!("Internal error occurred: {}", message.into());
    refuse(500, "InternalError", message, Some(details("", "", "")))
}

/// A fault that upstream gives no reason of its own: clients see its text alone.
pub(crate) fn unknown(message: impl Into<String>) -> Refusal {
    refuse(500, "", message.into(), None)
}

/// Server-side apply: other managers own fields with other values. Each conflict is the manager,
/// the `apiVersion` it used (where it is an updater), and the field's path.
pub(crate) fn apply_conflict(message: String, causes: Vec<StatusCause>) -> Refusal {
    let mut detail = details("", "", "");
    detail.causes = causes;
    refuse(409, "Conflict", message, Some(detail))
}

/// One field that is not acceptable, with the cause code of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    pub(crate) field: String,
    reason: &'static str,
    message: String,
}

impl FieldError {
    fn new(field: impl Into<String>, reason: &'static str, message: String) -> Self {
        Self {
            field: field.into(),
            reason,
            message,
        }
    }

    /// The field is missing; `hint` may be empty.
    pub(crate) fn required(field: impl Into<String>, hint: &str) -> Self {
        Self::new(
            field,
            "FieldValueRequired",
            with_detail("Required value", hint),
        )
    }

    /// The value is shown as Kubernetes shows it: texts quoted, the rest as compact JSON.
    pub(crate) fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        let message = with_detail(&format!("Invalid value: {value}"), why);
        Self::new(field, "FieldValueInvalid", message)
    }

    /// The supported values come sorted, as upstream sorts them.
    pub(crate) fn not_supported(field: impl Into<String>, value: &Value, valid: &[&str]) -> Self {
        Self::not_supported_shown(field, &value.to_string(), valid)
    }

    /// The same of a value that upstream shows in a form of its own: the struct inside of it.
    pub(crate) fn not_supported_shown(
        field: impl Into<String>,
        shown: &str,
        valid: &[&str],
    ) -> Self {
        let mut message = format!("Unsupported value: {shown}: supported values: ");
        for (index, name) in valid.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(message, "{separator}\"{name}\"");
        }
        Self::new(field, "FieldValueNotSupported", message)
    }

    pub(crate) fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self::duplicate_shown(field, &value.to_string())
    }

    /// The same of a value that upstream shows in a form of its own.
    pub(crate) fn duplicate_shown(field: impl Into<String>, shown: &str) -> Self {
        let message = format!("Duplicate value: {shown}");
        Self::new(field, "FieldValueDuplicate", message)
    }

    pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self::new(field, "FieldValueForbidden", with_detail("Forbidden", why))
    }

    /// `limit` is in bytes.
    pub(crate) fn too_long(field: impl Into<String>, limit: usize) -> Self {
        let message = format!("Too long: may not be more than {limit} bytes");
        Self::new(field, "FieldValueTooLong", message)
    }

    /// A list with more items than its kind allows.
    pub(crate) fn too_many(field: impl Into<String>, count: usize, limit: usize) -> Self {
        let message = format!("Too many: {count}: must have at most {limit} items");
        Self::new(field, "FieldValueTooMany", message)
    }

    pub(crate) fn missing(field: impl Into<String>, value: &Value) -> Self {
        Self::new(field, "FieldValueNotFound", format!("Not found: {value}"))
    }
}

fn with_detail(text: &str, detail: &str) -> String {
    if detail.is_empty() {
        text.to_owned()
    } else {
        format!("{text}: {detail}")
    }
}

/// The 422 of an object with unacceptable fields.
pub(crate) fn invalid(subject: Subject<'_>, errors: &[FieldError]) -> Refusal {
    let texts: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.field, error.message))
        .collect();
    let list = match texts.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let message = format!(
        "{} \"{}\" is invalid: {list}",
        subject.qualified(),
        subject.name
    );
    let mut detail = subject.details();
    detail.causes = errors
        .iter()
        .map(|error| StatusCause {
            reason: error.reason.to_owned(),
            message: error.message.clone(),
            field: error.field.clone(),
        })
        .collect();
    refuse(422, "Invalid", message, Some(detail))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WEB: Subject<'_> = Subject {
        group: "apps",
        kind: "deployments",
        name: "web",
    };

    #[test]
    fn one_field_error_stands_alone_and_several_stand_in_brackets() {
        let subject = Subject {
            kind: "Deployment",
            ..WEB
        };
        let negative = FieldError::invalid("spec.replicas", &json!(-1), "must not be negative");
        let missing = FieldError::required("spec.selector", "");
        let one = invalid(subject, std::slice::from_ref(&negative));
        assert_eq!(
            one.message,
            "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must not be \
             negative"
        );
        let two = invalid(subject, &[missing, negative]);
        assert_eq!(
            two.message,
            "Deployment.apps \"web\" is invalid: [spec.selector: Required value, spec.replicas: \
             Invalid value: -1: must not be negative]"
        );
        assert_eq!(two.details.map(|details| details.causes.len()), Some(2));
    }

    #[test]
    fn core_resources_have_no_group_in_their_refusals() {
        let subject = Subject {
            group: "",
            kind: "pods",
            name: "p",
        };
        assert_eq!(not_found(subject).message, "pods \"p\" not found");
        assert_eq!(not_found(WEB).message, "deployments.apps \"web\" not found");
    }
}
