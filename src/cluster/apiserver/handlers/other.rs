//! Paths that name no resource: health, version, discovery, OpenAPI.

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, HOST};
use http::request::Parts;
use serde_json::Value;

use super::header;
use crate::cluster::apiserver::reply::Reply;
use crate::cluster::apiserver::{discovery, negotiate, openapi, version};

/// Answers a request for such a path.
pub(super) fn answer(path: &str, parts: &Parts) -> Reply {
    let aggregated = negotiate::wants_aggregated_discovery(header(&parts.headers, ACCEPT));
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    match segments.as_slice() {
        ["healthz" | "livez" | "readyz"] => Reply::text("ok"),
        ["version"] => Reply::json(&version::document()),
        ["api"] if aggregated => in_aggregated_form(&discovery::aggregated_core()),
        ["apis"] if aggregated => in_aggregated_form(&discovery::aggregated_groups()),
        ["api"] => {
            // HTTP/2 has the host in the URL.
            let in_url = parts.uri.authority().map(http::uri::Authority::as_str);
            let address = in_url.or_else(|| header(&parts.headers, HOST));
            Reply::json(&discovery::core_versions(address.unwrap_or_default()))
        }
        ["apis"] => Reply::json(&discovery::groups()),
        ["api", version] => found(discovery::resources("", version)),
        ["apis", group] => found(discovery::group(group)),
        ["apis", group, version] => found(discovery::resources(group, version)),
        ["openapi", "v2"] => Reply::whole(openapi::PROTOBUF, openapi::empty_v2()),
        ["openapi", "v3"] => Reply::json(&openapi::index()),
        ["openapi", "v3", rest @ ..] => found(openapi::document(&rest.join("/"))),
        _ => not_found(),
    }
}

/// The answer to a path that leads nowhere.
pub(super) fn not_found() -> Reply {
    Reply::text("404 page not found\n").with_code(StatusCode::NOT_FOUND)
}

fn found(document: Option<Value>) -> Reply {
    document.map_or_else(not_found, |document| Reply::json(&document))
}

fn in_aggregated_form(document: &Value) -> Reply {
    Reply::whole(discovery::AGGREGATED, Bytes::from(document.to_string()))
}
