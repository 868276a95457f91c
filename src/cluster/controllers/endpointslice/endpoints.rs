//! Which pods are endpoints of a Service, and what their endpoints say.
//!
//! Source: `staging/src/k8s.io/endpointslice/utils.go`, `podToEndpoint`, and
//! `staging/src/k8s.io/endpointslice/util/controller_utils.go`, `ShouldPodBeInEndpoints`.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::{ObjectReference, Pod, PodCondition, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use super::ports;
use crate::cluster::object::label_selector::LabelSelector;

/// The zone of each node that is there, `None` for a node without the label.
pub(super) type Zones = HashMap<String, Option<String>>;

/// A pod as an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    pub(super) endpoint: Endpoint,
    /// When the pod became ready or ceased to be.
    pub(super) since: Option<Time>,
}

/// Endpoints that offer the same ports, and can share slices.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Group {
    pub(super) ports: Vec<EndpointPort>,
    pub(super) endpoints: Vec<Wanted>,
}

/// The endpoints of a Service, in the order of the pods. `None` for a Service whose endpoints are
/// not this controller's affair: one without a selector, and an external name.
pub(super) fn of_service(service: &Service, pods: &[Pod], zones: &Zones) -> Option<Vec<Group>> {
    let spec = service.spec.as_ref()?;
    if spec.type_.as_deref() == Some("ExternalName") {
        return None;
    }
    let selector = LabelSelector::from_map(spec.selector.as_ref()?);
    let mut groups: Vec<Group> = Vec::new();
    for pod in pods {
        if !selector.matches(pod.metadata.labels.as_ref()) {
            continue;
        }
        let Some(wanted) = endpoint(service, pod, zones) else {
            continue;
        };
        let ports = ports::resolve(service, pod);
        match groups.iter_mut().find(|group| group.ports == ports) {
            Some(group) => group.endpoints.push(wanted),
            None => groups.push(Group {
                ports,
                endpoints: vec![wanted],
            }),
        }
    }
    Some(groups)
}

/// Whether a pod has an address to be reached at; others never appear in a slice.
pub(super) fn has_address(pod: &Pod) -> bool {
    address(pod).is_some()
}

/// The pod's endpoint. A terminating pod keeps it until it has gone, for connections that have
/// nowhere else to go; a pod on a node that is not there has none, unless the Service wants even
/// pods that are not ready.
fn endpoint(service: &Service, pod: &Pod, zones: &Zones) -> Option<Wanted> {
    let service_spec = service.spec.as_ref()?;
    let (spec, status) = (pod.spec.as_ref()?, pod.status.as_ref()?);
    if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return None;
    }
    let publishes_all = service_spec.publish_not_ready_addresses == Some(true);
    let node = spec.node_name.clone();
    let zone = match node.as_ref().map(|name| zones.get(name)) {
        Some(None) if !publishes_all => return None,
        Some(Some(zone)) => zone.clone(),
        _ => None,
    };
    let ready = ready_condition(pod);
    let serving = ready.is_some_and(|condition| condition.status == "True");
    let terminating = pod.metadata.deletion_timestamp.is_some();
    let in_domain_of_service =
        spec.subdomain == service.metadata.name && service.namespace() == pod.namespace();
    let endpoint = Endpoint {
        addresses: vec![address(pod)?],
        conditions: Some(EndpointConditions {
            ready: Some(publishes_all || (serving && !terminating)),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        hostname: spec
            .hostname
            .clone()
            .filter(|hostname| !hostname.is_empty() && in_domain_of_service),
        node_name: node,
        target_ref: Some(ObjectReference {
            kind: Some("Pod".to_owned()),
            namespace: pod.namespace(),
            name: pod.metadata.name.clone(),
            uid: pod.uid(),
            ..ObjectReference::default()
        }),
        zone,
        ..Endpoint::default()
    };
    Some(Wanted {
        endpoint,
        since: ready.and_then(|condition| condition.last_transition_time.clone()),
    })
}

fn ready_condition(pod: &Pod) -> Option<&PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.iter().flatten();
    conditions
        .into_iter()
        .find(|condition| condition.type_ == "Ready")
}

/// The pod's IPv4 address.
fn address(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let all = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str());
    status
        .pod_ip
        .as_deref()
        .into_iter()
        .chain(all)
        .find(|text| text.parse::<Ipv4Addr>().is_ok())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_service(spec: Value) -> Service {
        let mut whole = json!({"selector": {"app": "web"}, "ports": [{"port": 80}]});
        json_patch::merge(&mut whole, &spec);
        from_value(json!({"metadata": {"name": "web", "namespace": "ns"}, "spec": whole})).unwrap()
    }

    /// A ready pod on node `n1`, changed by a merge patch.
    fn mk_pod(change: Value) -> Pod {
        let mut whole = json!({
            "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "web"}},
            "spec": {"nodeName": "n1", "containers": []},
            "status": {
                "phase": "Running",
                "podIP": "10.0.0.1",
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        });
        json_patch::merge(&mut whole, &change);
        from_value(whole).unwrap()
    }

    fn endpoints(service: Value, pod: Value) -> Vec<Endpoint> {
        let zones = Zones::from([("n1".to_owned(), Some("z1".to_owned()))]);
        of_service(&mk_service(service), &[mk_pod(pod)], &zones)
            .unwrap()
            .into_iter()
            .flat_map(|group| group.endpoints)
            .map(|wanted| wanted.endpoint)
            .collect()
    }

    #[test]
    fn conditions_follow_readiness_and_termination() {
        let not_ready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        let mut both = not_ready.clone();
        json_patch::merge(&mut both, &going);
        let all = json!({"publishNotReadyAddresses": true});
        for (service, pod, ready, serving, terminating) in [
            (json!({}), json!({}), true, true, false),
            (json!({}), not_ready.clone(), false, false, false),
            (json!({}), going.clone(), false, true, true),
            (json!({}), both, false, false, true),
            (all.clone(), not_ready, true, false, false),
            (all, going, true, true, true),
        ] {
            let expected = EndpointConditions {
                ready: Some(ready),
                serving: Some(serving),
                terminating: Some(terminating),
            };
            let found = endpoints(service.clone(), pod.clone());
            assert_eq!(found.len(), 1, "{service} {pod}");
            assert_eq!(found[0].conditions, Some(expected), "{service} {pod}");
        }
    }

    #[test]
    fn only_living_pods_with_an_address_on_a_known_node_are_endpoints() {
        for (service, pod, count) in [
            (json!({}), json!({}), 1),
            (
                json!({}),
                json!({"metadata": {"labels": {"app": "other"}}}),
                0,
            ),
            (json!({}), json!({"status": {"phase": "Succeeded"}}), 0),
            (json!({}), json!({"status": {"phase": "Failed"}}), 0),
            (json!({}), json!({"status": {"podIP": null}}), 0),
            (json!({}), json!({"status": {"podIP": "fd00::1"}}), 0),
            (json!({}), json!({"spec": {"nodeName": "lost"}}), 0),
            (
                json!({"publishNotReadyAddresses": true}),
                json!({"spec": {"nodeName": "lost"}}),
                1,
            ),
        ] {
            assert_eq!(
                endpoints(service.clone(), pod.clone()).len(),
                count,
                "{service} {pod}"
            );
        }
    }

    #[test]
    fn an_endpoint_names_its_pod_node_and_zone_and_a_hostname_in_the_services_domain() {
        let named = json!({"spec": {"hostname": "h", "subdomain": "web"}});
        let elsewhere = json!({"spec": {"hostname": "h", "subdomain": "db"}});
        let endpoint = &endpoints(json!({}), named)[0];
        assert_eq!(endpoint.hostname.as_deref(), Some("h"));
        assert_eq!(endpoint.node_name.as_deref(), Some("n1"));
        assert_eq!(endpoint.zone.as_deref(), Some("z1"));
        let target = endpoint.target_ref.as_ref().unwrap();
        assert_eq!(
            serde_json::to_value(target).unwrap(),
            json!({"kind": "Pod", "namespace": "ns", "name": "p", "uid": "u"})
        );
        assert_eq!(endpoints(json!({}), elsewhere)[0].hostname, None);
    }

    #[test]
    fn services_without_selector_and_external_names_are_left_alone() {
        for spec in [json!({"selector": null}), json!({"type": "ExternalName"})] {
            let service = mk_service(spec.clone());
            assert_eq!(of_service(&service, &[], &Zones::new()), None, "{spec}");
        }
    }

    #[test]
    fn pods_that_resolve_a_named_port_differently_are_in_groups_of_their_own() {
        let service = mk_service(json!({"ports": [{"port": 80, "targetPort": "http"}]}));
        let pod = |name: &str, port: i32| {
            let container =
                json!({"name": "c", "ports": [{"name": "http", "containerPort": port}]});
            mk_pod(json!({
                "metadata": {"name": name},
                "spec": {"nodeName": null, "containers": [container]},
            }))
        };
        let pods = [pod("a", 8080), pod("b", 9090), pod("c", 8080)];
        let groups = of_service(&service, &pods, &Zones::new()).unwrap();
        let shape: Vec<(Option<i32>, usize)> = groups
            .iter()
            .map(|group| (group.ports[0].port, group.endpoints.len()))
            .collect();
        assert_eq!(shape, [(Some(8080), 2), (Some(9090), 1)]);
    }
}
