//! Server-side apply.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::Call;
use super::create::{decode, insert_claimed};
use super::read::present;
use super::update::{current, write_claimed};
use crate::cluster::apiserver::options::Options;
use crate::cluster::apiserver::registry::{Decoded, Subresource};
use crate::cluster::apiserver::reply::Reply;
use crate::cluster::apiserver::{body, text};
use crate::cluster::object::refusal::{self, FieldError, Refusal, Subject};
use crate::cluster::store::{Stored, Transaction};

/// Applies a configuration to an object, or to nothing, which creates it.
pub(super) fn apply(call: &Call<'_>, subresource: Option<Subresource>) -> Result<Reply, Refusal> {
    let resource = call.resource;
    let mut configuration = configuration(call, &resource.api_version(), resource.kind)?;
    body::locate(&mut configuration, call.path.namespace, call.path.name)?;
    let Decoded { unknown, .. } = resource.strategy.decode(resource, configuration.clone())?;
    call.claim(subresource).check(&configuration, &unknown)?;
    let mut transaction = call.server.store.begin();
    match current(call, &transaction) {
        Ok(current) => {
            let (object, warnings) = lay_over(
                call,
                &mut transaction,
                &current,
                &configuration,
                subresource,
            )?;
            Ok(present(call, &object).with_warnings(warnings))
        }
        Err(_) if subresource.is_none() => {
            drop(transaction);
            create(call, &configuration)
        }
        Err(missing) => Err(missing),
    }
}

fn create(call: &Call<'_>, configuration: &Value) -> Result<Reply, Refusal> {
    let object = call
        .claim(None)
        .apply(None, configuration, call.options.write.force)?;
    let (object, mut warnings) = decode(call, object)?;
    let (object, more) = insert_claimed(call, object)?;
    warnings.extend(more);
    let reply = present(call, &object).with_code(StatusCode::CREATED);
    Ok(reply.with_warnings(warnings))
}

/// Lays a configuration over the current object and stores the result.
pub(super) fn lay_over(
    call: &Call<'_>,
    transaction: &mut Transaction<'_>,
    current: &Arc<Stored>,
    configuration: &Value,
    subresource: Option<Subresource>,
) -> Result<(Arc<Stored>, Vec<String>), Refusal> {
    let claim = call.claim(subresource);
    let object = claim.apply(
        Some(&current.value),
        configuration,
        call.options.write.force,
    )?;
    let (object, mut warnings) = decode(call, object)?;
    let (object, more) = write_claimed(call, transaction, current, object, subresource)?;
    warnings.extend(more);
    Ok((object, warnings))
}

/// The configuration in the body, of the type that the URL names.
pub(super) fn configuration(
    call: &Call<'_>,
    api_version: &str,
    kind: &str,
) -> Result<Value, Refusal> {
    check_manager(&call.options)?;
    let configuration = text::yaml(call.body)
        .map_err(|why| refusal::bad_request(format!("error decoding YAML: {why}")))?;
    let given = |key: &str| configuration[key].as_str().unwrap_or_default();
    if given("apiVersion") == api_version && given("kind") == kind {
        return Ok(configuration);
    }
    let version = given("apiVersion");
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    Err(refusal::bad_request(format!(
        "invalid object type: {group}/{version}, Kind={}",
        given("kind")
    )))
}

/// An applier must say who it is.
fn check_manager(options: &Options) -> Result<(), Refusal> {
    if options.write.field_manager.is_some() {
        return Ok(());
    }
    let subject = Subject {
        group: "meta.k8s.io",
        kind: "PatchOptions",
        name: "",
    };
    let error = FieldError::required("fieldManager", "is required for apply patch");
    Err(refusal::invalid(subject, &[error]))
}
