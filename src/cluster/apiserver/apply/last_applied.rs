//! The way from client-side to server-side apply: `kubectl apply` leaves its configuration in an
//! annotation, and `kubectl apply --server-side` may change what that annotation speaks of.
//!
//! Source: `lastappliedmanager.go` and `lastappliedupdater.go` of
//! `staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal`.

use serde_json::Value;

use super::compare::compare;
use super::owned::owned;
use super::set::FieldSet;
use crate::cluster::apiserver::schema::Struct;

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The only manager that this is for.
pub(super) const MANAGER: &str = "kubectl";

/// The fields that client-side apply wrote and that still have its values.
pub(super) fn unchanged(schema: &'static Struct, live: &Value) -> FieldSet {
    let configuration = live["metadata"]["annotations"][ANNOTATION]
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok());
    let Some(configuration) = configuration else {
        return FieldSet::default();
    };
    let mut fields = owned(schema, &configuration);
    let changes = compare(schema, &configuration, live);
    fields.remove(&changes.written);
    fields.remove(&changes.removed);
    fields
}

/// Keeps the annotation, where there is one, in step with what is applied.
pub(super) fn update(object: &mut Value, configuration: &Value) {
    let annotations = object.pointer_mut("/metadata/annotations");
    if let Some(annotation) = annotations.and_then(|annotations| annotations.get_mut(ANNOTATION)) {
        *annotation = format!("{configuration}\n").into();
    }
}
