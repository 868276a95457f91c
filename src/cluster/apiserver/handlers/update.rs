//! Replace, patch, and the small writes that go through a subresource: finalize and binding.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Call;
use super::create::{complain, decode};
use super::delete::remove_if_finished;
use super::read::present;
use crate::cluster::apiserver::patch::Patch;
use crate::cluster::apiserver::registry::{Admission, Decoded, Subresource, Writer};
use crate::cluster::apiserver::reply::Reply;
use crate::cluster::apiserver::{apply, body, schema};
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};
use crate::cluster::store::{Stored, Transaction};

/// Metadata that only the server writes.
const SERVER_OWNED: [&str; 5] = [
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generateName",
];

pub(super) fn replace(call: &Call<'_>, subresource: Option<Subresource>) -> Result<Reply, Refusal> {
    let mut object = body::object(call.resource, call.headers, call.body)?;
    body::locate(&mut object, call.path.namespace, call.path.name)?;
    let (object, mut warnings) = decode(call, object)?;
    let mut transaction = call.server.store.begin();
    let current = current(call, &transaction)?;
    let (object, more) = if subresource == Some(Subresource::Finalize) {
        let mut new = current.value.clone();
        new["spec"]["finalizers"] = object["spec"]["finalizers"].clone();
        (commit(call, &mut transaction, &current, new), Vec::new())
    } else {
        write(call, &mut transaction, &current, object, subresource)?
    };
    warnings.extend(more);
    Ok(present(call, &object).with_warnings(warnings))
}

pub(super) fn patch(call: &Call<'_>, subresource: Option<Subresource>) -> Result<Reply, Refusal> {
    let patch = Patch::parse(body::media_type(call.headers), call.body)?;
    let mut transaction = call.server.store.begin();
    let current = current(call, &transaction)?;
    let mut whole = current.value.clone();
    whole["apiVersion"] = call.resource.api_version().into();
    whole["kind"] = call.resource.kind.into();
    let mut patched = patch.apply_to(schema::of(call.resource), whole)?;
    body::check_type(call.resource, &patched)?;
    body::locate(&mut patched, call.path.namespace, call.path.name)?;
    let unfit = |why: &str| patch.unfit(&patched, why);
    let strategy = call.resource.strategy;
    let Decoded { object, unknown } = strategy
        .decode(call.resource, patched.clone())
        .map_err(|refusal| unfit(&refusal.message))?;
    let mut warnings = complain(call, &unknown).map_err(|why| unfit(&why))?;
    let (object, more) = write(call, &mut transaction, &current, object, subresource)?;
    warnings.extend(more);
    Ok(present(call, &object).with_warnings(warnings))
}

/// Assigns a pod to a node: the scheduler's only write.
pub(super) fn bind(call: &Call<'_>) -> Result<Reply, Refusal> {
    let binding = body::value("Binding", call.headers, call.body)?;
    let node = binding["target"]["name"].as_str().unwrap_or_default();
    let mut transaction = call.server.store.begin();
    let current = current(call, &transaction)?;
    let pod = &current.value;
    if pod["spec"]["nodeName"].is_string() {
        let taken = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        let name = meta::name(pod).to_owned();
        return Err(refusal::conflict(
            call.resource.subject(&name),
            &format!("pod {name} is already assigned to node \"{taken}\""),
        ));
    }
    let mut new = pod.clone();
    new["spec"]["nodeName"] = node.into();
    let scheduled = json!({
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": null,
        "lastTransitionTime": super::create::now(),
        "observedGeneration": meta::generation(pod),
    });
    set_condition(&mut new, scheduled);
    commit(call, &mut transaction, &current, new);
    Ok(Reply::json(&json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }))
    .with_code(http::StatusCode::CREATED))
}

fn set_condition(object: &mut Value, condition: Value) {
    let conditions = meta::child(object, "status")
        .entry("conditions")
        .or_insert(json!([]));
    if let Value::Array(conditions) = conditions {
        conditions.retain(|existing| existing["type"] != condition["type"]);
        conditions.push(condition);
    }
}

/// The object that the path names.
pub(super) fn current(
    call: &Call<'_>,
    transaction: &Transaction<'_>,
) -> Result<Arc<Stored>, Refusal> {
    let key = call.key();
    transaction
        .get(call.resource.collection, &key)
        .ok_or_else(|| refusal::not_found(call.resource.subject(&key.name)))
}

/// Stores an update; what it changes is owned by who writes it.
pub(super) fn write(
    call: &Call<'_>,
    transaction: &mut Transaction<'_>,
    current: &Arc<Stored>,
    mut new: Value,
    subresource: Option<Subresource>,
) -> Result<(Arc<Stored>, Vec<String>), Refusal> {
    call.claim(subresource)
        .update(Some(&current.value), &mut new);
    write_claimed(call, transaction, current, new, subresource)
}

/// Checks an update whose owners are recorded against the current object and stores it.
pub(super) fn write_claimed(
    call: &Call<'_>,
    transaction: &mut Transaction<'_>,
    current: &Arc<Stored>,
    mut new: Value,
    subresource: Option<Subresource>,
) -> Result<(Arc<Stored>, Vec<String>), Refusal> {
    let asked = meta::resource_version(&new);
    if !asked.is_empty() && asked != meta::resource_version(&current.value) {
        return Err(refusal::stale(
            call.resource.subject(meta::name(&current.value)),
        ));
    }
    if meta::uid(&new).is_empty() {
        meta::carry(&mut new, &current.value, "uid");
    }
    for key in SERVER_OWNED.into_iter().filter(|key| *key != "uid") {
        meta::carry(&mut new, &current.value, key);
    }
    meta::carry(&mut new, &current.value, "resourceVersion");
    let writer = match subresource {
        Some(Subresource::Status) => Writer::Status,
        _ => Writer::Main,
    };
    let mut admission = Admission {
        transaction,
        settings: &call.server.settings,
        dry_run: call.options.write.dry_run,
        warnings: Vec::new(),
    };
    let strategy = call.resource.strategy;
    let mut new = strategy.update(call.resource, writer, new, &current.value, &mut admission)?;
    let warnings = admission.warnings;
    apply::ignore_times(&mut new, &current.value);
    Ok((commit(call, transaction, current, new), warnings))
}

/// Stores the new state, or removes the object when nothing holds it any longer. A write that
/// changes nothing keeps the revision and wakes nobody.
pub(super) fn commit(
    call: &Call<'_>,
    transaction: &mut Transaction<'_>,
    current: &Arc<Stored>,
    new: Value,
) -> Arc<Stored> {
    if call.options.write.dry_run {
        return Arc::new(Stored::new(current.revision, new));
    }
    if new == current.value {
        return current.clone();
    }
    let key = call.key();
    if meta::is_terminating(&new) {
        // The last write of a terminating object is its removal; watches see nothing else of it.
        let last = Arc::new(Stored::new(current.revision, new.clone()));
        if remove_if_finished(transaction, call.resource, &key, &last).is_some() {
            return last;
        }
    }
    transaction.put(call.resource.collection, key, new)
}
