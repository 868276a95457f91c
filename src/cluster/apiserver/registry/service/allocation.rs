//! Giving out cluster addresses and node ports.
//!
//! Nothing is remembered: what is taken is what the stored Services have, read under the same lock
//! under which the Service is written. Source: `pkg/registry/core/service/storage/alloc.go`,
//! `pkg/registry/core/service/ipallocator` and `pkg/registry/core/service/portallocator`.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use rand::{Rng, RngExt as _};
use serde_json::json;

use super::{HEADLESS, has_cluster_ip, has_health_check_port, has_node_ports, is_headless};
use crate::cluster::apiserver::settings::ServiceRange;
use crate::cluster::object::{FieldError, FieldPath};

const FIRST_NODE_PORT: u16 = 30_000;
const LAST_NODE_PORT: u16 = 32_767;

/// What other Services have.
#[derive(Debug, Default)]
pub(super) struct Taken {
    addresses: BTreeSet<Ipv4Addr>,
    /// Ports of all protocols: two Services never share a number.
    ports: BTreeSet<u16>,
}

impl Taken {
    /// Notes what a Service has.
    pub(super) fn note(&mut self, service: &Service) {
        let Some(spec) = &service.spec else { return };
        let addresses = spec.cluster_ips.iter().flatten().chain(&spec.cluster_ip);
        self.addresses
            .extend(addresses.filter_map(|text| text.parse::<Ipv4Addr>().ok()));
        self.ports.extend(node_ports(spec));
    }
}

fn node_ports(spec: &ServiceSpec) -> impl Iterator<Item = u16> {
    let ports = spec
        .ports
        .iter()
        .flatten()
        .filter_map(|port| port.node_port);
    ports
        .chain(spec.health_check_node_port)
        .filter_map(|port| u16::try_from(port).ok())
        .filter(|port| *port != 0)
}

/// From what a Service gets its addresses and ports.
pub(super) struct Pool<'a> {
    pub(super) taken: &'a Taken,
    pub(super) range: ServiceRange,
    /// A dry run checks what is asked for and gives out nothing. Upstream checks no port's range.
    pub(super) dry_run: bool,
}

/// Gives a Service the addresses and ports that it needs and does not have. `own` is what the
/// Service had before an update, which it keeps.
pub(super) fn allocate(
    spec: &mut ServiceSpec,
    own: Option<&ServiceSpec>,
    pool: &Pool<'_>,
    random: &mut impl Rng,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if is_headless(spec) {
        spec.cluster_ips = Some(vec![HEADLESS.to_owned()]);
    } else if has_cluster_ip(spec) && !own.is_some_and(has_cluster_ip) {
        allocate_address(spec, pool, random, &mut errors);
    }
    if has_node_ports(spec) {
        allocate_ports(spec, own, pool, random, &mut errors);
    }
    errors
}

fn allocate_address(
    spec: &mut ServiceSpec,
    pool: &Pool<'_>,
    random: &mut impl Rng,
    errors: &mut Vec<FieldError>,
) {
    let Pool { taken, range, .. } = pool;
    let asked = spec.cluster_ip.clone().filter(|text| !text.is_empty());
    let result = match &asked {
        None if pool.dry_run => return,
        None => {
            // A sixteenth of the block, from 16 to 256 addresses, is left to those who ask for one.
            let size = range.size();
            let reserved = (size / 16).clamp(16, 256).min(size);
            let is_free = |offset: u32| !taken.addresses.contains(&range.address(offset));
            pick(reserved, size, is_free, random)
                .map(|offset| range.address(offset).to_string())
                .ok_or_else(|| "range is full".to_owned())
        }
        // A text that is no address is left to validation.
        Some(text) => match text.parse::<Ipv4Addr>() {
            Ok(address) if !range.contains(address) => Err(format!(
                "failed to allocate IP {address}: the provided IP ({address}) is not in the valid \
                 range. The range of valid IPs is {range}"
            )),
            Ok(address) if taken.addresses.contains(&address) => Err(format!(
                "failed to allocate IP {address}: provided IP is already allocated"
            )),
            _ => Ok(text.clone()),
        },
    };
    match result {
        Ok(address) => {
            spec.cluster_ips = Some(vec![address.clone()]);
            spec.cluster_ip = Some(address);
        }
        Err(why) => {
            let shown = asked.map(|text| vec![text]);
            errors.push(FieldError::invalid("spec.clusterIPs", &json!(shown), &why));
        }
    }
}

fn allocate_ports(
    spec: &mut ServiceSpec,
    own: Option<&ServiceSpec>,
    pool: &Pool<'_>,
    random: &mut impl Rng,
    errors: &mut Vec<FieldError>,
) {
    let owned: BTreeSet<u16> = own.into_iter().flat_map(node_ports).collect();
    let mut used = pool.taken.ports.clone();
    // Within one Service TCP and UDP may share a number.
    let mut claimed: BTreeSet<(String, i32)> = BTreeSet::new();
    let path = FieldPath::new("spec").child("ports");
    let ports = spec.ports.get_or_insert_default();
    for (index, port) in ports.iter().enumerate() {
        let Some(number) = port.node_port.filter(|number| *number != 0) else {
            continue;
        };
        let protocol = port.protocol.clone().unwrap_or_default();
        let other_protocol = claimed
            .iter()
            .any(|(known, claim)| *claim == number && *known != protocol);
        let is_repeated = !claimed.insert((protocol, number));
        let complaint = match u16::try_from(number) {
            Ok(number) if pool.dry_run || in_range(number) => {
                let is_free = other_protocol || used.insert(number) || owned.contains(&number);
                (is_repeated || !is_free).then(|| "provided port is already allocated".to_owned())
            }
            _ => Some(format!(
                "provided port is not in the valid range. The range of valid ports is \
                 {FIRST_NODE_PORT}-{LAST_NODE_PORT}"
            )),
        };
        if let Some(why) = complaint {
            let path = path.index(index).child("nodePort");
            errors.push(FieldError::invalid(path, &number.into(), &why));
        }
    }
    if pool.dry_run || !errors.is_empty() {
        return;
    }
    for port in ports.iter_mut() {
        if port.node_port.unwrap_or_default() == 0 {
            port.node_port = next_port(&mut used, random).map(i32::from);
        }
    }
    if has_health_check_port(spec) && spec.health_check_node_port.unwrap_or_default() == 0 {
        spec.health_check_node_port = next_port(&mut used, random).map(i32::from);
    }
}

fn in_range(port: u16) -> bool {
    (FIRST_NODE_PORT..=LAST_NODE_PORT).contains(&port)
}

fn next_port(used: &mut BTreeSet<u16>, random: &mut impl Rng) -> Option<u16> {
    let size = u32::from(LAST_NODE_PORT - FIRST_NODE_PORT) + 1;
    // A thirty-second of the range, from 16 to 128 ports, is left to those who ask for one.
    let reserved = (size / 32).clamp(16, 128);
    let port = |offset: u32| FIRST_NODE_PORT + u16::try_from(offset).unwrap_or_default();
    let chosen = pick(
        reserved,
        size,
        |offset| !used.contains(&port(offset)),
        random,
    )
    .map(port)?;
    used.insert(chosen);
    Some(chosen)
}

/// A free offset below `size`: from `reserved` upwards at random, below it only when all of those
/// are taken.
fn pick(
    reserved: u32,
    size: u32,
    is_free: impl Fn(u32) -> bool,
    random: &mut impl Rng,
) -> Option<u32> {
    [(reserved, size), (0, reserved)]
        .into_iter()
        .filter(|(start, end)| start < end)
        .find_map(|(start, end)| {
            let first = random.random_range(start..end);
            (first..end)
                .chain(start..first)
                .find(|offset| is_free(*offset))
        })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;
    use serde_json::{Value, from_value};

    use super::*;

    fn mk_spec(spec: Value) -> ServiceSpec {
        from_value(spec).unwrap()
    }

    fn mk_taken(specs: &[Value]) -> Taken {
        let mut taken = Taken::default();
        for spec in specs {
            taken.note(&from_value(json!({"spec": spec})).unwrap());
        }
        taken
    }

    fn give(spec: Value, own: Option<Value>, taken: &Taken) -> Result<ServiceSpec, Vec<String>> {
        let mut spec = mk_spec(spec);
        let own = own.map(mk_spec);
        let pool = Pool {
            taken,
            range: ServiceRange::new(Ipv4Addr::new(10, 0, 0, 0), 28),
            dry_run: false,
        };
        let mut random = SmallRng::seed_from_u64(1);
        let errors = allocate(&mut spec, own.as_ref(), &pool, &mut random);
        if errors.is_empty() {
            Ok(spec)
        } else {
            Err(errors.into_iter().map(|error| error.field).collect())
        }
    }

    #[test]
    fn every_free_address_is_given_out_once() {
        let mut taken = mk_taken(&[]);
        let mut given = BTreeSet::new();
        for _ in 0..14 {
            let spec = give(json!({"type": "ClusterIP"}), None, &taken).unwrap();
            assert!(given.insert(spec.cluster_ip.clone().unwrap()));
            assert_eq!(spec.cluster_ips, spec.cluster_ip.clone().map(|ip| vec![ip]));
            taken.note(&Service {
                spec: Some(spec),
                ..Service::default()
            });
        }
        assert_eq!(
            give(json!({"type": "ClusterIP"}), None, &taken).unwrap_err(),
            ["spec.clusterIPs"]
        );
    }

    #[test]
    fn the_lower_band_is_given_out_last() {
        let mut random = SmallRng::seed_from_u64(1);
        for _ in 0..100 {
            assert!(pick(10, 20, |_| true, &mut random).unwrap() >= 10);
        }
        assert!(pick(10, 20, |offset| offset < 10, &mut random).unwrap() < 10);
        assert_eq!(pick(10, 20, |offset| offset == 13, &mut random), Some(13));
        assert_eq!(pick(10, 20, |_| false, &mut random), None);
    }

    #[test]
    fn an_address_that_is_asked_for_must_be_free_and_in_the_block() {
        let taken = mk_taken(&[json!({"clusterIP": "10.0.0.3", "clusterIPs": ["10.0.0.3"]})]);
        let asked = |address: &str| give(json!({"clusterIP": address}), None, &taken);
        assert!(asked("10.0.0.2").is_ok());
        assert!(asked("10.0.0.3").is_err() && asked("10.1.0.2").is_err());
        assert_eq!(asked("None").unwrap().cluster_ip.as_deref(), Some("None"));
    }

    #[test]
    fn node_ports_are_unique_across_services_whatever_their_protocol() {
        let taken = mk_taken(&[json!({"ports": [{"port": 80, "nodePort": 31777}]})]);
        let ports = |ports: Value, own: Option<Value>| {
            let own = own.map(|ports| json!({"type": "NodePort", "ports": ports}));
            give(json!({"type": "NodePort", "ports": ports}), own, &taken)
        };
        let fields = |result: Result<ServiceSpec, Vec<String>>| result.unwrap_err();
        let udp = json!([{"port": 1, "nodePort": 31777, "protocol": "UDP"}]);
        assert_eq!(fields(ports(udp, None)), ["spec.ports[0].nodePort"]);
        let far = json!([{"port": 1, "nodePort": 99}]);
        assert_eq!(fields(ports(far, None)), ["spec.ports[0].nodePort"]);
        let twice = json!([
            {"port": 1, "nodePort": 31999, "protocol": "TCP"},
            {"port": 2, "nodePort": 31999, "protocol": "TCP"},
        ]);
        assert_eq!(fields(ports(twice, None)), ["spec.ports[1].nodePort"]);
        let both = json!([
            {"port": 1, "nodePort": 31999, "protocol": "TCP"},
            {"port": 1, "nodePort": 31999, "protocol": "UDP"},
        ]);
        assert!(ports(both, None).is_ok());
        let own = json!([{"port": 1, "nodePort": 30001}]);
        assert!(ports(own.clone(), Some(own)).is_ok());
        let spec = ports(json!([{"port": 1}, {"port": 2}]), None).unwrap();
        let given: BTreeSet<_> = node_ports(&spec).collect();
        assert!(given.len() == 2 && given.iter().all(|port| (30_085..=32_767).contains(port)));
    }
}
