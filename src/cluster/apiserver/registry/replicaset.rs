//! ReplicaSets. Source: `pkg/registry/apps/replicaset/strategy.go` and
//! `pkg/apis/apps/validation/validation.go`.

use k8s_openapi::api::apps::v1::{ReplicaSet, ReplicaSetStatus};
use serde_json::{Value, json};

use super::numbers::non_negative;
use super::pod_spec::{default_template, name_warning, spec_warnings, validate_template};
use super::{Kind, NameRule, Resource, Scope, Subresource, Typed};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::{FieldError, FieldPath};

pub(crate) static RESOURCE: Resource = Resource {
    group: "apps",
    version: "v1",
    kind: "ReplicaSet",
    collection: "replicasets.apps",
    plural: "replicasets",
    singular: "replicaset",
    short_names: &["rs"],
    categories: &["all"],
    scope: Scope::Namespaced,
    subresources: &[Subresource::Status, Subresource::Scale],
    names: NameRule::Subdomain,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

struct Rules;

impl Kind for Rules {
    type Object = ReplicaSet;

    const HAS_GENERATION: bool = true;
    const HAS_STATUS: bool = true;

    fn default(set: &mut ReplicaSet) {
        let spec = set.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        default_template(spec.template.get_or_insert_default());
    }

    fn initialize(set: &mut ReplicaSet) {
        set.status = Some(ReplicaSetStatus::default());
    }

    fn validate(set: &ReplicaSet, given: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = FieldPath::new("spec");
        let spec = set.spec.clone().unwrap_or_default();
        non_negative(spec.replicas, path.child("replicas"), &mut errors);
        let min_ready = path.child("minReadySeconds");
        non_negative(spec.min_ready_seconds, min_ready, &mut errors);
        let template = spec.template.unwrap_or_default();
        validate_template(
            &spec.selector,
            &template,
            &given["spec"],
            &path,
            &mut errors,
        );
        errors
    }

    fn validate_update(new: &ReplicaSet, old: &ReplicaSet) -> Vec<FieldError> {
        let selector = |set: &ReplicaSet| set.spec.as_ref().map(|spec| spec.selector.clone());
        let (new, old) = (selector(new), selector(old));
        if new == old {
            return Vec::new();
        }
        vec![FieldError::invalid(
            "spec.selector",
            &json!(new),
            "field is immutable",
        )]
    }

    fn validate_status(new: &ReplicaSet, _: &ReplicaSet) -> Vec<FieldError> {
        let mut errors = Vec::new();
        validate_status(&new.status.clone().unwrap_or_default(), &mut errors);
        errors
    }

    fn warnings(new: &ReplicaSet, old: Option<&ReplicaSet>) -> Vec<String> {
        let name = new.metadata.name.as_ref().filter(|_| old.is_none());
        let template = new.spec.as_ref().and_then(|spec| spec.template.as_ref());
        let pod_spec = template.and_then(|template| template.spec.as_ref());
        let path = FieldPath::new("spec.template.spec");
        let mut warnings: Vec<String> = name_warning(name).into_iter().collect();
        warnings.extend(
            pod_spec
                .into_iter()
                .flat_map(|spec| spec_warnings(spec, &path)),
        );
        warnings
    }

    fn printer() -> &'static Printer {
        &table::workload::REPLICA_SET
    }
}

fn validate_status(status: &ReplicaSetStatus, errors: &mut Vec<FieldError>) {
    let path = FieldPath::new("status");
    let parts = [
        ("fullyLabeledReplicas", status.fully_labeled_replicas),
        ("readyReplicas", status.ready_replicas),
        ("availableReplicas", status.available_replicas),
    ];
    non_negative(Some(status.replicas), path.child("replicas"), errors);
    for (name, count) in parts {
        non_negative(count, path.child(name), errors);
    }
    let observed = path.child("observedGeneration");
    non_negative(status.observed_generation, observed, errors);
    let ready = status.ready_replicas.unwrap_or_default();
    let mut compare = |name: &str, count: i32, limit: i32, limit_name: &str| {
        if count > limit {
            errors.push(FieldError::invalid(
                path.child(name),
                &count.into(),
                &format!("cannot be greater than {limit_name}"),
            ));
        }
    };
    for (name, count) in parts {
        compare(
            name,
            count.unwrap_or_default(),
            status.replicas,
            "status.replicas",
        );
    }
    let available = status.available_replicas.unwrap_or_default();
    compare("availableReplicas", available, ready, "readyReplicas");
}
