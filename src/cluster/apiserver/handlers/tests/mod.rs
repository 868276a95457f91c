//! Requests through the whole server, as clients send them.

mod recorded;
mod writes;

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, WARNING};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::cluster::apiserver::ApiServer;
use crate::cluster::apiserver::settings::Settings;
use crate::cluster::logs::Logs;
use crate::cluster::store::Store;

/// An answer, taken apart.
struct Answer {
    code: u16,
    body: Value,
    warnings: Vec<String>,
}

fn mk_server() -> ApiServer {
    ApiServer::new(Store::default(), Logs::default(), Settings::default())
}

/// Sends a request; an empty content type sends none.
async fn send(
    server: &ApiServer,
    method: &str,
    path: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if !content_type.is_empty() {
        request = request.header(CONTENT_TYPE, content_type);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let (parts, body) = server.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let warnings = parts.headers.get_all(WARNING).iter();
    Answer {
        code: parts.status.as_u16(),
        body: serde_json::from_slice(&body).unwrap(),
        warnings: warnings
            .map(|value| value.to_str().unwrap().to_owned())
            .collect(),
    }
}
