//! Who controls what, when labels and owners change and watches break.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::lab::{Lab, mk_deployment, mk_image};

/// A cluster with three ready pods of a deployment.
async fn mk_running() -> Lab {
    let lab = Lab::start().await;
    lab.create::<Deployment>(mk_deployment(&json!({}))).await;
    lab.roll_out().await;
    lab
}

async fn change<K>(api: Api<K>, name: &str, metadata: Value)
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let patch = Patch::Merge(json!({"metadata": metadata}));
    api.patch(name, &PatchParams::default(), &patch)
        .await
        .unwrap();
}

fn is_owned<K: kube::Resource>(object: &K) -> bool {
    !object.owner_references().is_empty()
}

#[tokio::test(start_paused = true)]
async fn a_pod_with_other_labels_is_released_and_replaced_and_may_come_back() {
    let lab = mk_running().await;
    let name = lab.pods().await[0].name_any();
    change(lab.api::<Pod>(), &name, json!({"labels": {"app": "debug"}})).await;
    lab.roll_out().await;
    assert_eq!(lab.pods().await.len(), 4);
    let released = lab.api::<Pod>().get(&name).await.unwrap();
    assert!(!is_owned(&released));
    change(lab.api::<Pod>(), &name, json!({"labels": {"app": "web"}})).await;
    lab.roll_out().await;
    let pods = lab.pods().await;
    assert_eq!(pods.len(), 3, "one is too many again");
    assert!(pods.iter().all(is_owned));
}

#[tokio::test(start_paused = true)]
async fn a_replica_set_without_an_owner_is_adopted() {
    let lab = mk_running().await;
    let name = lab.list::<ReplicaSet>().await[0].name_any();
    change(
        lab.api::<ReplicaSet>(),
        &name,
        json!({"ownerReferences": null}),
    )
    .await;
    lab.roll_out().await;
    let sets: Vec<ReplicaSet> = lab.list().await;
    assert_eq!(sets.len(), 1);
    let owner = &sets[0].owner_references()[0];
    assert_eq!(owner.name, "web");
    assert_eq!(
        (owner.controller, owner.block_owner_deletion),
        (Some(true), Some(true))
    );
}

#[tokio::test(start_paused = true)]
async fn a_replica_set_with_other_labels_is_released_and_its_name_avoided() {
    let lab = mk_running().await;
    let name = lab.list::<ReplicaSet>().await[0].name_any();
    change(
        lab.api::<ReplicaSet>(),
        &name,
        json!({"labels": {"app": "other"}}),
    )
    .await;
    lab.roll_out().await;
    let released = lab.api::<ReplicaSet>().get(&name).await.unwrap();
    assert!(!is_owned(&released));
    let sets: Vec<ReplicaSet> = lab.list().await;
    assert_eq!(sets.len(), 2);
    let status = lab.deployment().await.status.unwrap();
    assert_eq!(
        (status.collision_count, status.available_replicas),
        (Some(1), Some(3))
    );
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_goes_moves_nothing_any_more() {
    let lab = mk_running().await;
    lab.change(&json!({"metadata": {"finalizers": ["lab/hold"]}}))
        .await;
    let now = DeleteParams::default();
    lab.api::<Deployment>().delete("web", &now).await.unwrap();
    lab.change(&mk_image("app:v2")).await;
    lab.roll_out().await;
    assert_eq!(lab.sizes().await, [3]);
    let deployment = lab.deployment().await;
    let seen = deployment.status.unwrap().observed_generation;
    assert_eq!(seen, deployment.metadata.generation);
}

#[tokio::test(start_paused = true)]
async fn what_went_while_no_watch_was_open_is_noticed() {
    let lab = mk_running().await;
    lab.server.cut_streams();
    let name = lab.pods().await[0].name_any();
    change(lab.api::<Pod>(), &name, json!({"finalizers": null})).await;
    let now = DeleteParams::default().grace_period(0);
    lab.api::<Pod>().delete(&name, &now).await.unwrap();
    lab.clock.sleep(std::time::Duration::from_secs(30)).await;
    lab.roll_out().await;
    let pods = lab.pods().await;
    assert_eq!(pods.len(), 3);
    assert!(pods.iter().all(|pod| pod.name_any() != name));
}

#[tokio::test(start_paused = true)]
async fn pods_that_are_not_ready_go_first() {
    let lab = mk_running().await;
    let broken = lab.pods().await.remove(1);
    lab.set_ready(&broken, false).await;
    lab.change(&json!({"spec": {"replicas": 2}})).await;
    lab.clock.sleep(std::time::Duration::from_secs(5)).await;
    let names: Vec<_> = lab
        .pods()
        .await
        .iter()
        .map(kube::ResourceExt::name_any)
        .collect();
    assert_eq!(names.len(), 2);
    assert!(!names.contains(&broken.name_any()));
    assert_eq!(lab.messages("SuccessfulDelete").len(), 1);
}
