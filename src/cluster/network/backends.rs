//! Which endpoints new connections to a service go to.
//!
//! Source: `pkg/proxy/topology.go`, `CategorizeEndpoints`, and `pkg/proxy/endpointslicecache.go`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use k8s_openapi::api::discovery::v1::EndpointSlice;

/// Where a connection can go: a pod's address and port.
pub(super) type Backend = (Ipv4Addr, u16);

/// The backends of one service port, by the port's name.
///
/// All ready endpoints; where there are none, those that still serve while they terminate; where
/// there are none of these either, nothing.
pub(super) fn backends<'a>(
    slices: impl Iterator<Item = &'a EndpointSlice>,
    port_name: &str,
) -> Vec<Backend> {
    // An address may stand in two slices while one is replaced; not terminating wins.
    let mut found: BTreeMap<Backend, Standing> = BTreeMap::new();
    for slice in slices {
        let port = slice
            .ports
            .iter()
            .flatten()
            .find(|port| port.name.as_deref().unwrap_or_default() == port_name)
            .and_then(|port| u16::try_from(port.port?).ok());
        let Some(port) = port else { continue };
        for endpoint in slice.endpoints.iter().flatten() {
            let conditions = endpoint.conditions.clone().unwrap_or_default();
            let ready = conditions.ready.unwrap_or(true);
            let standing = if ready {
                Standing::Ready
            } else if conditions.serving.unwrap_or(ready) && conditions.terminating == Some(true) {
                Standing::ServingWhileTerminating
            } else {
                continue;
            };
            for address in endpoint
                .addresses
                .iter()
                .filter_map(|text| text.parse().ok())
            {
                let known = found.entry((address, port)).or_insert(standing);
                *known = (*known).max(standing);
            }
        }
    }
    let best = found.values().max().copied();
    found
        .into_iter()
        .filter(|(_, standing)| Some(*standing) == best)
        .map(|(backend, _)| backend)
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    ServingWhileTerminating,
    Ready,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_slice(endpoints: &[(&str, bool, bool, bool)]) -> EndpointSlice {
        let endpoints: Vec<Value> = endpoints
            .iter()
            .map(|(address, ready, serving, terminating)| {
                json!({
                    "addresses": [address],
                    "conditions":
                        {"ready": ready, "serving": serving, "terminating": terminating},
                })
            })
            .collect();
        from_value(json!({
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": [{"name": "http", "port": 3000}],
        }))
        .unwrap()
    }

    #[track_caller]
    fn assert_backends(slices: &[EndpointSlice], expected: &[&str]) {
        let found = backends(slices.iter(), "http");
        let expected: Vec<Backend> = expected
            .iter()
            .map(|text| (text.parse().unwrap(), 3000))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn ready_endpoints_take_all_the_traffic() {
        let slice = mk_slice(&[
            ("10.0.0.1", true, true, false),
            ("10.0.0.2", false, true, true),
            ("10.0.0.3", false, false, false),
        ]);
        assert_backends(&[slice], &["10.0.0.1"]);
    }

    #[test]
    fn without_ready_endpoints_the_terminating_ones_serve_on() {
        let slice = mk_slice(&[
            ("10.0.0.2", false, true, true),
            ("10.0.0.3", false, false, true),
        ]);
        assert_backends(&[slice], &["10.0.0.2"]);
    }

    #[test]
    fn nothing_ready_and_nothing_serving_is_nothing() {
        assert_backends(&[mk_slice(&[("10.0.0.3", false, false, false)])], &[]);
        assert!(
            backends(
                [mk_slice(&[("10.0.0.1", true, true, false)])].iter(),
                "other"
            )
            .is_empty()
        );
    }

    #[test]
    fn an_address_in_two_slices_counts_once() {
        let old = mk_slice(&[("10.0.0.1", false, true, true)]);
        let new = mk_slice(&[("10.0.0.1", true, true, false)]);
        assert_backends(&[old, new], &["10.0.0.1"]);
    }
}
