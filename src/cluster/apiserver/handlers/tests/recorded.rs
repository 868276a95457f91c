//! Writes that were recorded from a real API server, made again here: the answers must be the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{mk_server, send};

/// Requests of writes, in order, with the answers of Kubernetes 1.36.2.
const WRITES: &str = include_str!("../../../../../tests/golden/api/writes.json");

/// What no two servers have in common.
const OWN: [&str; 5] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "time",
];

#[tokio::test]
async fn writes_are_answered_as_kubernetes_answers_them() {
    let server = mk_server();
    let recording: Value = serde_json::from_str(WRITES).unwrap();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for step in recording["steps"].as_array().unwrap() {
        let (request, response) = (&step["request"], &step["response"]);
        let text = |key: &str| request[key].as_str().unwrap_or_default();
        let mut body = match &request["body"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            object => object.to_string(),
        };
        for (theirs, ours) in &known {
            body = body.replace(theirs, ours);
        }
        let (method, path, content_type) = (text("method"), text("path"), text("contentType"));
        let mut answer = send(&server, method, path, content_type, body).await;
        let mut recorded = response["body"].clone();
        learn(&recorded, &answer.body, &mut known);
        redact(&mut recorded);
        redact(&mut answer.body);
        let what = format!("{method} {path}, {}", step["note"]);
        assert_eq!(answer.body, recorded, "{what}");
        assert_eq!(json!(answer.code), response["status"], "{what}");
        let warnings = response["warnings"].as_array().cloned().unwrap_or_default();
        assert_eq!(json!(answer.warnings), json!(warnings), "{what}");
    }
}

/// Notes which of our identities and revisions stand for recorded ones.
fn learn(theirs: &Value, ours: &Value, known: &mut BTreeMap<String, String>) {
    for key in ["uid", "resourceVersion"] {
        let quoted = |object: &Value| Some(format!("\"{}\"", object["metadata"][key].as_str()?));
        if let (Some(theirs), Some(ours)) = (quoted(theirs), quoted(ours)) {
            known.insert(theirs, ours);
        }
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("generateName") {
                fields.insert("name".to_owned(), "generated".into());
            }
            for (name, value) in fields {
                if OWN.contains(&name.as_str()) && value.is_string() {
                    *value = "own".into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}
