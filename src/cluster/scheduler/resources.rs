//! What pods ask for and what nodes have.
//!
//! Source: `staging/src/k8s.io/component-helpers/resource/helpers.go`, `PodRequests`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::cluster::object::quantity;

pub(super) const CPU: &str = "cpu";
pub(super) const MEMORY: &str = "memory";

/// Amounts by resource, in thousandths of its unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Amounts(BTreeMap<String, i128>);

impl Amounts {
    pub(super) fn read(quantities: Option<&BTreeMap<String, Quantity>>) -> Self {
        let amounts = quantities.into_iter().flatten();
        Self(
            amounts
                .filter_map(|(name, quantity)| Some((name.clone(), thousandths(&quantity.0)?)))
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> i128 {
        self.0.get(name).copied().unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, i128)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            *self.0.entry(name.clone()).or_default() += amount;
        }
    }

    fn raise_to(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            let own = self.0.entry(name.clone()).or_default();
            *own = (*own).max(*amount);
        }
    }
}

/// What a pod asks for: the sum of its containers and sidecars, or what its start takes if that is
/// more, and its overhead.
///
/// Example: containers of 100m and 200m, an init container of 500m and after it a sidecar of 50m
/// make 500m: while the init container runs, nothing else does.
pub(super) fn requests(pod: &Pod) -> Amounts {
    let Some(spec) = &pod.spec else {
        return Amounts::default();
    };
    let mut running = Amounts::default();
    for container in &spec.containers {
        running.add(&of_container(container));
    }
    let (mut sidecars, mut starting) = (Amounts::default(), Amounts::default());
    for container in spec.init_containers.iter().flatten() {
        let own = of_container(container);
        if container.restart_policy.as_deref() == Some("Always") {
            running.add(&own);
            sidecars.add(&own);
            starting.raise_to(&sidecars);
        } else {
            let mut with_sidecars = sidecars.clone();
            with_sidecars.add(&own);
            starting.raise_to(&with_sidecars);
        }
    }
    running.raise_to(&starting);
    running.add(&Amounts::read(spec.overhead.as_ref()));
    running
}

fn of_container(container: &Container) -> Amounts {
    let requests = container.resources.as_ref();
    Amounts::read(requests.and_then(|resources| resources.requests.as_ref()))
}

/// A quantity in thousandths, rounded up; `None` for what is none.
fn thousandths(text: &str) -> Option<i128> {
    quantity::Quantity::parse(text)
        .ok()
        .map(quantity::Quantity::millis)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn quantities_are_read_in_all_their_forms() {
        for (text, expected) in [
            ("1", Some(1_000)),
            ("0.5", Some(500)),
            ("100m", Some(100)),
            ("1.5m", Some(2)),
            ("1u", Some(1)),
            ("2k", Some(2_000_000)),
            ("1e3", Some(1_000_000)),
            ("1Ki", Some(1_024_000)),
            ("1.5Gi", Some(1_610_612_736_000)),
            ("8Ei", Some(9_223_372_036_854_775_807_000)),
            ("", None),
            ("many", None),
        ] {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }

    #[test]
    fn a_pod_asks_for_its_containers_or_for_its_start() {
        let container = |cpu: &str| json!({"name": "c", "resources": {"requests": {"cpu": cpu}}});
        let sidecar = |cpu: &str| {
            let mut sidecar = container(cpu);
            sidecar["restartPolicy"] = "Always".into();
            sidecar
        };
        for (containers, init, expected) in [
            (vec![], vec![], 0),
            (vec![container("100m"), container("200m")], vec![], 300),
            (
                vec![container("100m")],
                vec![container("500m"), container("300m")],
                500,
            ),
            (
                vec![container("100m"), container("200m")],
                vec![container("500m"), sidecar("50m")],
                500,
            ),
            (
                vec![container("100m")],
                vec![sidecar("50m"), container("500m")],
                550,
            ),
            (
                vec![container("1")],
                vec![sidecar("50m"), container("500m")],
                1050,
            ),
        ] {
            let pod: Pod = from_value(json!({
                "spec": {"containers": containers, "initContainers": init},
            }))
            .unwrap();
            assert_eq!(requests(&pod).get(CPU), expected, "{pod:?}");
        }
        let overhead = json!({"spec": {"containers": [container("1")], "overhead": {"cpu": "5m"}}});
        assert_eq!(requests(&from_value(overhead).unwrap()).get(CPU), 1005);
    }
}
