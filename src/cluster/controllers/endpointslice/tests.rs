//! Scenarios of the EndpointSlice controller against an API server.

use std::pin::pin;

use serde_json::{Value, json};

use super::*;
use crate::cluster::controllers::testbed::{Testbed, change, create, eventually, set_status};

async fn mk_testbed() -> Testbed {
    let testbed = Testbed::new().await;
    create(
        &testbed.all::<Node>(),
        json!({"metadata": {"name": "node1"}}),
    )
    .await;
    testbed.run(EndpointSliceController::new(
        testbed.client.clone(),
        testbed.clock.clone(),
    ));
    testbed
}

fn mk_service(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": "web"},
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 8080}],
        },
    })
}

/// A pod on `node1` that a finalizer keeps, as a kubelet would.
fn mk_pod(name: &str) -> Value {
    json!({
        "metadata": {
            "name": name,
            "labels": {"app": "web"},
            "finalizers": ["lab/kubelet"],
        },
        "spec": {"nodeName": "node1", "containers": [{"name": "app", "image": "app:v1"}]},
    })
}

fn running(ip: &str, ready: bool) -> Value {
    let ready = if ready { "True" } else { "False" };
    json!({
        "phase": "Running",
        "podIP": ip,
        "conditions": [{"type": "Ready", "status": ready}],
    })
}

/// The endpoints of a slice as the recording has them.
fn rows(slice: &EndpointSlice) -> Value {
    let rows = slice.endpoints.iter().flatten().map(|endpoint| {
        let conditions = endpoint.conditions.clone().unwrap_or_default();
        json!({
            "pod": endpoint.target_ref.as_ref().and_then(|target| target.name.clone()),
            "ready": conditions.ready,
            "serving": conditions.serving,
            "terminating": conditions.terminating,
        })
    });
    rows.collect()
}

#[tokio::test(start_paused = true)]
async fn a_slice_follows_its_pods_through_a_rolling_update_as_recorded() {
    let recorded = include_str!("../../../../tests/golden/endpointslice/zero-downtime.json");
    let steps: Vec<Value> = serde_json::from_str(recorded).unwrap();
    let testbed = mk_testbed().await;
    let (pods, slices) = (testbed.ns::<Pod>(), testbed.ns::<EndpointSlice>());
    let mut writes = pin!(watcher(slices.clone(), watcher::Config::default()));
    while !matches!(writes.next().await, Some(Ok(watcher::Event::InitDone))) {}
    create(&testbed.ns::<Service>(), mk_service("web")).await;
    for step in &steps {
        if let Some(expected) = step.get("slice") {
            eventually(&slices, &step.to_string(), |slices| {
                slices.len() == 1 && rows(&slices[0]) == *expected
            })
            .await;
            continue;
        }
        let name = step["pod"].as_str().unwrap();
        let Some(pod) = pods.get_opt(name).await.unwrap() else {
            create(&pods, mk_pod(name)).await;
            continue;
        };
        if step["gone"] == true {
            let now = DeleteParams::default().grace_period(0);
            pods.delete(name, &now).await.unwrap();
            change(&pods, name, json!({"metadata": {"finalizers": null}})).await;
        } else if step["deleting"] == true && pod.metadata.deletion_timestamp.is_none() {
            pods.delete(name, &DeleteParams::default()).await.unwrap();
        } else {
            let ready = step["ready"] == true;
            let mut status = running(step["ip"].as_str().unwrap_or_default(), ready);
            status["phase"] = step["phase"].clone();
            if step["ip"].is_null() {
                status["podIP"] = Value::Null;
            }
            set_status(&pods, name, status).await;
        }
    }
    let left = pods.list(&ListParams::default()).await.unwrap();
    assert_eq!(left.items.len(), 3, "the old pods have gone");

    create(
        &slices,
        json!({"metadata": {"name": "end"}, "addressType": "IPv4"}),
    )
    .await;
    let mut written = Vec::new();
    while let Some(Ok(watcher::Event::Apply(slice))) = writes.next().await {
        if slice.name_any() == "end" {
            break;
        }
        written.push(rows(&slice));
    }
    let expected: Vec<_> = steps.iter().filter_map(|step| step.get("slice")).collect();
    assert_eq!(
        written.iter().collect::<Vec<_>>(),
        expected,
        "nothing else was written"
    );
}

#[tokio::test(start_paused = true)]
async fn a_slice_is_owned_by_its_service_and_made_anew_when_somebody_deletes_it() {
    let testbed = mk_testbed().await;
    let slices = testbed.ns::<EndpointSlice>();
    let service = create(&testbed.ns::<Service>(), mk_service("web")).await;
    let first = eventually(&slices, "a placeholder", |slices| slices.len() == 1).await;
    let owner = serde_json::to_value(&first[0].owner_references()[0]).unwrap();
    assert_eq!(
        owner,
        json!({
            "apiVersion": "v1",
            "blockOwnerDeletion": true,
            "controller": true,
            "kind": "Service",
            "name": "web",
            "uid": service.uid(),
        })
    );
    let name = first[0].name_any();
    assert!(name.starts_with("web-"), "{name}");
    slices
        .delete(&name, &DeleteParams::default())
        .await
        .unwrap();
    eventually(&slices, "another slice", |slices| {
        slices.len() == 1 && slices[0].name_any() != name
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_changes_its_labels_moves_from_one_service_to_the_other() {
    let testbed = mk_testbed().await;
    let (pods, services) = (testbed.ns::<Pod>(), testbed.ns::<Service>());
    create(&services, mk_service("web")).await;
    let mut debug = mk_service("debug");
    debug["spec"]["selector"] = json!({"app": "debug"});
    create(&services, debug).await;
    let mut pod = mk_pod("p");
    pod["status"] = running("10.0.0.1", true);
    create(&pods, pod).await;
    let slices = testbed.ns::<EndpointSlice>();
    let serves = |slices: &[EndpointSlice], service: &str, count: usize| {
        slices.iter().any(|slice| {
            slice.labels()["kubernetes.io/service-name"] == service
                && slice.endpoints.as_ref().map_or(0, Vec::len) == count
        })
    };
    eventually(&slices, "the pod serves web", |slices| {
        serves(slices, "web", 1) && serves(slices, "debug", 0)
    })
    .await;
    change(
        &pods,
        "p",
        json!({"metadata": {"labels": {"app": "debug"}}}),
    )
    .await;
    eventually(&slices, "the pod serves debug", |slices| {
        serves(slices, "web", 0) && serves(slices, "debug", 1)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_node_comes_late_is_published_when_it_comes() {
    let testbed = mk_testbed().await;
    create(&testbed.ns::<Service>(), mk_service("web")).await;
    let mut pod = mk_pod("p");
    pod["spec"]["nodeName"] = "late".into();
    pod["status"] = running("10.0.0.1", true);
    create(&testbed.ns::<Pod>(), pod).await;
    let slices = testbed.ns::<EndpointSlice>();
    let first = eventually(&slices, "a slice", |slices| slices.len() == 1).await;
    assert_eq!(rows(&first[0]), json!([]));
    let labels = json!({ZONE_LABEL: "east"});
    let node = json!({"metadata": {"name": "late", "labels": labels}});
    create(&testbed.all::<Node>(), node).await;
    eventually(&slices, "the endpoint", |slices| {
        let zones = slices
            .iter()
            .flat_map(|slice| slice.endpoints.iter().flatten());
        zones
            .map(|endpoint| endpoint.zone.as_deref())
            .eq([Some("east")])
    })
    .await;
}
