//! The API server against recordings of Kubernetes 1.36.2, in process.
//!
//! A recording is a list of requests with their answers, in order, against one server. [`replay`]
//! sends them and compares status, content type, warnings and body. What is random (uids,
//! revisions, generated names and addresses) must be random in the same places: each recorded value
//! stands for one value of ours through the whole recording.

mod crud;
mod discovery;
mod replay;
mod served;
mod validation;

use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT, WARNING};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use super::ApiServer;
use super::settings::{ServiceRange, Settings};
use crate::cluster::logs::Logs;
use crate::cluster::store::Store;

/// A recording of `tests/golden/api`.
macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/api/",
            $name
        ))
    };
}
pub(super) use recording;

/// An answer, as it came.
struct Answer {
    status: StatusCode,
    content_type: String,
    warnings: Vec<String>,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// A server whose cluster IPs come from a block.
fn mk_server(block: [u8; 4], prefix: u32) -> ApiServer {
    let settings = Settings {
        services: ServiceRange::new(block.into(), prefix),
    };
    ApiServer::new(Store::default(), Logs::default(), settings)
}

/// A namespace as its controllers leave it: with a service account.
async fn mk_namespace(server: &ApiServer, name: &str) {
    let namespace = json!({"metadata": {"name": name}});
    post(server, "/api/v1/namespaces", &namespace).await;
    mk_service_account(server, name).await;
}

async fn mk_service_account(server: &ApiServer, namespace: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    post(server, &path, &json!({"metadata": {"name": "default"}})).await;
}

/// Creates an object that a test needs.
async fn post(server: &ApiServer, path: &str, object: &Value) -> Value {
    let answer = send(server, Method::POST, path, None, object.to_string()).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json()
}

async fn send(
    server: &ApiServer,
    method: Method,
    path: &str,
    content_type: Option<&str>,
    body: String,
) -> Answer {
    let content_type = content_type.unwrap_or("application/json");
    let headers = [(CONTENT_TYPE, content_type)];
    exchange(server, method, path, &headers, body).await
}

async fn exchange(
    server: &ApiServer,
    method: Method,
    path: &str,
    headers: &[(http::HeaderName, &str)],
    body: String,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request
        .header(USER_AGENT, "unknown")
        .body(Full::from(body))
        .unwrap();
    let response = server.clone().answer(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        content_type: parts
            .headers
            .get(CONTENT_TYPE)
            .map(text)
            .unwrap_or_default(),
        warnings: parts.headers.get_all(WARNING).iter().map(text).collect(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// The headers of a recorded request.
fn headers<'r>(
    accept: Option<&'r String>,
    content_type: Option<&'r String>,
) -> Vec<(http::HeaderName, &'r str)> {
    let accept = accept.map(|text| (ACCEPT, text.as_str()));
    let content_type = content_type.map(|text| (CONTENT_TYPE, text.as_str()));
    accept.into_iter().chain(content_type).collect()
}
