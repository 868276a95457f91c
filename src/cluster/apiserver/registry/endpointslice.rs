//! EndpointSlices. Source: `pkg/registry/discovery/endpointslice/strategy.go` and
//! `pkg/apis/discovery/validation/validation.go`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::{Value, json};

use super::numbers::broken_port_name;
use super::pod_spec::fill;
use super::{Kind, NameRule, Resource, Scope, Typed, kind};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::{FieldError, FieldPath};

pub(crate) static RESOURCE: Resource = Resource {
    group: "discovery.k8s.io",
    version: "v1",
    kind: "EndpointSlice",
    collection: "endpointslices.discovery.k8s.io",
    plural: "endpointslices",
    singular: "endpointslice",
    short_names: &[],
    categories: &[],
    scope: Scope::Namespaced,
    subresources: &[],
    names: NameRule::Subdomain,
    returns_deleted: false,
    strategy: &Typed::<Rules>::new(),
};

const ADDRESS_TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];
const ENDPOINTS_LIMIT: usize = 1000;

struct Rules;

impl Kind for Rules {
    type Object = EndpointSlice;

    const HAS_GENERATION: bool = true;

    fn default(slice: &mut EndpointSlice) {
        for port in slice.ports.iter_mut().flatten() {
            port.name.get_or_insert_default();
            fill(&mut port.protocol, "TCP");
        }
        for endpoint in slice.endpoints.iter_mut().flatten() {
            endpoint.conditions.get_or_insert_default();
        }
    }

    fn validate(slice: &EndpointSlice, _: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let address_type = slice.address_type.as_str();
        if address_type.is_empty() {
            errors.push(FieldError::required("addressType", ""));
        } else if !ADDRESS_TYPES.contains(&address_type) {
            let value = json!(address_type);
            errors.push(FieldError::not_supported(
                "addressType",
                &value,
                &ADDRESS_TYPES,
            ));
        }
        check_endpoints(slice, &mut errors);
        check_ports(slice, &mut errors);
        errors
    }

    fn validate_update(new: &EndpointSlice, old: &EndpointSlice) -> Vec<FieldError> {
        if new.address_type == old.address_type {
            return Vec::new();
        }
        let value = json!(new.address_type);
        vec![FieldError::invalid(
            "addressType",
            &value,
            "field is immutable",
        )]
    }

    /// Everything but the metadata counts, and the labels.
    fn counts(new: &Value, old: &Value) -> bool {
        ["endpoints", "ports"]
            .iter()
            .any(|part| new[part] != old[part])
            || new["metadata"]["labels"] != old["metadata"]["labels"]
    }

    fn dress(slice: &mut Value) {
        kind::set_missing(slice, "endpoints", Value::Null);
        kind::set_missing(slice, "ports", Value::Null);
    }

    fn printer() -> &'static Printer {
        &table::endpointslice::PRINTER
    }
}

fn check_endpoints(slice: &EndpointSlice, errors: &mut Vec<FieldError>) {
    let endpoints = slice.endpoints.as_deref().unwrap_or_default();
    if endpoints.len() > ENDPOINTS_LIMIT {
        errors.push(FieldError::too_many(
            "endpoints",
            endpoints.len(),
            ENDPOINTS_LIMIT,
        ));
        return;
    }
    for (index, endpoint) in endpoints.iter().enumerate() {
        let path = FieldPath::new("endpoints").index(index).child("addresses");
        if endpoint.addresses.is_empty() {
            errors.push(FieldError::required(
                &path,
                "must contain at least 1 address",
            ));
        }
        for (index, address) in endpoint.addresses.iter().enumerate() {
            let parsed = address.parse::<IpAddr>();
            let complaint = match (slice.address_type.as_str(), parsed) {
                ("IPv4" | "IPv6", Err(_)) => {
                    "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
                }
                ("IPv4", Ok(IpAddr::V6(_))) => "must be an IPv4 address",
                ("IPv6", Ok(IpAddr::V4(_))) => "must be an IPv6 address",
                _ => continue,
            };
            errors.push(FieldError::invalid(
                path.index(index),
                &json!(address),
                complaint,
            ));
        }
    }
}

fn check_ports(slice: &EndpointSlice, errors: &mut Vec<FieldError>) {
    let mut names = BTreeSet::new();
    for (index, port) in slice.ports.iter().flatten().enumerate() {
        let path = FieldPath::new("ports").index(index);
        let name = port.name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            for why in broken_port_name(name) {
                errors.push(FieldError::invalid(path.child("name"), &json!(name), why));
            }
        }
        if !names.insert(name) {
            errors.push(FieldError::duplicate(path.child("name"), &json!(name)));
        }
        let protocol = port.protocol.as_deref().unwrap_or_default();
        let protocols = ["SCTP", "TCP", "UDP"];
        if !protocols.contains(&protocol) {
            let path = path.child("protocol");
            errors.push(FieldError::not_supported(
                path,
                &json!(protocol),
                &protocols,
            ));
        }
    }
}
