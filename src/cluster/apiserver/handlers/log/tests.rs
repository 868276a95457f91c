//! Logs through the whole server, as clients ask for them.

use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::cluster::apiserver::ApiServer;
use crate::cluster::apiserver::reply::ReplyBody;
use crate::cluster::apiserver::settings::Settings;
use crate::cluster::logs::{Log, Logs};
use crate::cluster::store::Store;

const POD: &str = "/api/v1/namespaces/ns/pods/p";

/// A server with a running pod, and the log that its container writes.
async fn mk_pod() -> (ApiServer, Logs, Log) {
    let logs = Logs::default();
    let server = ApiServer::new(Store::default(), logs.clone(), Settings::default());
    let write = |method, path: &str, object: Value| {
        let (server, path) = (server.clone(), path.to_owned());
        async move {
            let (code, text) = read(send(&server, method, &path, &object.to_string()).await).await;
            assert!(code < 300, "{path}: {text}");
            serde_json::from_str::<Value>(&text).unwrap()
        }
    };
    let namespaces = "/api/v1/namespaces";
    write(
        Method::POST,
        namespaces,
        json!({"metadata": {"name": "ns"}}),
    )
    .await;
    let accounts = "/api/v1/namespaces/ns/serviceaccounts";
    write(
        Method::POST,
        accounts,
        json!({"metadata": {"name": "default"}}),
    )
    .await;
    let pod = json!({
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n", "containers": [{"name": "app", "image": "i"}]},
    });
    let mut pod = write(Method::POST, "/api/v1/namespaces/ns/pods", pod).await;
    pod["status"]["containerStatuses"] = json!([{
        "name": "app", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
        "containerID": "lab://1", "state": {"running": {}},
    }]);
    let pod = write(Method::PUT, &format!("{POD}/status"), pod).await;
    let log = logs.begin(pod["metadata"]["uid"].as_str().unwrap(), "app", "lab://1");
    (server, logs, log)
}

async fn send(server: &ApiServer, method: Method, path: &str, body: &str) -> Response<ReplyBody> {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Full::from(body.to_owned())).unwrap();
    server.clone().oneshot(request).await.unwrap()
}

async fn read(response: Response<ReplyBody>) -> (u16, String) {
    let code = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (code, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn get(server: &ApiServer, path: &str) -> (u16, String) {
    read(send(server, Method::GET, path, "").await).await
}

async fn refused(server: &ApiServer, path: &str) -> (u16, String) {
    let (code, text) = get(server, path).await;
    let status: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status["kind"], "Status");
    (code, status["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_a_container_printed_is_read() {
    let (server, _, log) = mk_pod().await;
    log.write("one");
    log.write("two");
    let response = send(&server, Method::GET, &format!("{POD}/log"), "").await;
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(read(response).await, (200, "one\ntwo\n".to_owned()));
    let tail = get(&server, &format!("{POD}/log?container=app&tailLines=1")).await;
    assert_eq!(tail, (200, "two\n".to_owned()));
}

#[tokio::test]
async fn a_followed_log_ends_with_its_container() {
    let (server, _, log) = mk_pod().await;
    log.write("before");
    let response = send(&server, Method::GET, &format!("{POD}/log?follow=true"), "").await;
    log.write("after");
    log.end();
    assert_eq!(read(response).await, (200, "before\nafter\n".to_owned()));
}

#[tokio::test]
async fn a_followed_log_ends_with_its_pod_or_its_limit_or_breaks_with_the_connection() {
    let (server, logs, log) = mk_pod().await;
    let path = format!("{POD}/log?follow=true");
    log.write("before");
    let limited = send(&server, Method::GET, &format!("{path}&limitBytes=3"), "").await;
    assert_eq!(read(limited).await, (200, "bef".to_owned()));

    let broken = send(&server, Method::GET, &path, "").await;
    server.cut_streams();
    assert!(broken.into_body().collect().await.is_err());

    let followed = send(&server, Method::GET, &path, "").await;
    let (_, pod) = get(&server, POD).await;
    let pod: Value = serde_json::from_str(&pod).unwrap();
    logs.forget(pod["metadata"]["uid"].as_str().unwrap());
    assert_eq!(read(followed).await, (200, "before\n".to_owned()));
    let late = send(&server, Method::GET, &path, "").await;
    assert_eq!(read(late).await, (200, String::new()));
}

#[tokio::test]
async fn a_log_that_is_not_there_is_refused_in_upstreams_words() {
    let (server, _, _) = mk_pod().await;
    for (path, code, message) in [
        (
            format!("{POD}/log?container=x"),
            400,
            "container x is not valid for pod p",
        ),
        (
            format!("{POD}/log?previous=true"),
            400,
            "previous terminated container \"app\" in pod \"p\" not found",
        ),
        (
            "/api/v1/namespaces/ns/pods/q/log".to_owned(),
            404,
            "pods \"q\" not found",
        ),
        (
            format!("{POD}/log?tailLines=-1"),
            422,
            "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than \
             or equal to 0",
        ),
    ] {
        assert_eq!(refused(&server, &path).await, (code, message.to_owned()));
    }
}

#[tokio::test]
async fn a_pod_without_a_node_has_no_log_yet() {
    let (server, _, _) = mk_pod().await;
    let pod =
        json!({"metadata": {"name": "w"}, "spec": {"containers": [{"name": "app", "image": "i"}]}});
    let pods = "/api/v1/namespaces/ns/pods";
    send(&server, Method::POST, pods, &pod.to_string()).await;
    assert_eq!(
        get(&server, &format!("{pods}/w/log")).await,
        (204, String::new())
    );
}

#[tokio::test]
async fn conversations_with_a_pod_are_refused_at_once() {
    let (server, _, _) = mk_pod().await;
    for part in ["attach", "exec"] {
        let (code, message) = refused(&server, &format!("{POD}/{part}?command=sh")).await;
        assert_eq!(code, 405);
        assert!(
            message.starts_with(&format!("this cluster offers no {part}:")),
            "{message}"
        );
    }
}
