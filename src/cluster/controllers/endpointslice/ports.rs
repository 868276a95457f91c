//! The ports of a Service as one pod offers them.
//!
//! Source: `staging/src/k8s.io/endpointslice/utils.go`, `getEndpointPorts`, and
//! `staging/src/k8s.io/endpointslice/util/controller_utils.go`, `FindPort`.

use k8s_openapi::api::core::v1::{Container, Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointPort;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

const DEFAULT_PROTOCOL: &str = "TCP";

/// The ports of a slice that holds this pod. A named target port stands for what the pod's own
/// containers call so: two pods of one Service can differ. A name that the pod does not know is
/// left out.
pub(super) fn resolve(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let ports = service
        .spec
        .iter()
        .flat_map(|spec| spec.ports.iter().flatten());
    ports
        .filter_map(|port| {
            Some(EndpointPort {
                app_protocol: port.app_protocol.clone(),
                name: Some(port.name.clone().unwrap_or_default()),
                port: Some(target(port, pod)?),
                protocol: Some(protocol(port).to_owned()),
            })
        })
        .collect()
}

fn protocol(port: &ServicePort) -> &str {
    port.protocol.as_deref().unwrap_or(DEFAULT_PROTOCOL)
}

fn target(port: &ServicePort, pod: &Pod) -> Option<i32> {
    match &port.target_port {
        None => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => containers(pod)
            .flat_map(|container| container.ports.iter().flatten())
            .find(|offered| {
                offered.name.as_ref() == Some(name)
                    && offered.protocol.as_deref().unwrap_or(DEFAULT_PROTOCOL) == protocol(port)
            })
            .map(|offered| offered.container_port),
    }
}

/// The containers that run as long as the pod: its own and its sidecars.
fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.as_ref();
    let own = spec.into_iter().flat_map(|spec| &spec.containers);
    let sidecars = spec
        .into_iter()
        .flat_map(|spec| spec.init_containers.iter().flatten())
        .filter(|container| container.restart_policy.as_deref() == Some("Always"));
    own.chain(sidecars)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn resolved(ports: Value, pod_spec: Value) -> Vec<(String, i32, String)> {
        let service = from_value(json!({"metadata": {}, "spec": {"ports": ports}})).unwrap();
        let pod = from_value(json!({"metadata": {}, "spec": pod_spec})).unwrap();
        resolve(&service, &pod)
            .into_iter()
            .map(|port| {
                let name = port.name.unwrap();
                (name, port.port.unwrap(), port.protocol.unwrap())
            })
            .collect()
    }

    #[test]
    fn target_ports_are_numbers_or_names_of_the_pods_own_ports() {
        let pod = json!({
            "containers": [{
                "name": "c",
                "ports": [
                    {"name": "web", "containerPort": 8080},
                    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
                ],
            }],
            "initContainers": [
                {"name": "once", "ports": [{"name": "once", "containerPort": 1}]},
                {
                    "name": "sidecar",
                    "restartPolicy": "Always",
                    "ports": [{"name": "metrics", "containerPort": 9090}],
                },
            ],
        });
        for (port, expected) in [
            (json!({"port": 80}), Some(("", 80, "TCP"))),
            (
                json!({"port": 80, "targetPort": 3000}),
                Some(("", 3000, "TCP")),
            ),
            (
                json!({"name": "a", "port": 80, "targetPort": "web"}),
                Some(("a", 8080, "TCP")),
            ),
            (
                json!({"port": 53, "protocol": "UDP", "targetPort": "dns"}),
                Some(("", 53, "UDP")),
            ),
            (json!({"port": 53, "targetPort": "dns"}), None),
            (
                json!({"port": 90, "targetPort": "metrics"}),
                Some(("", 9090, "TCP")),
            ),
            (json!({"port": 1, "targetPort": "once"}), None),
            (json!({"port": 1, "targetPort": "nobody"}), None),
        ] {
            let expected: Vec<_> = expected
                .map(|(name, number, protocol)| (name.to_owned(), number, protocol.to_owned()))
                .into_iter()
                .collect();
            assert_eq!(resolved(json!([port]), pod.clone()), expected, "{port}");
        }
    }
}
