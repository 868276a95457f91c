//! Scenarios of the garbage collector against an API server. The names follow upstream's
//! `test/integration/garbagecollector`.

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Node, Pod};
use kube::api::{DeleteParams, ListParams};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

use super::*;
use crate::cluster::controllers::testbed::{Testbed, change, create, eventually};

async fn mk_testbed() -> Testbed {
    let testbed = Testbed::new().await;
    run(&testbed);
    testbed
}

fn run(testbed: &Testbed) {
    let (client, clock) = (testbed.client.clone(), testbed.clock.clone());
    testbed.run(GarbageCollector::new(client, clock));
}

/// The controller reference to an object, blocking as controllers make it.
fn owned_by<K: Resource<DynamicType = ()>>(owner: &K) -> Value {
    let mut reference = json!(owner.owner_ref(&()).unwrap());
    reference["blockOwnerDeletion"] = true.into();
    reference
}

fn mk_workload(name: &str, owners: Value) -> Value {
    json!({
        "metadata": {"name": name, "ownerReferences": owners},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
            },
        },
    })
}

fn mk_pod(name: &str, owners: Value, finalizers: Value) -> Value {
    json!({
        "metadata": {"name": name, "ownerReferences": owners, "finalizers": finalizers},
        "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
    })
}

fn mk_config_map(name: &str, owners: Value) -> Value {
    json!({"metadata": {"name": name, "ownerReferences": owners}})
}

/// A Deployment, its ReplicaSet, and two pods of that.
async fn mk_family(testbed: &Testbed, finalizers: Value) -> (Deployment, ReplicaSet) {
    let deployment = create(&testbed.ns(), mk_workload("web", json!([]))).await;
    let owners = json!([owned_by(&deployment)]);
    let replica_set = create(&testbed.ns(), mk_workload("web-1", owners)).await;
    for name in ["a", "b"] {
        let owners = json!([owned_by(&replica_set)]);
        let pod = mk_pod(name, owners, finalizers.clone());
        create(&testbed.ns::<Pod>(), pod).await;
    }
    (deployment, replica_set)
}

async fn gone<K>(api: &Api<K>)
where
    K: Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + 'static,
{
    eventually(api, "all objects go", <[K]>::is_empty).await;
}

fn is_waiting<K: Resource>(objects: &[K]) -> bool {
    !objects.is_empty()
        && objects
            .iter()
            .all(|object| decision::is_waiting(object.meta()))
}

fn is_going<K: Resource>(objects: &[K]) -> bool {
    let mut objects = objects.iter();
    objects.all(|object| object.meta().deletion_timestamp.is_some())
}

#[tokio::test(start_paused = true)]
async fn background_deletion_takes_the_dependents_after_their_owner() {
    let testbed = mk_testbed().await;
    mk_family(&testbed, json!([])).await;
    let deployments = testbed.ns::<Deployment>();
    let background = DeleteParams::background();
    assert!(
        deployments
            .delete("web", &background)
            .await
            .unwrap()
            .is_right(),
        "gone at once"
    );
    gone(&testbed.ns::<ReplicaSet>()).await;
    gone(&testbed.ns::<Pod>()).await;
}

#[tokio::test(start_paused = true)]
async fn foreground_deletion_takes_the_dependents_first() {
    let testbed = mk_testbed().await;
    mk_family(&testbed, json!(["lab/kubelet"])).await;
    let deployments = testbed.ns::<Deployment>();
    let (replica_sets, pods) = (testbed.ns::<ReplicaSet>(), testbed.ns::<Pod>());
    let foreground = DeleteParams::foreground();
    deployments.delete("web", &foreground).await.unwrap();
    eventually(&pods, "the pods are deleted", |pods: &[Pod]| {
        pods.len() == 2 && is_going(pods)
    })
    .await;
    eventually(&replica_sets, "the ReplicaSet waits", is_waiting).await;
    eventually(&deployments, "the Deployment waits", is_waiting).await;

    let release = json!({"metadata": {"finalizers": null}});
    change(&pods, "a", release.clone()).await;
    eventually(&pods, "one pod left", |pods| pods.len() == 1).await;
    eventually(&replica_sets, "the ReplicaSet still waits", is_waiting).await;
    change(&pods, "b", release).await;
    gone(&deployments).await;
    assert!(
        replica_sets
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert!(
        pods.list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn orphaning_frees_the_dependents_but_not_theirs() {
    let testbed = mk_testbed().await;
    let (_, replica_set) = mk_family(&testbed, json!([])).await;
    let deployments = testbed.ns::<Deployment>();
    deployments
        .delete("web", &DeleteParams::orphan())
        .await
        .unwrap();
    gone(&deployments).await;
    let found = testbed.ns::<ReplicaSet>().get("web-1").await.unwrap();
    assert!(found.owner_references().is_empty());
    let pods = testbed
        .ns::<Pod>()
        .list(&ListParams::default())
        .await
        .unwrap();
    let owners: Vec<Value> = pods
        .iter()
        .map(|pod| json!(pod.owner_references()))
        .collect();
    assert_eq!(owners, vec![json!([owned_by(&replica_set)]); 2]);
}

#[tokio::test(start_paused = true)]
async fn what_happened_before_the_collector_started_is_made_up_for() {
    let testbed = Testbed::new().await;
    let (deployment, _) = mk_family(&testbed, json!([])).await;
    let orphan = DeleteParams::orphan();
    testbed
        .ns::<Deployment>()
        .delete("web", &orphan)
        .await
        .unwrap();
    let stale = mk_config_map("stale", json!([owned_by(&deployment)]));
    create(&testbed.ns::<ConfigMap>(), stale).await;
    run(&testbed);
    gone(&testbed.ns::<Deployment>()).await;
    let found = testbed.ns::<ConfigMap>().get("stale").await.unwrap();
    assert!(found.owner_references().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_object_created_with_an_owner_that_is_not_there_goes() {
    let testbed = mk_testbed().await;
    let config_maps = testbed.ns::<ConfigMap>();
    let owner = create(&config_maps, mk_config_map("owner", json!([]))).await;
    let mut wrong_uid = owned_by(&owner);
    wrong_uid["uid"] = "another".into();
    let mut wrong_name = owned_by(&owner);
    wrong_name["name"] = "nobody".into();
    create(
        &config_maps,
        mk_config_map("kept", json!([owned_by(&owner)])),
    )
    .await;
    create(&config_maps, mk_config_map("stale", json!([wrong_uid]))).await;
    create(&config_maps, mk_config_map("misled", json!([wrong_name]))).await;
    let left = eventually(&config_maps, "both go", |left| left.len() == 2).await;
    let names: Vec<_> = left.iter().map(ResourceExt::name_any).collect();
    assert_eq!(names, ["kept", "owner"]);
}

#[tokio::test(start_paused = true)]
async fn a_solid_owner_does_not_block_a_waiting_one() {
    let testbed = mk_testbed().await;
    let replica_sets = testbed.ns::<ReplicaSet>();
    let solid = create(&replica_sets, mk_workload("solid", json!([]))).await;
    let waiting = create(&replica_sets, mk_workload("waiting", json!([]))).await;
    let owners = json!([owned_by(&waiting), owned_by(&solid)]);
    create(&testbed.ns::<Pod>(), mk_pod("p", owners, json!([]))).await;
    let foreground = DeleteParams::foreground();
    replica_sets.delete("waiting", &foreground).await.unwrap();
    eventually(&replica_sets, "the waiting one goes", |left| {
        left.len() == 1
    })
    .await;
    let pod = testbed.ns::<Pod>().get("p").await.unwrap();
    assert_eq!(json!(pod.owner_references()), json!([owned_by(&solid)]));
}

#[tokio::test(start_paused = true)]
async fn only_a_blocking_reference_holds_an_owner() {
    let testbed = mk_testbed().await;
    let (replica_sets, pods) = (testbed.ns::<ReplicaSet>(), testbed.ns::<Pod>());
    let owner = create(&replica_sets, mk_workload("web", json!([]))).await;
    let mut loose = owned_by(&owner);
    loose["blockOwnerDeletion"] = Value::Null;
    let hold = json!(["lab/kubelet"]);
    create(&pods, mk_pod("loose", json!([loose]), hold.clone())).await;
    create(&pods, mk_pod("tight", json!([owned_by(&owner)]), hold)).await;
    replica_sets
        .delete("web", &DeleteParams::foreground())
        .await
        .unwrap();
    eventually(&pods, "both are deleted", |pods: &[Pod]| {
        pods.len() == 2 && is_going(pods)
    })
    .await;
    eventually(&replica_sets, "the owner waits", is_waiting).await;
    change(&pods, "tight", json!({"metadata": {"finalizers": null}})).await;
    gone(&replica_sets).await;
    assert!(pods.get_opt("loose").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_owner_is_let_go_when_a_dependent_stops_blocking_it() {
    let testbed = mk_testbed().await;
    let (replica_sets, pods) = (testbed.ns::<ReplicaSet>(), testbed.ns::<Pod>());
    let owner = create(&replica_sets, mk_workload("web", json!([]))).await;
    let mut reference = owned_by(&owner);
    let hold = json!(["lab/kubelet"]);
    create(&pods, mk_pod("p", json!([reference.clone()]), hold)).await;
    replica_sets
        .delete("web", &DeleteParams::foreground())
        .await
        .unwrap();
    eventually(&pods, "the pod is deleted", |pods: &[Pod]| is_going(pods)).await;
    reference["blockOwnerDeletion"] = false.into();
    change(
        &pods,
        "p",
        json!({"metadata": {"ownerReferences": [reference]}}),
    )
    .await;
    gone(&replica_sets).await;
}

#[tokio::test(start_paused = true)]
async fn a_foreground_deletion_leaves_other_finalizers_to_their_owners() {
    let testbed = mk_testbed().await;
    let config_maps = testbed.ns::<ConfigMap>();
    let held = json!({"metadata": {"name": "c", "finalizers": ["lab/hold"]}});
    create(&config_maps, held).await;
    config_maps
        .delete("c", &DeleteParams::foreground())
        .await
        .unwrap();
    eventually(&config_maps, "one finalizer left", |left| {
        left.len() == 1 && left[0].finalizers() == ["lab/hold"]
    })
    .await;
    change(&config_maps, "c", json!({"metadata": {"finalizers": null}})).await;
    gone(&config_maps).await;
}

#[tokio::test(start_paused = true)]
async fn a_circle_of_dependents_is_taken_apart() {
    let testbed = mk_testbed().await;
    let config_maps = testbed.ns::<ConfigMap>();
    let first = create(&config_maps, mk_config_map("a", json!([]))).await;
    let second = create(&config_maps, mk_config_map("b", json!([owned_by(&first)]))).await;
    let circle = json!({"metadata": {"ownerReferences": [owned_by(&second)]}});
    change(&config_maps, "a", circle).await;
    config_maps
        .delete("a", &DeleteParams::foreground())
        .await
        .unwrap();
    gone(&config_maps).await;
}

#[tokio::test(start_paused = true)]
async fn cluster_scoped_owners_have_dependents_anywhere_and_the_reverse_is_left_alone() {
    let testbed = mk_testbed().await;
    let (nodes, config_maps) = (testbed.all::<Node>(), testbed.ns::<ConfigMap>());
    let node = create(&nodes, json!({"metadata": {"name": "n"}})).await;
    let owner = create(&config_maps, mk_config_map("owner", json!([]))).await;
    create(
        &config_maps,
        mk_config_map("of-node", json!([owned_by(&node)])),
    )
    .await;
    let reverse = json!({"metadata": {"name": "reverse", "ownerReferences": [owned_by(&owner)]}});
    create(&nodes, reverse).await;
    let now = DeleteParams::default();
    config_maps.delete("owner", &now).await.unwrap();
    nodes.delete("n", &now).await.unwrap();
    gone(&config_maps).await;
    assert!(nodes.get_opt("reverse").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_owner_in_another_namespace_does_not_count_and_is_told_of() {
    let testbed = mk_testbed().await;
    let other = json!({"metadata": {"name": "other"}});
    create(&testbed.all::<Namespace>(), other).await;
    let owner = create(
        &testbed.ns::<ConfigMap>(),
        mk_config_map("owner", json!([])),
    )
    .await;
    let strangers: Api<ConfigMap> = Api::namespaced(testbed.client.clone(), "other");
    let mut stranger = mk_config_map("stranger", json!([owned_by(&owner)]));
    stranger["metadata"]["finalizers"] = json!(["lab/hold"]);
    create(&strangers, stranger).await;
    eventually(&strangers, "it is deleted", |left: &[ConfigMap]| {
        !left.is_empty() && is_going(left)
    })
    .await;
    let events: Api<Event> = Api::namespaced(testbed.client.clone(), "other");
    let told = eventually(&events, "the event", |events| !events.is_empty()).await;
    let uid = owner.uid().unwrap();
    assert_eq!(told[0].reason.as_deref(), Some("OwnerRefInvalidNamespace"));
    assert_eq!(
        told[0].message,
        Some(format!(
            "ownerRef [v1/ConfigMap, namespace: other, name: owner, uid: {uid}] does not exist in \
             namespace \"other\""
        ))
    );
}
