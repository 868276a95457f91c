//! How fast the embedded cluster is: `cargo bench --bench cluster`.
//!
//! Targets on two cores: ready within 100 ms; three pods of version 1 available within 0.5 s at the
//! fastest pace; a change seen by a waiting step 5 ms after it was committed (median).

#![expect(clippy::expect_used, reason = "a bench that cannot go on should stop")]

use std::time::Duration;

use divan::Bencher;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use rollout_lab::cluster::{Cluster, Settings};
use rollout_lab::history::{Clock, History, Sink};
use rollout_lab::observer::Observer;
use rollout_lab::provider::embedded::images;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// So fast that only the work itself takes time.
const FASTEST: f64 = 1000.0;
const NAMESPACE: &str = "bench";
const LIMIT: Duration = Duration::from_secs(30);

fn main() {
    divan::main();
}

fn mk_runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

async fn mk_cluster() -> Cluster {
    let settings = Settings {
        pace: FASTEST,
        images: images(),
        ..Settings::default()
    };
    Cluster::start(settings).await.expect("a cluster")
}

/// A manifest of the labs.
fn mk_manifest(name: &str) -> Value {
    let path = format!("{}/k8s/base/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a manifest");
    serde_yaml::from_str(&text).expect("YAML")
}

async fn mk_namespace(client: &Client) {
    let namespace: Namespace =
        serde_json::from_value(json!({"metadata": {"name": NAMESPACE}})).expect("a namespace");
    let api: Api<Namespace> = Api::all(client.clone());
    api.create(&PostParams::default(), &namespace)
        .await
        .expect("created");
}

/// From nothing to a cluster that can be used.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn ready(bencher: Bencher<'_, '_>) {
    let runtime = mk_runtime();
    bencher.bench_local(|| runtime.block_on(mk_cluster()));
}

/// From the apply of version 1 to three available pods.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn three_pods_available(bencher: Bencher<'_, '_>) {
    let runtime = mk_runtime();
    bencher
        .with_inputs(|| {
            runtime.block_on(async {
                let cluster = mk_cluster().await;
                let client = cluster.client("bench");
                mk_namespace(&client).await;
                let history = History::new(0, Clock::start(), Sink::none());
                let observer = Observer::start(&client, NAMESPACE, &history).await;
                (cluster, client, history, observer)
            })
        })
        .bench_local_refs(|(_cluster, client, history, _observer)| {
            runtime.block_on(async {
                let apply = PatchParams::apply("bench").force();
                let configmaps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
                let configmap = Patch::Apply(mk_manifest("configmap"));
                configmaps
                    .patch("user-service-config", &apply, &configmap)
                    .await
                    .expect("applied");
                let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
                let deployment = Patch::Apply(mk_manifest("deployment-v1"));
                deployments
                    .patch("user-service", &apply, &deployment)
                    .await
                    .expect("applied");
                let available = |state: &rollout_lab::history::State| {
                    let deployment = state.deployments.get("user-service")?;
                    (deployment.facts.available == 3).then_some(())
                };
                history.wait_for(LIMIT, available).await.expect("available");
            });
        });
}

/// From the request for a change to the step that waits for it: the commit is in between, so this is
/// more than what the target is about.
#[divan::bench(sample_count = 200, sample_size = 1)]
fn change_seen_by_a_waiting_step(bencher: Bencher<'_, '_>) {
    let runtime = mk_runtime();
    let (client, history, _kept) = runtime.block_on(async {
        let cluster = mk_cluster().await;
        let client = cluster.client("bench");
        mk_namespace(&client).await;
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
        let mut manifest = mk_manifest("deployment-v1");
        manifest["spec"]["replicas"] = 0.into();
        let apply = PatchParams::apply("bench").force();
        deployments
            .patch("user-service", &apply, &Patch::Apply(manifest))
            .await
            .expect("applied");
        let history = History::new(0, Clock::start(), Sink::none());
        let observer = Observer::start(&client, NAMESPACE, &history).await;
        (client, history, (cluster, observer))
    });
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        runtime.block_on(see_change(&client, &history, number));
    });
}

/// Changes the Deployment and waits for that.
async fn see_change(client: &Client, history: &History, number: u32) {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let change = Patch::Merge(json!({"spec": {"minReadySeconds": number}}));
    let changed = deployments
        .patch("user-service", &PatchParams::default(), &change)
        .await
        .expect("changed");
    let generation = changed.metadata.generation.unwrap_or_default();
    let seen = |state: &rollout_lab::history::State| {
        let deployment = state.deployments.get("user-service")?;
        (deployment.facts.generation >= generation).then_some(())
    };
    history.wait_for(LIMIT, seen).await.expect("seen");
}
