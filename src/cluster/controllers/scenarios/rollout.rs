//! Rollouts that meet scaling, deadlines, failures and the past.

use std::sync::atomic::Ordering;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kube::ResourceExt as _;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::lab::{Lab, REVISION, is_ready, mk_deployment, mk_image};

/// An image that no node has.
const BAD: &str = "app:1.161";

fn mk_ten() -> Value {
    let rolling = json!({"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}});
    mk_deployment(&json!({"spec": {"replicas": 10, "strategy": rolling}}))
}

#[tokio::test(start_paused = true)]
async fn a_stuck_rollout_is_scaled_in_proportion() {
    let lab = Lab::start().await;
    lab.create::<Deployment>(mk_ten()).await;
    lab.roll_out().await;
    lab.change(&mk_image(BAD)).await;
    lab.roll_out().await;
    assert_eq!(lab.sizes().await, [8, 5]);
    // Recorded: 8 and 5 of 13 become 11 and 7 of 18. Of 8 they are 5 and 3, and then the rollout
    // goes on: 5 − 2 may be missing, so the old version keeps 3 and the new one gets the rest.
    for (replicas, sizes) in [(15, [11, 7]), (5, [3, 5]), (0, [0, 0])] {
        lab.change(&json!({"spec": {"replicas": replicas}})).await;
        lab.roll_out().await;
        assert_eq!(lab.sizes().await, sizes, "{replicas}");
    }
    let told = lab.messages("ScalingReplicaSet");
    for change in [
        " from 8 to 11",
        " from 5 to 7",
        " from 11 to 5",
        " from 7 to 3",
    ] {
        assert!(
            told.iter().any(|message| message.ends_with(change)),
            "{change}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_keeps_its_bounds_at_every_moment() {
    let lab = Lab::start().await;
    lab.create::<Deployment>(mk_ten()).await;
    lab.roll_out().await;
    lab.change(&mk_image("app:v2")).await;
    lab.settle().await;
    assert_eq!(
        lab.sizes().await,
        [8, 5],
        "at once, before any new pod is ready"
    );
    while lab.condition("Progressing").await != "True NewReplicaSetAvailable" {
        let pods = lab.pods().await;
        let pending = pods.iter().find(|pod| !is_ready(pod));
        if let Some(pod) = pending.filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            lab.set_ready(pod, true).await;
        }
        lab.settle().await;
        let sizes: i32 = lab.sizes().await.iter().sum();
        assert!(sizes <= 13, "{sizes} of 13");
        let ready = lab.pods().await;
        let ready = ready
            .iter()
            .filter(|pod| is_ready(pod) && pod.metadata.deletion_timestamp.is_none())
            .count();
        assert!(ready >= 8, "{ready} of 8");
    }
    assert_eq!(lab.sizes().await, [0, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_never_worked_is_given_up_for_the_next() {
    let lab = Lab::start().await;
    lab.create::<Deployment>(mk_deployment(&json!({}))).await;
    lab.roll_out().await;
    lab.change(&mk_image(BAD)).await;
    lab.roll_out().await;
    assert_eq!(lab.sizes().await, [2, 2]);
    lab.change(&mk_image("app:v3")).await;
    lab.roll_out().await;
    assert_eq!(lab.sizes().await, [0, 0, 3]);
    assert_eq!(
        lab.condition("Available").await,
        "True MinimumReplicasAvailable"
    );
}

#[tokio::test(start_paused = true)]
async fn pods_count_as_available_only_after_a_while() {
    let lab = Lab::start().await;
    let patient = json!({"spec": {"minReadySeconds": 60}});
    lab.create::<Deployment>(mk_deployment(&patient)).await;
    lab.roll_out().await;
    let status = lab.deployment().await.status.unwrap();
    assert_eq!(
        (status.ready_replicas, status.available_replicas),
        (Some(3), None)
    );
    lab.clock.sleep(Duration::from_secs(57)).await;
    let status = lab.deployment().await.status.unwrap();
    assert_eq!(status.available_replicas, None);
    lab.clock.sleep(Duration::from_secs(4)).await;
    let status = lab.deployment().await.status.unwrap();
    assert_eq!(status.available_replicas, Some(3));
    assert_eq!(
        lab.condition("Progressing").await,
        "True NewReplicaSetAvailable"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_was_not_ready_in_between_begins_anew() {
    let lab = Lab::start().await;
    let patient = json!({"spec": {"replicas": 1, "minReadySeconds": 60}});
    lab.create::<Deployment>(mk_deployment(&patient)).await;
    lab.roll_out().await;
    lab.clock.sleep(Duration::from_secs(40)).await;
    let pod = lab.pods().await.remove(0);
    for ready in [false, true] {
        lab.set_ready(&pod, ready).await;
        lab.settle().await;
    }
    lab.clock.sleep(Duration::from_secs(40)).await;
    let available = lab.deployment().await.status.unwrap().available_replicas;
    assert_eq!(available, None);
    lab.clock.sleep(Duration::from_secs(20)).await;
    let available = lab.deployment().await.status.unwrap().available_replicas;
    assert_eq!(available, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_fast_cluster_keeps_simulated_deadlines_within_one_second() {
    let lab = Lab::start().await;
    lab.clock.set_pace(1000.0);
    let hasty = json!({"spec": {"replicas": 2, "progressDeadlineSeconds": 30}});
    lab.create::<Deployment>(mk_deployment(&hasty)).await;
    lab.clock.sleep(Duration::from_secs(25)).await;
    let pod = lab.pods().await.remove(0);
    lab.set_ready(&pod, true).await;
    // 45 s after the start, but 20 s after the last progress.
    lab.clock.sleep(Duration::from_secs(20)).await;
    assert_eq!(lab.condition("Progressing").await, "True ReplicaSetUpdated");
    lab.clock.sleep(Duration::from_secs(15)).await;
    assert_eq!(
        lab.condition("Progressing").await,
        "False ProgressDeadlineExceeded"
    );
    // A timeout stops nothing.
    lab.roll_out().await;
    assert_eq!(
        lab.condition("Progressing").await,
        "True NewReplicaSetAvailable"
    );
}

#[tokio::test(start_paused = true)]
async fn old_versions_beyond_the_limit_are_forgotten() {
    let lab = Lab::start().await;
    let forgetful = json!({"spec": {"revisionHistoryLimit": 1}});
    lab.create::<Deployment>(mk_deployment(&forgetful)).await;
    lab.roll_out().await;
    for image in ["app:v2", "app:v3", "app:v4"] {
        lab.change(&mk_image(image)).await;
        lab.roll_out().await;
    }
    let mut revisions: Vec<_> = lab
        .list::<ReplicaSet>()
        .await
        .iter()
        .map(|set| set.annotations()[REVISION].clone())
        .collect();
    revisions.sort();
    assert_eq!(revisions, ["3", "4"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_makes_another_hash() {
    let lab = Lab::start().await;
    lab.create::<Deployment>(mk_deployment(&json!({}))).await;
    lab.roll_out().await;
    let taken = lab.list::<ReplicaSet>().await.remove(0).name_any();
    let now = DeleteParams::default();
    lab.api::<Deployment>().delete("web", &now).await.unwrap();
    lab.api::<ReplicaSet>().delete(&taken, &now).await.unwrap();
    lab.create::<ReplicaSet>(json!({
        "metadata": {"name": taken, "labels": {"app": "other"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "other"}},
            "template": {
                "metadata": {"labels": {"app": "other"}},
                "spec": super::lab::mk_pod_spec("app:v1"),
            },
        },
    }))
    .await;
    lab.create::<Deployment>(mk_deployment(&json!({}))).await;
    lab.roll_out().await;
    let deployment = lab.deployment().await;
    let status = deployment.status.unwrap();
    assert_eq!(
        (status.collision_count, status.available_replicas),
        (Some(1), Some(3))
    );
    let names: Vec<_> = lab
        .list::<ReplicaSet>()
        .await
        .iter()
        .map(kube::ResourceExt::name_any)
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn pods_that_are_refused_are_told_until_they_are_let_in() {
    let lab = Lab::start().await;
    lab.refuse_pods.store(true, Ordering::Relaxed);
    lab.create::<Deployment>(mk_deployment(&json!({}))).await;
    lab.settle().await;
    assert_eq!(lab.condition("ReplicaFailure").await, "True FailedCreate");
    let set = lab.list::<ReplicaSet>().await.remove(0);
    let conditions = set.status.unwrap().conditions.unwrap();
    assert_eq!(
        conditions[0].message.as_deref(),
        Some("pods \"web\" is forbidden: exceeded quota: q")
    );
    let told = lab.messages("FailedCreate");
    assert_eq!(
        told[0],
        "Error creating: pods \"web\" is forbidden: exceeded quota: q"
    );
    assert_eq!(lab.pods().await.len(), 0);
    lab.refuse_pods.store(false, Ordering::Relaxed);
    lab.clock.sleep(Duration::from_secs(60)).await;
    lab.roll_out().await;
    assert_eq!(lab.condition("ReplicaFailure").await, "");
    assert_eq!(
        lab.condition("Progressing").await,
        "True NewReplicaSetAvailable"
    );
}

#[tokio::test(start_paused = true)]
async fn a_paused_deployment_is_scaled_and_starts_nothing_new() {
    let lab = Lab::start().await;
    let paused = json!({"spec": {"paused": true}});
    lab.create::<Deployment>(mk_deployment(&paused)).await;
    lab.roll_out().await;
    assert!(lab.sizes().await.is_empty(), "it never ran");
    lab.change(&json!({"spec": {"paused": false}})).await;
    lab.roll_out().await;
    lab.change(&paused).await;
    lab.change(&mk_image("app:v2")).await;
    lab.change(&json!({"spec": {"replicas": 5}})).await;
    lab.roll_out().await;
    assert_eq!(lab.sizes().await, [5]);
    assert_eq!(
        lab.condition("Progressing").await,
        "Unknown DeploymentPaused"
    );
    lab.change(&json!({"spec": {"paused": false}})).await;
    lab.roll_out().await;
    assert_eq!(lab.sizes().await, [0, 5]);
}
