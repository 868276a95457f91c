//! Applying objects: server-side, strictly, one after the other.

use kube::api::{Api, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::core::GroupVersionKind;
use kube::discovery::{self, Scope};
use kube::{Client, ResourceExt as _};
use serde_json::json;

use super::manifest::Manifest;
use crate::history::record::Touched;

/// Who applies, as `managedFields` names it.
const MANAGER: &str = "rollout-lab";

/// Why an object could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The kind is not known to the cluster.
    #[error("{file}: the cluster knows no {api_version} {kind}; check apiVersion and kind")]
    UnknownKind {
        /// The manifest file.
        file: String,
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
    /// The manifest belongs elsewhere.
    #[error("{file}: {kind}/{name} is for namespace {given}, but the scenario's is {namespace}")]
    OtherNamespace {
        /// The manifest file.
        file: String,
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
        /// The namespace that it names.
        given: String,
        /// The scenario's namespace.
        namespace: String,
    },
    /// The object would outlive the scenario.
    #[error(
        "{file}: {kind}/{name} belongs to no namespace, so the scenario's clean-up would leave it \
         behind; a lab applies namespaced objects only"
    )]
    NotNamespaced {
        /// The manifest file.
        file: String,
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
    },
    /// The API said no.
    #[error("{file}: could not apply {kind}/{name}: {why}")]
    Refused {
        /// The manifest file.
        file: String,
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
        /// The answer of the API.
        why: String,
    },
}

/// The words of an API error, without its whole `Status`.
#[must_use]
pub fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        other => other.to_string(),
    }
}

/// Applies one object to a namespace.
///
/// # Errors
/// [`ApplyError`], naming file and object.
pub async fn apply(
    client: &Client,
    namespace: &str,
    manifest: &Manifest,
) -> Result<Touched, ApplyError> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let file = manifest.file.clone();
    let (api_version, kind) = (
        text(&manifest.object["apiVersion"]),
        text(&manifest.object["kind"]),
    );
    let name = text(&manifest.object["metadata"]["name"]);
    let given = text(&manifest.object["metadata"]["namespace"]);
    if !given.is_empty() && given != namespace {
        let namespace = namespace.to_owned();
        return Err(ApplyError::OtherNamespace {
            file,
            kind,
            name,
            given,
            namespace,
        });
    }
    let refused = |error: kube::Error| ApplyError::Refused {
        file: file.clone(),
        kind: kind.clone(),
        name: name.clone(),
        why: words(&error),
    };
    let Some((api, scope)) = api(client, namespace, &api_version, &kind)
        .await
        .map_err(refused)?
    else {
        return Err(ApplyError::UnknownKind {
            file,
            api_version,
            kind,
        });
    };
    if scope == Scope::Cluster {
        return Err(ApplyError::NotNamespaced { file, kind, name });
    }
    let before = api.get_opt(&name).await.map_err(refused)?;
    let parameters = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(MANAGER).force()
    };
    let after = api
        .patch(&name, &parameters, &Patch::Apply(&manifest.object))
        .await
        .map_err(refused)?;
    let changed = before.is_none_or(|before| before.resource_version() != after.resource_version());
    Ok(Touched {
        kind,
        name,
        uid: after.uid().unwrap_or_default(),
        generation: after.metadata.generation.unwrap_or_default(),
        resource_version: after.resource_version().unwrap_or_default(),
        changed,
    })
}

/// The interface to a kind in a namespace; `None` for a kind that the cluster does not know.
async fn api(
    client: &Client,
    namespace: &str,
    api_version: &str,
    kind: &str,
) -> Result<Option<(Api<DynamicObject>, Scope)>, kube::Error> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let gvk = GroupVersionKind::gvk(group, version, kind);
    match discovery::pinned_kind(client, &gvk).await {
        Ok((resource, capabilities)) => {
            let api = Api::namespaced_with(client.clone(), namespace, &resource);
            Ok(Some((api, capabilities.scope)))
        }
        Err(kube::Error::Discovery(_)) => Ok(None),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the finalizers of a manifest off its object, if that still exists: nobody else will.
///
/// # Errors
/// The API does not answer, or refuses.
pub async fn release(
    client: &Client,
    namespace: &str,
    manifest: &Manifest,
) -> Result<(), kube::Error> {
    let text = |field: &serde_json::Value| field.as_str().unwrap_or_default().to_owned();
    let finalizers = finalizers(manifest);
    let object = &manifest.object;
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let name = text(&object["metadata"]["name"]);
    let Some((api, _)) = api(client, namespace, &api_version, &kind).await? else {
        return Ok(());
    };
    let Some(held) = api.get_opt(&name).await? else {
        return Ok(());
    };
    let kept: Vec<&String> = held
        .finalizers()
        .iter()
        .filter(|finalizer| !finalizers.contains(&finalizer.as_str()))
        .collect();
    let patch =
        json!({"metadata": {"finalizers": kept, "resourceVersion": held.resource_version()}});
    api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    Ok(())
}

/// The finalizers that a manifest sets.
pub fn finalizers(manifest: &Manifest) -> Vec<&str> {
    let finalizers = manifest.object["metadata"]["finalizers"].as_array();
    let texts = finalizers.into_iter().flatten();
    texts.filter_map(serde_json::Value::as_str).collect()
}
