//! Which pods go first when there are too many.
//!
//! Source: `pkg/controller/controller_utils.go`, `ActivePodsWithRanks`.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use super::pods::{is_active, is_ready, ready_since};

/// What a user says that deleting a pod costs.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// Picks `count` of the pods to delete. `related` are the pods of all `ReplicaSet`s of the same
/// owner: nodes with many of them lose theirs first.
pub(super) fn first_to_go<'a>(
    pods: &[&'a Pod],
    related: impl IntoIterator<Item = &'a Pod>,
    count: usize,
    now: Timestamp,
) -> Vec<&'a Pod> {
    if count >= pods.len() {
        return pods.to_vec();
    }
    let mut on_node: HashMap<&str, usize> = HashMap::new();
    for pod in related.into_iter().filter(|pod| is_active(pod)) {
        *on_node.entry(node(pod)).or_default() += 1;
    }
    // The order is no total one where ready times tie across age buckets, so a sort might not end
    // well; inserting each pod before the first that outlives it always does.
    let mut ordered: Vec<&Pod> = Vec::with_capacity(pods.len());
    for pod in pods {
        let place = ordered.partition_point(|placed| {
            let rank = |pod: &Pod| on_node.get(node(pod)).copied().unwrap_or_default();
            compare(placed, pod, rank, now) != Ordering::Greater
        });
        ordered.insert(place, pod);
    }
    ordered.truncate(count);
    ordered
}

/// `Less` where the first pod goes before the second.
fn compare(a: &Pod, b: &Pod, rank: impl Fn(&Pod) -> usize, now: Timestamp) -> Ordering {
    let assigned = |pod| !node(pod).is_empty();
    assigned(a)
        .cmp(&assigned(b))
        .then_with(|| phase(a).cmp(&phase(b)))
        .then_with(|| is_ready(a).cmp(&is_ready(b)))
        .then_with(|| deletion_cost(a).cmp(&deletion_cost(b)))
        .then_with(|| rank(b).cmp(&rank(a)))
        .then_with(|| match (ready_since(a), ready_since(b)) {
            (Some(a_since), Some(b_since)) => younger_first(a, b, a_since, b_since, now),
            _ => Ordering::Equal,
        })
        .then_with(|| restarts(b).cmp(&restarts(a)))
        .then_with(|| match (a.creation_timestamp(), b.creation_timestamp()) {
            (Some(created_a), Some(created_b)) => {
                younger_first(a, b, created_a.0, created_b.0, now)
            }
            (a_created, b_created) => a_created.is_some().cmp(&b_created.is_some()),
        })
}

/// Compares ages roughly, by powers of two, so that old pods are not spared for a few seconds
/// more; within one power chance decides, in the form of the uid.
///
/// Worked example: pods of 40 s and 60 s differ by uid only, both are between 2³⁵ and 2³⁶ ns; one
/// of 20 s goes before both.
fn younger_first(
    a: &Pod,
    b: &Pod,
    a_time: Timestamp,
    b_time: Timestamp,
    now: Timestamp,
) -> Ordering {
    if a_time == b_time {
        return Ordering::Equal;
    }
    let bucket = |time: Timestamp| {
        let age = u64::try_from(now.duration_since(time).as_nanos()).unwrap_or_default();
        age.checked_ilog2()
    };
    bucket(a_time)
        .cmp(&bucket(b_time))
        .then_with(|| a.metadata.uid.cmp(&b.metadata.uid))
}

fn node(pod: &Pod) -> &str {
    pod.spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .unwrap_or_default()
}

fn phase(pod: &Pod) -> u8 {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    match phase {
        Some("Unknown") => 1,
        Some("Running") => 2,
        _ => 0,
    }
}

fn deletion_cost(pod: &Pod) -> i32 {
    pod.annotations()
        .get(DELETION_COST)
        .and_then(|cost| cost.parse().ok())
        .unwrap_or_default()
}

/// The most restarts of one container, and those of one sidecar.
fn restarts(pod: &Pod) -> (i32, i32) {
    let Some(status) = &pod.status else {
        return (0, 0);
    };
    let regular = status.container_statuses.iter().flatten();
    let sidecars = status
        .init_container_statuses
        .iter()
        .flatten()
        .filter(|container| is_sidecar(pod, &container.name));
    let most = |restarts: Option<i32>| restarts.unwrap_or_default();
    (
        most(regular.map(|container| container.restart_count).max()),
        most(sidecars.map(|container| container.restart_count).max()),
    )
}

fn is_sidecar(pod: &Pod, name: &str) -> bool {
    pod.spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten())
        .any(|container| {
            container.name == name && container.restart_policy.as_deref() == Some("Always")
        })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    const NOW: &str = "2026-01-01T12:00:00Z";

    /// A running, ready pod of one minute on node `n1`, with some fields set otherwise.
    fn mk_pod(uid: &str, changes: &Value) -> Pod {
        let mut pod = json!({
            "metadata": {"name": uid, "uid": uid, "creationTimestamp": "2026-01-01T11:58:00Z"},
            "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
            "status": {
                "phase": "Running",
                "conditions": [ready("2026-01-01T11:59:00Z")],
                "containerStatuses": [restarted(0)],
            },
        });
        json_patch::merge(&mut pod, changes);
        from_value(pod).unwrap()
    }

    fn ready(since: &str) -> Value {
        json!({"type": "Ready", "status": "True", "lastTransitionTime": since})
    }

    fn restarted(count: i32) -> Value {
        json!({"name": "c", "image": "", "imageID": "", "ready": true, "restartCount": count})
    }

    #[track_caller]
    fn assert_goes_first(first: &Value, second: &Value) {
        // The uids would decide otherwise.
        let first = mk_pod("b", first);
        let second = mk_pod("a", second);
        let now = NOW.parse().unwrap();
        for pods in [[&first, &second], [&second, &first]] {
            let doomed = first_to_go(&pods, pods, 1, now);
            assert_eq!(doomed, [&first]);
        }
    }

    #[test]
    fn each_criterion_decides_where_those_before_it_do_not() {
        let plain = json!({});
        let not_ready = json!({"status": {"conditions": []}});
        for (first, second) in [
            (json!({"spec": {"nodeName": null}}), &not_ready),
            (
                json!({"status": {"phase": "Pending", "conditions": []}}),
                &not_ready,
            ),
            (json!({"status": {"phase": "Unknown"}}), &plain),
            (
                not_ready.clone(),
                &json!({"metadata": {"annotations": {DELETION_COST: "-5"}}}),
            ),
            (
                json!({"metadata": {"annotations": {DELETION_COST: "-1"}}}),
                &plain,
            ),
            (
                json!({"status": {"conditions": [ready("2026-01-01T11:59:50Z")]}}),
                &json!({"status": {"containerStatuses": [restarted(9)]}}),
            ),
            (
                json!({"status": {"containerStatuses": [restarted(1)]}}),
                &plain,
            ),
            (
                json!({"metadata": {"creationTimestamp": "2026-01-01T11:59:00Z"}}),
                &plain,
            ),
        ] {
            assert_goes_first(&first, second);
        }
    }

    #[test]
    fn a_cost_that_is_no_number_is_none() {
        assert_goes_first(
            &json!({"metadata": {"annotations": {DELETION_COST: "-1"}}}),
            &json!({"metadata": {"annotations": {DELETION_COST: "cheap"}}}),
        );
    }

    #[test]
    fn pods_of_about_the_same_age_go_by_their_uid() {
        let now: Timestamp = NOW.parse().unwrap();
        let older = mk_pod("a", &json!({}));
        let younger = ready("2026-01-01T11:59:20Z");
        let younger = mk_pod("b", &json!({"status": {"conditions": [younger]}}));
        assert_eq!(first_to_go(&[&younger, &older], [], 1, now), [&older]);
    }

    #[test]
    fn a_node_with_more_pods_of_the_owner_loses_its_first() {
        let now: Timestamp = NOW.parse().unwrap();
        let elsewhere = json!({"spec": {"nodeName": "n2"}});
        let crowded = mk_pod("b", &json!({}));
        let alone = mk_pod("a", &elsewhere);
        let sibling = mk_pod("c", &json!({}));
        let finished = json!({"spec": {"nodeName": "n2"}, "status": {"phase": "Succeeded"}});
        let finished = [mk_pod("d", &finished), mk_pod("e", &finished)];
        let related = [&crowded, &alone, &sibling].into_iter().chain(&finished);
        assert_eq!(
            first_to_go(&[&alone, &crowded], related, 1, now),
            [&crowded]
        );
    }

    #[test]
    fn all_go_where_as_many_as_there_are_must_go() {
        let pods = [mk_pod("a", &json!({})), mk_pod("b", &json!({}))];
        let pods: Vec<&Pod> = pods.iter().collect();
        assert_eq!(first_to_go(&pods, [], 2, NOW.parse().unwrap()).len(), 2);
    }
}
