//! What admission adds to a new pod: its service account with the token, its priority, and how
//! long it stays on a node that is lost.
//!
//! Source: `plugin/pkg/admission/serviceaccount`, `plugin/pkg/admission/priority` and
//! `plugin/pkg/admission/defaulttolerationseconds`.

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath,
    LocalObjectReference, ObjectFieldSelector, Pod, PodSpec, ProjectedVolumeSource,
    ServiceAccountTokenProjection, Toleration, Volume, VolumeMount, VolumeProjection,
};
use serde::Deserialize as _;
use serde_json::Value;

use super::RESOURCE;
use crate::cluster::apiserver::random_name;
use crate::cluster::apiserver::registry::{Admission, pod_spec, serviceaccount};
use crate::cluster::object::refusal::{self, Refusal};
use crate::cluster::store::Key;

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// An hour and seven seconds, by which upstream knows tokens that it mounted itself.
const TOKEN_SECONDS: i64 = 3607;
const FILE_MODE: i32 = 420;
/// How long a pod tolerates that its node is gone.
const LOST_NODE_SECONDS: i64 = 300;

/// The classes that every cluster has.
const PRIORITIES: [(&str, i32); 2] = [
    ("system-cluster-critical", 2_000_000_000),
    ("system-node-critical", 2_000_001_000),
];

/// Completes a new pod.
///
/// # Errors
/// A 403 for a service account or a priority class that is not there.
pub(super) fn admit(pod: &mut Pod, admission: &Admission<'_, '_>) -> Result<(), Refusal> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let name = pod.metadata.name.clone().unwrap_or_default();
    let refuse = |why: String| refusal::forbidden(RESOURCE.subject(&name), &why);
    let spec = pod.spec.get_or_insert_default();
    pod_spec::fill(&mut spec.service_account_name, "default");
    spec.service_account.clone_from(&spec.service_account_name);
    let account_name = spec.service_account_name.clone().unwrap_or_default();
    let key = Key::new(namespace.as_str(), account_name.as_str());
    let account = admission
        .transaction
        .get(serviceaccount::RESOURCE.collection, &key)
        .ok_or_else(|| {
            refuse(format!(
                "error looking up service account {namespace}/{account_name}: serviceaccount \
                 \"{account_name}\" not found"
            ))
        })?;
    use_account(spec, &account.value);
    set_priority(spec).map_err(refuse)?;
    tolerate_lost_nodes(spec);
    Ok(())
}

/// Mounts the account's token and takes over its pull secrets.
fn use_account(spec: &mut PodSpec, account: &Value) {
    let wants_token = spec
        .automount_service_account_token
        .or_else(|| account["automountServiceAccountToken"].as_bool())
        .unwrap_or(true);
    if wants_token {
        mount_token(spec);
    }
    let secrets = account["imagePullSecrets"].as_array();
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty)
        && let Some(secrets) = secrets
    {
        let secrets = secrets.iter().map(LocalObjectReference::deserialize);
        spec.image_pull_secrets = secrets.collect::<Result<_, _>>().ok();
    }
}

/// Mounts the token into every container that has nothing else in its place.
fn mount_token(spec: &mut PodSpec) {
    let name = random_name::after("kube-api-access-");
    let mut is_mounted = false;
    let init_containers = spec.init_containers.iter_mut().flatten();
    for container in spec.containers.iter_mut().chain(init_containers) {
        let mounts = container.volume_mounts.get_or_insert_default();
        if mounts.iter().all(|mount| mount.mount_path != TOKEN_PATH) {
            is_mounted = true;
            mounts.push(VolumeMount {
                name: name.clone(),
                mount_path: TOKEN_PATH.to_owned(),
                read_only: Some(true),
                ..VolumeMount::default()
            });
        }
    }
    if is_mounted {
        spec.volumes
            .get_or_insert_default()
            .push(token_volume(name));
    }
}

/// The token, the certificate to check the API server by, and the name of the namespace.
fn token_volume(name: String) -> Volume {
    let token = ServiceAccountTokenProjection {
        expiration_seconds: Some(TOKEN_SECONDS),
        path: "token".to_owned(),
        ..ServiceAccountTokenProjection::default()
    };
    let certificate = ConfigMapProjection {
        name: "kube-root-ca.crt".to_owned(),
        items: Some(vec![KeyToPath {
            key: "ca.crt".to_owned(),
            path: "ca.crt".to_owned(),
            mode: None,
        }]),
        optional: None,
    };
    let namespace = DownwardAPIProjection {
        items: Some(vec![DownwardAPIVolumeFile {
            path: "namespace".to_owned(),
            field_ref: Some(ObjectFieldSelector {
                api_version: Some("v1".to_owned()),
                field_path: "metadata.namespace".to_owned(),
            }),
            ..DownwardAPIVolumeFile::default()
        }]),
    };
    let sources = vec![
        VolumeProjection {
            service_account_token: Some(token),
            ..VolumeProjection::default()
        },
        VolumeProjection {
            config_map: Some(certificate),
            ..VolumeProjection::default()
        },
        VolumeProjection {
            downward_api: Some(namespace),
            ..VolumeProjection::default()
        },
    ];
    Volume {
        name,
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(FILE_MODE),
            sources: Some(sources),
        }),
        ..Volume::default()
    }
}

fn set_priority(spec: &mut PodSpec) -> Result<(), String> {
    let class = spec.priority_class_name.as_deref().unwrap_or_default();
    let priority = if class.is_empty() {
        0
    } else {
        let known = PRIORITIES.iter().find(|(name, _)| *name == class);
        known
            .ok_or_else(|| format!("no PriorityClass with name {class} was found"))?
            .1
    };
    if spec.priority.is_some_and(|given| given != priority) {
        return Err(format!(
            "the integer value of priority ({}) must not be provided in pod spec; priority \
             admission controller computed {priority} from the given PriorityClass name",
            spec.priority.unwrap_or_default()
        ));
    }
    spec.priority = Some(priority);
    pod_spec::fill(&mut spec.preemption_policy, "PreemptLowerPriority");
    Ok(())
}

fn tolerate_lost_nodes(spec: &mut PodSpec) {
    let tolerations = spec.tolerations.get_or_insert_default();
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let is_tolerated = tolerations.iter().any(|toleration| {
            let matches = |field: &Option<String>, value: &str| {
                let field = field.as_deref().unwrap_or_default();
                field.is_empty() || field == value
            };
            matches(&toleration.key, key) && matches(&toleration.effect, "NoExecute")
        });
        if !is_tolerated {
            tolerations.push(Toleration {
                key: Some(key.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                toleration_seconds: Some(LOST_NODE_SECONDS),
                value: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn mk_spec(spec: Value) -> PodSpec {
        from_value(spec).unwrap()
    }

    #[test]
    fn the_token_is_mounted_unless_pod_or_account_decline() {
        let mounted = |spec: Value, account: Value| {
            let mut spec = mk_spec(spec);
            use_account(&mut spec, &account);
            spec.volumes.map_or(0, |volumes| volumes.len())
        };
        let container = json!([{"name": "c"}]);
        let own = json!([{"name": "c", "volumeMounts": [{"name": "v", "mountPath": TOKEN_PATH}]}]);
        for (spec, account, count) in [
            (json!({"containers": container}), json!({}), 1),
            (
                json!({"containers": container}),
                json!({"automountServiceAccountToken": false}),
                0,
            ),
            (
                json!({"containers": container, "automountServiceAccountToken": true}),
                json!({"automountServiceAccountToken": false}),
                1,
            ),
            (json!({"containers": own}), json!({}), 0),
        ] {
            assert_eq!(mounted(spec.clone(), account), count, "{spec}");
        }
    }

    #[test]
    fn a_priority_comes_from_its_class() {
        let priority = |spec: Value| {
            let mut spec = mk_spec(spec);
            set_priority(&mut spec).map(|()| spec.priority)
        };
        assert_eq!(priority(json!({"containers": []})), Ok(Some(0)));
        assert_eq!(
            priority(json!({"containers": [], "priorityClassName": "system-node-critical"})),
            Ok(Some(2_000_001_000))
        );
        assert!(priority(json!({"containers": [], "priorityClassName": "mine"})).is_err());
        assert!(priority(json!({"containers": [], "priority": 5})).is_err());
    }

    #[test]
    fn own_tolerations_replace_the_default_ones() {
        let count = |tolerations: Value| {
            let mut spec = mk_spec(json!({"containers": [], "tolerations": tolerations}));
            tolerate_lost_nodes(&mut spec);
            spec.tolerations.unwrap().len()
        };
        assert_eq!(count(json!([])), 2);
        assert_eq!(count(json!([{"operator": "Exists"}])), 1);
        assert_eq!(
            count(json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}])),
            3
        );
    }
}
