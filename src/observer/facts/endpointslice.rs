//! What is kept of an EndpointSlice.

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kube::ResourceExt as _;

use crate::history::facts::{EndpointFacts, EndpointSliceFacts, Facts};

pub(in crate::observer) fn facts(slice: &EndpointSlice) -> Facts {
    let ports = slice.ports.iter().flatten().filter_map(|port| port.port);
    Facts::EndpointSlice(EndpointSliceFacts {
        service: slice
            .labels()
            .get("kubernetes.io/service-name")
            .cloned()
            .unwrap_or_default(),
        ports: ports
            .filter_map(|number| u16::try_from(number).ok())
            .collect(),
        endpoints: slice.endpoints.iter().flatten().map(endpoint).collect(),
    })
}

/// A condition that is missing means what the API says it means: ready.
fn endpoint(endpoint: &Endpoint) -> EndpointFacts {
    let conditions = endpoint.conditions.clone().unwrap_or_default();
    let ready = conditions.ready.unwrap_or(true);
    EndpointFacts {
        pod: endpoint
            .target_ref
            .as_ref()
            .and_then(|target| target.name.clone())
            .unwrap_or_default(),
        ip: endpoint.addresses.first().cloned().unwrap_or_default(),
        ready,
        serving: conditions.serving.unwrap_or(ready),
        terminating: conditions.terminating.unwrap_or(false),
    }
}
