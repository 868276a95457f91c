//! The rules of a pod spec, wherever it stands: in a Pod, or in the template of a Deployment or
//! ReplicaSet.
//!
//! [`defaults`] completes it; [`validate_spec`] calls one file per idea, in the order of upstream,
//! so that the complaints come in the same order. Source: `pkg/apis/core/validation/validation.go`,
//! `ValidatePodSpec`.

mod containers;
mod defaults;
mod env;
mod handlers;
mod resources;
mod scheduling;
mod template;
mod volumes;
mod warnings;

use k8s_openapi::api::core::v1::{Container, PodSpec};
use serde_json::json;

use self::containers::check_one_of;
pub(crate) use self::defaults::{default_pod, default_template, fill};
pub(crate) use self::template::validate_template;
pub(crate) use self::warnings::{name_warning, spec_warnings};
use super::metadata::validate_labels;
use super::names::{broken_label, broken_qualified_name, broken_subdomain};
use super::numbers::within;
use crate::cluster::object::{FieldError, FieldPath};

/// Where a spec stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    Pod,
    Template,
}

/// What is wrong with a spec.
pub(crate) fn validate_spec(
    spec: &PodSpec,
    home: Home,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    let volumes = volumes::validate_volumes(volumes, &path.child("volumes"), errors);
    containers::validate(spec, &volumes, path, errors);
    check_host_network(spec, home, path, errors);
    check_policies(spec, path, errors);
    if let Some(labels) = &spec.node_selector {
        errors.extend(validate_labels(&path.child("nodeSelector"), labels));
    }
    check_users(spec, &path.child("securityContext"), errors);
    if let Some(affinity) = &spec.affinity {
        scheduling::validate_affinity(affinity, &path.child("affinity"), errors);
    }
    for (index, gate) in spec.readiness_gates.iter().flatten().enumerate() {
        let path = path.child("readinessGates").index(index);
        let condition = json!(gate.condition_type);
        for why in broken_qualified_name(&gate.condition_type) {
            let path = path.child("conditionType");
            errors.push(FieldError::invalid(path, &condition, &why));
        }
    }
    let constraints = spec.topology_spread_constraints.as_deref();
    let spread = path.child("topologySpreadConstraints");
    scheduling::validate_spread(constraints.unwrap_or_default(), &spread, errors);
    check_names(spec, path, errors);
    let tolerations = spec.tolerations.as_deref().unwrap_or_default();
    scheduling::validate_tolerations(tolerations, &path.child("tolerations"), errors);
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let path = path.child("hostAliases").index(index);
        check_address(&alias.ip, path.child("ip"), errors);
        for host in alias.hostnames.iter().flatten() {
            for why in broken_subdomain(host) {
                errors.push(FieldError::invalid(
                    path.child("hostnames"),
                    &json!(host),
                    &why,
                ));
            }
        }
    }
}

/// Complains of a text that is no address.
pub(crate) fn check_address(text: &str, path: FieldPath, errors: &mut Vec<FieldError>) {
    if text.parse::<std::net::IpAddr>().is_err() {
        errors.push(FieldError::invalid(
            path,
            &json!(text),
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ));
    }
}

/// On the host's network a port is the host's; a template may leave that to its pods.
fn check_host_network(spec: &PodSpec, home: Home, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if !spec.host_network.unwrap_or_default() {
        return;
    }
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    for (name, containers) in [("containers", &*spec.containers), ("initContainers", inits)] {
        for (index, container) in containers.iter().enumerate() {
            for (number, port) in container.ports.iter().flatten().enumerate() {
                let host_port = port.host_port.unwrap_or_default();
                let is_given = home == Home::Pod || host_port != 0;
                if is_given && host_port != port.container_port {
                    let path = path.child(name).index(index).child("ports").index(number);
                    errors.push(FieldError::invalid(
                        path.child("hostPort"),
                        &host_port.into(),
                        "must match `containerPort` when `hostNetwork` is true",
                    ));
                }
            }
        }
    }
}

fn check_policies(spec: &PodSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    check_one_of(
        spec.restart_policy.as_deref(),
        &["Always", "OnFailure", "Never"],
        path.child("restartPolicy"),
        errors,
    );
    check_one_of(
        spec.dns_policy.as_deref(),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
        path.child("dnsPolicy"),
        errors,
    );
}

/// Users and groups are numbers that a host can have.
fn check_users(spec: &PodSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let Some(context) = &spec.security_context else {
        return;
    };
    for (name, id) in [
        ("fsGroup", context.fs_group),
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ] {
        if let Some(id) = id {
            within(id, 0, i64::from(i32::MAX), path.child(name), errors);
        }
    }
}

fn check_names(spec: &PodSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let mut check = |name: &str, text: &Option<String>, broken: fn(&str) -> Vec<String>| {
        let text = text.as_deref().unwrap_or_default();
        if !text.is_empty() {
            errors.extend(
                broken(text)
                    .iter()
                    .map(|why| FieldError::invalid(path.child(name), &json!(text), why)),
            );
        }
    };
    check(
        "serviceAccountName",
        &spec.service_account_name,
        broken_subdomain,
    );
    check("nodeName", &spec.node_name, broken_subdomain);
    check("hostname", &spec.hostname, broken_label);
    check("subdomain", &spec.subdomain, broken_label);
    check(
        "priorityClassName",
        &spec.priority_class_name,
        broken_subdomain,
    );
    check(
        "runtimeClassName",
        &spec.runtime_class_name,
        broken_subdomain,
    );
    if let Some(seconds) = spec.active_deadline_seconds {
        let path = path.child("activeDeadlineSeconds");
        within(seconds, 1, i64::from(i32::MAX), path, errors);
    }
}

/// Images of real pods carry no spaces; templates are let through, for the sake of old ones.
pub(crate) fn check_image_spaces(spec: &PodSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let mut check = |name: &str, containers: &[Container]| {
        for (index, container) in containers.iter().enumerate() {
            let image = container.image.as_deref().unwrap_or_default();
            if image != image.trim() {
                errors.push(FieldError::invalid(
                    path.child(name).index(index).child("image"),
                    &json!(image),
                    "must not have leading or trailing whitespace",
                ));
            }
        }
    };
    check("containers", &spec.containers);
    check(
        "initContainers",
        spec.init_containers.as_deref().unwrap_or_default(),
    );
}
