//! What an update leaves out and gets back, and what a change of type takes away.
//!
//! Source: `pkg/registry/core/service/strategy.go`, `dropTypeDependentFields`, and
//! `pkg/registry/core/service/storage/storage.go`, `patchAllocatedValues`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ServiceSpec;

use super::{
    has_cluster_ip, has_health_check_port, has_node_ports, is_load_balancer,
    is_reached_from_outside,
};

/// Puts back what was allocated before and is not in the new spec.
pub(super) fn keep_allocated(new: &mut ServiceSpec, old: &ServiceSpec) {
    if has_cluster_ip(new) && has_cluster_ip(old) {
        let is_unset = new.cluster_ip.as_deref().unwrap_or_default().is_empty();
        if is_unset {
            new.cluster_ip.clone_from(&old.cluster_ip);
        }
        let list_is_old = new.cluster_ips == old.cluster_ips;
        if new.cluster_ips.as_ref().is_none_or(Vec::is_empty) {
            new.cluster_ips.clone_from(&old.cluster_ips);
        }
        // Old clients know one address only; the list follows it.
        if new.cluster_ip != old.cluster_ip && (list_is_old || new.cluster_ips == old.cluster_ips) {
            new.cluster_ips = new.cluster_ip.clone().map(|address| vec![address]);
        }
        if new.ip_families.as_ref().is_none_or(Vec::is_empty) {
            new.ip_families.clone_from(&old.ip_families);
        }
        if new.ip_family_policy.is_none() {
            new.ip_family_policy.clone_from(&old.ip_family_policy);
        }
    }
    if has_node_ports(new) && has_node_ports(old) {
        keep_node_ports(new, old);
    }
    if has_health_check_port(new)
        && has_health_check_port(old)
        && new.health_check_node_port.unwrap_or_default() == 0
    {
        new.health_check_node_port = old.health_check_node_port;
    }
}

/// A port without a node port gets that of the old port of its name, unless another has it.
fn keep_node_ports(new: &mut ServiceSpec, old: &ServiceSpec) {
    let numbers = |spec: &ServiceSpec| -> BTreeSet<i32> {
        let ports = spec.ports.iter().flatten();
        ports
            .filter_map(|port| port.node_port)
            .filter(|port| *port != 0)
            .collect()
    };
    let mut used: BTreeSet<i32> = &numbers(old) & &numbers(new);
    let by_name: BTreeMap<Option<&str>, i32> = old
        .ports
        .iter()
        .flatten()
        .filter_map(|port| Some((port.name.as_deref(), port.node_port?)))
        .collect();
    for port in new.ports.iter_mut().flatten() {
        if port.node_port.unwrap_or_default() == 0
            && let Some(number) = by_name.get(&port.name.as_deref())
            && used.insert(*number)
        {
            port.node_port = Some(*number);
        }
    }
}

/// Takes away what the new type cannot have, where the client merely sent it back unchanged.
pub(super) fn drop_what_does_not_fit(new: &mut ServiceSpec, old: &ServiceSpec) {
    if has_cluster_ip(old) && !has_cluster_ip(new) {
        if new.cluster_ip == old.cluster_ip && new.cluster_ips == old.cluster_ips {
            new.cluster_ip = None;
            new.cluster_ips = None;
        }
        if new.ip_families == old.ip_families {
            new.ip_families = None;
        }
        if new.ip_family_policy == old.ip_family_policy {
            new.ip_family_policy = None;
        }
        new.internal_traffic_policy = None;
    }
    if has_node_ports(old) && !has_node_ports(new) {
        let old_ports: Vec<Option<i32>> = old
            .ports
            .iter()
            .flatten()
            .map(|port| port.node_port)
            .collect();
        for port in new.ports.iter_mut().flatten() {
            if old_ports.contains(&port.node_port) {
                port.node_port = None;
            }
        }
    }
    if has_health_check_port(old)
        && !has_health_check_port(new)
        && new.health_check_node_port == old.health_check_node_port
    {
        new.health_check_node_port = None;
    }
    if is_load_balancer(old) && !is_load_balancer(new) {
        new.allocate_load_balancer_node_ports = None;
        new.load_balancer_class = None;
    }
    if is_reached_from_outside(old)
        && !is_reached_from_outside(new)
        && new.external_traffic_policy == old.external_traffic_policy
    {
        new.external_traffic_policy = None;
    }
    let affinity = |spec: &ServiceSpec| spec.session_affinity.as_deref() == Some("ClientIP");
    if affinity(old) && !affinity(new) {
        new.session_affinity_config = None;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_spec(spec: Value) -> ServiceSpec {
        from_value(spec).unwrap()
    }

    fn mk_old() -> ServiceSpec {
        mk_spec(json!({
            "type": "NodePort",
            "clusterIP": "10.0.0.1",
            "clusterIPs": ["10.0.0.1"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "externalTrafficPolicy": "Cluster",
            "ports": [
                {"name": "a", "port": 1, "nodePort": 30001},
                {"name": "b", "port": 2, "nodePort": 30002},
            ],
        }))
    }

    #[test]
    fn an_update_keeps_addresses_and_ports_that_it_does_not_name() {
        let mut new = mk_spec(json!({
            "type": "NodePort",
            "ports": [{"name": "b", "port": 2}, {"name": "c", "port": 3, "nodePort": 30001}],
        }));
        keep_allocated(&mut new, &mk_old());
        assert_eq!(new.cluster_ips, Some(vec!["10.0.0.1".to_owned()]));
        let ports: Vec<_> = new
            .ports
            .iter()
            .flatten()
            .map(|port| port.node_port)
            .collect();
        assert_eq!(ports, [Some(30002), Some(30001)]);
    }

    #[test]
    fn the_list_of_addresses_follows_a_changed_address() {
        let mut new = mk_old();
        new.cluster_ip = Some("10.0.0.9".to_owned());
        keep_allocated(&mut new, &mk_old());
        assert_eq!(new.cluster_ips, Some(vec!["10.0.0.9".to_owned()]));
    }

    #[test]
    fn a_change_of_type_gives_back_what_only_the_old_type_had() {
        let mut new = mk_old();
        new.type_ = Some("ClusterIP".to_owned());
        drop_what_does_not_fit(&mut new, &mk_old());
        assert!(
            new.ports
                .iter()
                .flatten()
                .all(|port| port.node_port.is_none())
        );
        assert!(new.external_traffic_policy.is_none() && new.cluster_ip.is_some());

        let mut new = mk_old();
        new.type_ = Some("ExternalName".to_owned());
        drop_what_does_not_fit(&mut new, &mk_old());
        assert!(new.cluster_ip.is_none() && new.ip_families.is_none());
    }
}
