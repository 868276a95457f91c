//! Leases. Source: `pkg/registry/coordination/lease/strategy.go` and
//! `pkg/apis/coordination/validation/validation.go`.

use k8s_openapi::api::coordination::v1::Lease;
use serde_json::Value;

use super::numbers::non_negative;
use super::{Kind, NameRule, Resource, Scope, Typed};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::{FieldError, FieldPath};

pub(crate) static RESOURCE: Resource = Resource {
    group: "coordination.k8s.io",
    version: "v1",
    kind: "Lease",
    collection: "leases.coordination.k8s.io",
    plural: "leases",
    singular: "lease",
    short_names: &[],
    categories: &[],
    scope: Scope::Namespaced,
    subresources: &[],
    names: NameRule::Subdomain,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

struct Rules;

impl Kind for Rules {
    type Object = Lease;

    fn default(lease: &mut Lease) {
        lease.spec.get_or_insert_default();
    }

    fn validate(lease: &Lease, _: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = FieldPath::new("spec");
        let spec = lease.spec.clone().unwrap_or_default();
        if let Some(seconds) = spec.lease_duration_seconds
            && seconds <= 0
        {
            errors.push(FieldError::invalid(
                path.child("leaseDurationSeconds"),
                &seconds.into(),
                "must be greater than 0",
            ));
        }
        let transitions = path.child("leaseTransitions");
        non_negative(spec.lease_transitions, transitions, &mut errors);
        errors
    }

    fn printer() -> &'static Printer {
        &table::lease::PRINTER
    }
}
