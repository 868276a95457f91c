//! The list `validation.txt`: `INPUT => CODE MESSAGE`.
//!
//! Most inputs are changes of a good object, written `KIND PATH=VALUE PATH=VALUE`, sent as a dry
//! run. The others are names of small scenes, which [`scene`] spells out.

use http::Method;
use serde_json::{Value, json};

use super::{Answer, mk_namespace, mk_server, post, recording, send};
use crate::cluster::apiserver::ApiServer;

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/vv/deployments";
const SERVICES: &str = "/api/v1/namespaces/vv/services";
const PODS: &str = "/api/v1/namespaces/vv/pods";

/// Inputs whose answer differs, and why.
const DIFFERENT: &[(&str, &str)] = &[(
    "pod spec immutable",
    "upstream appends a diff of its internal types, this server the fields that differ",
)];

fn mk_deployment() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "app:v1"}]},
            },
        },
    })
}

fn mk_service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    })
}

fn mk_pod() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "app:v1"}]},
    })
}

#[tokio::test]
async fn bad_input_is_refused_in_the_recorded_words() {
    let mut lines = recording!("validation.txt").lines().peekable();
    let mut failures = Vec::new();
    while let Some(line) = lines.next() {
        let (input, expected) = line.rsplit_once(" => ").unwrap();
        let mut warnings = Vec::new();
        while let Some(warning) = lines.next_if(|line| line.starts_with("Warning: ")) {
            warnings.push(warning.trim_start_matches("Warning: ").to_owned());
        }
        let server = mk_server([10, 97, 0, 0], 16);
        mk_namespace(&server, "vv").await;
        let answer = match changed(input) {
            Some((path, body)) => {
                let path = format!("{path}?dryRun=All");
                send(&server, Method::POST, &path, None, body.to_string()).await
            }
            None => scene(&server, input).await,
        };
        let got = summary(&answer);
        let is_expected = got == expected && warnings == answer.warnings;
        let is_different = DIFFERENT.iter().any(|(name, _)| *name == input);
        if is_expected == is_different {
            failures.push(format!("{input}\n  theirs {expected}\n  ours   {got}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// `201 OK Deployment`, or code and message of a refusal.
fn summary(answer: &Answer) -> String {
    let body = answer.json();
    let code = answer.status.as_u16();
    match body["message"].as_str() {
        Some(message) => format!("{code} {message}"),
        None => format!("{code} OK {}", body["kind"].as_str().unwrap_or_default()),
    }
}

/// A good object with changes; `None` for an input that is no list of changes.
fn changed(input: &str) -> Option<(&'static str, Value)> {
    let (kind, mut rest) = input.split_once(' ')?;
    let (path, mut object) = match kind {
        "Deployment" => (DEPLOYMENTS, mk_deployment()),
        "Service" => (SERVICES, mk_service()),
        "Pod" => (PODS, mk_pod()),
        _ => return None,
    };
    while let Some((field, value)) = rest.split_once('=') {
        if let Some(after) = value.strip_prefix("<absent>") {
            change(&mut object, field, None);
            rest = after.trim_start();
        } else {
            let mut values = serde_json::Deserializer::from_str(value).into_iter();
            let value_read: Value = values.next()?.ok()?;
            rest = value[values.byte_offset()..].trim_start();
            change(&mut object, field, Some(value_read));
        }
    }
    Some((path, object))
}

/// Sets or removes the value at `spec.containers.0.image`.
fn change(object: &mut Value, path: &str, value: Option<Value>) {
    let (parent, last) = path.rsplit_once('.').unwrap();
    let parent = parent
        .split('.')
        .fold(object, |value, segment| match segment.parse::<usize>() {
            Ok(index) => &mut value[index],
            Err(_) => &mut value[segment],
        });
    match value {
        Some(value) => parent[last] = value,
        None => {
            parent.as_object_mut().unwrap().remove(last);
        }
    }
}

/// The inputs that need more than one request, or another one.
async fn scene(server: &ApiServer, input: &str) -> Answer {
    let create = async |path: &str, body: &str| {
        send(server, Method::POST, path, None, body.to_owned()).await
    };
    let replace = async |path: &str, body: &Value| {
        send(server, Method::PUT, path, None, body.to_string()).await
    };
    let merge = async |path: &str, patch: Value| {
        let kind = Some("application/merge-patch+json");
        send(server, Method::PATCH, path, kind, patch.to_string()).await
    };
    let web = format!("{DEPLOYMENTS}/web");
    if let Some(status) = input.strip_prefix("status ") {
        let mut deployment = post(server, DEPLOYMENTS, &mk_deployment()).await;
        deployment["status"] = serde_json::from_str(status).unwrap();
        return replace(&format!("{web}/status"), &deployment).await;
    }
    if let Some(name) = input.strip_prefix("namespace ")
        && name != "change"
    {
        let namespace = json!({"metadata": {"name": name}});
        return create("/api/v1/namespaces", &namespace.to_string()).await;
    }
    match input {
        body if body.starts_with('{') => create(DEPLOYMENTS, body).await,
        "unknown fields fieldValidation=Strict" | "unknown fields fieldValidation=Ignore" => {
            let (_, query) = input.rsplit_once(' ').unwrap();
            let good = mk_deployment().to_string();
            let typo = good.replace("\"image\":\"app:v1\"", "\"image\":\"app:v1\",\"imag\":1");
            // The fields of `spec` come last, so that the second typo stands behind the first.
            let (_, spec) = typo.split_once("\"spec\":{").unwrap();
            let spec = spec.trim_end_matches('}');
            let body = format!(
                "{{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",\
                 \"metadata\":{{\"name\":\"web\"}},\"spec\":{{{spec}}}}},\"replica\":2}}}}"
            );
            create(&format!("{DEPLOYMENTS}?{query}"), &body).await
        }
        "duplicate field strict" => {
            let twice = "\"spec\":{\"replicas\":1,\"replicas\":2,";
            let body = mk_deployment()
                .to_string()
                .replace("\"spec\":{\"sel", &format!("{twice}\"sel"));
            create(&format!("{DEPLOYMENTS}?fieldValidation=Strict"), &body).await
        }
        "duplicate nodePort" => {
            let service = |name: &str, protocol: &str| {
                json!({
                    "metadata": {"name": name},
                    "spec": {"type": "NodePort", "ports": [
                        {"port": 80, "nodePort": 31777, "protocol": protocol},
                    ]},
                })
            };
            post(server, SERVICES, &service("np1", "TCP")).await;
            create(SERVICES, &service("np2", "UDP").to_string()).await
        }
        "change clusterIP" => {
            let mut service = mk_service();
            service["metadata"]["name"] = "np1".into();
            post(server, SERVICES, &service).await;
            let patch = json!({"spec": {"clusterIP": "10.96.7.7"}});
            merge(&format!("{SERVICES}/np1"), patch).await
        }
        "pod in missing ns" => {
            let pod = mk_pod().to_string();
            create("/api/v1/namespaces/nonex/pods", &pod).await
        }
        "pod spec immutable" => {
            post(server, PODS, &mk_pod()).await;
            let patch = json!({"spec": {"nodeName": "x", "hostname": "y"}});
            merge(&format!("{PODS}/p"), patch).await
        }
        _ => {
            let patch = match input {
                "uid change" => json!({"metadata": {"uid": "x"}}),
                "namespace change" => json!({"metadata": {"namespace": "other"}}),
                "generation ignored" => json!({"metadata": {"generation": 77}}),
                "to Recreate without clearing" => {
                    json!({"spec": {"strategy": {"type": "Recreate"}}})
                }
                "to Recreate clearing" => {
                    json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}})
                }
                "replicas null" => json!({"spec": {"replicas": null}}),
                other => panic!("no such scene: {other}"),
            };
            post(server, DEPLOYMENTS, &mk_deployment()).await;
            merge(&web, patch).await
        }
    }
}
