//! Namespaces. Source: `pkg/registry/core/namespace/strategy.go`.

use k8s_openapi::api::core::v1::{Namespace, NamespaceStatus};
use serde_json::{Value, json};

use super::names::broken_label_value;
use super::{Kind, NameRule, Resource, Scope, Subresource, Typed};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::FieldError;
use crate::cluster::object::meta::NAMESPACE_LABEL;

pub(crate) static RESOURCE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Namespace",
    collection: "namespaces",
    plural: "namespaces",
    singular: "namespace",
    short_names: &["ns"],
    categories: &[],
    scope: Scope::Cluster,
    subresources: &[Subresource::Status, Subresource::Finalize],
    names: NameRule::Label,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

/// The finalizer that keeps a namespace until its content is gone.
pub(crate) const FINALIZER: &str = "kubernetes";

struct Rules;

impl Kind for Rules {
    type Object = Namespace;

    const HAS_STATUS: bool = true;
    const FIELDS: &'static [&'static str] = &["status.phase"];

    fn default(namespace: &mut Namespace) {
        label(namespace);
    }

    fn initialize(namespace: &mut Namespace) {
        // A generated name is not known when defaults are set.
        label(namespace);
        let finalizers = namespace
            .spec
            .get_or_insert_default()
            .finalizers
            .get_or_insert_default();
        if !finalizers.iter().any(|name| name == FINALIZER) {
            finalizers.push(FINALIZER.to_owned());
        }
        namespace.status = Some(NamespaceStatus {
            phase: Some("Active".to_owned()),
            ..NamespaceStatus::default()
        });
    }

    /// Its name is also the value of a label.
    fn validate(namespace: &Namespace, _: &Value) -> Vec<FieldError> {
        let name = namespace.metadata.name.as_deref().unwrap_or_default();
        broken_label_value(name)
            .iter()
            .map(|why| FieldError::invalid("metadata.labels", &json!(name), why))
            .collect()
    }

    /// Only `finalize` writes the finalizers.
    fn prepare_update(new: &mut Namespace, old: &Namespace) {
        new.spec.clone_from(&old.spec);
    }

    fn printer() -> &'static Printer {
        &table::namespace::PRINTER
    }
}

fn label(namespace: &mut Namespace) {
    if let Some(name) = namespace.metadata.name.clone() {
        let labels = namespace.metadata.labels.get_or_insert_default();
        labels.insert(NAMESPACE_LABEL.to_owned(), name);
    }
}
