//! The quality of service that a pod's requests and limits buy.
//!
//! Source: `pkg/apis/core/v1/helper/qos/qos.go`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use crate::cluster::object::Quantity;

/// The resources that count.
const COMPUTE: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed` when every container limits CPU and memory and requests just as much, `BestEffort`
/// when none requests or limits any, else `Burstable`.
pub(super) fn class(spec: &PodSpec) -> &'static str {
    let mut requests = BTreeMap::new();
    let mut limits = BTreeMap::new();
    let mut all_limited = true;
    let init_containers = spec.init_containers.iter().flatten();
    for container in spec.containers.iter().chain(init_containers) {
        let resources = container.resources.clone().unwrap_or_default();
        add(&mut requests, resources.requests.as_ref());
        let limited = add(&mut limits, resources.limits.as_ref());
        all_limited &= limited == COMPUTE.len();
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if all_limited && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Adds what a container asks for; returns of how many resources it asks anything.
fn add(
    totals: &mut BTreeMap<&'static str, Quantity>,
    asked: Option<&BTreeMap<String, Text>>,
) -> usize {
    let mut count = 0;
    for name in COMPUTE {
        let amount = asked
            .and_then(|asked| asked.get(name))
            .and_then(|text| Quantity::parse(&text.0).ok());
        if let Some(amount) = amount.filter(|amount| *amount > Quantity::ZERO) {
            count += 1;
            let total = totals.entry(name).or_insert(Quantity::ZERO);
            *total = *total + amount;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn the_class_follows_from_requests_and_limits() {
        let both = json!({"cpu": "1", "memory": "1Gi"});
        let same = json!({"limits": both, "requests": {"cpu": "1000m", "memory": "1024Mi"}});
        for (resources, expected) in [
            (vec![json!({})], "BestEffort"),
            (vec![json!({"limits": {"cpu": "0"}})], "BestEffort"),
            (vec![same.clone()], "Guaranteed"),
            (vec![same.clone(), same.clone()], "Guaranteed"),
            (vec![same, json!({})], "Burstable"),
            (vec![json!({"requests": {"cpu": "1"}})], "Burstable"),
            (vec![json!({"limits": both})], "Burstable"),
        ] {
            let containers: Vec<_> = resources
                .iter()
                .map(|resources| json!({"name": "c", "resources": resources}))
                .collect();
            let spec: PodSpec = from_value(json!({"containers": containers})).unwrap();
            assert_eq!(class(&spec), expected, "{resources:?}");
        }
    }
}
