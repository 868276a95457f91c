//! `GET /openapi/v3` and `GET /openapi/v2`: as much as kubectl needs.
//!
//! kubectl asks the third version whether the server validates fields itself: whether `PATCH` of a
//! kind takes the query parameter `fieldValidation`. Answered with yes, it leaves validation to the
//! server and computes its patches from the types that it was built with, so no schemas are served.
//! Old clients read only the second version; without definitions in it they check nothing. Source:
//! `staging/src/k8s.io/kube-openapi/pkg/handler3` and
//! `staging/src/k8s.io/cli-runtime/pkg/resource/query_param_verifier_v3.go`.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use serde_json::{Value, json};

use super::discovery::{self, GroupVersion};
use super::registry::Resource;
use super::version::GIT_VERSION;

/// The content type of the second version. Clients ask for `v2@v1.0`; an `@` in the answer is
/// something that Go cannot read.
pub(crate) const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

const TITLE: &str = "Kubernetes";

/// `GET /openapi/v3`: where the documents of the group versions are. Clients keep a document under
/// the hash in its URL.
pub(crate) fn index() -> Value {
    let mut paths = serde_json::Map::new();
    for version in discovery::group_versions() {
        let mut hasher = DefaultHasher::new();
        document_of(version).to_string().hash(&mut hasher);
        let path = path_of(version);
        let url = format!("/openapi/v3/{path}?hash={:016X}", hasher.finish());
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

/// `GET /openapi/v3/PATH`; `None` for what is not served.
pub(crate) fn document(path: &str) -> Option<Value> {
    let versions = discovery::group_versions();
    let version = versions
        .into_iter()
        .find(|version| path_of(*version) == path)?;
    Some(document_of(version))
}

/// `api/v1` or `apis/apps/v1`.
fn path_of(version: GroupVersion) -> String {
    let GroupVersion { group, version } = version;
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

fn document_of(version: GroupVersion) -> Value {
    let resources = discovery::of_version(version.group, version.version);
    let paths: serde_json::Map<String, Value> = resources
        .map(|resource| (object_path(version, resource), operations(resource)))
        .collect();
    json!({
        "openapi": "3.0.0",
        "info": {"title": TITLE, "version": GIT_VERSION},
        "paths": paths,
        "components": {"schemas": {}},
    })
}

fn object_path(version: GroupVersion, resource: &Resource) -> String {
    let namespace = if resource.is_namespaced() {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    format!(
        "/{}/{namespace}{}/{{name}}",
        path_of(version),
        resource.plural
    )
}

fn operations(resource: &Resource) -> Value {
    let parameter = |name: &str| {
        json!({
            "name": name,
            "in": "query",
            "schema": {"type": "string", "uniqueItems": true},
        })
    };
    let operation = json!({
        "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-group-version-kind": {
            "group": resource.group,
            "version": resource.version,
            "kind": resource.kind,
        },
    });
    json!({"patch": operation, "put": operation})
}

/// `GET /openapi/v2`: a `gnostic` document in protobuf with a name and nothing described.
pub(crate) fn empty_v2() -> Bytes {
    const SWAGGER: u8 = 1;
    const INFO: u8 = 2;
    const PATHS: u8 = 8;
    const INFO_TITLE: u8 = 1;
    const INFO_VERSION: u8 = 2;
    let mut info = field(INFO_TITLE, TITLE.as_bytes());
    info.extend(field(INFO_VERSION, GIT_VERSION.as_bytes()));
    let mut document = field(SWAGGER, b"2.0");
    document.extend(field(INFO, &info));
    document.extend(field(PATHS, b""));
    document.into()
}

/// A field of texts or bytes: its number with wire type 2, its length, its content. Nothing here
/// is longer than 127 bytes, which one byte can count.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len().min(127)).unwrap_or_default();
    let mut bytes = vec![number << 3 | 2, length];
    bytes.extend(&content[..usize::from(length)]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_index_leads_to_a_document() {
        let index = index();
        let paths = index["paths"].as_object().unwrap();
        assert!(paths.contains_key("api/v1") && paths.contains_key("apis/apps/v1"));
        for (path, entry) in paths {
            let url = entry["serverRelativeURL"].as_str().unwrap();
            assert!(
                url.starts_with(&format!("/openapi/v3/{path}?hash=")),
                "{url}"
            );
            assert!(document(path).is_some(), "{path}");
        }
        assert!(document("apis/nosuch/v1").is_none());
    }

    #[test]
    fn a_document_says_that_fields_are_validated_here() {
        let apps = document("apis/apps/v1").unwrap();
        let patch =
            &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
        let parameters = patch["parameters"].as_array().unwrap();
        assert!(
            parameters
                .iter()
                .any(|parameter| parameter["name"] == "fieldValidation")
        );
        assert_eq!(
            patch["x-kubernetes-group-version-kind"],
            json!({"group": "apps", "version": "v1", "kind": "Deployment"})
        );
    }

    #[test]
    fn the_second_version_is_a_document_with_a_name() {
        let bytes = empty_v2();
        assert_eq!(&bytes[..5], b"\x0a\x032.0");
        assert_eq!(bytes[5], 0x12, "info");
        let end = 7 + usize::from(bytes[6]);
        assert_eq!(&bytes[7..9 + TITLE.len()], b"\x0a\x0aKubernetes");
        assert_eq!(&bytes[end..], b"\x42\x00", "no paths");
    }
}
