//! Get and list.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Call;
use super::update::current;
use crate::cluster::apiserver::negotiate::Form;
use crate::cluster::apiserver::options::{Options, Revision};
use crate::cluster::apiserver::registry::Resource;
use crate::cluster::apiserver::reply::{self, Reply};
use crate::cluster::apiserver::table;
use crate::cluster::apiserver::text;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};
use crate::cluster::store::{Key, Stored};

/// Continue tokens, read as generously as Go reads them.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

pub(super) fn get(call: &Call<'_>) -> Result<Reply, Refusal> {
    Ok(present(call, &*current(call, &call.server.store.begin())?))
}

/// One object in the form that the client asked for.
pub(super) fn present(call: &Call<'_>, object: &Stored) -> Reply {
    match call.form {
        Form::Plain => Reply::object(call.resource, object),
        Form::Metadata => Reply::json(&table::partial_metadata(&object.value)),
        Form::Table => {
            let metadata = json!({"resourceVersion": meta::resource_version(&object.value)});
            Reply::json(&rows(call, std::iter::once(object), metadata, true))
        }
    }
}

/// Some objects as a table.
pub(super) fn rows<'a>(
    call: &Call<'_>,
    objects: impl Iterator<Item = &'a Stored>,
    metadata: Value,
    with_columns: bool,
) -> Value {
    table::table(
        call.resource.strategy.printer(),
        &call.resource.api_version(),
        call.resource.kind,
        objects,
        call.options.include_object,
        metadata,
        with_columns,
    )
}

pub(super) fn list(call: &Call<'_>) -> Result<Reply, Refusal> {
    check_fields(call.resource, &call.options)?;
    let asked = call.options.revision()?;
    let start = call
        .options
        .continue_token
        .as_deref()
        .map(Page::decode)
        .transpose()?;
    let namespace = call.path.namespace;
    let transaction = call.server.store.begin();
    let current = transaction.revision();
    check_revision(asked, current)?;
    let matching = transaction
        .list(call.resource.collection, namespace)
        .filter(|(key, _)| {
            start
                .as_ref()
                .is_none_or(|page| page.is_before(key, namespace))
        })
        .filter(|(_, object)| is_selected(call.resource, &call.options, &object.value));
    let mut objects: Vec<Arc<Stored>> = Vec::new();
    let mut metadata = json!({"resourceVersion": current.to_string()});
    let mut remaining = 0;
    let mut last_key = None;
    for (key, object) in matching {
        if call
            .options
            .limit
            .is_some_and(|limit| objects.len() >= limit)
        {
            remaining += 1;
        } else {
            last_key = Some(key);
            objects.push(object.clone());
        }
    }
    if remaining > 0
        && let Some(key) = last_key
    {
        metadata["continue"] = Page::after(key, namespace, current).encode().into();
        if call.options.labels.is_empty() && call.options.fields.fields().next().is_none() {
            metadata["remainingItemCount"] = remaining.into();
        }
    }
    drop(transaction);
    let objects_of = || objects.iter().map(Arc::as_ref);
    Ok(match call.form {
        Form::Plain => Reply::bytes(reply::list(call.resource, &metadata, &objects)),
        Form::Table => Reply::json(&rows(call, objects_of(), metadata, true)),
        Form::Metadata => Reply::json(&json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": objects_of().map(|o| table::partial_metadata(&o.value)).collect::<Vec<_>>(),
        })),
    })
}

/// Whether the selectors of a request let an object through.
pub(super) fn is_selected(resource: &Resource, options: &Options, object: &Value) -> bool {
    options.labels.matches_object(object)
        && options
            .fields
            .matches(|field| resource.strategy.field(object, field))
}

/// Refuses field selectors on fields that the kind does not offer.
pub(super) fn check_fields(resource: &Resource, options: &Options) -> Result<(), Refusal> {
    let offered = resource.strategy.fields();
    let is_known = |name: &str| {
        matches!(name, "metadata.name" | "metadata.namespace") || offered.contains(&name)
    };
    match options.fields.fields().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) if offered.is_empty() => Err(refusal::bad_request(format!(
            "\"{name}\" is not a known field selector: only \"metadata.name\", \
             \"metadata.namespace\""
        ))),
        Some(name) => Err(refusal::bad_request(format!(
            "field label not supported: {name}"
        ))),
    }
}

/// This server keeps no old states, so only the newest revision can be read.
fn check_revision(asked: Revision, current: u64) -> Result<(), Refusal> {
    match asked {
        Revision::NotOlderThan(revision) | Revision::Exact(revision) if revision > current => {
            Err(refusal::too_large_resource_version(revision, current))
        }
        Revision::Exact(revision) if revision < current => Err(refusal::expired(
            "The resourceVersion for the provided list is too old.",
        )),
        _ => Ok(()),
    }
}

/// Where the next page begins. Source: `staging/src/k8s.io/apiserver/pkg/storage/continue.go`.
#[derive(Serialize, Deserialize)]
struct Page {
    v: String,
    rv: u64,
    /// `/NAME` of the last object shown, with its namespace before it where the list spans all,
    /// and a NUL behind it.
    start: String,
}

impl Page {
    fn after(key: &Key, namespace: Option<&str>, revision: u64) -> Self {
        let start = if namespace.is_some() || key.namespace.is_empty() {
            format!("/{}\0", key.name)
        } else {
            format!("/{}/{}\0", key.namespace, key.name)
        };
        Self {
            v: "meta.k8s.io/v1".to_owned(),
            rv: revision,
            start,
        }
    }

    fn encode(&self) -> String {
        BASE64.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    fn decode(token: &str) -> Result<Self, Refusal> {
        let broken = |why: String| refusal::bad_request(format!("invalid continue token: {why}"));
        let json = BASE64
            .decode(token.trim_end_matches('='))
            .map_err(|error| broken(format!("continue key is not valid: {error}")))?;
        let page: Self = serde_json::from_slice(&json).map_err(|error| {
            let why = text::explain(&json, &error);
            broken(format!("continue key is not valid: {why}"))
        })?;
        if page.start.starts_with('/') && page.start.ends_with('\0') {
            return Ok(page);
        }
        Err(broken(
            "continue key is not valid: it names no object".to_owned(),
        ))
    }

    fn is_before(&self, key: &Key, namespace: Option<&str>) -> bool {
        let last = self.start.trim_start_matches('/').trim_end_matches('\0');
        let last = match (namespace, last.split_once('/')) {
            (Some(namespace), _) => Key::new(namespace, last),
            (None, Some((namespace, name))) => Key::new(namespace, name),
            (None, None) => Key::new("", last),
        };
        last < *key
    }
}
