//! Create.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::Call;
use super::read::present;
use crate::cluster::apiserver::body;
use crate::cluster::apiserver::fields::{self, Field};
use crate::cluster::apiserver::options::FieldValidation;
use crate::cluster::apiserver::random_name;
use crate::cluster::apiserver::registry::{Admission, Decoded, NAMESPACES, Resource};
use crate::cluster::apiserver::reply::Reply;
use crate::cluster::clock;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};
use crate::cluster::store::{Key, Stored, Transaction};

pub(super) fn create(call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut object = body::object(call.resource, call.headers, call.body)?;
    body::locate(&mut object, call.path.namespace, call.path.name)?;
    let (object, mut warnings) = decode(call, object)?;
    let (object, more) = insert(call, object)?;
    warnings.extend(more);
    Ok(present(call, &object)
        .with_code(StatusCode::CREATED)
        .with_warnings(warnings))
}

/// Reads a body into the kind's form, and deals with unknown fields as the client wishes.
pub(super) fn decode(call: &Call<'_>, body: Value) -> Result<(Value, Vec<String>), Refusal> {
    let Decoded { object, unknown } = call.resource.strategy.decode(call.resource, body)?;
    let warnings = complain(call, &unknown).map_err(|error| {
        refusal::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: {error}",
            kind = call.resource.kind,
            version = call.resource.version,
        ))
    })?;
    Ok((object, warnings))
}

/// The warnings that the client gets for fields that its kind does not have.
///
/// # Errors
/// The client wants such fields refused.
pub(super) fn complain(call: &Call<'_>, unknown: &[String]) -> Result<Vec<String>, String> {
    let complaints = complaints(call.body, unknown);
    match call.options.write.field_validation {
        FieldValidation::Strict if !complaints.is_empty() => {
            Err(format!("strict decoding error: {}", complaints.join(", ")))
        }
        FieldValidation::Warn => Ok(complaints),
        FieldValidation::Strict | FieldValidation::Ignore => Ok(Vec::new()),
    }
}

/// What strict decoding complains of, in the order of the body. A patch is not the object, so what
/// is unknown in its result stands behind.
fn complaints(body: &[u8], unknown: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Field { path, is_repeated } in fields::fields(body) {
        if is_repeated {
            complaints.push(format!("duplicate field \"{path}\""));
        } else if unknown.contains(&path) {
            complaints.push(format!("unknown field \"{path}\""));
        }
    }
    for path in unknown {
        let complaint = format!("unknown field \"{path}\"");
        if !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }
    complaints
}

/// Stores a decoded object, owned by its creator; returns it with the warnings of its admission.
pub(super) fn insert(
    call: &Call<'_>,
    mut object: Value,
) -> Result<(Arc<Stored>, Vec<String>), Refusal> {
    call.claim(None).update(None, &mut object);
    insert_claimed(call, object)
}

/// Stores a decoded object whose owners are recorded.
pub(super) fn insert_claimed(
    call: &Call<'_>,
    mut object: Value,
) -> Result<(Arc<Stored>, Vec<String>), Refusal> {
    generate_name(&mut object);
    for key in [
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ] {
        meta::edit(&mut object).remove(key);
    }
    meta::set(&mut object, "uid", uuid::Uuid::new_v4().to_string());
    meta::set(&mut object, "creationTimestamp", now());
    let name = meta::name(&object).to_owned();
    let key = Key::new(meta::namespace(&object), name.as_str());
    let mut transaction = call.server.store.begin();
    check_namespace(call.resource, &transaction, &key)?;
    let mut admission = Admission {
        transaction: &transaction,
        settings: &call.server.settings,
        dry_run: call.options.write.dry_run,
        warnings: Vec::new(),
    };
    let object = call
        .resource
        .strategy
        .create(call.resource, object, &mut admission)?;
    let warnings = admission.warnings;
    if transaction.get(call.resource.collection, &key).is_some() {
        return Err(refusal::already_exists(call.resource.subject(&name)));
    }
    let object = if call.options.write.dry_run {
        Arc::new(Stored::new(0, object))
    } else {
        transaction.put(call.resource.collection, key, object)
    };
    Ok((object, warnings))
}

/// The wall-clock time as metadata carries it.
pub(super) fn now() -> String {
    clock::timestamp()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Content needs a namespace that is there and stays.
fn check_namespace(
    resource: &Resource,
    transaction: &Transaction<'_>,
    key: &Key,
) -> Result<(), Refusal> {
    if !resource.is_namespaced() {
        return Ok(());
    }
    let home = Key::new("", key.namespace.as_str());
    match transaction.get(NAMESPACES.collection, &home) {
        Some(namespace) if meta::is_terminating(&namespace.value) => Err(
            refusal::namespace_terminating(resource.subject(&key.name), &key.namespace),
        ),
        Some(_) => Ok(()),
        None => Err(refusal::not_found(NAMESPACES.subject(&key.namespace))),
    }
}

fn generate_name(object: &mut Value) {
    let prefix = meta::text(object, "generateName");
    if meta::name(object).is_empty() && !prefix.is_empty() {
        let name = random_name::after(prefix);
        meta::set(object, "name", name);
    }
}
