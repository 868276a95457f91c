//! What is legal in a pod spec and still not advisable. kubectl prints these warnings.
//!
//! Source: `pkg/api/pod/warnings.go`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PodSpec;

use crate::cluster::apiserver::registry::names::broken_label;
use crate::cluster::object::FieldPath;

/// The warning about a name that pods and hosts will carry.
pub(crate) fn name_warning(name: Option<&String>) -> Option<String> {
    let broken = broken_label(name?);
    (!broken.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in \
             surprising behavior; a DNS label is recommended: [{}]",
            broken.join(" ")
        )
    })
}

/// The warnings about a spec.
pub(crate) fn spec_warnings(spec: &PodSpec, path: &FieldPath) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, containers) in [
        (
            "initContainers",
            spec.init_containers.as_deref().unwrap_or_default(),
        ),
        ("containers", &*spec.containers),
    ] {
        for (index, container) in containers.iter().enumerate() {
            let path = path.child(name).index(index).child("env");
            let mut seen = BTreeSet::new();
            for (index, variable) in container.env.iter().flatten().enumerate() {
                if !seen.insert(&variable.name) {
                    warnings.push(format!(
                        "{}: hides previous definition of \"{}\", which may be dropped when \
                         using apply",
                        path.index(index),
                        variable.name
                    ));
                }
            }
        }
    }
    if spec
        .termination_grace_period_seconds
        .is_some_and(|seconds| seconds < 0)
    {
        warnings.push(format!(
            "{}: must be >= 0; negative values are invalid and will be treated as 1",
            path.child("terminationGracePeriodSeconds")
        ));
    }
    warnings
}
