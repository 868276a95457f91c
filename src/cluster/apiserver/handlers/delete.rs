//! Delete, gracefully where the kind asks for it.
//!
//! Source: `staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go`, `Delete`, and
//! `staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go`, `BeforeDelete`.

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::create::now;
use super::read::{check_fields, is_selected};
use crate::cluster::apiserver::body;
use crate::cluster::apiserver::registry::{Resource, Scope};
use crate::cluster::apiserver::reply::{self, Reply};
use crate::cluster::clock;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};
use crate::cluster::store::{Key, Stored, Transaction};

/// Namespaces that the cluster itself needs.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// The body of a delete; the query says the same for clients that send no body.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeleteOptions {
    grace_period_seconds: Option<i64>,
    propagation_policy: Option<String>,
    orphan_dependents: Option<bool>,
    preconditions: Preconditions,
    dry_run: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

/// What became of a deleted object.
enum Outcome {
    Gone(Arc<Stored>),
    /// It stays until its grace period is over or its finalizers are removed.
    Going(Arc<Stored>),
}

pub(super) fn delete(call: &Call<'_>) -> Result<Reply, Refusal> {
    let options = options(call)?;
    let key = call.key();
    let mut transaction = call.server.store.begin();
    let outcome = delete_one(&mut transaction, call.resource, &key, &options)?;
    Ok(match outcome {
        Outcome::Going(object) => Reply::object(call.resource, &object),
        Outcome::Gone(object) if call.resource.returns_deleted => {
            Reply::object(call.resource, &object)
        }
        Outcome::Gone(object) => Reply::json(&json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details(call.resource, &object.value),
        })),
    })
}

pub(super) fn delete_collection(call: &Call<'_>) -> Result<Reply, Refusal> {
    check_fields(call.resource, &call.options)?;
    let options = options(call)?;
    let mut transaction = call.server.store.begin();
    let keys: Vec<Key> = transaction
        .list(call.resource.collection, call.path.namespace)
        .filter(|(_, object)| is_selected(call.resource, &call.options, &object.value))
        .map(|(key, _)| key.clone())
        .collect();
    let mut deleted = Vec::with_capacity(keys.len());
    for key in keys {
        match delete_one(&mut transaction, call.resource, &key, &options)? {
            Outcome::Gone(object) | Outcome::Going(object) => deleted.push(object),
        }
    }
    let metadata = json!({"resourceVersion": transaction.revision().to_string()});
    Ok(Reply::bytes(reply::list(
        call.resource,
        &metadata,
        &deleted,
    )))
}

fn details(resource: &Resource, object: &Value) -> Value {
    let mut details = json!({
        "name": meta::name(object),
        "kind": resource.plural,
        "uid": meta::uid(object),
    });
    if !resource.group.is_empty() {
        details["group"] = resource.group.into();
    }
    details
}

fn options(call: &Call<'_>) -> Result<DeleteOptions, Refusal> {
    let mut options: DeleteOptions = if call.body.is_empty() {
        DeleteOptions::default()
    } else {
        let sent = body::value("DeleteOptions", call.headers, call.body)?;
        serde_json::from_value(sent)
            .map_err(|error| refusal::bad_request(format!("reading DeleteOptions: {error}")))?
    };
    options.grace_period_seconds = options
        .grace_period_seconds
        .or(call.options.grace_period_seconds);
    options.propagation_policy = options
        .propagation_policy
        .or_else(|| call.options.propagation_policy.clone());
    if call.options.write.dry_run {
        options.dry_run.push("All".to_owned());
    }
    Ok(options)
}

fn delete_one(
    transaction: &mut Transaction<'_>,
    resource: &Resource,
    key: &Key,
    options: &DeleteOptions,
) -> Result<Outcome, Refusal> {
    let current = transaction
        .get(resource.collection, key)
        .ok_or_else(|| refusal::not_found(resource.subject(&key.name)))?;
    check_preconditions(resource, &current.value, &options.preconditions)?;
    let is_namespace = resource.scope == Scope::Cluster && resource.kind == "Namespace";
    if is_namespace && IMMORTAL.contains(&key.name.as_str()) {
        return Err(refusal::forbidden(
            resource.subject(&key.name),
            "this namespace may not be deleted",
        ));
    }
    let new = terminating(resource, &current.value, options);
    if !options.dry_run.is_empty() {
        return Ok(Outcome::Going(Arc::new(Stored::new(current.revision, new))));
    }
    if !holds(&new) && !meta::is_terminating(&current.value) && grace_of(&new) == 0 {
        // Nothing waits for it: it goes without ever having been seen as terminating.
        return Ok(transaction
            .remove(resource.collection, key)
            .map_or(Outcome::Going(current), Outcome::Gone));
    }
    let stored = if new == current.value {
        current
    } else {
        transaction.put(resource.collection, key.clone(), new)
    };
    Ok(
        match remove_if_finished(transaction, resource, key, &stored) {
            Some(last) => Outcome::Gone(last),
            None => Outcome::Going(stored),
        },
    )
}

/// The object with its deletion asked for: time, grace period, and the finalizer that the
/// propagation policy means.
fn terminating(resource: &Resource, current: &Value, options: &DeleteOptions) -> Value {
    let mut new = current.clone();
    let asked = options.grace_period_seconds;
    let grace = resource
        .strategy
        .grace_period(current, asked)
        .unwrap_or(0)
        .max(0);
    if meta::is_terminating(current) {
        // A second request can only shorten the first.
        if grace < grace_of(current) {
            meta::set(&mut new, "deletionGracePeriodSeconds", grace);
        }
    } else {
        let end = clock::timestamp() + SignedDuration::from_secs(grace);
        let end = if grace == 0 {
            now()
        } else {
            end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        meta::set(&mut new, "deletionTimestamp", end);
        if resource.kind != "Namespace" {
            meta::set(&mut new, "deletionGracePeriodSeconds", grace);
        }
        if resource.strategy.has_generation() {
            meta::set(&mut new, "generation", meta::generation(current) + 1);
        }
    }
    let policy = match (
        options.propagation_policy.as_deref(),
        options.orphan_dependents,
    ) {
        (Some("Foreground"), _) => Some("foregroundDeletion"),
        (Some("Orphan"), _) | (None, Some(true)) => Some("orphan"),
        _ => None,
    };
    if let Some(finalizer) = policy
        && !meta::finalizers(&new).any(|known| known == finalizer)
        && let Value::Array(finalizers) = meta::edit(&mut new)
            .entry("finalizers")
            .or_insert(json!([]))
    {
        finalizers.push(finalizer.into());
    }
    if resource.kind == "Namespace" {
        meta::child(&mut new, "status").insert("phase".to_owned(), "Terminating".into());
    }
    new
}

/// Removes an object that is terminating and that nothing holds; returns its last state.
pub(super) fn remove_if_finished(
    transaction: &mut Transaction<'_>,
    resource: &Resource,
    key: &Key,
    object: &Stored,
) -> Option<Arc<Stored>> {
    let finished = meta::is_terminating(&object.value)
        && !holds(&object.value)
        && grace_of(&object.value) == 0;
    finished
        .then(|| transaction.remove(resource.collection, key))
        .flatten()
}

/// Whether a finalizer, of the object or of a namespace's content, keeps an object.
fn holds(object: &Value) -> bool {
    meta::finalizers(object).next().is_some()
        || object["spec"]["finalizers"]
            .as_array()
            .is_some_and(|held| !held.is_empty())
}

fn grace_of(object: &Value) -> i64 {
    object["metadata"]["deletionGracePeriodSeconds"]
        .as_i64()
        .unwrap_or_default()
}

fn check_preconditions(
    resource: &Resource,
    current: &Value,
    preconditions: &Preconditions,
) -> Result<(), Refusal> {
    let refuse = |what: &str, asked: &str, record: &str| {
        let subject = crate::cluster::object::refusal::Subject {
            kind: resource.kind,
            ..resource.subject(meta::name(current))
        };
        Err(refusal::conflict(
            subject,
            &format!(
                "the {what} in the precondition ({asked}) does not match the {what} in record \
                 ({record}). The object might have been deleted and then recreated"
            ),
        ))
    };
    match preconditions {
        Preconditions { uid: Some(uid), .. } if uid != meta::uid(current) => {
            refuse("UID", uid, meta::uid(current))
        }
        Preconditions {
            resource_version: Some(version),
            ..
        } if version != meta::resource_version(current) => {
            refuse("ResourceVersion", version, meta::resource_version(current))
        }
        _ => Ok(()),
    }
}
