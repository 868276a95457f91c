//! Events. Source: `pkg/registry/core/event/strategy.go` and
//! `pkg/apis/core/validation/events.go`.

use k8s_openapi::api::core::v1::Event;
use serde_json::{Value, json};

use super::{Kind, NameRule, Resource, Scope, Typed, kind};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::FieldError;

pub(crate) static RESOURCE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Event",
    collection: "events",
    plural: "events",
    singular: "event",
    short_names: &["ev"],
    categories: &[],
    scope: Scope::Namespaced,
    subresources: &[],
    names: NameRule::Subdomain,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

struct Rules;

impl Kind for Rules {
    type Object = Event;

    const FIELDS: &'static [&'static str] = &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ];

    fn default(event: &mut Event) {
        event.source.get_or_insert_default();
        event.reporting_component.get_or_insert_default();
        event.reporting_instance.get_or_insert_default();
    }

    fn validate(event: &Event, _: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let about = event
            .involved_object
            .namespace
            .as_deref()
            .unwrap_or_default();
        let home = event.metadata.namespace.as_deref().unwrap_or_default();
        // Events about objects without a namespace are kept in `default`.
        let fits = if about.is_empty() {
            matches!(home, "default" | "kube-system")
        } else {
            about == home
        };
        if !fits {
            errors.push(FieldError::invalid(
                "involvedObject.namespace",
                &json!(about),
                "does not match event.namespace",
            ));
        }
        // The newer form of events has a time of its own and says who acted.
        if event.event_time.is_some() {
            for (field, text) in [
                ("reportingComponent", &event.reporting_component),
                ("reportingInstance", &event.reporting_instance),
                ("action", &event.action),
                ("reason", &event.reason),
            ] {
                if text.as_deref().unwrap_or_default().is_empty() {
                    errors.push(FieldError::required(field, ""));
                }
            }
        }
        errors
    }

    fn dress(event: &mut Value) {
        for key in ["eventTime", "firstTimestamp", "lastTimestamp"] {
            kind::set_missing(event, key, Value::Null);
        }
    }

    fn field(event: &Value, field: &str) -> String {
        if field == "source" {
            let component = kind::at_path(event, "source.component");
            if component.is_empty() {
                return kind::at_path(event, "reportingComponent");
            }
            return component;
        }
        kind::at_path(event, field)
    }

    fn printer() -> &'static Printer {
        &table::event::PRINTER
    }
}
