//! Validation of probes and lifecycle hooks, which share their ways to call a container.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `validateProbe` and `validateHandler`.

use k8s_openapi::api::core::v1::{
    Container, ExecAction, GRPCAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction,
    TCPSocketAction,
};
use serde_json::json;

use super::containers::check_one_of;
use crate::cluster::apiserver::registry::numbers::{non_negative, port, port_number};
use crate::cluster::object::{FieldError, FieldPath};

/// The ways to call a container; exactly one must be given.
#[derive(Default)]
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc: Option<&'a GRPCAction>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> From<&'a Probe> for Handler<'a> {
    fn from(probe: &'a Probe) -> Self {
        Self {
            exec: probe.exec.as_ref(),
            http_get: probe.http_get.as_ref(),
            tcp_socket: probe.tcp_socket.as_ref(),
            grpc: probe.grpc.as_ref(),
            sleep: None,
        }
    }
}

impl<'a> From<&'a LifecycleHandler> for Handler<'a> {
    fn from(hook: &'a LifecycleHandler) -> Self {
        Self {
            exec: hook.exec.as_ref(),
            http_get: hook.http_get.as_ref(),
            tcp_socket: hook.tcp_socket.as_ref(),
            grpc: None,
            sleep: hook.sleep.as_ref(),
        }
    }
}

pub(super) fn validate_lifecycle(
    container: &Container,
    grace: i64,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let Some(lifecycle) = &container.lifecycle else {
        return;
    };
    let path = path.child("lifecycle");
    for (name, hook) in [
        ("postStart", &lifecycle.post_start),
        ("preStop", &lifecycle.pre_stop),
    ] {
        if let Some(hook) = hook {
            validate_handler(&hook.into(), grace, &path.child(name), errors);
        }
    }
}

pub(super) fn validate_probes(
    container: &Container,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    if let Some(probe) = &container.liveness_probe {
        validate_restarting_probe(probe, &path.child("livenessProbe"), errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = path.child("readinessProbe");
        validate_probe(probe, &path, errors);
        if let Some(seconds) = probe.termination_grace_period_seconds {
            errors.push(FieldError::invalid(
                path.child("terminationGracePeriodSeconds"),
                &seconds.into(),
                "must not be set for readinessProbes",
            ));
        }
    }
    if let Some(probe) = &container.startup_probe {
        validate_restarting_probe(probe, &path.child("startupProbe"), errors);
    }
}

/// A probe whose failure restarts the container has no use for several successes in a row.
fn validate_restarting_probe(probe: &Probe, path: &FieldPath, errors: &mut Vec<FieldError>) {
    validate_probe(probe, path, errors);
    if let Some(threshold) = probe.success_threshold.filter(|threshold| *threshold != 1) {
        errors.push(FieldError::invalid(
            path.child("successThreshold"),
            &threshold.into(),
            "must be 1",
        ));
    }
}

fn validate_probe(probe: &Probe, path: &FieldPath, errors: &mut Vec<FieldError>) {
    validate_handler(&probe.into(), 0, path, errors);
    for (name, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        non_negative(value, path.child(name), errors);
    }
    if let Some(seconds) = probe.termination_grace_period_seconds
        && seconds <= 0
    {
        errors.push(FieldError::invalid(
            path.child("terminationGracePeriodSeconds"),
            &seconds.into(),
            "must be greater than 0",
        ));
    }
}

fn validate_handler(
    handler: &Handler<'_>,
    grace: i64,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let mut given = false;
    let mut is_first = |name: &str, errors: &mut Vec<FieldError>| {
        let first = !std::mem::replace(&mut given, true);
        if !first {
            errors.push(FieldError::forbidden(
                path.child(name),
                "may not specify more than 1 handler type",
            ));
        }
        first
    };
    if let Some(exec) = handler.exec
        && is_first("exec", errors)
        && exec.command.as_ref().is_none_or(Vec::is_empty)
    {
        errors.push(FieldError::required(path.child("exec.command"), ""));
    }
    if let Some(request) = handler.http_get
        && is_first("httpGet", errors)
    {
        validate_request(request, &path.child("httpGet"), errors);
    }
    if let Some(socket) = handler.tcp_socket
        && is_first("tcpSocket", errors)
    {
        port(&socket.port, path.child("tcpSocket.port"), errors);
    }
    if let Some(grpc) = handler.grpc
        && is_first("grpc", errors)
    {
        port_number(grpc.port, path.child("grpc.port"), errors);
    }
    if let Some(sleep) = handler.sleep
        && is_first("sleep", errors)
        && !(0..=grace).contains(&sleep.seconds)
    {
        errors.push(FieldError::invalid(
            path.child("sleep"),
            &sleep.seconds.into(),
            &format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})"),
        ));
    }
    if !given {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
}

fn validate_request(request: &HTTPGetAction, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if request.path.as_deref().unwrap_or_default().is_empty() {
        errors.push(FieldError::required(path.child("path"), ""));
    }
    port(&request.port, path.child("port"), errors);
    check_one_of(
        request.scheme.as_deref(),
        &["HTTP", "HTTPS"],
        path.child("scheme"),
        errors,
    );
    for header in request.http_headers.iter().flatten() {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if header.name.is_empty() || !header.name.bytes().all(is_name) {
            errors.push(FieldError::invalid(
                path.child("httpHeaders"),
                &json!(header.name),
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. \
                 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
            ));
        }
    }
}
