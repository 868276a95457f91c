//! The STATUS of a pod as kubectl prints it.
//!
//! It is computed here and again by the embedded cluster's tables, on purpose: what judges a
//! cluster must not share its mistakes. Source: `pkg/printers/internalversion/printers.go`,
//! `printPod`.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

/// The STATUS of a pod.
pub(super) fn status(pod: &Pod) -> String {
    let Some(status) = &pod.status else {
        return String::new();
    };
    let phase = status.phase.clone().unwrap_or_default();
    let mut reason = match status.reason.as_deref() {
        Some(reason) if !reason.is_empty() => reason.to_owned(),
        _ => phase.clone(),
    };
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let holds = |name: &str| {
        conditions
            .iter()
            .any(|condition| condition.type_ == name && condition.status == "True")
    };
    if conditions.iter().any(|condition| {
        condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("SchedulingGated")
    }) {
        "SchedulingGated".clone_into(&mut reason);
    }
    let initializing = initializing(pod);
    if let Some(step) = &initializing {
        reason.clone_from(step);
    }
    if initializing.is_none() || holds("Initialized") {
        let mut some_run = false;
        let mut failed = None;
        // From the last to the first, so that the first container has the last word.
        for container in status.container_statuses.iter().flatten().rev() {
            match why(container) {
                Some(why) => {
                    if why != "Completed" && is_terminated(container) {
                        failed = Some(why.clone());
                    }
                    reason = why;
                }
                None => some_run |= container.ready && is_running(container),
            }
        }
        if reason == "Completed" && some_run {
            reason = match failed {
                _ if !holds("Ready") => "NotReady".to_owned(),
                Some(failed) => failed,
                None => "Running".to_owned(),
            };
        }
    }
    if pod.metadata.deletion_timestamp.is_some() {
        if status.reason.as_deref() == Some("NodeLost") {
            return "Unknown".to_owned();
        }
        if phase != "Succeeded" && phase != "Failed" {
            return "Terminating".to_owned();
        }
    }
    reason
}

/// The reason why a container waits or has ended.
fn why(container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    let given = |reason: &Option<String>| reason.clone().filter(|reason| !reason.is_empty());
    if let Some(reason) = state
        .waiting
        .as_ref()
        .and_then(|waiting| given(&waiting.reason))
    {
        return Some(reason);
    }
    let ended = state.terminated.as_ref()?;
    Some(given(&ended.reason).unwrap_or_else(|| match ended.signal {
        Some(signal) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", ended.exit_code),
    }))
}

fn is_running(container: &ContainerStatus) -> bool {
    container
        .state
        .as_ref()
        .is_some_and(|state| state.running.is_some())
}

fn is_terminated(container: &ContainerStatus) -> bool {
    container
        .state
        .as_ref()
        .is_some_and(|state| state.terminated.is_some())
}

/// Where the init containers stand; `None` once all are done.
fn initializing(pod: &Pod) -> Option<String> {
    let specs = pod.spec.as_ref()?.init_containers.as_deref()?;
    let statuses = pod.status.as_ref()?.init_container_statuses.as_deref()?;
    for (index, container) in statuses.iter().enumerate() {
        let is_sidecar = specs.iter().any(|spec| {
            spec.name == container.name && spec.restart_policy.as_deref() == Some("Always")
        });
        let state = container.state.clone().unwrap_or_default();
        match (&state.terminated, &state.waiting) {
            (Some(ended), _) if ended.exit_code == 0 => {}
            _ if is_sidecar && container.started == Some(true) => {}
            (Some(_), _) => return why(container).map(|why| format!("Init:{why}")),
            (None, Some(waiting))
                if !matches!(
                    waiting.reason.as_deref(),
                    None | Some("" | "PodInitializing")
                ) =>
            {
                return why(container).map(|why| format!("Init:{why}"));
            }
            _ => return Some(format!("Init:{index}/{}", specs.len())),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_pod(deleted: bool, phase: &str, ready: bool, states: &[Value]) -> Pod {
        let containers: Vec<Value> = states
            .iter()
            .enumerate()
            .map(|(index, state)| {
                let ready = state.get("running").is_some();
                json!({"name": format!("c{index}"), "state": state, "ready": ready, "image": "",
                       "imageID": "", "restartCount": 0})
            })
            .collect();
        let mut pod = json!({
            "metadata": {"name": "p"},
            "status": {
                "phase": phase,
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
                "containerStatuses": containers,
            },
        });
        if deleted {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        from_value(pod).unwrap()
    }

    #[test]
    fn the_status_is_what_kubectl_prints() {
        let running = json!({"running": {}});
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        let ended =
            |reason: &str, code: i32| json!({"terminated": {"reason": reason, "exitCode": code}});
        let killed = json!({"terminated": {"exitCode": 137, "signal": 9}});
        for (deleted, phase, ready, states, expected) in [
            (false, "Pending", false, vec![], "Pending"),
            (
                false,
                "Pending",
                false,
                vec![waiting("ContainerCreating")],
                "ContainerCreating",
            ),
            (false, "Running", true, vec![running.clone()], "Running"),
            (true, "Running", true, vec![running.clone()], "Terminating"),
            (true, "Failed", false, vec![ended("Error", 137)], "Error"),
            (
                false,
                "Running",
                false,
                vec![waiting("CrashLoopBackOff")],
                "CrashLoopBackOff",
            ),
            (
                false,
                "Succeeded",
                false,
                vec![ended("Completed", 0)],
                "Completed",
            ),
            (false, "Failed", false, vec![killed], "Signal:9"),
            (false, "Failed", false, vec![ended("", 3)], "ExitCode:3"),
            (
                false,
                "Running",
                true,
                vec![ended("Completed", 0), running.clone()],
                "Running",
            ),
            (
                false,
                "Running",
                false,
                vec![ended("Completed", 0), running],
                "NotReady",
            ),
            (
                false,
                "Running",
                false,
                vec![waiting("ImagePullBackOff"), waiting("ContainerCreating")],
                "ImagePullBackOff",
            ),
        ] {
            assert_eq!(
                status(&mk_pod(deleted, phase, ready, &states)),
                expected,
                "{states:?}"
            );
        }
    }
}
