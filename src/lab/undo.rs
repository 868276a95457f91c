//! Undoing a rollout as kubectl does: the client finds the ReplicaSet of a revision and writes its
//! template back into the Deployment.
//!
//! Source: `staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollback.go`.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use super::apply::words;
use crate::history::record::Touched;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH_LABEL: &str = "pod-template-hash";
/// Annotations that stay with the Deployment; all others come from the ReplicaSet.
const KEPT: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// Why a rollout could not be undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The API said no.
    #[error("could not undo the rollout of deployment {deployment}: {why}")]
    Refused {
        /// The Deployment.
        deployment: String,
        /// The answer of the API.
        why: String,
    },
    /// The revision is not there.
    #[error(
        "deployment {deployment} has no {}; its revisions are {}",
        wanted.map_or("revision before the last".to_owned(), |wanted| format!("revision {wanted}")),
        known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    NoRevision {
        /// The Deployment.
        deployment: String,
        /// The revision asked for; `None` for the one before the last.
        wanted: Option<i64>,
        /// The revisions that are there.
        known: Vec<i64>,
    },
    /// A paused Deployment takes no rollback.
    #[error("deployment {deployment} is paused; resume it first")]
    Paused {
        /// The Deployment.
        deployment: String,
    },
}

/// Sets a Deployment back to a revision, or to the one before the last.
///
/// # Errors
/// [`UndoError`].
pub async fn undo(
    client: &Client,
    namespace: &str,
    name: &str,
    revision: Option<i64>,
) -> Result<Touched, UndoError> {
    let refused = |error: kube::Error| UndoError::Refused {
        deployment: name.to_owned(),
        why: words(&error),
    };
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let deployment = deployments.get(name).await.map_err(refused)?;
    if deployment
        .spec
        .as_ref()
        .is_some_and(|spec| spec.paused == Some(true))
    {
        return Err(UndoError::Paused {
            deployment: name.to_owned(),
        });
    }
    let replicasets: Api<ReplicaSet> = Api::namespaced(client.clone(), namespace);
    let all = replicasets
        .list(&ListParams::default())
        .await
        .map_err(refused)?;
    let uid = deployment.uid().unwrap_or_default();
    let own: BTreeMap<i64, &ReplicaSet> = all
        .iter()
        .filter(|replicaset| {
            replicaset
                .owner_references()
                .iter()
                .any(|owner| owner.uid == uid)
        })
        .filter_map(|replicaset| {
            Some((
                replicaset.annotations().get(REVISION)?.parse().ok()?,
                replicaset,
            ))
        })
        .collect();
    let target = match revision {
        Some(revision) => own.get(&revision),
        None => own.values().rev().nth(1),
    };
    let Some(target) = target else {
        return Err(UndoError::NoRevision {
            deployment: name.to_owned(),
            wanted: revision,
            known: own.keys().copied().collect(),
        });
    };
    let operations = operations(&deployment, target);
    let patch: json_patch::Patch =
        serde_json::from_value(operations).map_err(|error| UndoError::Refused {
            deployment: name.to_owned(),
            why: error.to_string(),
        })?;
    let after = deployments
        .patch(name, &PatchParams::default(), &Patch::Json::<()>(patch))
        .await
        .map_err(refused)?;
    Ok(Touched {
        kind: "Deployment".to_owned(),
        name: name.to_owned(),
        uid,
        generation: after.metadata.generation.unwrap_or_default(),
        resource_version: after.resource_version().unwrap_or_default(),
        changed: after.metadata.generation != deployment.metadata.generation,
    })
}

/// The JSON patch that kubectl sends.
fn operations(deployment: &Deployment, target: &ReplicaSet) -> Value {
    let mut template: PodTemplateSpec = target
        .spec
        .as_ref()
        .and_then(|spec| spec.template.clone())
        .unwrap_or_default();
    if let Some(labels) = template
        .metadata
        .as_mut()
        .and_then(|metadata| metadata.labels.as_mut())
    {
        labels.remove(HASH_LABEL);
    }
    let of_deployment = deployment
        .annotations()
        .iter()
        .filter(|(key, _)| KEPT.contains(&key.as_str()));
    let of_replicaset = target
        .annotations()
        .iter()
        .filter(|(key, _)| !KEPT.contains(&key.as_str()));
    let annotations: BTreeMap<&String, &String> = of_deployment.chain(of_replicaset).collect();
    json!([
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    #[test]
    fn the_template_comes_back_without_its_hash_and_with_the_right_annotations() {
        let deployment: Deployment = from_value(json!({
            "metadata": {"annotations": {REVISION: "2", "team": "new"}},
        }))
        .unwrap();
        let replicaset: ReplicaSet = from_value(json!({
            "metadata": {"annotations": {REVISION: "1", "team": "old"}},
            "spec": {
                "selector": {},
                "template": {"metadata": {"labels": {"app": "web", HASH_LABEL: "abc"}}},
            },
        }))
        .unwrap();
        let operations = operations(&deployment, &replicaset);
        assert_eq!(
            operations[0]["value"]["metadata"]["labels"],
            json!({"app": "web"})
        );
        assert_eq!(
            operations[1]["value"],
            json!({REVISION: "2", "team": "old"})
        );
    }
}
