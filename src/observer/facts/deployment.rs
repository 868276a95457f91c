//! What is kept of a Deployment.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt as _;

use super::template::template;
use crate::history::facts::{Condition, DeploymentFacts, Facts};

/// The revision of a Deployment or ReplicaSet.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

pub(in crate::observer) fn facts(deployment: &Deployment) -> Facts {
    let spec = deployment.spec.clone().unwrap_or_default();
    let status = deployment.status.clone().unwrap_or_default();
    let (strategy, strategy_text) = strategy(&spec);
    Facts::Deployment(DeploymentFacts {
        generation: deployment.metadata.generation.unwrap_or_default(),
        observed_generation: status.observed_generation.unwrap_or_default(),
        replicas: i64::from(spec.replicas.unwrap_or(1)),
        strategy,
        strategy_text,
        revision: revision(deployment.annotations()),
        total: count(status.replicas),
        updated: count(status.updated_replicas),
        ready: count(status.ready_replicas),
        available: count(status.available_replicas),
        conditions: status
            .conditions
            .into_iter()
            .flatten()
            .map(|condition| Condition {
                name: condition.type_,
                status: condition.status,
                reason: condition.reason.unwrap_or_default(),
                message: condition.message.unwrap_or_default(),
            })
            .collect(),
        template: template(&spec.template),
    })
}

pub(super) fn count(number: Option<i32>) -> i64 {
    i64::from(number.unwrap_or_default())
}

pub(super) fn revision(annotations: &std::collections::BTreeMap<String, String>) -> i64 {
    annotations
        .get(REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// The strategy in pods and as it is written. Surge is rounded up and unavailable down; where both
/// come to 0, one pod may be unavailable. 25 %/25 % of 3 is surge 1, unavailable 0.
fn strategy(spec: &DeploymentSpec) -> (Option<(i64, i64)>, String) {
    let strategy = spec.strategy.clone().unwrap_or_default();
    if strategy.type_.as_deref() == Some("Recreate") {
        return (None, "Recreate".to_owned());
    }
    let rolling = strategy.rolling_update.unwrap_or_default();
    let quarter = || IntOrString::String("25%".to_owned());
    let surge = rolling.max_surge.unwrap_or_else(quarter);
    let unavailable = rolling.max_unavailable.unwrap_or_else(quarter);
    let replicas = i64::from(spec.replicas.unwrap_or(1));
    let pods = (
        resolve(&surge, replicas, true),
        resolve(&unavailable, replicas, false),
    );
    let pods = if pods == (0, 0) {
        (0, 1)
    } else {
        (pods.0, pods.1.min(replicas))
    };
    (
        Some(pods),
        format!("{}/{}", text(&surge), text(&unavailable)),
    )
}

fn resolve(value: &IntOrString, of: i64, up: bool) -> i64 {
    match value {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(percent) => {
            let percent: i64 = percent.trim_end_matches('%').parse().unwrap_or_default();
            let hundredths = percent * of;
            if up {
                (hundredths + 99) / 100
            } else {
                hundredths / 100
            }
        }
    }
}

fn text(value: &IntOrString) -> String {
    match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(percent) => percent.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk(replicas: i32, strategy: &Value) -> DeploymentSpec {
        from_value(json!({
            "replicas": replicas, "strategy": strategy, "selector": {}, "template": {},
        }))
        .unwrap()
    }

    #[test]
    fn the_strategy_is_resolved_to_pods() {
        let rolling = |surge: Value, unavailable: Value| json!({"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}});
        for (replicas, strategy_json, expected) in [
            (3, rolling(json!(1), json!(1)), Some((1, 1))),
            (3, json!({}), Some((1, 0))),
            (10, json!({}), Some((3, 2))),
            (5, json!({}), Some((2, 1))),
            (1, rolling(json!("0%"), json!("25%")), Some((0, 1))),
            (3, rolling(json!(1), json!("100%")), Some((1, 3))),
            (3, rolling(json!(0), json!(9)), Some((0, 3))),
            (3, json!({"type": "Recreate"}), None),
        ] {
            assert_eq!(
                strategy(&mk(replicas, &strategy_json)).0,
                expected,
                "{strategy_json}"
            );
        }
    }
}
