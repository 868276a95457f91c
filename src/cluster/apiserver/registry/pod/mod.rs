//! Pods. Source: `pkg/registry/core/pod/strategy.go`.

mod admission;
mod qos;
mod update;

use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::pod_spec::{
    Home, check_image_spaces, default_pod, name_warning, spec_warnings, validate_spec,
};
use super::{Admission, Kind, NameRule, Resource, Scope, Subresource, Typed, kind};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::clock;
use crate::cluster::object::refusal::Refusal;
use crate::cluster::object::{FieldError, FieldPath};

pub(crate) static RESOURCE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Pod",
    collection: "pods",
    plural: "pods",
    singular: "pod",
    short_names: &["po"],
    categories: &["all"],
    scope: Scope::Namespaced,
    subresources: &[
        Subresource::Status,
        Subresource::Binding,
        Subresource::Eviction,
        Subresource::Log,
        Subresource::PortForward,
    ],
    names: NameRule::Subdomain,
    returns_deleted: true,
    strategy: &Typed::<Rules>::new(),
};

struct Rules;

impl Kind for Rules {
    type Object = Pod;

    const HAS_GENERATION: bool = true;
    const HAS_STATUS: bool = true;
    const FIELDS: &'static [&'static str] = &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ];

    fn default(pod: &mut Pod) {
        default_pod(pod.spec.get_or_insert_default());
    }

    fn admit(
        pod: &mut Pod,
        old: Option<&Pod>,
        admission: &mut Admission<'_, '_>,
    ) -> Result<(), Refusal> {
        match old {
            None => admission::admit(pod, admission),
            Some(_) => Ok(()),
        }
    }

    fn initialize(pod: &mut Pod) {
        let spec = pod.spec.get_or_insert_default();
        let is_gated = spec
            .scheduling_gates
            .as_ref()
            .is_some_and(|gates| !gates.is_empty());
        pod.status = Some(PodStatus {
            phase: Some("Pending".to_owned()),
            qos_class: Some(qos::class(spec).to_owned()),
            conditions: is_gated.then(|| vec![gated()]),
            ..PodStatus::default()
        });
    }

    fn validate(pod: &Pod, _: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = FieldPath::new("spec");
        let spec = pod.spec.clone().unwrap_or_default();
        validate_spec(&spec, Home::Pod, &path, &mut errors);
        check_image_spaces(&spec, &path, &mut errors);
        errors
    }

    fn validate_update(new: &Pod, old: &Pod) -> Vec<FieldError> {
        match (&new.spec, &old.spec) {
            (Some(new), Some(old)) => update::validate(new, old),
            _ => Vec::new(),
        }
    }

    /// The class is decided once, whatever a kubelet writes.
    fn prepare_status(new: &mut Pod, old: &Pod) {
        let class = old
            .status
            .as_ref()
            .and_then(|status| status.qos_class.clone());
        new.status.get_or_insert_default().qos_class = class;
        new.metadata
            .owner_references
            .clone_from(&old.metadata.owner_references);
    }

    fn warnings(new: &Pod, old: Option<&Pod>) -> Vec<String> {
        let name = new.metadata.name.as_ref().filter(|_| old.is_none());
        let path = FieldPath::new("spec");
        let mut warnings: Vec<String> = name_warning(name).into_iter().collect();
        warnings.extend(new.spec.iter().flat_map(|spec| spec_warnings(spec, &path)));
        warnings
    }

    fn dress(pod: &mut Value) {
        let Some(status) = pod["status"].as_object_mut() else {
            return;
        };
        for key in ["initContainerStatuses", "containerStatuses"] {
            let statuses = status.get_mut(key).and_then(Value::as_array_mut);
            for container in statuses.into_iter().flatten() {
                kind::set_missing(container, "state", json!({}));
                kind::set_missing(container, "lastState", json!({}));
            }
        }
        let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten() {
            kind::set_missing(condition, "lastProbeTime", Value::Null);
            kind::set_missing(condition, "lastTransitionTime", Value::Null);
        }
    }

    /// A pod that runs nowhere, or no longer, has nothing to finish.
    fn grace_period(pod: &Pod, asked: Option<i64>) -> Option<i64> {
        let spec = pod.spec.as_ref()?;
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        let is_on_node = spec.node_name.as_ref().is_some_and(|node| !node.is_empty());
        if !is_on_node || matches!(phase, Some("Failed" | "Succeeded")) {
            return Some(0);
        }
        let seconds = asked.or(spec.termination_grace_period_seconds).unwrap_or(0);
        Some(if seconds < 0 { 1 } else { seconds })
    }

    fn field(pod: &Value, field: &str) -> String {
        let text = kind::at_path(pod, field);
        if field == "spec.hostNetwork" && text.is_empty() {
            "false".to_owned()
        } else {
            text
        }
    }

    fn printer() -> &'static Printer {
        &table::pod::PRINTER
    }
}

/// The scheduler leaves a pod alone until its gates are gone.
fn gated() -> PodCondition {
    PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "False".to_owned(),
        reason: Some("SchedulingGated".to_owned()),
        message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
        last_transition_time: Some(Time(clock::timestamp())),
        ..PodCondition::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    #[test]
    fn the_grace_period_is_what_was_asked_or_what_the_pod_says() {
        for (spec, phase, asked, grace) in [
            (
                json!({"nodeName": "n", "terminationGracePeriodSeconds": 30}),
                "Running",
                None,
                30,
            ),
            (
                json!({"nodeName": "n", "terminationGracePeriodSeconds": 30}),
                "Running",
                Some(5),
                5,
            ),
            (
                json!({"nodeName": "n", "terminationGracePeriodSeconds": -3}),
                "Running",
                None,
                1,
            ),
            (
                json!({"nodeName": "n", "terminationGracePeriodSeconds": 30}),
                "Failed",
                None,
                0,
            ),
            (
                json!({"terminationGracePeriodSeconds": 30}),
                "Pending",
                Some(9),
                0,
            ),
        ] {
            let body = json!({"spec": spec, "status": {"phase": phase}});
            let pod: Pod = from_value(body.clone()).unwrap();
            assert_eq!(Rules::grace_period(&pod, asked), Some(grace), "{body}");
        }
    }
}
