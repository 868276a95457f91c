//! Validation of Services.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `ValidateService`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec};
use serde_json::{Value, json};

use super::{
    HEADLESS, has_cluster_ip, has_health_check_port, is_external_name, is_headless,
    is_load_balancer, is_reached_from_outside,
};
use crate::cluster::apiserver::registry::metadata::validate_labels;
use crate::cluster::apiserver::registry::names::{
    broken_label, broken_qualified_name, broken_subdomain,
};
use crate::cluster::apiserver::registry::numbers::{port, port_number, within};
use crate::cluster::apiserver::registry::pod_spec::check_address;
use crate::cluster::object::{FieldError, FieldPath};

const POLICIES: [&str; 2] = ["Cluster", "Local"];
const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
/// No load balancer may lead to the kubelet.
const KUBELET_PORT: i32 = 10_250;
const LONGEST_AFFINITY: i64 = 86_400;

/// What is wrong with a spec.
pub(super) fn validate(spec: &ServiceSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = FieldPath::new("spec");
    let ports = spec.ports.as_deref().unwrap_or_default();
    if ports.is_empty() && !is_headless(spec) && !is_external_name(spec) {
        errors.push(FieldError::required(path.child("ports"), ""));
    }
    check_type_rules(spec, ports, &path, &mut errors);
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.child("ports").index(index);
        validate_port(port, ports.len() > 1, &mut names, &path, &mut errors);
    }
    if let Some(selector) = &spec.selector {
        errors.extend(validate_labels(&path.child("selector"), selector));
    }
    check_affinity(spec, &path, &mut errors);
    check_cluster_ips(spec, &path, &mut errors);
    for (index, address) in spec.external_ips.iter().flatten().enumerate() {
        check_address(address, path.child("externalIPs").index(index), &mut errors);
    }
    let kind = spec.type_.as_deref().unwrap_or_default();
    if !TYPES.contains(&kind) {
        let path = path.child("type");
        errors.push(FieldError::not_supported(path, &json!(kind), &TYPES));
    }
    check_node_ports(kind, ports, &path.child("ports"), &mut errors);
    check_traffic(spec, &path, &mut errors);
    errors
}

/// What is wrong with an update: a Service keeps its address as long as it has one.
pub(super) fn validate_update(new: &ServiceSpec, old: &ServiceSpec) -> Vec<FieldError> {
    let first = |spec: &ServiceSpec| spec.cluster_ips.iter().flatten().next().cloned();
    if !has_cluster_ip(new) || !has_cluster_ip(old) || first(new) == first(old) {
        return Vec::new();
    }
    let why = if first(new).is_some() {
        "may not change once set"
    } else {
        "primary clusterIP can not be unset"
    };
    vec![FieldError::invalid(
        "spec.clusterIPs[0]",
        &json!(new.cluster_ips),
        why,
    )]
}

fn check_type_rules(
    spec: &ServiceSpec,
    ports: &[ServicePort],
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let kind = spec.type_.as_deref().unwrap_or_default();
    match kind {
        "LoadBalancer" | "NodePort" => {
            for (index, port) in ports.iter().enumerate() {
                if is_load_balancer(spec) && port.port == KUBELET_PORT {
                    errors.push(FieldError::invalid(
                        path.child("ports").index(index),
                        &port.port.into(),
                        &format!(
                            "may not expose port {KUBELET_PORT} externally since it is used by \
                             kubelet"
                        ),
                    ));
                }
            }
            if is_headless(spec) {
                errors.push(FieldError::invalid(
                    path.child("clusterIPs").index(0),
                    &json!(HEADLESS),
                    &format!("may not be set to 'None' for {kind} services"),
                ));
            }
        }
        "ExternalName" => {
            for (name, given) in [
                (
                    "clusterIPs",
                    spec.cluster_ips
                        .as_ref()
                        .is_some_and(|list| !list.is_empty()),
                ),
                (
                    "ipFamilies",
                    spec.ip_families
                        .as_ref()
                        .is_some_and(|list| !list.is_empty()),
                ),
                ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
            ] {
                if given {
                    let why = "may not be set for ExternalName services";
                    errors.push(FieldError::forbidden(path.child(name), why));
                }
            }
            let path = path.child("externalName");
            let name = spec.external_name.as_deref().unwrap_or_default();
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                errors.push(FieldError::required(path, ""));
            } else {
                for why in broken_subdomain(name) {
                    errors.push(FieldError::invalid(&path, &json!(name), &why));
                }
            }
        }
        _ => {}
    }
}

fn validate_port<'p>(
    given: &'p ServicePort,
    needs_name: bool,
    names: &mut BTreeSet<&'p str>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let name = given.name.as_deref().unwrap_or_default();
    if !name.is_empty() {
        for why in broken_label(name) {
            errors.push(FieldError::invalid(path.child("name"), &json!(name), &why));
        }
        if !names.insert(name) {
            errors.push(FieldError::duplicate(path.child("name"), &json!(name)));
        }
    } else if needs_name {
        errors.push(FieldError::required(path.child("name"), ""));
    }
    port_number(given.port, path.child("port"), errors);
    let protocol = given.protocol.as_deref().unwrap_or_default();
    let protocols = ["SCTP", "TCP", "UDP"];
    if !protocols.contains(&protocol) {
        let path = path.child("protocol");
        errors.push(FieldError::not_supported(
            path,
            &json!(protocol),
            &protocols,
        ));
    }
    let target = given.target_port.clone().unwrap_or_default();
    port(&target, path.child("targetPort"), errors);
    if let Some(protocol) = &given.app_protocol {
        for why in broken_qualified_name(protocol) {
            let path = path.child("appProtocol");
            errors.push(FieldError::invalid(path, &json!(protocol), &why));
        }
    }
}

fn check_affinity(spec: &ServiceSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    let affinity = spec.session_affinity.as_deref().unwrap_or_default();
    let config_path = path.child("sessionAffinityConfig");
    let seconds = spec
        .session_affinity_config
        .as_ref()
        .and_then(|config| config.client_ip.as_ref()?.timeout_seconds);
    match affinity {
        "ClientIP" => {
            if let Some(seconds) = seconds {
                let path = config_path.child("clientIP.timeoutSeconds");
                within(seconds.into(), 1, LONGEST_AFFINITY, path, errors);
            }
        }
        "None" if spec.session_affinity_config.is_some() => errors.push(FieldError::forbidden(
            config_path,
            "must not be set when session affinity is None",
        )),
        "None" => {}
        other => errors.push(FieldError::not_supported(
            path.child("sessionAffinity"),
            &json!(other),
            &["ClientIP", "None"],
        )),
    }
}

fn check_cluster_ips(spec: &ServiceSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if is_external_name(spec) {
        return;
    }
    let path = path.child("clusterIPs");
    let list = spec.cluster_ips.as_deref().unwrap_or_default();
    let first = spec.cluster_ip.as_deref().unwrap_or_default();
    if first.is_empty() && !list.is_empty() {
        errors.push(FieldError::invalid(
            &path,
            &json!(list),
            "must be empty when `clusterIP` is not specified",
        ));
    } else if list.first().is_some_and(|address| address != first) {
        errors.push(FieldError::invalid(
            &path,
            &json!(list),
            "first value must match `clusterIP`",
        ));
    }
    for (index, address) in list.iter().enumerate() {
        if address != HEADLESS {
            check_address(address, path.index(index), errors);
        } else if list.len() > 1 {
            errors.push(FieldError::invalid(
                &path,
                &json!(list),
                "'None' must be the first and only value",
            ));
        }
    }
}

fn check_node_ports(
    kind: &str,
    ports: &[ServicePort],
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let node_port = |port: &ServicePort| port.node_port.unwrap_or_default();
    let protocol = |port: &ServicePort| port.protocol.clone().unwrap_or_default();
    if kind == "ClusterIP" {
        for (index, port) in ports.iter().enumerate() {
            if node_port(port) != 0 {
                errors.push(FieldError::forbidden(
                    path.index(index).child("nodePort"),
                    "may not be used when `type` is 'ClusterIP'",
                ));
            }
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let number = node_port(port);
        if number != 0 && !seen.insert((protocol(port), number)) {
            let path = path.index(index).child("nodePort");
            errors.push(FieldError::duplicate(path, &number.into()));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let protocol = protocol(port);
        // Upstream compares and shows a port with nothing else filled in.
        let shown = format!(
            "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\
             \"NodePort\":0}}",
            Value::from(protocol.as_str()),
            port.port,
        );
        if !seen.insert((protocol, port.port)) {
            errors.push(FieldError::duplicate_shown(path.index(index), &shown));
        }
    }
}

fn check_traffic(spec: &ServiceSpec, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if !is_load_balancer(spec) {
        for (name, given) in [
            (
                "allocateLoadBalancerNodePorts",
                spec.allocate_load_balancer_node_ports.is_some(),
            ),
            ("loadBalancerClass", spec.load_balancer_class.is_some()),
        ] {
            if given {
                let why = "may only be used when `type` is 'LoadBalancer'";
                errors.push(FieldError::forbidden(path.child(name), why));
            }
        }
    }
    let external = spec.external_traffic_policy.as_deref().unwrap_or_default();
    let external_path = path.child("externalTrafficPolicy");
    if is_reached_from_outside(spec) {
        if external.is_empty() {
            errors.push(FieldError::required(external_path, ""));
        } else if !POLICIES.contains(&external) {
            let value = json!(external);
            errors.push(FieldError::not_supported(external_path, &value, &POLICIES));
        }
    } else if !external.is_empty() {
        errors.push(FieldError::invalid(
            external_path,
            &json!(external),
            "may only be set for externally-accessible services",
        ));
    }
    let health = spec.health_check_node_port.unwrap_or_default();
    if health != 0 && !has_health_check_port(spec) {
        errors.push(FieldError::invalid(
            path.child("healthCheckNodePort"),
            &health.into(),
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ));
    }
    if let Some(internal) = spec.internal_traffic_policy.as_deref()
        && !POLICIES.contains(&internal)
    {
        let path = path.child("internalTrafficPolicy");
        errors.push(FieldError::not_supported(path, &json!(internal), &POLICIES));
    }
    if let Some(distribution) = spec.traffic_distribution.as_deref() {
        let supported = ["PreferClose", "PreferSameNode", "PreferSameZone"];
        if !supported.contains(&distribution) {
            let path = path.child("trafficDistribution");
            errors.push(FieldError::not_supported(
                path,
                &json!(distribution),
                &supported,
            ));
        }
    }
}
