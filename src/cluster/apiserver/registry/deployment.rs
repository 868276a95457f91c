//! Deployments. Source: `pkg/registry/apps/deployment/strategy.go`,
//! `pkg/apis/apps/v1/defaults.go` and `pkg/apis/apps/validation/validation.go`.

use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy, RollingUpdateDeployment,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};

use super::numbers::non_negative;
use super::pod_spec::{default_template, fill, name_warning, spec_warnings, validate_template};
use super::{Kind, NameRule, Resource, Scope, Subresource, Typed};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::int_or_percent::is_percentage;
use crate::cluster::object::{FieldError, FieldPath};

pub(crate) static RESOURCE: Resource = Resource {
    group: "apps",
    version: "v1",
    kind: "Deployment",
    collection: "deployments.apps",
    plural: "deployments",
    singular: "deployment",
    short_names: &["deploy"],
    categories: &["all"],
    scope: Scope::Namespaced,
    subresources: &[Subresource::Status, Subresource::Scale],
    names: NameRule::Subdomain,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

const RECREATE: &str = "Recreate";
const ROLLING_UPDATE: &str = "RollingUpdate";

struct Rules;

impl Kind for Rules {
    type Object = Deployment;

    const HAS_GENERATION: bool = true;
    const HAS_STATUS: bool = true;

    fn default(deployment: &mut Deployment) {
        let spec = deployment.spec.get_or_insert_default();
        spec.replicas.get_or_insert(1);
        spec.revision_history_limit.get_or_insert(10);
        spec.progress_deadline_seconds.get_or_insert(600);
        let strategy = spec.strategy.get_or_insert_default();
        fill(&mut strategy.type_, ROLLING_UPDATE);
        if strategy.type_.as_deref() == Some(ROLLING_UPDATE) {
            let quarter = || IntOrString::String("25%".to_owned());
            let rolling = strategy.rolling_update.get_or_insert_default();
            rolling.max_unavailable.get_or_insert_with(quarter);
            rolling.max_surge.get_or_insert_with(quarter);
        }
        default_template(&mut spec.template);
    }

    fn initialize(deployment: &mut Deployment) {
        deployment.status = Some(DeploymentStatus::default());
    }

    fn validate(deployment: &Deployment, given: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let spec = deployment.spec.clone().unwrap_or_default();
        validate_spec(&spec, &given["spec"], &mut errors);
        errors
    }

    fn validate_update(new: &Deployment, old: &Deployment) -> Vec<FieldError> {
        let selector =
            |deployment: &Deployment| deployment.spec.as_ref().map(|spec| spec.selector.clone());
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

    fn validate_status(new: &Deployment, old: &Deployment) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let status = new.status.clone().unwrap_or_default();
        let before = old
            .status
            .as_ref()
            .and_then(|status| status.collision_count);
        validate_status(&status, before, &mut errors);
        errors
    }

    fn warnings(new: &Deployment, old: Option<&Deployment>) -> Vec<String> {
        let name = new.metadata.name.as_ref().filter(|_| old.is_none());
        let pod_spec = new
            .spec
            .as_ref()
            .and_then(|spec| spec.template.spec.as_ref());
        let path = FieldPath::new("spec.template.spec");
        let mut warnings: Vec<String> = name_warning(name).into_iter().collect();
        warnings.extend(
            pod_spec
                .into_iter()
                .flat_map(|spec| spec_warnings(spec, &path)),
        );
        warnings
    }

    /// Annotations count too: the controller copies them to its ReplicaSets.
    fn counts(new: &Value, old: &Value) -> bool {
        new["spec"] != old["spec"]
            || new["metadata"]["annotations"] != old["metadata"]["annotations"]
    }

    fn dress(deployment: &mut Value) {
        if let Some(status) = deployment["status"].as_object_mut()
            && status.get("replicas") == Some(&json!(0))
        {
            status.remove("replicas");
        }
    }

    fn printer() -> &'static Printer {
        &table::workload::DEPLOYMENT
    }
}

fn validate_spec(spec: &DeploymentSpec, given: &Value, errors: &mut Vec<FieldError>) {
    let path = FieldPath::new("spec");
    non_negative(spec.replicas, path.child("replicas"), errors);
    validate_template(&spec.selector, &spec.template, given, &path, errors);
    let strategy = spec.strategy.clone().unwrap_or_default();
    validate_strategy(&strategy, &path.child("strategy"), errors);
    let min_ready = spec.min_ready_seconds.unwrap_or_default();
    non_negative(Some(min_ready), path.child("minReadySeconds"), errors);
    let history = path.child("revisionHistoryLimit");
    non_negative(spec.revision_history_limit, history, errors);
    if let Some(deadline) = spec.progress_deadline_seconds {
        let path = path.child("progressDeadlineSeconds");
        non_negative(Some(deadline), path.clone(), errors);
        if deadline <= min_ready {
            let why = "must be greater than minReadySeconds";
            errors.push(FieldError::invalid(path, &deadline.into(), why));
        }
    }
}

fn validate_strategy(
    strategy: &DeploymentStrategy,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let rolling_path = path.child("rollingUpdate");
    match (strategy.type_.as_deref(), &strategy.rolling_update) {
        (Some(RECREATE), None) => {}
        (Some(RECREATE), Some(_)) => errors.push(FieldError::forbidden(
            rolling_path,
            "may not be specified when strategy `type` is 'Recreate'",
        )),
        (Some(ROLLING_UPDATE), Some(rolling)) => validate_rolling(rolling, &rolling_path, errors),
        (other, rolling) => errors.push(FieldError::not_supported_shown(
            path,
            &format!(
                "{{\"Type\":{},\"RollingUpdate\":{}}}",
                json!(other),
                json!(rolling)
            ),
            &[RECREATE, ROLLING_UPDATE],
        )),
    }
}

fn validate_rolling(
    rolling: &RollingUpdateDeployment,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let unavailable = rolling.max_unavailable.clone().unwrap_or_default();
    let surge = rolling.max_surge.clone().unwrap_or_default();
    let unavailable_path = path.child("maxUnavailable");
    check_part(&unavailable, &unavailable_path, errors);
    check_part(&surge, &path.child("maxSurge"), errors);
    let mut complain = |why: &str| {
        errors.push(FieldError::invalid(
            &unavailable_path,
            &json!(unavailable),
            why,
        ));
    };
    if number_of(&unavailable) == 0 && number_of(&surge) == 0 {
        complain("may not be 0 when `maxSurge` is 0");
    }
    if let IntOrString::String(text) = &unavailable
        && is_percentage(text)
        && number_of(&unavailable) > 100
    {
        complain("must not be greater than 100%");
    }
}

/// A part of the pods is a number or a percentage, and not negative.
fn check_part(part: &IntOrString, path: &FieldPath, errors: &mut Vec<FieldError>) {
    match part {
        IntOrString::Int(number) => non_negative(Some(*number), path.clone(), errors),
        IntOrString::String(text) if is_percentage(text) => {}
        IntOrString::String(text) => errors.push(FieldError::invalid(
            path,
            &json!(text),
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. \
             '1%',  or '93%', regex used for validation is '[0-9]+%')",
        )),
    }
}

/// The number before the `%`, if there is one; a text without a number counts as 0.
fn number_of(part: &IntOrString) -> i64 {
    match part {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(text) => text.trim_end_matches('%').parse().unwrap_or_default(),
    }
}

fn validate_status(
    status: &DeploymentStatus,
    collisions_before: Option<i32>,
    errors: &mut Vec<FieldError>,
) {
    let path = FieldPath::new("status");
    let observed = path.child("observedGeneration");
    non_negative(status.observed_generation, observed, errors);
    for (name, count) in [
        ("replicas", status.replicas),
        ("updatedReplicas", status.updated_replicas),
        ("readyReplicas", status.ready_replicas),
        ("availableReplicas", status.available_replicas),
        ("unavailableReplicas", status.unavailable_replicas),
        ("collisionCount", status.collision_count),
    ] {
        non_negative(count, path.child(name), errors);
    }
    let replicas = status.replicas.unwrap_or_default();
    let ready = status.ready_replicas.unwrap_or_default();
    let available = status.available_replicas.unwrap_or_default();
    for (name, count, limit, limit_name) in [
        (
            "updatedReplicas",
            status.updated_replicas.unwrap_or_default(),
            replicas,
            "status.replicas",
        ),
        ("readyReplicas", ready, replicas, "status.replicas"),
        ("availableReplicas", available, replicas, "status.replicas"),
        ("availableReplicas", available, ready, "readyReplicas"),
    ] {
        if count > limit {
            errors.push(FieldError::invalid(
                path.child(name),
                &count.into(),
                &format!("cannot be greater than {limit_name}"),
            ));
        }
    }
    if status.collision_count < collisions_before {
        errors.push(FieldError::invalid(
            path.child("collisionCount"),
            &status.collision_count.unwrap_or_default().into(),
            "cannot be decremented",
        ));
    }
}
