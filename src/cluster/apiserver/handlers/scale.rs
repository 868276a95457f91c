//! The scale subresource: an `autoscaling/v1` Scale in place of a Deployment or ReplicaSet.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector as Structured;
use serde_json::{Value, json};

use super::update::{current, write};
use super::{Call, apply};
use crate::cluster::apiserver::patch::Patch;
use crate::cluster::apiserver::registry::Subresource;
use crate::cluster::apiserver::reply::Reply;
use crate::cluster::apiserver::request::Verb;
use crate::cluster::apiserver::{body, schema};
use crate::cluster::object::label_selector::LabelSelector;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, FieldError, Refusal, Subject};

const API_VERSION: &str = "autoscaling/v1";
const KIND: &str = "Scale";

pub(super) fn scale(call: &Call<'_>, verb: Verb) -> Result<Reply, Refusal> {
    let mut transaction = call.server.store.begin();
    let object = current(call, &transaction)?;
    let present = scale_of(&object.value);
    let wanted = match verb {
        Verb::Update => body::value(KIND, call.headers, call.body)?,
        Verb::Patch if call.applies() => apply::configuration(call, API_VERSION, KIND)?,
        Verb::Patch => {
            let patch = Patch::parse(body::media_type(call.headers), call.body)?;
            patch.apply_to(&schema::SCALE, present)?
        }
        _ => return Ok(Reply::json(&present)),
    };
    let replicas = wanted["spec"]["replicas"].as_i64().unwrap_or_default();
    check_replicas(meta::name(&object.value), replicas)?;
    let part = Some(Subresource::Scale);
    let (stored, warnings) = if verb == Verb::Patch && call.applies() {
        let configuration = json!({
            "apiVersion": call.resource.api_version(),
            "kind": call.resource.kind,
            "spec": {"replicas": replicas},
        });
        apply::lay_over(call, &mut transaction, &object, &configuration, part)?
    } else {
        let mut new = object.value.clone();
        if let Some(version) = wanted["metadata"]["resourceVersion"].as_str() {
            meta::set(&mut new, "resourceVersion", version);
        }
        new["spec"]["replicas"] = replicas.into();
        write(call, &mut transaction, &object, new, part)?
    };
    Ok(Reply::json(&scale_of(&stored.value)).with_warnings(warnings))
}

fn check_replicas(name: &str, replicas: i64) -> Result<(), Refusal> {
    if replicas >= 0 {
        return Ok(());
    }
    let subject = Subject {
        group: "autoscaling",
        kind: KIND,
        name,
    };
    let error = FieldError::invalid(
        "spec.replicas",
        &replicas.into(),
        "must be greater than or equal to 0",
    );
    Err(refusal::invalid(subject, &[error]))
}

/// The Scale that stands for an object.
fn scale_of(object: &Value) -> Value {
    let count = |part: &str| object[part]["replicas"].as_i64().unwrap_or_default();
    let selector: Option<Structured> =
        serde_json::from_value(object["spec"]["selector"].clone()).ok();
    let selector = selector.map(|selector| LabelSelector::from_structured(&selector).to_string());
    let mut metadata = json!({});
    for key in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        metadata[key] = object["metadata"][key].clone();
    }
    // The number wanted is left out when it is zero, the present one is not.
    let spec = match count("spec") {
        0 => json!({}),
        replicas => json!({"replicas": replicas}),
    };
    json!({
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": metadata,
        "spec": spec,
        "status": {"replicas": count("status"), "selector": selector},
    })
}
