//! What is kept of a pod template.

use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};

use crate::history::facts::Template;

/// The label that the Deployment controller adds to a ReplicaSet's template.
const HASH_LABEL: &str = "pod-template-hash";

pub(super) fn template(template: &PodTemplateSpec) -> Template {
    let containers: &[Container] = template
        .spec
        .as_ref()
        .map(|spec| spec.containers.as_slice())
        .unwrap_or_default();
    let version = containers
        .iter()
        .flat_map(|container| container.env.iter().flatten())
        .find(|variable| variable.name == "VERSION")
        .and_then(|variable| variable.value.clone());
    Template {
        fingerprint: fingerprint(template),
        images: containers
            .iter()
            .map(|container| {
                (
                    container.name.clone(),
                    container.image.clone().unwrap_or_default(),
                )
            })
            .collect(),
        version,
        readiness_probe: have_readiness_probes(containers),
        pre_stop: have_pre_stop_hooks(containers),
    }
}

pub(super) fn have_readiness_probes(containers: &[Container]) -> bool {
    containers
        .iter()
        .all(|container| container.readiness_probe.is_some())
}

pub(super) fn have_pre_stop_hooks(containers: &[Container]) -> bool {
    containers.iter().all(|container| {
        container
            .lifecycle
            .as_ref()
            .is_some_and(|lifecycle| lifecycle.pre_stop.is_some())
    })
}

/// The same number for templates that are equal but for the label that tells ReplicaSets apart.
fn fingerprint(template: &PodTemplateSpec) -> String {
    let mut bare = template.clone();
    if let Some(labels) = bare
        .metadata
        .as_mut()
        .and_then(|metadata| metadata.labels.as_mut())
    {
        labels.remove(HASH_LABEL);
    }
    // FNV-1a, 64 bits, over the JSON text, whose keys are in a fixed order.
    let json = serde_json::to_vec(&bare).unwrap_or_default();
    let hash = json.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn the_hash_label_does_not_make_a_template_different() {
        let mk = |labels: serde_json::Value, image: &str| {
            from_value::<PodTemplateSpec>(json!({
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": "app",
                    "image": image,
                    "env": [{"name": "VERSION", "value": "1.0.0"}],
                }]},
            }))
            .unwrap()
        };
        let plain = template(&mk(json!({"app": "web"}), "a:1"));
        let hashed = template(&mk(json!({"app": "web", HASH_LABEL: "x"}), "a:1"));
        let other = template(&mk(json!({"app": "web"}), "a:2"));
        assert_eq!(plain, hashed);
        assert_ne!(plain.fingerprint, other.fingerprint);
        assert_eq!(plain.version.as_deref(), Some("1.0.0"));
        assert!(!plain.readiness_probe && !plain.pre_stop);
    }
}
