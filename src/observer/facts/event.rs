//! What is kept of an Event.

use k8s_openapi::api::core::v1::Event;

use crate::history::facts::{EventFacts, Facts};

pub(in crate::observer) fn facts(event: &Event) -> Facts {
    let about = &event.involved_object;
    Facts::Event(EventFacts {
        event_type: event.type_.clone().unwrap_or_default(),
        reason: event.reason.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        about: format!(
            "{}/{}",
            about.kind.as_deref().unwrap_or_default(),
            about.name.as_deref().unwrap_or_default()
        ),
        count: i64::from(event.count.unwrap_or(1)),
    })
}
