//! What is kept of a Pod.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod};
use kube::{Resource, ResourceExt as _};

use super::template::{have_pre_stop_hooks, have_readiness_probes};
use crate::history::facts::{ContainerFacts, Facts, PodFacts};
use crate::observer::pod_status;

pub(in crate::observer) fn facts(pod: &Pod) -> Facts {
    let spec = pod.spec.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let statuses: &[ContainerStatus] = status.container_statuses.as_deref().unwrap_or_default();
    let ready = status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    Facts::Pod(PodFacts {
        owner: controller(pod, "ReplicaSet"),
        phase: status.phase.clone().unwrap_or_default(),
        status: pod_status::status(pod),
        ready,
        terminating: pod.metadata.deletion_timestamp.is_some(),
        ip: status.pod_ip.clone(),
        node: spec.node_name.clone(),
        restarts: statuses
            .iter()
            .map(|status| i64::from(status.restart_count))
            .sum(),
        containers: spec
            .containers
            .iter()
            .map(|container| {
                let status = statuses.iter().find(|status| status.name == container.name);
                container_facts(container, status)
            })
            .collect(),
        readiness_probe: have_readiness_probes(&spec.containers),
        pre_stop: have_pre_stop_hooks(&spec.containers),
    })
}

/// The uid of the object of a kind that controls this one.
pub(super) fn controller<K: Resource>(object: &K, kind: &str) -> Option<String> {
    object
        .owner_references()
        .iter()
        .find(|owner| owner.controller == Some(true) && owner.kind == kind)
        .map(|owner| owner.uid.clone())
}

fn container_facts(container: &Container, status: Option<&ContainerStatus>) -> ContainerFacts {
    let state = status
        .and_then(|status| status.state.clone())
        .unwrap_or_default();
    let last = status
        .and_then(|status| status.last_state.clone())
        .unwrap_or_default();
    let running = state.running.is_some();
    let ended = state.terminated.or(last.terminated);
    let (reason, message) = match (&state.waiting, &ended) {
        (Some(waiting), _) => (waiting.reason.clone(), waiting.message.clone()),
        _ if running => (Some("running".to_owned()), None),
        (None, Some(ended)) => (ended.reason.clone(), ended.message.clone()),
        (None, None) => (None, None),
    };
    let ports = container.ports.iter().flatten();
    ContainerFacts {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        state: reason.unwrap_or_default(),
        message: message.unwrap_or_default(),
        running,
        ready: status.is_some_and(|status| status.ready),
        exit_code: if running {
            None
        } else {
            ended.map(|ended| ended.exit_code)
        },
        ports: ports
            .filter_map(|port| u16::try_from(port.container_port).ok())
            .collect(),
    }
}
