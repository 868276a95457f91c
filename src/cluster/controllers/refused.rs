//! What the API server meant by an error.

use kube::Error;
use kube::core::Status;

/// The text that the API server answered with, or the error's own where it did not answer.
pub(crate) fn message(error: &Error) -> String {
    status(error).map_or_else(|| error.to_string(), |status| status.message.clone())
}

/// Whether the object is gone.
pub(crate) fn is_not_found(error: &Error) -> bool {
    status(error).is_some_and(Status::is_not_found)
}

/// Whether somebody else wrote in between.
pub(crate) fn is_conflict(error: &Error) -> bool {
    status(error).is_some_and(Status::is_conflict)
}

/// Whether the write would have made an invalid object, or one with another uid.
pub(crate) fn is_invalid(error: &Error) -> bool {
    status(error).is_some_and(Status::is_invalid)
}

/// Whether the name is taken.
pub(crate) fn is_already_exists(error: &Error) -> bool {
    status(error).is_some_and(Status::is_already_exists)
}

/// Whether the namespace goes away and takes no new content.
pub(crate) fn is_namespace_terminating(error: &Error) -> bool {
    status(error)
        .and_then(|status| status.details.as_ref())
        .is_some_and(|details| {
            details
                .causes
                .iter()
                .any(|cause| cause.reason == "NamespaceTerminating")
        })
}

fn status(error: &Error) -> Option<&Status> {
    match error {
        Error::Api(status) => Some(status),
        _ => None,
    }
}
