//! Scenarios of the scheduler against an API server.

use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::*;
use crate::cluster::controllers::testbed::{Testbed, change, create, eventually, set_status};

/// A scheduler and some nodes of 4 CPUs and 8 GiB.
async fn mk_testbed(nodes: &[&str]) -> Testbed {
    let testbed = Testbed::new().await;
    for name in nodes {
        create(&testbed.all::<Node>(), mk_node(name)).await;
    }
    run(&testbed).await;
    testbed
}

async fn run(testbed: &Testbed) {
    let (client, clock) = (testbed.client.clone(), testbed.clock.clone());
    testbed.run(Scheduler::new(client, clock));
    testbed.settle().await;
}

fn mk_node(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
    })
}

fn mk_pod(name: &str, requests: Value) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {
            "schedulerName": "default-scheduler",
            "containers": [{"name": "c", "image": "app:v1", "resources": {"requests": requests}}],
        },
    })
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

fn condition(pod: &Pod) -> Option<&PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled")
}

fn message(pod: &Pod) -> Option<&str> {
    condition(pod)?.message.as_deref()
}

/// The first pod, when the scheduler has told it to wait with a message that holds a text.
async fn told_to_wait(testbed: &Testbed, text: &str) -> Pod {
    eventually(&testbed.ns::<Pod>(), text, |pods| {
        message(&pods[0]).is_some_and(|message| message.contains(text))
    })
    .await
    .remove(0)
}

async fn all_placed(testbed: &Testbed) -> Vec<Pod> {
    eventually(&testbed.ns::<Pod>(), "all pods have nodes", |pods| {
        pods.iter().all(|pod| node_of(pod).is_some())
    })
    .await
}

async fn failures(testbed: &Testbed) -> Vec<Event> {
    let warnings = ListParams::default().fields("reason=FailedScheduling");
    testbed.ns::<Event>().list(&warnings).await.unwrap().items
}

#[tokio::test(start_paused = true)]
async fn three_replicas_land_on_three_nodes() {
    let testbed = Testbed::new().await;
    for name in ["n1", "n2", "n3"] {
        create(&testbed.all::<Node>(), mk_node(name)).await;
    }
    // All wait before the scheduler comes, so none is placed before the others are known.
    for name in ["a", "b", "c"] {
        create(&testbed.ns::<Pod>(), mk_pod(name, json!({"cpu": "100m"}))).await;
    }
    run(&testbed).await;
    let pods = all_placed(&testbed).await;
    let mut nodes: Vec<_> = pods.iter().filter_map(node_of).collect();
    nodes.sort_unstable();
    assert_eq!(nodes, ["n1", "n2", "n3"]);
    assert!(
        pods.iter()
            .all(|pod| condition(pod).unwrap().status == "True")
    );
}

#[tokio::test(start_paused = true)]
async fn a_placed_pod_is_told_of_in_an_event_of_the_newer_form() {
    let testbed = mk_testbed(&["n1"]).await;
    let pod = create(&testbed.ns::<Pod>(), mk_pod("p", json!({}))).await;
    let events = eventually(&testbed.ns::<Event>(), "the event", |events| {
        !events.is_empty()
    })
    .await;
    let mut event = json!(events[0]);
    assert!(event["eventTime"].is_string());
    for field in ["metadata", "eventTime"] {
        event.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(
        event,
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "action": "Binding",
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": "p",
                "namespace": "ns",
                "resourceVersion": pod.resource_version(),
                "uid": pod.uid(),
            },
            "message": "Successfully assigned ns/p to n1",
            "reason": "Scheduled",
            "reportingComponent": "default-scheduler",
            "reportingInstance": "default-scheduler-rollout-lab",
            "source": {},
            "type": "Normal",
        })
    );
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fits_nowhere_is_told_why() {
    let testbed = mk_testbed(&["n1", "n2", "n3"]).await;
    create(&testbed.ns::<Pod>(), mk_pod("big", json!({"cpu": "100"}))).await;
    let pod = told_to_wait(&testbed, "Insufficient cpu").await;
    let expected = "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, \
                    preemption: 0/3 nodes are available: 3 Preemption is not helpful for \
                    scheduling.";
    let condition = condition(&pod).unwrap();
    assert_eq!(condition.message.as_deref(), Some(expected));
    assert_eq!(condition.reason.as_deref(), Some("Unschedulable"));
    assert_eq!(
        (condition.status.as_str(), condition.observed_generation),
        ("False", Some(1))
    );
    let told = failures(&testbed).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].message.as_deref(), Some(expected));
    assert_eq!(told[0].action.as_deref(), Some("Scheduling"));
}

#[tokio::test(start_paused = true)]
async fn without_nodes_there_is_nothing_to_count() {
    let testbed = mk_testbed(&[]).await;
    create(&testbed.ns::<Pod>(), mk_pod("p", json!({}))).await;
    let pod = told_to_wait(&testbed, "no nodes").await;
    assert_eq!(message(&pod), Some("no nodes available to schedule pods"));
}

#[tokio::test(start_paused = true)]
async fn nodes_that_change_are_tried_after_the_back_off() {
    let testbed = mk_testbed(&["n1", "n2"]).await;
    let nodes = testbed.all::<Node>();
    change(&nodes, "n1", json!({"spec": {"unschedulable": true}})).await;
    let taint = json!({"key": "k", "value": "v", "effect": "NoSchedule"});
    change(&nodes, "n2", json!({"spec": {"taints": [taint]}})).await;
    create(&testbed.ns::<Pod>(), mk_pod("p", json!({}))).await;
    told_to_wait(
        &testbed,
        "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were \
         unschedulable.",
    )
    .await;
    let start = Instant::now();
    change(&nodes, "n1", json!({"spec": {"unschedulable": false}})).await;
    let pods = all_placed(&testbed).await;
    assert_eq!(node_of(&pods[0]), Some("n1"));
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_goes_or_ends_makes_room() {
    let testbed = mk_testbed(&["n1"]).await;
    let pods = testbed.ns::<Pod>();
    for name in ["a", "b"] {
        let mut pod = mk_pod(name, json!({"cpu": "2"}));
        pod["spec"]["nodeName"] = "n1".into();
        create(&pods, pod).await;
    }
    create(&pods, mk_pod("c", json!({"cpu": "2"}))).await;
    let waits = |name: &'static str| {
        move |pods: &[Pod]| {
            pods.iter().any(|pod| {
                pod.name_any() == name
                    && message(pod).is_some_and(|message| {
                        message.ends_with("1 No preemption victims found for incoming pod.")
                    })
            })
        }
    };
    let start = Instant::now();
    eventually(&pods, "c waits", waits("c")).await;
    set_status(&pods, "a", json!({"phase": "Succeeded"})).await;
    all_placed(&testbed).await;
    assert_eq!(start.elapsed().as_secs(), 1, "its back-off");
    create(&pods, mk_pod("d", json!({"cpu": "2"}))).await;
    eventually(&pods, "d waits", waits("d")).await;
    let now = DeleteParams::default().grace_period(0);
    pods.delete("b", &now).await.unwrap();
    all_placed(&testbed).await;
    assert_eq!(start.elapsed().as_secs(), 2, "both back-offs");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_waits_is_tried_every_five_minutes_and_its_event_counts() {
    let testbed = mk_testbed(&["n1"]).await;
    let start = Instant::now();
    create(&testbed.ns::<Pod>(), mk_pod("big", json!({"cpu": "100"}))).await;
    let repeated = eventually(&testbed.ns::<Event>(), "a series", |events| {
        events.iter().any(|event| event.series.is_some())
    })
    .await;
    // The first failure changes the pod's status, so the second begins an event of its own.
    assert_eq!(start.elapsed().as_secs(), 600);
    assert_eq!(repeated.len(), 2);
    let series = repeated.iter().find_map(|event| event.series.as_ref());
    assert_eq!(series.and_then(|series| series.count), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_only_writes_its_status_wakes_nobody() {
    let testbed = mk_testbed(&["n1"]).await;
    create(&testbed.ns::<Pod>(), mk_pod("big", json!({"cpu": "100"}))).await;
    told_to_wait(&testbed, "Insufficient cpu").await;
    testbed.clock.sleep(Duration::from_mins(1)).await;
    let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    set_status(&testbed.all::<Node>(), "n1", ready).await;
    testbed.clock.sleep(Duration::from_mins(1)).await;
    assert_eq!(failures(&testbed).await.len(), 1);
    set_status(
        &testbed.all::<Node>(),
        "n1",
        json!({"allocatable": {"cpu": "8"}}),
    )
    .await;
    testbed.clock.sleep(Duration::from_mins(1)).await;
    assert_eq!(failures(&testbed).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn pods_of_other_schedulers_and_gated_pods_are_left_alone() {
    let testbed = mk_testbed(&["n1"]).await;
    let pods = testbed.ns::<Pod>();
    let mut other = mk_pod("other", json!({}));
    other["spec"]["schedulerName"] = "another".into();
    create(&pods, other).await;
    let mut gated = mk_pod("gated", json!({}));
    gated["spec"]["schedulingGates"] = json!([{"name": "lab/wait"}]);
    create(&pods, gated).await;
    create(&pods, mk_pod("plain", json!({}))).await;
    let placed = eventually(&pods, "one is placed", |pods| {
        pods.iter().any(|pod| node_of(pod).is_some())
    })
    .await;
    let names: Vec<_> = placed
        .iter()
        .filter(|pod| node_of(pod).is_some())
        .map(ResourceExt::name_any)
        .collect();
    assert_eq!(names, ["plain"]);
    change(&pods, "gated", json!({"spec": {"schedulingGates": null}})).await;
    eventually(&pods, "the gated one follows", |pods| {
        pods.iter().filter(|pod| node_of(pod).is_some()).count() == 2
    })
    .await;
}
