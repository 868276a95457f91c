//! What is kept of a Namespace.

use k8s_openapi::api::core::v1::Namespace;

use crate::history::facts::{Condition, Facts, NamespaceFacts};

pub(in crate::observer) fn facts(namespace: &Namespace) -> Facts {
    let status = namespace.status.clone().unwrap_or_default();
    Facts::Namespace(NamespaceFacts {
        phase: status.phase.unwrap_or_default(),
        conditions: status
            .conditions
            .into_iter()
            .flatten()
            .map(|condition| Condition {
                name: condition.type_,
                status: condition.status,
                reason: condition.reason.unwrap_or_default(),
                message: condition.message.unwrap_or_default(),
            })
            .collect(),
    })
}
