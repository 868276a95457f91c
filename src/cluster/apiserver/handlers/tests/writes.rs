//! Bodies and patches of every form, and who owns what they write.

use serde_json::{Value, json};

use super::{Answer, mk_server, send};
use crate::cluster::apiserver::ApiServer;
use crate::cluster::apiserver::protobuf::tests::mk_bytes;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

const NAMESPACES: &str = "/api/v1/namespaces";
const CONFIGMAPS: &str = "/api/v1/namespaces/web/configmaps";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/web/deployments";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/web/deployments/web";

/// A body of `kubectl create` as it was on the wire.
macro_rules! kubectl_body {
    ($name:literal) => {
        mk_bytes(include_str!(concat!(
            "../../../../../tests/golden/protobuf/",
            $name,
            ".hex"
        )))
    };
}

/// A server with the namespace `web`.
async fn mk_server_with_namespace() -> ApiServer {
    let server = mk_server();
    let created = send(
        &server,
        "POST",
        NAMESPACES,
        PROTOBUF,
        kubectl_body!("namespace"),
    )
    .await;
    assert_eq!(created.code, 201, "{}", created.body);
    server
}

/// A server with the Deployment `web` of two replicas, made by `kubectl create`.
async fn mk_server_with_deployment() -> ApiServer {
    let server = mk_server_with_namespace().await;
    let path = format!("{DEPLOYMENTS}?fieldManager=kubectl-create");
    let created = send(
        &server,
        "POST",
        &path,
        PROTOBUF,
        kubectl_body!("deployment"),
    )
    .await;
    assert_eq!(created.code, 201, "{}", created.body);
    server
}

async fn patch(server: &ApiServer, path: &str, form: &str, change: &Value) -> Answer {
    send(server, "PATCH", path, form, change.to_string()).await
}

fn mk_configuration(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec})
}

#[track_caller]
fn assert_owns(object: &Value, manager: &str, path: &str, owns: bool) {
    let list = object["metadata"]["managedFields"].as_array().unwrap();
    let found = list
        .iter()
        .any(|entry| entry["manager"] == manager && entry["fieldsV1"].pointer(path).is_some());
    assert_eq!(found, owns, "{manager} and {path} in {list:?}");
}

#[tokio::test]
async fn kubectl_creates_with_protobuf() {
    let server = mk_server_with_deployment().await;
    for (path, body) in [
        (CONFIGMAPS, kubectl_body!("configmap")),
        ("/api/v1/namespaces/web/services", kubectl_body!("service")),
    ] {
        let created = send(&server, "POST", path, PROTOBUF, body).await;
        assert_eq!(created.code, 201, "{}", created.body);
    }
    let deployment = send(&server, "GET", DEPLOYMENT, "", "").await.body;
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_owns(&deployment, "kubectl-create", "/f:spec/f:replicas", true);

    let delete = [b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x02\x08\0".as_slice()].concat();
    let gone = send(&server, "DELETE", DEPLOYMENT, PROTOBUF, delete).await;
    assert_eq!(gone.code, 200, "{}", gone.body);
}

#[tokio::test]
async fn a_protobuf_body_of_another_kind_or_none_is_refused() {
    let server = mk_server_with_namespace().await;
    let other = send(
        &server,
        "POST",
        CONFIGMAPS,
        PROTOBUF,
        kubectl_body!("service"),
    )
    .await;
    assert_eq!(
        (other.code, &other.body["message"]),
        (
            400,
            &json!(
                "Service in version \"v1\" cannot be handled as a ConfigMap: converting \
                 (v1.Service) to (core.ConfigMap): unknown conversion"
            )
        )
    );
    let none = send(&server, "POST", CONFIGMAPS, PROTOBUF, "{}").await;
    assert_eq!(
        (none.code, &none.body["message"]),
        (
            400,
            &json!(
                "the object provided is unrecognized (must be of type ConfigMap): provided data \
                 does not appear to be a protobuf message, expected prefix [107 56 115 0] ({})"
            )
        )
    );
}

#[tokio::test]
async fn yaml_is_read_like_json() {
    let server = mk_server_with_namespace().await;
    let body = "metadata:\n  name: a\ndata:\n  key: \"yes\"\n";
    let created = send(&server, "POST", CONFIGMAPS, YAML, body).await;
    assert_eq!(
        (created.code, &created.body["data"]),
        (201, &json!({"key": "yes"}))
    );
    let path = format!("{CONFIGMAPS}/b?fieldManager=me");
    let body = "apiVersion: v1\nkind: ConfigMap\ndata: {k: v}\n";
    let applied = send(&server, "PATCH", &path, APPLY, body).await;
    assert_eq!(
        (applied.code, &applied.body["data"]),
        (201, &json!({"k": "v"}))
    );
    let broken = send(&server, "PATCH", &path, APPLY, "a: [1").await;
    assert_eq!(broken.code, 400);
    let said = broken.body["message"].as_str().unwrap();
    assert!(said.starts_with("error decoding YAML: "), "{said}");
}

#[tokio::test]
async fn a_strategic_patch_merges_containers_by_name() {
    let server = mk_server_with_deployment().await;
    let path = format!("{DEPLOYMENT}?fieldManager=kubectl-set");
    let container = json!({"name": "app", "image": "app:v2"});
    let change = json!({"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "app"}],
        "containers": [container],
    }}}});
    let patched = patch(&server, &path, STRATEGIC, &change).await;
    assert_eq!(patched.code, 200, "{}", patched.body);
    let container = &patched.body["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "app:v2");
    assert_eq!(container["ports"][0]["containerPort"], 80);
    let image = "/f:spec/f:template/f:spec/f:containers/k:{\"name\":\"app\"}/f:image";
    assert_owns(&patched.body, "kubectl-set", image, true);
    assert_owns(&patched.body, "kubectl-create", image, false);

    let again = patch(&server, &path, STRATEGIC, &change).await;
    assert_eq!(
        again.body, patched.body,
        "a patch that changes nothing is no write"
    );
}

#[tokio::test]
async fn unknown_fields_of_a_patch_are_warned_of_or_refused() {
    let server = mk_server_with_deployment().await;
    let change = json!({"spec": {"replica": 3}});
    let warned = patch(&server, DEPLOYMENT, STRATEGIC, &change).await;
    assert_eq!(warned.code, 200);
    assert_eq!(
        warned.warnings,
        ["299 - \"unknown field \\\"spec.replica\\\"\""]
    );
    let strict = format!("{DEPLOYMENT}?fieldValidation=Strict");
    let refused = patch(&server, &strict, STRATEGIC, &change).await;
    assert_eq!(
        (refused.code, &refused.body["message"]),
        (
            422,
            &json!(
                " \"\" is invalid: patch: Invalid value: \"map[spec:map[replica:3]]\": strict \
                 decoding error: unknown field \"spec.replica\""
            )
        )
    );
}

#[tokio::test]
async fn a_status_write_is_recorded_apart() {
    let server = mk_server_with_deployment().await;
    let path = format!("{DEPLOYMENT}/status?fieldManager=controller");
    let change = json!({
        "metadata": {"annotations": {"note": "x"}},
        "spec": {"replicas": 9},
        "status": {"replicas": 2, "conditions": [{"type": "Available", "status": "True"}]},
    });
    let written = patch(&server, &path, STRATEGIC, &change).await;
    assert_eq!(written.code, 200, "{}", written.body);
    let list = written.body["metadata"]["managedFields"]
        .as_array()
        .unwrap();
    let entry = list
        .iter()
        .find(|entry| entry["subresource"] == "status")
        .unwrap();
    assert_eq!(
        entry["fieldsV1"],
        json!({
            "f:metadata": {"f:annotations": {".": {}, "f:note": {}}},
            "f:status": {
                "f:conditions": {
                    ".": {},
                    "k:{\"type\":\"Available\"}": {".": {}, "f:status": {}, "f:type": {}},
                },
                "f:replicas": {},
            },
        })
    );
    assert_eq!(entry["manager"], "controller");
}

#[tokio::test]
async fn scaling_takes_the_replicas_over_and_an_apply_must_force_them_back() {
    let server = mk_server_with_deployment().await;
    let scale = format!("{DEPLOYMENT}/scale");
    let merge = "application/merge-patch+json";
    let path = format!("{scale}?fieldManager=scaler");
    let scaled = patch(&server, &path, merge, &json!({"spec": {"replicas": 5}})).await;
    assert_eq!(
        (scaled.code, &scaled.body["spec"]["replicas"]),
        (200, &json!(5))
    );

    let apply = format!("{DEPLOYMENT}?fieldManager=me");
    let three = mk_configuration(&json!({"replicas": 3}));
    let conflict = patch(&server, &apply, APPLY, &three).await;
    assert_eq!(
        (conflict.code, &conflict.body["message"]),
        (
            409,
            &json!(
                "Apply failed with 1 conflict: conflict with \"scaler\" with subresource \"scale\" \
                 using apps/v1: .spec.replicas"
            )
        )
    );
    let forced = patch(&server, &format!("{apply}&force=true"), APPLY, &three).await;
    assert_eq!(
        (forced.code, &forced.body["spec"]["replicas"]),
        (200, &json!(3))
    );

    let four = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 4}});
    let path = format!("{scale}?fieldManager=other");
    assert_eq!(patch(&server, &path, APPLY, &four).await.code, 409);
    let forced = patch(&server, &format!("{path}&force=true"), APPLY, &four).await;
    assert_eq!(
        (forced.code, &forced.body["spec"]["replicas"]),
        (200, &json!(4))
    );
    let deployment = send(&server, "GET", DEPLOYMENT, "", "").await.body;
    assert_owns(&deployment, "other", "/f:spec/f:replicas", true);
    assert_owns(&deployment, "me", "/f:spec/f:replicas", false);
}

#[tokio::test]
async fn an_apply_creates_once_and_then_changes_nothing() {
    let server = mk_server_with_namespace().await;
    let path = format!("{CONFIGMAPS}/a?fieldManager=me");
    let configuration = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"labels": {"x": "1"}},
        "data": {"k": "v"},
    });
    let created = patch(&server, &path, APPLY, &configuration).await;
    let again = patch(&server, &path, APPLY, &configuration).await;
    assert_eq!((created.code, again.code), (201, 200));
    assert_eq!(created.body, again.body);
    let missing = format!("{DEPLOYMENTS}/none/status?fieldManager=me");
    let missing = patch(&server, &missing, APPLY, &mk_configuration(&json!({}))).await;
    assert_eq!(missing.code, 404, "only the object itself can be created");
}

#[tokio::test]
async fn an_apply_of_another_kind_is_refused() {
    let server = mk_server_with_namespace().await;
    let path = format!("{CONFIGMAPS}/a?fieldManager=me");
    for (configuration, said) in [
        (
            mk_configuration(&json!({})),
            "invalid object type: apps/v1, Kind=Deployment",
        ),
        (json!({"data": {}}), "invalid object type: /, Kind="),
    ] {
        let refused = patch(&server, &path, APPLY, &configuration).await;
        assert_eq!(
            (refused.code, &refused.body["message"]),
            (400, &json!(said))
        );
    }
}

#[tokio::test]
async fn an_apply_with_fields_that_its_kind_lacks_is_refused() {
    let server = mk_server_with_namespace().await;
    let path = format!("{DEPLOYMENT}?fieldManager=me");
    let container = json!({"name": "c", "imag": "x"});
    let spec = json!({"template": {"spec": {"containers": [container]}}});
    let refused = patch(&server, &path, APPLY, &mk_configuration(&spec)).await;
    assert_eq!(
        (refused.code, &refused.body["message"]),
        (
            500,
            &json!(
                "failed to create typed patch object (web/web; apps/v1, Kind=Deployment): \
                 .spec.template.spec.containers[name=\"c\"].imag: field not declared in schema"
            )
        )
    );
}

#[tokio::test]
async fn a_generated_namespace_has_the_label_of_its_name() {
    let server = mk_server();
    let body = json!({"metadata": {"generateName": "lab-"}}).to_string();
    let created = send(&server, "POST", NAMESPACES, JSON, body).await.body;
    let label = &created["metadata"]["labels"]["kubernetes.io/metadata.name"];
    assert_eq!(*label, created["metadata"]["name"]);
}
