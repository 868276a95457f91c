//! What is kept of a Service.

use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::history::facts::{Facts, ServiceFacts};

pub(in crate::observer) fn facts(service: &Service) -> Facts {
    let spec = service.spec.clone().unwrap_or_default();
    Facts::Service(ServiceFacts {
        service_type: spec.type_.unwrap_or_default(),
        selector: spec.selector.unwrap_or_default(),
        ports: spec.ports.iter().flatten().map(port).collect(),
    })
}

fn port(port: &ServicePort) -> (u16, String, u16) {
    let number = |value: i32| u16::try_from(value).unwrap_or_default();
    let target = match &port.target_port {
        Some(IntOrString::Int(value)) => value.to_string(),
        Some(IntOrString::String(name)) => name.clone(),
        None => port.port.to_string(),
    };
    (
        number(port.port),
        target,
        port.node_port.map(number).unwrap_or_default(),
    )
}
