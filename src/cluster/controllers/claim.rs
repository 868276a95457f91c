//! Claiming: which objects an owner controls, by adoption and release. Deployments claim
//! `ReplicaSet`s, `ReplicaSet`s claim pods, by the same rules.
//!
//! Source: `pkg/controller/controller_ref_manager.go`.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, Patch, PatchParams};
use kube::{Error, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::refused;
use crate::cluster::object::label_selector::LabelSelector;

/// What an owner does about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// It is the owner's and matches.
    Keep,
    /// It is nobody's and matches.
    Adopt,
    /// It is the owner's and no longer matches.
    Release,
    /// It is none of the owner's business.
    Leave,
}

/// The reference of the controller of an object.
pub(crate) fn controller<K: Resource>(object: &K) -> Option<&OwnerReference> {
    object
        .owner_references()
        .iter()
        .find(|owner| owner.controller == Some(true))
}

/// Whether an object is controlled by the owner with a uid.
pub(crate) fn is_controlled_by<K: Resource>(object: &K, uid: &str) -> bool {
    controller(object).is_some_and(|owner| owner.uid == uid)
}

/// The objects among the candidates that an owner controls in the end.
///
/// Returns `None` where the owner was deleted, or replaced by another of its name, before it could
/// adopt: the pass that asked is about an owner of the past.
///
/// # Errors
/// What the API server answered to a read or a patch.
pub(crate) async fn claim<O, K>(
    owner: &O,
    selector: &LabelSelector,
    owners: &Api<O>,
    objects: &Api<K>,
    candidates: Vec<K>,
) -> Result<Option<Vec<K>>, Error>
where
    O: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let mut claimed = Vec::with_capacity(candidates.len());
    let mut may_adopt = None;
    for object in candidates {
        match decide(owner, selector, &object) {
            Decision::Keep => claimed.push(object),
            Decision::Leave => {}
            Decision::Release => release(owner, objects, &object).await?,
            Decision::Adopt => {
                if may_adopt.is_none() {
                    may_adopt = Some(is_still_there(owner, owners).await?);
                }
                if may_adopt == Some(false) {
                    return Ok(None);
                }
                claimed.extend(adopt(owner, objects, &object).await?);
            }
        }
    }
    Ok(Some(claimed))
}

fn decide<O: Resource, K: Resource>(owner: &O, selector: &LabelSelector, object: &K) -> Decision {
    let matches = selector.matches(object.meta().labels.as_ref());
    let owner_goes = owner.meta().deletion_timestamp.is_some();
    let object_goes = object.meta().deletion_timestamp.is_some();
    match controller(object) {
        Some(reference) if Some(&reference.uid) != owner.meta().uid.as_ref() => Decision::Leave,
        Some(_) if matches => Decision::Keep,
        Some(_) if owner_goes => Decision::Leave,
        Some(_) => Decision::Release,
        None if matches && !owner_goes && !object_goes => Decision::Adopt,
        None => Decision::Leave,
    }
}

async fn is_still_there<O>(owner: &O, owners: &Api<O>) -> Result<bool, Error>
where
    O: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let now = owners.get_opt(&owner.name_any()).await?;
    Ok(now.is_some_and(|now| {
        now.meta().uid == owner.meta().uid && now.meta().deletion_timestamp.is_none()
    }))
}

async fn adopt<O, K>(owner: &O, objects: &Api<K>, object: &K) -> Result<Option<K>, Error>
where
    O: Resource<DynamicType = ()>,
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let mut owners = object.owner_references().to_vec();
    owners.extend(reference(owner));
    match write_owners(objects, object, &owners).await {
        Ok(adopted) => Ok(Some(adopted)),
        Err(error) if refused::is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn release<O, K>(owner: &O, objects: &Api<K>, object: &K) -> Result<(), Error>
where
    O: Resource,
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let mut owners = object.owner_references().to_vec();
    owners.retain(|reference| Some(&reference.uid) != owner.meta().uid.as_ref());
    match write_owners(objects, object, &owners).await {
        // Gone, or not the same object any more: released all the same.
        Err(error) if !refused::is_not_found(&error) && !refused::is_invalid(&error) => Err(error),
        _ => Ok(()),
    }
}

/// The reference by which an owner controls what it makes.
pub(crate) fn reference<O: Resource<DynamicType = ()>>(owner: &O) -> Option<OwnerReference> {
    let mut reference = owner.controller_owner_ref(&())?;
    reference.block_owner_deletion = Some(true);
    Some(reference)
}

async fn write_owners<K>(
    objects: &Api<K>,
    object: &K,
    owners: &[OwnerReference],
) -> Result<K, Error>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let patch = Patch::Merge(json!({
        "metadata": {
            "uid": object.uid(),
            // The whole list is replaced, so nobody may have changed it meanwhile.
            "resourceVersion": object.resource_version(),
            "ownerReferences": owners,
        },
    }));
    objects
        .patch(&object.name_any(), &PatchParams::default(), &patch)
        .await
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::ReplicaSet;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{Value, from_value};

    use super::*;

    #[test]
    fn an_owner_keeps_adopts_releases_or_leaves() {
        let selector = LabelSelector::parse("app=web").unwrap();
        let ours = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs",
            "uid": "u", "controller": true}]);
        let theirs = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs",
            "uid": "other", "controller": true}]);
        let nobody = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u"}]);
        let gone = json!("2026-01-01T00:00:00Z");
        for (owners, app, owner_goes, object_goes, decision) in [
            (&ours, "web", false, false, Decision::Keep),
            (&ours, "web", true, true, Decision::Keep),
            (&ours, "api", false, false, Decision::Release),
            (&ours, "api", true, false, Decision::Leave),
            (&theirs, "web", false, false, Decision::Leave),
            (&Value::Null, "web", false, false, Decision::Adopt),
            (&nobody, "web", false, false, Decision::Adopt),
            (&Value::Null, "web", true, false, Decision::Leave),
            (&Value::Null, "web", false, true, Decision::Leave),
            (&Value::Null, "api", false, false, Decision::Leave),
        ] {
            let deletion = |goes: bool| if goes { gone.clone() } else { Value::Null };
            let owner: ReplicaSet = from_value(json!({
                "metadata": {"name": "rs", "uid": "u", "deletionTimestamp": deletion(owner_goes)},
            }))
            .unwrap();
            let pod: Pod = from_value(json!({"metadata": {
                "labels": {"app": app},
                "ownerReferences": owners,
                "deletionTimestamp": deletion(object_goes),
            }}))
            .unwrap();
            assert_eq!(
                decide(&owner, &selector, &pod),
                decision,
                "{owners} {app} {owner_goes} {object_goes}"
            );
        }
    }
}
