//! Deletes what is in a namespace, as far as it goes, and counts what is left.
//!
//! Source: `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`,
//! `deleteAllContent`.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams};
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::{Api, Client, ResourceExt as _};

use super::conditions::Remains;
use crate::cluster::apiserver::{Scope, served};
use crate::cluster::controllers::refused;

/// How long those who hold objects by finalizers are expected to take.
const FINALIZER_ESTIMATE: Duration = Duration::from_secs(15);

/// An object without its content.
pub(super) type Metadata = PartialObjectMeta<DynamicObject>;

/// What came of deleting everything.
#[derive(Default)]
pub(super) struct Sweep {
    /// What the conditions tell.
    pub(super) remains: Remains,
    pub(super) is_empty: bool,
    /// How long the rest is expected to take.
    pub(super) estimate: Duration,
    /// An error that was none of the objects' doing.
    pub(super) error: Option<kube::Error>,
}

/// What is left of the objects of one resource.
struct Leftover {
    count: usize,
    /// One for each object that it holds.
    finalizers: Vec<String>,
}

impl Leftover {
    /// How long the rest is expected to take, of which `waited` is over. Zero with objects left
    /// means that nobody is expected to end them.
    fn estimate(&self, grace: Duration, waited: Duration) -> Duration {
        if self.count == 0 {
            Duration::ZERO
        } else if waited < grace {
            grace
        } else if self.finalizers.is_empty() {
            Duration::ZERO
        } else {
            FINALIZER_ESTIMATE
        }
    }
}

/// Deletes everything in a namespace, as far as it goes; `waited` is the time since its deletion.
/// Nothing else is touched before the last pod has gone: what a pod needs is there until it has
/// ended.
pub(super) async fn sweep(client: &Client, namespace: &str, waited: Duration) -> Sweep {
    let (pods, others): (Vec<_>, Vec<_>) = namespaced().partition(is_pods);
    let mut sweep = Sweep::default();
    let mut left = 0;
    for resource in &pods {
        left += sweep_kind(client, namespace, resource, waited, &mut sweep).await;
    }
    if left > 0 || sweep.error.is_some() {
        // Kubernetes does not count what remains as long as there are pods.
        sweep.remains.resources.clear();
        sweep.remains.finalizers.clear();
        return sweep;
    }
    for resource in &others {
        left += sweep_kind(client, namespace, resource, waited, &mut sweep).await;
    }
    sweep.is_empty = left == 0 && sweep.error.is_none();
    sweep
}

/// Deletes the objects of one resource, adds what came of it, and returns how many are left.
async fn sweep_kind(
    client: &Client,
    namespace: &str,
    resource: &ApiResource,
    waited: Duration,
    sweep: &mut Sweep,
) -> usize {
    let (leftover, estimate) = match delete_all(client, namespace, resource, waited).await {
        Ok(result) => result,
        Err(error) => {
            sweep.remains.failures.push(refused::message(&error));
            sweep.error = Some(error);
            return 0;
        }
    };
    if leftover.count > 0 {
        let resources = &mut sweep.remains.resources;
        let name = format!("{}.{}", resource.plural, resource.group);
        resources.insert(name, leftover.count);
        if leftover.finalizers.is_empty() && estimate.is_zero() {
            sweep.remains.failures.push(format!(
                "unexpected items still remain in namespace: {namespace} for gvr: {}/{}, \
                 Resource={}",
                resource.group, resource.version, resource.plural
            ));
        }
    }
    for finalizer in leftover.finalizers {
        *sweep.remains.finalizers.entry(finalizer).or_default() += 1;
    }
    sweep.estimate = sweep.estimate.max(estimate);
    leftover.count
}

async fn delete_all(
    client: &Client,
    namespace: &str,
    resource: &ApiResource,
    waited: Duration,
) -> Result<(Leftover, Duration), kube::Error> {
    let all = ListParams::default();
    let grace = if is_pods(resource) {
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        grace(&pods.list(&all).await?.items)
    } else {
        Duration::ZERO
    };
    let objects: Api<Metadata> = Api::namespaced_with(client.clone(), namespace, resource);
    let background = DeleteParams::background();
    objects.delete_collection(&background, &all).await?;
    let rest = objects.list(&all).await?.items;
    let finalizers = rest
        .iter()
        .flat_map(|object| object.finalizers().iter().cloned())
        .collect();
    let leftover = Leftover {
        count: rest.len(),
        finalizers,
    };
    let estimate = leftover.estimate(grace, waited);
    Ok((leftover, estimate))
}

/// Everything that can be in a namespace.
pub(super) fn namespaced() -> impl Iterator<Item = ApiResource> {
    served()
        .filter(|(_, scope)| *scope == Scope::Namespaced)
        .map(|(resource, _)| resource)
}

fn is_pods(resource: &ApiResource) -> bool {
    resource.group.is_empty() && resource.plural == "pods"
}

/// The longest grace period of pods that still run.
fn grace(pods: &[Pod]) -> Duration {
    let running = pods.iter().filter(|pod| {
        let phase = pod
            .status
            .as_ref()
            .and_then(|status| status.phase.as_deref());
        !matches!(phase, Some("Succeeded" | "Failed"))
    });
    let seconds = running
        .filter_map(|pod| pod.spec.as_ref()?.termination_grace_period_seconds)
        .max();
    Duration::from_secs(
        seconds
            .and_then(|seconds| seconds.try_into().ok())
            .unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_rest_is_expected_to_take_its_grace_period_or_what_finalizers_take() {
        for (count, finalizers, grace, waited, expected) in [
            (0, 0, 30, 5, 0),
            (1, 0, 30, 5, 30),
            (1, 1, 30, 5, 30),
            (1, 1, 30, 30, 15),
            (1, 1, 0, 5, 15),
            (1, 0, 30, 30, 0),
        ] {
            let leftover = Leftover {
                count,
                finalizers: vec!["lab/hold".to_owned(); finalizers],
            };
            let seconds = Duration::from_secs;
            assert_eq!(
                leftover.estimate(seconds(grace), seconds(waited)),
                seconds(expected),
                "{count} {finalizers} {grace} {waited}"
            );
        }
    }

    #[test]
    fn only_pods_that_run_have_a_grace_period() {
        let pod = |phase: &str, seconds: i64| -> Pod {
            let spec = json!({"terminationGracePeriodSeconds": seconds, "containers": []});
            serde_json::from_value(json!({"spec": spec, "status": {"phase": phase}})).unwrap()
        };
        let pods = [pod("Running", 2), pod("Pending", 7), pod("Failed", 30)];
        assert_eq!(grace(&pods), Duration::from_secs(7));
        assert_eq!(grace(&[]), Duration::ZERO);
    }
}
