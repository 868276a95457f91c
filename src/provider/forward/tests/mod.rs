//! Node ports of embedded clusters, reached as those of a cluster behind its API are.

mod lab;
mod traffic;

use futures::future::join_all;
use http::{Request, Response};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::client::Body;
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use self::lab::{
    api, await_rollout, create_deployment, create_halves, create_service, mk_cluster, outside,
};
use self::traffic::{
    ask, ask_on_and_on, ask_steadily, ask_until_answered, ask_until_refused, await_end,
    await_reset, count_by, first_half, mk_connection,
};
use super::*;
use crate::provider::embedded::NODE_PORT;

/// How long anything may take that must come.
const LIMIT: Duration = Duration::from_secs(30);
/// Less than any wait that ends a hopeless connection.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn start(client: Client) -> Forward {
    Forward::start(client, NODE_PORT).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn steady_requests_are_all_answered_by_all_pods() {
    let (cluster, _) = mk_cluster().await;
    create_service(&cluster, "web").await;
    create_deployment(&cluster).await;
    for client in [cluster.client("test"), outside(&cluster).await] {
        let forward = start(client).await;
        ask_until_answered(forward.address()).await;
        let answers = ask_steadily(forward.address(), 400).await;
        let pods = count_by(&answers, "pod");
        assert_eq!(pods.len(), 3, "{pods:?}");
        // A third each; one in a million million million runs would have fewer than 50.
        assert!(pods.values().all(|count| *count > 50), "{pods:?}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_pods_are_replaced() {
    let (cluster, _) = mk_cluster().await;
    create_service(&cluster, "web").await;
    create_deployment(&cluster).await;
    let forward = start(outside(&cluster).await).await;
    ask_until_answered(forward.address()).await;
    let (more, wanted) = watch::channel(true);
    let update = async {
        let env = json!([{"name": "VERSION", "value": "2.0.0"}]);
        let container = json!({"name": "app", "env": env});
        let change = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        let deployments: Api<Deployment> = api(&cluster);
        let change = Patch::Strategic(change);
        deployments
            .patch("web", &PatchParams::default(), &change)
            .await
            .unwrap();
        await_rollout(&cluster).await;
        more.send_replace(false);
    };
    let asking = || tokio::spawn(ask_on_and_on(forward.address(), wanted.clone()));
    let asking = [asking(), asking()];
    update.await;
    let answers = join_all(asking).await.into_iter().flat_map(Result::unwrap);
    let versions = count_by(&answers.collect::<Vec<_>>(), "version");
    let versions: Vec<&str> = versions.keys().map(String::as_str).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0"]);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_service_or_an_endpoint_connections_are_reset_at_once() {
    let (cluster, _) = mk_cluster().await;
    let forward = start(outside(&cluster).await).await;
    let address = forward.address();
    ask_until_refused(address).await;
    // It may come before the connection is known to be open.
    let reset = async { TcpStream::connect(address).await?.read_u8().await };
    let reset = reset.await.unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);

    create_service(&cluster, "web").await;
    ask_until_refused(address).await;
    create_deployment(&cluster).await;
    ask_until_answered(address).await;
    let services: Api<Service> = api(&cluster);
    let at_once = DeleteParams::default();
    services.delete("web", &at_once).await.unwrap();
    ask_until_refused(address).await;
    create_service(&cluster, "another").await;
    ask_until_answered(address).await;
    let deployments: Api<Deployment> = api(&cluster);
    deployments.delete("web", &at_once).await.unwrap();
    ask_until_refused(address).await;
    cluster.stop().await;
}

/// A client whose requests wait until they may go on.
fn held_back(client: Client, open: watch::Receiver<bool>) -> Client {
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, mut open) = (client.clone(), open.clone());
        async move {
            open.wait_for(|open| *open).await.unwrap();
            let answer: Result<Response<Body>, kube::Error> = client.send(request).await;
            answer
        }
    });
    Client::new(service, "default")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_waits_for_the_first_lists() {
    let (cluster, _) = mk_cluster().await;
    create_service(&cluster, "web").await;
    create_deployment(&cluster).await;
    let (open, is_open) = watch::channel(false);
    let forward = start(held_back(cluster.client("test"), is_open)).await;
    let mut asking = tokio::spawn(ask(forward.address()));
    let early = tokio::time::timeout(AT_ONCE / 5, &mut asking).await;
    assert!(early.is_err(), "{early:?}");
    open.send_replace(true);
    asking.await.unwrap().unwrap();
    cluster.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_does_not_wait_for_lists_for_ever() {
    let service = tower::service_fn(|_: Request<Body>| {
        std::future::pending::<Result<Response<Body>, kube::Error>>()
    });
    let forward = start(Client::new(service, "default")).await;
    let mut connection = TcpStream::connect(forward.address()).await.unwrap();
    let began = Instant::now();
    await_reset(&mut connection).await;
    let took = began.elapsed();
    assert!(took >= PATIENCE && took < PATIENCE + AT_ONCE, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_its_pod() {
    let (cluster, _) = mk_cluster().await;
    create_service(&cluster, "web").await;
    create_deployment(&cluster).await;
    let forward = start(outside(&cluster).await).await;
    let (connection, pod) = mk_connection(forward.address()).await;
    let now = DeleteParams::default().grace_period(0);
    api::<Pod>(&cluster).delete(&pod, &now).await.unwrap();
    await_end(connection).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_forward_ends_its_connections_and_listens_no_more() {
    let (cluster, _) = mk_cluster().await;
    create_service(&cluster, "web").await;
    create_deployment(&cluster).await;
    let forward = start(cluster.client("test")).await;
    let address = forward.address();
    let (connection, _) = mk_connection(address).await;
    drop(forward);
    await_end(connection).await;
    let refused = async {
        loop {
            // The task with the listener ends when the runtime gets to it.
            if let Err(error) = TcpStream::connect(address).await {
                return error.kind();
            }
        }
    };
    let refused = tokio::time::timeout(LIMIT, refused).await.unwrap();
    assert_eq!(refused, io::ErrorKind::ConnectionRefused);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_answer_does_not_end_as_a_whole_one_does() {
    let (cluster, second) = mk_cluster().await;
    create_halves(&cluster).await;
    let ready = conditions::is_pod_running();
    await_condition(api::<Pod>(&cluster), "halves", ready)
        .await
        .unwrap();
    for client in [cluster.client("test"), outside(&cluster).await] {
        let forward = start(client).await;
        let mut connection = first_half(forward.address()).await;
        cluster.cut_connections();
        await_reset(&mut connection).await;
    }

    // A client that has ended its side gets the rest.
    let forward = start(outside(&cluster).await).await;
    let mut connection = first_half(forward.address()).await;
    connection.shutdown().await.unwrap();
    let early = tokio::time::timeout(AT_ONCE / 5, connection.read_u8()).await;
    assert!(early.is_err(), "{early:?}");
    second.send_replace(true);
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"two");
    // One that waits in vain for it does not wait for long.
    second.send_replace(false);
    let mut connection = first_half(forward.address()).await;
    connection.shutdown().await.unwrap();
    await_reset(&mut connection).await;
    cluster.stop().await;
}
