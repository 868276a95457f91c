//! Embedded clusters with a node port, and clients of their API.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Config, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::LIMIT;
use crate::cluster::{Cluster, Process, Program, Settings};
use crate::provider::embedded::{NODE_PORT, images};

/// Answers the first byte of a connection by halves: one at once, one when it is told to.
pub(super) struct Halves {
    second: watch::Sender<bool>,
}

impl Program for Halves {
    fn run(&self, process: Process) -> BoxFuture<'static, i32> {
        let second = self.second.subscribe();
        async move {
            let (listener, _entry) = process.listen(3000).await.unwrap().into_parts();
            let mut connections = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut second = second.clone();
                connections.spawn(async move {
                    stream.read_u8().await.unwrap();
                    stream.write_all(b"one").await.unwrap();
                    second.wait_for(|told| *told).await.unwrap();
                    stream.write_all(b"two").await.unwrap();
                });
            }
        }
        .boxed()
    }
}

pub(super) async fn mk_cluster() -> (Cluster, watch::Sender<bool>) {
    let second = watch::Sender::new(false);
    let halves = Halves {
        second: second.clone(),
    };
    let cluster = Cluster::start(Settings {
        pace: 20.0,
        images: images().with("halves", Arc::new(halves)),
        listen: Some(0),
        ..Settings::default()
    });
    (Box::pin(cluster).await.unwrap(), second)
}

pub(super) fn api<K>(cluster: &Cluster) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    Api::namespaced(cluster.client("test"), "default")
}

pub(super) async fn create<K>(cluster: &Cluster, object: Value)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Serialize,
{
    let object: K = from_value(object).unwrap();
    let created = api(cluster).create(&PostParams::default(), &object).await;
    created.unwrap();
}

/// A service with the node port, for the pods of the lab.
pub(super) async fn create_service(cluster: &Cluster, name: &str) {
    let service = json!({
        "metadata": {"name": name},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "web"},
            "ports": [
                {"name": "other", "port": 81, "targetPort": 4000},
                {"name": "http", "port": 80, "targetPort": 3000, "nodePort": NODE_PORT},
            ],
        },
    });
    create::<Service>(cluster, service).await;
}

/// Three pods that are ready when they listen, and serve on for five seconds while they leave.
pub(super) async fn create_deployment(cluster: &Cluster) {
    let container = json!({
        "name": "app",
        "image": "mogumogusityau/user-service:1.0.0",
        "env": [
            {"name": "VERSION", "value": "1.0.0"},
            {"name": "ON_SIGTERM", "value": "end"},
        ],
        "readinessProbe": {"tcpSocket": {"port": 3000}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"sleep": {"seconds": 100}}},
    });
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 3,
            "strategy": {"rollingUpdate": {"maxUnavailable": 0}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 200},
            },
        },
    });
    create::<Deployment>(cluster, deployment).await;
    await_rollout(cluster).await;
}

pub(super) async fn await_rollout(cluster: &Cluster) {
    let is_complete = |deployment: Option<&Deployment>| {
        let Some(deployment) = deployment else {
            return false;
        };
        let status = deployment.status.clone().unwrap_or_default();
        status.observed_generation == deployment.metadata.generation
            && [
                status.replicas,
                status.updated_replicas,
                status.available_replicas,
            ] == [Some(3); 3]
    };
    let rollout = await_condition(api(cluster), "web", is_complete);
    tokio::time::timeout(LIMIT, rollout).await.unwrap().unwrap();
}

/// A pod that answers by halves, with its service.
pub(super) async fn create_halves(cluster: &Cluster) {
    create_service(cluster, "web").await;
    let pod = json!({
        "metadata": {"name": "halves", "labels": {"app": "web"}},
        "spec": {"containers": [{
            "name": "app",
            "image": "halves",
            "readinessProbe": {"tcpSocket": {"port": 3000}, "periodSeconds": 1},
        }]},
    });
    create::<Pod>(cluster, pod).await;
}

/// A client that comes over TLS.
pub(super) async fn outside(cluster: &Cluster) -> Client {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    cluster.write_kubeconfig(&path).unwrap();
    let file = Kubeconfig::read_from(&path).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await;
    Client::try_from(config.unwrap()).unwrap()
}
