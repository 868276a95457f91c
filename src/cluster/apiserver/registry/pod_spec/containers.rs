//! Validation of containers and init containers.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `validateContainers` and
//! `validateInitContainers`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort, PodSpec};
use serde_json::json;

use super::env::{validate_env, validate_env_from};
use super::handlers::{validate_lifecycle, validate_probes};
use super::resources::validate_resources;
use super::volumes::validate_mounts;
use crate::cluster::apiserver::registry::names::broken_label;
use crate::cluster::apiserver::registry::numbers::{broken_port_name, port_number};
use crate::cluster::object::{FieldError, FieldPath};

const ALWAYS: &str = "Always";

/// The containers of a spec, then its init containers.
pub(super) fn validate(
    spec: &PodSpec,
    volumes: &BTreeSet<&str>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let grace = spec.termination_grace_period_seconds.unwrap_or_default();
    let main = path.child("containers");
    if spec.containers.is_empty() {
        errors.push(FieldError::required(&main, ""));
    }
    let mut names = BTreeSet::new();
    for (index, container) in spec.containers.iter().enumerate() {
        let path = main.index(index);
        validate_container(container, volumes, &path, errors);
        check_unique(container, &mut names, &path, errors);
        validate_lifecycle(container, grace, &path, errors);
        validate_probes(container, &path, errors);
    }
    check_host_ports(&spec.containers, &main, errors);
    let inits = path.child("initContainers");
    for (index, container) in spec.init_containers.iter().flatten().enumerate() {
        let path = inits.index(index);
        validate_container(container, volumes, &path, errors);
        check_unique(container, &mut names, &path, errors);
        if container.restart_policy.as_deref() == Some(ALWAYS) {
            validate_lifecycle(container, grace, &path, errors);
            validate_probes(container, &path, errors);
        } else {
            forbid_what_needs_a_running_container(container, &path, errors);
        }
    }
    let init_containers = spec.init_containers.as_deref().unwrap_or_default();
    check_host_ports(init_containers, &inits, errors);
}

/// What holds for any container.
fn validate_container(
    container: &Container,
    volumes: &BTreeSet<&str>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if container.name.is_empty() {
        errors.push(FieldError::required(path.child("name"), ""));
    }
    for why in broken_label(&container.name) {
        if !container.name.is_empty() {
            errors.push(FieldError::invalid(
                path.child("name"),
                &json!(container.name),
                &why,
            ));
        }
    }
    if container.image.as_deref().unwrap_or_default().is_empty() {
        errors.push(FieldError::required(path.child("image"), ""));
    }
    check_one_of(
        container.termination_message_policy.as_deref(),
        &["FallbackToLogsOnError", "File"],
        path.child("terminationMessagePolicy"),
        errors,
    );
    let ports = container.ports.as_deref().unwrap_or_default();
    validate_ports(ports, &path.child("ports"), errors);
    let env = container.env.as_deref().unwrap_or_default();
    validate_env(env, &path.child("env"), errors);
    let env_from = container.env_from.as_deref().unwrap_or_default();
    validate_env_from(env_from, &path.child("envFrom"), errors);
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    validate_mounts(mounts, volumes, &path.child("volumeMounts"), errors);
    check_one_of(
        container.image_pull_policy.as_deref(),
        &["Always", "IfNotPresent", "Never"],
        path.child("imagePullPolicy"),
        errors,
    );
    if let Some(resources) = &container.resources {
        validate_resources(resources, &path.child("resources"), errors);
    }
    if let Some(policy) = container.restart_policy.as_deref() {
        let supported = ["Always", "Never", "OnFailure"];
        if !supported.contains(&policy) {
            let path = path.child("restartPolicy");
            errors.push(FieldError::not_supported(path, &json!(policy), &supported));
        }
    }
}

/// Complains of a text that is missing or none of the supported ones.
pub(super) fn check_one_of(
    text: Option<&str>,
    supported: &[&str],
    path: FieldPath,
    errors: &mut Vec<FieldError>,
) {
    match text.unwrap_or_default() {
        "" => errors.push(FieldError::required(path, "")),
        text if supported.contains(&text) => {}
        text => errors.push(FieldError::not_supported(path, &json!(text), supported)),
    }
}

fn check_unique<'c>(
    container: &'c Container,
    names: &mut BTreeSet<&'c str>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if !names.insert(&container.name) {
        errors.push(FieldError::duplicate(
            path.child("name"),
            &json!(container.name),
        ));
    }
}

fn forbid_what_needs_a_running_container(
    container: &Container,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    for (field, given) in [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ] {
        if given {
            errors.push(FieldError::forbidden(
                path.child(field),
                "may not be set for init containers without restartPolicy=Always",
            ));
        }
    }
}

fn validate_ports(ports: &[ContainerPort], path: &FieldPath, errors: &mut Vec<FieldError>) {
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let name = port.name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            let broken = broken_port_name(name);
            for why in &broken {
                errors.push(FieldError::invalid(path.child("name"), &json!(name), why));
            }
            if broken.is_empty() && !names.insert(name) {
                errors.push(FieldError::duplicate(path.child("name"), &json!(name)));
            }
        }
        if port.container_port == 0 {
            errors.push(FieldError::required(path.child("containerPort"), ""));
        } else {
            port_number(port.container_port, path.child("containerPort"), errors);
        }
        if let Some(host_port) = port.host_port.filter(|port| *port != 0) {
            port_number(host_port, path.child("hostPort"), errors);
        }
        check_one_of(
            port.protocol.as_deref(),
            &["SCTP", "TCP", "UDP"],
            path.child("protocol"),
            errors,
        );
    }
}

/// Two containers of a pod cannot share a port of the host.
fn check_host_ports(containers: &[Container], path: &FieldPath, errors: &mut Vec<FieldError>) {
    let mut taken = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        for (number, port) in container.ports.iter().flatten().enumerate() {
            let host_port = port.host_port.unwrap_or_default();
            if host_port == 0 {
                continue;
            }
            let protocol = port.protocol.as_deref().unwrap_or_default();
            let host_ip = port.host_ip.as_deref().unwrap_or_default();
            let claim = format!("{protocol}/{host_ip}/{host_port}");
            if taken.contains(&claim) {
                let path = path.index(index).child("ports").index(number);
                errors.push(FieldError::duplicate(path.child("hostPort"), &json!(claim)));
            }
            taken.insert(claim);
        }
    }
}
