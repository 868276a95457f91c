//! Services. Source: `pkg/registry/core/service/strategy.go`, `pkg/apis/core/v1/defaults.go` and
//! `pkg/registry/core/service/storage/alloc.go`.

mod allocation;
mod transitions;
mod validation;

use k8s_openapi::api::core::v1::{
    ClientIPConfig, LoadBalancerStatus, Service, ServiceSpec, ServiceStatus, SessionAffinityConfig,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize as _;
use serde_json::Value;

use self::allocation::{Pool, Taken};
use super::pod_spec::fill;
use super::{Admission, Kind, NameRule, Resource, Scope, Subresource, Typed};
use crate::cluster::apiserver::table::{self, Printer};
use crate::cluster::object::FieldError;
use crate::cluster::object::refusal::{self, Refusal};

pub(crate) static RESOURCE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "Service",
    collection: "services",
    plural: "services",
    singular: "service",
    short_names: &["svc"],
    categories: &["all"],
    scope: Scope::Namespaced,
    subresources: &[Subresource::Status],
    names: NameRule::Label,
    returns_deleted: true,
    strategy: &Typed::<Rules>::new(),
};

/// The `clusterIP` of a Service whose name stands for its pods' addresses.
const HEADLESS: &str = "None";
const AFFINITY_SECONDS: i32 = 10_800;

struct Rules;

impl Kind for Rules {
    type Object = Service;

    const HAS_STATUS: bool = true;
    const FIELDS: &'static [&'static str] = &["spec.clusterIP", "spec.type"];

    fn default(service: &mut Service) {
        default_spec(service.spec.get_or_insert_default());
    }

    fn initialize(service: &mut Service) {
        service.status = Some(ServiceStatus {
            load_balancer: Some(LoadBalancerStatus::default()),
            ..ServiceStatus::default()
        });
    }

    fn prepare_update(new: &mut Service, old: &Service) {
        if let (Some(new), Some(old)) = (&mut new.spec, &old.spec) {
            transitions::drop_what_does_not_fit(new, old);
            transitions::keep_allocated(new, old);
        }
    }

    fn prepare_status(new: &mut Service, _: &Service) {
        let status = new.status.get_or_insert_default();
        status.load_balancer.get_or_insert_default();
    }

    fn admit(
        service: &mut Service,
        old: Option<&Service>,
        admission: &mut Admission<'_, '_>,
    ) -> Result<(), Refusal> {
        let name = service.metadata.name.clone().unwrap_or_default();
        let spec = service.spec.get_or_insert_default();
        let own = old.and_then(|old| old.spec.as_ref());
        let mut errors = choose_families(spec);
        if errors.is_empty() {
            let itself = (service.metadata.namespace.as_deref(), name.as_str());
            let mut taken = Taken::default();
            for (key, stored) in admission.transaction.list(RESOURCE.collection, None) {
                let is_other = (Some(key.namespace.as_str()), key.name.as_str()) != itself;
                if is_other && let Ok(other) = Service::deserialize(&stored.value) {
                    taken.note(&other);
                }
            }
            let pool = Pool {
                taken: &taken,
                range: admission.settings.services,
                dry_run: admission.dry_run,
            };
            errors = allocation::allocate(spec, own, &pool, &mut rand::rng());
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(refusal::invalid(RESOURCE.kind_subject(&name), &errors))
    }

    fn validate(service: &Service, _: &Value) -> Vec<FieldError> {
        validation::validate(&service.spec.clone().unwrap_or_default())
    }

    fn validate_update(new: &Service, old: &Service) -> Vec<FieldError> {
        match (&new.spec, &old.spec) {
            (Some(new), Some(old)) => validation::validate_update(new, old),
            _ => Vec::new(),
        }
    }

    fn printer() -> &'static Printer {
        &table::service::PRINTER
    }
}

fn is_type(spec: &ServiceSpec, name: &str) -> bool {
    spec.type_.as_deref() == Some(name)
}

fn is_external_name(spec: &ServiceSpec) -> bool {
    is_type(spec, "ExternalName")
}

fn is_load_balancer(spec: &ServiceSpec) -> bool {
    is_type(spec, "LoadBalancer")
}

fn is_headless(spec: &ServiceSpec) -> bool {
    spec.cluster_ip.as_deref() == Some(HEADLESS)
}

/// Whether the Service has an address of its own, or would have one if it were not headless.
fn has_cluster_ip(spec: &ServiceSpec) -> bool {
    !is_external_name(spec)
}

fn has_node_ports(spec: &ServiceSpec) -> bool {
    let declines = spec.allocate_load_balancer_node_ports == Some(false);
    is_type(spec, "NodePort") || (is_load_balancer(spec) && !declines)
}

fn has_health_check_port(spec: &ServiceSpec) -> bool {
    is_load_balancer(spec) && spec.external_traffic_policy.as_deref() == Some("Local")
}

fn is_reached_from_outside(spec: &ServiceSpec) -> bool {
    let has_external_ips = spec
        .external_ips
        .as_ref()
        .is_some_and(|list| !list.is_empty());
    is_load_balancer(spec)
        || is_type(spec, "NodePort")
        || (is_type(spec, "ClusterIP") && has_external_ips)
}

fn default_spec(spec: &mut ServiceSpec) {
    fill(&mut spec.session_affinity, "None");
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") => {
            let config: &mut SessionAffinityConfig =
                spec.session_affinity_config.get_or_insert_default();
            let client: &mut ClientIPConfig = config.client_ip.get_or_insert_default();
            client.timeout_seconds.get_or_insert(AFFINITY_SECONDS);
        }
        _ => {}
    }
    fill(&mut spec.type_, "ClusterIP");
    for port in spec.ports.iter_mut().flatten() {
        fill(&mut port.protocol, "TCP");
        let is_unset = match &port.target_port {
            None | Some(IntOrString::Int(0)) => true,
            Some(IntOrString::String(name)) => name.is_empty(),
            Some(IntOrString::Int(_)) => false,
        };
        if is_unset {
            port.target_port = Some(IntOrString::Int(port.port));
        }
    }
    if is_reached_from_outside(spec) {
        fill(&mut spec.external_traffic_policy, "Cluster");
    }
    if !is_external_name(spec) {
        spec.internal_traffic_policy
            .get_or_insert_with(|| "Cluster".to_owned());
    }
    if is_load_balancer(spec) {
        spec.allocate_load_balancer_node_ports.get_or_insert(true);
    }
}

/// This cluster speaks IPv4. A headless Service without a selector may point anywhere, so it has
/// both families, as upstream gives them to it.
fn choose_families(spec: &mut ServiceSpec) -> Vec<FieldError> {
    if is_external_name(spec) {
        return Vec::new();
    }
    let points_anywhere = is_headless(spec)
        && spec
            .selector
            .as_ref()
            .is_none_or(std::collections::BTreeMap::is_empty);
    let mut errors = Vec::new();
    let families = spec.ip_families.get_or_insert_default();
    if !points_anywhere {
        if let Some(index) = families.iter().position(|family| family == "IPv6") {
            errors.push(FieldError::invalid(
                format!("spec.ipFamilies[{index}]"),
                &"IPv6".into(),
                "not configured on this cluster",
            ));
        }
        if spec.ip_family_policy.as_deref() == Some("RequireDualStack") {
            errors.push(FieldError::invalid(
                "spec.ipFamilyPolicy",
                &"RequireDualStack".into(),
                "this cluster is not configured for dual-stack services",
            ));
        }
    }
    let (policy, defaults): (_, &[&str]) = if points_anywhere {
        ("RequireDualStack", &["IPv4", "IPv6"])
    } else {
        ("SingleStack", &["IPv4"])
    };
    if families.is_empty() {
        families.extend(defaults.iter().map(|family| (*family).to_owned()));
    }
    spec.ip_family_policy
        .get_or_insert_with(|| policy.to_owned());
    errors
}
