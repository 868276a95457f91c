//! Forwarded ports of pods that echo, as clients in the process and outside of it see them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, Config};
use serde_json::{Value, from_value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::cluster::{Cluster, Images, Process, Program, Settings};

/// How long anything may take that must come.
const LIMIT: Duration = Duration::from_secs(20);
const PORT: u16 = 7;

/// Echoes on port 7, and ends a connection that says bye.
#[derive(Default)]
struct Echo {
    /// `None` until it listens, then how many connections are open.
    open: watch::Sender<Option<usize>>,
}

impl Program for Echo {
    fn run(&self, process: Process) -> BoxFuture<'static, i32> {
        let open = self.open.clone();
        async move {
            let (listener, _entry) = process.listen(PORT).await.unwrap().into_parts();
            open.send_replace(Some(0));
            serve(listener, open).await
        }
        .boxed()
    }
}

/// Ends at once.
struct Nothing;

impl Program for Nothing {
    fn run(&self, _: Process) -> BoxFuture<'static, i32> {
        std::future::ready(0).boxed()
    }
}

async fn serve(listener: TcpListener, open: watch::Sender<Option<usize>>) -> i32 {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let open = open.clone();
        connections.spawn(async move {
            open.send_modify(|open| *open = open.map(|count| count + 1));
            let _ = echo(stream).await;
            open.send_modify(|open| *open = open.map(|count| count - 1));
        });
    }
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let count = stream.read(&mut buffer).await?;
        stream.write_all(&buffer[..count]).await?;
        if count == 0 || buffer[..count].ends_with(b"bye") {
            return Ok(());
        }
    }
}

/// A cluster with a running pod `p` that echoes, and how many connections it has.
async fn mk_cluster(shared_address: bool) -> (Cluster, watch::Receiver<Option<usize>>) {
    let echo = Echo::default();
    let mut open = echo.open.subscribe();
    let cluster = Box::pin(Cluster::start(Settings {
        pace: 100.0,
        nodes: 1,
        images: Images::default()
            .with("echo", Arc::new(echo))
            .with("nothing", Arc::new(Nothing)),
        listen: Some(0),
        shared_address,
        ..Settings::default()
    }))
    .await
    .unwrap();
    let pods = pods(&cluster.client("test"));
    create(&pods, "p", json!({"image": "echo"}), json!({})).await;
    within(await_condition(pods, "p", conditions::is_pod_running()))
        .await
        .unwrap();
    within(open.wait_for(Option::is_some)).await.unwrap();
    (cluster, open)
}

fn pods(client: &Client) -> Api<Pod> {
    Api::namespaced(client.clone(), "default")
}

async fn create(pods: &Api<Pod>, name: &str, container: Value, spec: Value) {
    let mut pod = json!({"metadata": {"name": name}, "spec": spec});
    pod["spec"]["containers"] = json!([container]);
    pod["spec"]["containers"][0]["name"] = "app".into();
    pod["spec"]["terminationGracePeriodSeconds"] = 1.into();
    let pod: Pod = from_value(pod).unwrap();
    pods.create(&PostParams::default(), &pod).await.unwrap();
}

/// A client that comes over TLS.
async fn outside(cluster: &Cluster) -> Client {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    cluster.write_kubeconfig(&path).unwrap();
    let file = Kubeconfig::read_from(&path).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await;
    Client::try_from(config.unwrap()).unwrap()
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, Box::pin(future)).await.unwrap()
}

async fn answer(stream: &mut DuplexStream, question: &[u8]) -> Vec<u8> {
    stream.write_all(question).await.unwrap();
    let mut answer = vec![0; question.len()];
    within(stream.read_exact(&mut answer)).await.unwrap();
    answer
}

/// What is left to read; a stream that broke has no more.
async fn rest(stream: &mut DuplexStream) -> Vec<u8> {
    let mut rest = Vec::new();
    within(stream.read_to_end(&mut rest)).await.unwrap();
    rest
}

/// An open stream to the pod that has answered once.
async fn mk_stream(cluster: &Cluster) -> (kube::api::Portforwarder, DuplexStream) {
    let pods = pods(&cluster.client("test"));
    let mut forwarder = pods.portforward("p", &[PORT]).await.unwrap();
    let mut stream = forwarder.take_stream(PORT).unwrap();
    assert_eq!(answer(&mut stream, b"hello").await, b"hello");
    (forwarder, stream)
}

#[tokio::test]
async fn bytes_go_both_ways_until_the_pod_ends_the_connection() {
    for shared_address in [false, true] {
        let (cluster, mut open) = mk_cluster(shared_address).await;
        for client in [cluster.client("test"), outside(&cluster).await] {
            let mut forwarder = pods(&client).portforward("p", &[PORT]).await.unwrap();
            let mut stream = forwarder.take_stream(PORT).unwrap();
            let error = forwarder.take_error(PORT).unwrap();
            assert_eq!(answer(&mut stream, b"one").await, b"one");
            let large = vec![b'x'; 300_000];
            assert_eq!(answer(&mut stream, &large).await, large);
            stream.write_all(b"bye").await.unwrap();
            assert_eq!(rest(&mut stream).await, b"bye");
            drop(stream);
            assert_eq!(within(error).await, None);
            within(open.wait_for(|open| *open == Some(0)))
                .await
                .unwrap();
        }
        within(cluster.stop()).await;
    }
}

#[tokio::test]
async fn a_refused_port_is_told_on_its_error_channel_and_the_others_go_on() {
    let (cluster, _open) = mk_cluster(false).await;
    let pods = pods(&cluster.client("test"));
    let uid = pods.get("p").await.unwrap().metadata.uid.unwrap();
    let mut forwarder = pods.portforward("p", &[8, PORT]).await.unwrap();
    let error = forwarder.take_error(8).unwrap();
    assert_eq!(
        within(error).await.unwrap(),
        format!(
            "error forwarding port 8 to pod p, uid {uid}: failed to connect to localhost:8 inside \
             the pod: connection refused"
        )
    );
    let mut stream = forwarder.take_stream(PORT).unwrap();
    assert_eq!(answer(&mut stream, b"still").await, b"still");
    cluster.stop().await;
}

#[tokio::test]
async fn a_pod_that_cannot_be_reached_is_refused_in_upstreams_words() {
    let (cluster, _open) = mk_cluster(false).await;
    let pods = pods(&cluster.client("test"));
    let nowhere = json!({"nodeSelector": {"disk": "none"}});
    create(&pods, "unscheduled", json!({"image": "echo"}), nowhere).await;
    let once = json!({"restartPolicy": "Never"});
    create(&pods, "ended", json!({"image": "nothing"}), once).await;
    let has_ended = |pod: Option<&Pod>| {
        let status = pod.and_then(|pod| pod.status.as_ref());
        status.is_some_and(|status| status.phase.as_deref() == Some("Succeeded"))
    };
    within(await_condition(pods.clone(), "ended", has_ended))
        .await
        .unwrap();
    for (pod, code, message) in [
        ("nosuch", 404, "pods \"nosuch\" not found"),
        (
            "unscheduled",
            400,
            "pod unscheduled does not have a host assigned",
        ),
        ("ended", 500, "pod not found (\"ended_default\")"),
    ] {
        let refused = match pods.portforward(pod, &[PORT]).await {
            Ok(_) => panic!("{pod} was reached"),
            Err(kube::Error::Api(status)) => status,
            Err(other) => panic!("{pod}: {other}"),
        };
        assert_eq!((refused.code, refused.message.as_str()), (code, message));
    }
    cluster.stop().await;
}

#[test]
fn a_pod_has_an_address_from_its_sandbox_until_its_end() {
    for (status, expected) in [
        (json!({"phase": "Pending"}), None),
        (
            json!({"phase": "Pending", "podIP": "127.1.16.1"}),
            Some([127, 1, 16, 1].into()),
        ),
        (
            json!({"phase": "Running", "podIP": "10.244.0.9"}),
            Some([10, 244, 0, 9].into()),
        ),
        (json!({"phase": "Failed", "podIP": "10.244.0.9"}), None),
    ] {
        let pod = json!({"status": status});
        assert_eq!(super::address(&pod), expected, "{pod}");
    }
}

#[tokio::test]
async fn other_protocols_are_refused_with_a_status() {
    const SPOKEN: &str = "v5.channel.k8s.io, v4.channel.k8s.io";
    let (cluster, _open) = mk_cluster(false).await;
    let unknown = "this cluster forwards ports only over a WebSocket with the subprotocol \
                   v4.channel.k8s.io, which kubectl does not speak; reach containers at their \
                   pods' addresses";
    let required = "Upgrade request required";
    for (method, query, upgrade, protocol, code, message) in [
        (Method::GET, "?ports=7", "", "", 400, required),
        (Method::POST, "", "SPDY/3.1", "", 405, unknown),
        (
            Method::GET,
            "",
            "websocket",
            "SPDY/3.1+portforward.k8s.io",
            405,
            unknown,
        ),
        (Method::GET, "?ports=7", "websocket", "", 405, unknown),
        (
            Method::GET,
            "",
            "websocket",
            SPOKEN,
            400,
            "query parameter \"port\" is required",
        ),
        (
            Method::GET,
            "?ports=7,0",
            "websocket",
            SPOKEN,
            400,
            "port \"0\" must be > 0",
        ),
        // Not over HTTP/1.1, so there is nothing to change.
        (Method::GET, "?ports=7", "websocket", SPOKEN, 400, required),
    ] {
        let path = format!("/api/v1/namespaces/default/pods/p/portforward{query}");
        let mut request = Request::builder().method(method).uri(&path);
        for (name, value) in [
            (CONNECTION, "Upgrade"),
            (SEC_WEBSOCKET_KEY, "AAAAAAAAAAAAAAAAAAAAAA=="),
            (UPGRADE, upgrade),
            (SEC_WEBSOCKET_PROTOCOL, protocol),
        ] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let response = cluster.server.clone().oneshot(request).await.unwrap();
        assert_eq!(
            response.status().as_u16(),
            code,
            "{path} {upgrade} {protocol}"
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let status: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status["kind"], "Status");
        assert_eq!(status["message"], message);
    }
    cluster.stop().await;
}

#[tokio::test]
async fn a_connection_ends_with_the_process_of_its_pod() {
    let (cluster, _open) = mk_cluster(false).await;
    let (_forwarder, mut stream) = mk_stream(&cluster).await;
    let now = DeleteParams::default().grace_period(0);
    let pods = pods(&cluster.client("test"));
    pods.delete("p", &now).await.unwrap();
    assert_eq!(rest(&mut stream).await, b"");
    cluster.stop().await;
}

#[tokio::test]
async fn a_connection_ends_with_its_client() {
    let (cluster, mut open) = mk_cluster(false).await;
    let (forwarder, stream) = mk_stream(&cluster).await;
    assert_eq!(*open.borrow_and_update(), Some(1));
    forwarder.abort();
    within(open.wait_for(|open| *open == Some(0)))
        .await
        .unwrap();
    drop(stream);
    // And orderly, when it only closes its stream.
    let (_forwarder, stream) = mk_stream(&cluster).await;
    drop(stream);
    within(open.wait_for(|open| *open == Some(0)))
        .await
        .unwrap();
    cluster.stop().await;
}

#[tokio::test]
async fn a_cut_and_the_end_of_the_cluster_end_all_connections() {
    let (cluster, _open) = mk_cluster(false).await;
    let (forwarder, mut stream) = mk_stream(&cluster).await;
    cluster.cut_connections();
    assert_eq!(rest(&mut stream).await, b"");
    assert!(within(forwarder.join()).await.is_err(), "it was cut");
    let (_forwarder, mut stream) = mk_stream(&cluster).await;
    let began = Instant::now();
    within(cluster.stop()).await;
    // It waits for no client's farewell: this one holds its stream open.
    assert!(began.elapsed() < super::carry::FAREWELL);
    assert_eq!(rest(&mut stream).await, b"");
}
