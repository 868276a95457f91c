//! What an applier hears whose values are not those of other managers.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go`.

use std::fmt::Write as _;

use kube::core::response::StatusCause;

use super::managed::Entry;
use super::set::FieldSet;
use crate::cluster::object::refusal::{self, Refusal};

/// Fields that another manager owns and an applier wants to change.
#[derive(Debug)]
pub(super) struct Conflict {
    /// As it is printed: `"curl" using apps/v1`.
    manager: String,
    pub(super) fields: FieldSet,
}

impl Conflict {
    /// The conflict with an entry, where there is one.
    pub(super) fn with(entry: &Entry, written: &FieldSet) -> Option<Self> {
        let fields = entry.fields.common(written);
        (!fields.is_empty()).then(|| Self {
            manager: printed(entry),
            fields,
        })
    }
}

fn printed(entry: &Entry) -> String {
    let mut text = format!("{:?}", entry.text("manager"));
    let subresource = entry.text("subresource");
    if !subresource.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(text, " with subresource {subresource:?}");
    }
    if entry.is_update() {
        let _ = write!(text, " using {}", entry.text("apiVersion"));
    }
    text
}

/// The 409 with all conflicts.
pub(super) fn refuse(mut conflicts: Vec<Conflict>) -> Refusal {
    conflicts.sort_by(|one, other| one.manager.cmp(&other.manager));
    let mut causes = Vec::new();
    let mut message = String::new();
    for Conflict { manager, fields } in &conflicts {
        let _ = write!(message, "\nconflicts with {manager}:");
        for field in fields.paths() {
            let _ = write!(message, "\n- {field}");
            causes.push(StatusCause {
                reason: "FieldManagerConflict".to_owned(),
                message: format!("conflict with {manager}"),
                field,
            });
        }
    }
    let message = match causes.as_slice() {
        [one] => format!(
            "Apply failed with 1 conflict: {}: {}",
            one.message, one.field
        ),
        several => format!(
            "Apply failed with {} conflicts: {}",
            several.len(),
            message.trim_start()
        ),
    };
    refusal::apply_conflict(message, causes)
}
