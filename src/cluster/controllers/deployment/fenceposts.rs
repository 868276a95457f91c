//! How many pods above and below the wanted number a rolling update may have.
//!
//! Source: `pkg/controller/deployment/util/deployment_util.go`, `ResolveFenceposts`.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::sets::replicas;
use crate::cluster::object::int_or_percent::{self, Round};

/// The two bounds of a rolling update, in pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fenceposts {
    /// Pods that may be there above the wanted number.
    pub(super) surge: i32,
    /// Pods that may be unavailable, at most the wanted number.
    pub(super) unavailable: i32,
}

impl Fenceposts {
    /// The bounds of a deployment; none where it does not roll.
    pub(super) fn of(deployment: &Deployment) -> Self {
        let Some(spec) = deployment.spec.as_ref().filter(|spec| rolls(spec)) else {
            return Self {
                surge: 0,
                unavailable: 0,
            };
        };
        let rolling = spec
            .strategy
            .as_ref()
            .and_then(|strategy| strategy.rolling_update.as_ref());
        let wanted = replicas(deployment);
        let bounds = resolve(
            rolling.and_then(|rolling| rolling.max_surge.as_ref()),
            rolling.and_then(|rolling| rolling.max_unavailable.as_ref()),
            wanted,
        );
        Self {
            unavailable: bounds.unavailable.min(wanted),
            ..bounds
        }
    }
}

/// Whether a deployment is updated by rolling, which is the default.
pub(super) fn rolls(spec: &DeploymentSpec) -> bool {
    let strategy = spec
        .strategy
        .as_ref()
        .and_then(|strategy| strategy.type_.as_deref());
    matches!(strategy, None | Some("RollingUpdate"))
}

/// Rounds the surge up and the unavailable pods down, and never lets both be zero, or nothing could
/// ever move.
///
/// Worked example: 25% of 10 pods are 2.5, so up to 13 pods may be there and at least 8 must be
/// available. Of 1 pod, 25% are 0.25: one more may be there, none may be missing.
fn resolve(
    surge: Option<&IntOrString>,
    unavailable: Option<&IntOrString>,
    replicas: i32,
) -> Fenceposts {
    let surge = scaled(surge, replicas, Round::Up);
    let unavailable = scaled(unavailable, replicas, Round::Down);
    Fenceposts {
        surge,
        unavailable: if surge == 0 && unavailable == 0 {
            1
        } else {
            unavailable
        },
    }
}

/// The number that is meant. Validation refuses what is neither number nor percentage, and what
/// got past it counts as none.
fn scaled(value: Option<&IntOrString>, replicas: i32, round: Round) -> i32 {
    value
        .and_then(|value| int_or_percent::resolve(value, replicas, round).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn bounds(replicas: i32, strategy: &Value) -> (i32, i32) {
        let deployment: Deployment = from_value(json!({
            "spec": {"replicas": replicas, "strategy": strategy, "selector": {}, "template": {}},
        }))
        .unwrap();
        let bounds = Fenceposts::of(&deployment);
        (bounds.surge, bounds.unavailable)
    }

    fn rolling(surge: &Value, unavailable: &Value) -> Value {
        json!({
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
        })
    }

    #[test]
    fn a_quarter_is_rounded_up_above_and_down_below() {
        let quarter = rolling(&json!("25%"), &json!("25%"));
        for (replicas, expected) in [
            (0, (0, 0)),
            (1, (1, 0)),
            (2, (1, 0)),
            (3, (1, 0)),
            (4, (1, 1)),
            (5, (2, 1)),
            (10, (3, 2)),
        ] {
            assert_eq!(bounds(replicas, &quarter), expected, "{replicas}");
        }
    }

    #[test]
    fn numbers_and_percentages_are_resolved() {
        for (replicas, surge, unavailable, expected) in [
            (3, json!(1), json!(1), (1, 1)),
            (3, json!(1), json!(0), (1, 0)),
            (10, json!("50%"), json!(2), (5, 2)),
            (10, json!("1%"), json!("1%"), (1, 0)),
            (1, json!("0%"), json!("50%"), (0, 1)),
            (10, json!(0), json!("5%"), (0, 1)),
            (2, json!(0), json!(5), (0, 2)),
            (3, json!("200%"), json!("100%"), (6, 3)),
        ] {
            let strategy = rolling(&surge, &unavailable);
            assert_eq!(
                bounds(replicas, &strategy),
                expected,
                "{surge} {unavailable}"
            );
        }
    }

    #[test]
    fn a_deployment_that_does_not_roll_has_no_bounds() {
        assert_eq!(bounds(3, &json!({"type": "Recreate"})), (0, 0));
    }
}
