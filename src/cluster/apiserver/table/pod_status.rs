//! What `kubectl get pods` says of a pod in READY, STATUS and RESTARTS.
//!
//! The three are computed from the whole status, not read from it: a pod whose phase is `Running`
//! may print `CrashLoopBackOff`. Source: `pkg/printers/internalversion/printers.go`, `printPod`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodStatus};

/// A pod in the words of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PodSummary {
    pub(crate) ready: usize,
    pub(crate) total: usize,
    pub(crate) status: String,
    pub(crate) restarts: i32,
    /// When the last container that was restarted had ended.
    pub(crate) last_restart: Option<Timestamp>,
}

impl PodSummary {
    /// Sums up a pod.
    pub(crate) fn of(pod: &Pod) -> Self {
        let status = pod.status.clone().unwrap_or_default();
        let spec = pod.spec.clone().unwrap_or_default();
        let init_containers = spec.init_containers.unwrap_or_default();
        let sidecars = init_containers
            .iter()
            .filter(|container| is_sidecar(container));
        let mut tally = Tally {
            ready: 0,
            total: spec.containers.len() + sidecars.count(),
            reason: first_reason(&status),
            restarts: Restarts::default(),
        };
        let sidecar_restarts = tally.add_init_containers(&init_containers, &status);
        let is_initializing = sidecar_restarts.is_none();
        if !is_initializing || has_condition(&status, "Initialized") {
            // Ordinary init containers no longer count once they are through.
            tally.restarts =
                sidecar_restarts.unwrap_or_else(|| restarts_of_sidecars(&init_containers, &status));
            tally.add_containers(&status);
        }
        let phase = status.phase.as_deref().unwrap_or_default();
        if pod.metadata.deletion_timestamp.is_some() {
            if status.reason.as_deref() == Some("NodeLost") {
                "Unknown".clone_into(&mut tally.reason);
            } else if !matches!(phase, "Failed" | "Succeeded") {
                "Terminating".clone_into(&mut tally.reason);
            }
        }
        Self {
            ready: tally.ready,
            total: tally.total,
            status: tally.reason,
            restarts: tally.restarts.count,
            last_restart: tally.restarts.last,
        }
    }
}

/// The sums while the containers are gone through.
struct Tally {
    ready: usize,
    total: usize,
    reason: String,
    restarts: Restarts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Restarts {
    count: i32,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &ContainerStatus) {
        self.count += container.restart_count;
        let ended = container
            .last_state
            .as_ref()
            .and_then(|state| state.terminated.as_ref()?.finished_at.as_ref());
        self.last = self.last.max(ended.map(|time| time.0));
    }
}

impl Tally {
    /// Goes through the init containers up to the one that still holds the pod back. Returns the
    /// restarts of the sidecars, or `None` when one does hold it back.
    fn add_init_containers(
        &mut self,
        containers: &[Container],
        status: &PodStatus,
    ) -> Option<Restarts> {
        let mut of_sidecars = Restarts::default();
        let statuses = status.init_container_statuses.iter().flatten();
        for (index, container) in statuses.enumerate() {
            self.restarts.add(container);
            let is_sidecar = is_sidecar_of(containers, container);
            if is_sidecar {
                of_sidecars.add(container);
            }
            let state = container.state.clone().unwrap_or_default();
            let ended = state.terminated.as_ref();
            if ended.is_some_and(|ended| ended.exit_code == 0) {
                continue;
            }
            if is_sidecar && container.started == Some(true) {
                self.ready += usize::from(container.ready);
                continue;
            }
            let waiting = state.waiting.and_then(|waiting| waiting.reason);
            let waiting =
                waiting.filter(|reason| !reason.is_empty() && reason != "PodInitializing");
            self.reason = match (ended, waiting) {
                (Some(ended), _) => {
                    let reason = ended.reason.as_deref().unwrap_or_default();
                    let end = end_text(reason, ended.signal, ended.exit_code);
                    format!("Init:{end}")
                }
                (None, Some(reason)) => format!("Init:{reason}"),
                (None, None) => format!("Init:{index}/{}", containers.len()),
            };
            return None;
        }
        Some(of_sidecars)
    }

    /// Goes through the containers from the last to the first, so that the first one's trouble is
    /// what is shown.
    fn add_containers(&mut self, status: &PodStatus) {
        let mut has_running = false;
        let mut failure = None;
        for container in status.container_statuses.iter().flatten().rev() {
            self.restarts.add(container);
            let state = container.state.clone().unwrap_or_default();
            let waiting = state.waiting.and_then(|waiting| waiting.reason);
            if let Some(reason) = waiting.filter(|reason| !reason.is_empty()) {
                self.reason = reason;
            } else if let Some(ended) = state.terminated {
                let reason = ended.reason.as_deref().unwrap_or_default();
                self.reason = end_text(reason, ended.signal, ended.exit_code);
                if ended.exit_code != 0 {
                    failure = Some(self.reason.clone());
                }
            } else if container.ready && state.running.is_some() {
                has_running = true;
                self.ready += 1;
            }
        }
        // One container is through and another is not.
        if self.reason == "Completed" && has_running {
            self.reason = if has_condition(status, "Ready") {
                failure.unwrap_or_else(|| "Running".to_owned())
            } else {
                "NotReady".to_owned()
            };
        }
    }
}

/// The phase, unless the status says something of its own or the scheduler is not let at the pod.
fn first_reason(status: &PodStatus) -> String {
    let is_gated = status.conditions.iter().flatten().any(|condition| {
        condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("SchedulingGated")
    });
    if is_gated {
        return "SchedulingGated".to_owned();
    }
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    given(&status.reason)
        .or_else(|| given(&status.phase))
        .unwrap_or_default()
}

fn end_text(reason: &str, signal: Option<i32>, exit_code: i32) -> String {
    match signal {
        _ if !reason.is_empty() => reason.to_owned(),
        Some(signal) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{exit_code}"),
    }
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn is_sidecar_of(containers: &[Container], status: &ContainerStatus) -> bool {
    containers
        .iter()
        .any(|container| container.name == status.name && is_sidecar(container))
}

fn restarts_of_sidecars(containers: &[Container], status: &PodStatus) -> Restarts {
    let mut restarts = Restarts::default();
    let statuses = status.init_container_statuses.iter().flatten();
    for container in statuses.filter(|status| is_sidecar_of(containers, status)) {
        restarts.add(container);
    }
    restarts
}

fn has_condition(status: &PodStatus, kind: &str) -> bool {
    status
        .conditions
        .iter()
        .flatten()
        .any(|condition| condition.type_ == kind && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_pod(spec: Value, status: Value) -> Pod {
        from_value(json!({"spec": spec, "status": status})).unwrap()
    }

    fn running() -> Value {
        json!({"name": "c", "ready": true, "state": {"running": {}}})
    }

    fn starting() -> Value {
        json!({"name": "c", "state": {"running": {}}})
    }

    fn waiting(reason: &str) -> Value {
        json!({"name": "c", "state": {"waiting": {"reason": reason}}})
    }

    fn ended(reason: &str, code: i32) -> Value {
        json!({"name": "c", "state": {"terminated": {"reason": reason, "exitCode": code}}})
    }

    fn killed(signal: i32) -> Value {
        json!({"name": "c", "state": {"terminated": {"signal": signal, "exitCode": 0}}})
    }

    #[test]
    fn the_status_of_containers_stands_before_the_phase() {
        let ready = json!([{"type": "Ready", "status": "True"}]);
        for (containers, phase, conditions, shown, status) in [
            (vec![], "Pending", json!([]), "0/0", "Pending"),
            (vec![running()], "Running", json!([]), "1/1", "Running"),
            (vec![starting()], "Running", json!([]), "0/1", "Running"),
            (
                vec![waiting("ContainerCreating")],
                "Pending",
                json!([]),
                "0/1",
                "ContainerCreating",
            ),
            (
                vec![waiting("ImagePullBackOff")],
                "Pending",
                json!([]),
                "0/1",
                "ImagePullBackOff",
            ),
            (
                vec![waiting("CrashLoopBackOff")],
                "Running",
                json!([]),
                "0/1",
                "CrashLoopBackOff",
            ),
            (
                vec![ended("Completed", 0)],
                "Succeeded",
                json!([]),
                "0/1",
                "Completed",
            ),
            (
                vec![ended("Error", 1)],
                "Running",
                json!([]),
                "0/1",
                "Error",
            ),
            (vec![ended("", 3)], "Failed", json!([]), "0/1", "ExitCode:3"),
            (vec![killed(9)], "Failed", json!([]), "0/1", "Signal:9"),
            // The first container's trouble is shown.
            (
                vec![ended("Error", 1), waiting("ErrImagePull")],
                "Running",
                json!([]),
                "0/2",
                "Error",
            ),
            (
                vec![running(), waiting("ErrImagePull")],
                "Running",
                json!([]),
                "1/2",
                "ErrImagePull",
            ),
            (
                vec![ended("Completed", 0), running()],
                "Running",
                ready.clone(),
                "1/2",
                "Running",
            ),
            (
                vec![ended("Completed", 0), running()],
                "Running",
                json!([]),
                "1/2",
                "NotReady",
            ),
            (
                vec![ended("Completed", 0), ended("Error", 1), running()],
                "Running",
                ready,
                "1/3",
                "Error",
            ),
        ] {
            let spec: Vec<_> = containers.iter().map(|_| json!({"name": "c"})).collect();
            let pod = mk_pod(
                json!({"containers": spec}),
                json!({"phase": phase, "conditions": conditions, "containerStatuses": containers}),
            );
            let summary = PodSummary::of(&pod);
            assert_eq!(
                format!("{}/{}", summary.ready, summary.total),
                shown,
                "{containers:?}"
            );
            assert_eq!(summary.status, status, "{containers:?}");
        }
    }

    #[test]
    fn init_containers_hold_the_status_until_they_are_through() {
        let sidecar_up = json!({"name": "s", "ready": true, "started": true, "restartCount": 2,
            "state": {"running": {}}});
        for (inits, status, shown) in [
            (vec![waiting("")], "Init:0/2", "0/2"),
            (vec![waiting("PodInitializing")], "Init:0/2", "0/2"),
            (vec![waiting("ErrImagePull")], "Init:ErrImagePull", "0/2"),
            (vec![ended("Completed", 0), starting()], "Init:1/2", "0/2"),
            (vec![ended("Error", 1)], "Init:Error", "0/2"),
            (vec![ended("", 2)], "Init:ExitCode:2", "0/2"),
            (
                vec![ended("Completed", 0), sidecar_up],
                "PodInitializing",
                "1/2",
            ),
        ] {
            let pod = mk_pod(
                json!({
                    "initContainers": [{"name": "c"}, {"name": "s", "restartPolicy": "Always"}],
                    "containers": [{"name": "main"}],
                }),
                json!({
                    "phase": "Pending",
                    "initContainerStatuses": inits,
                    "containerStatuses": [waiting("PodInitializing")],
                }),
            );
            let summary = PodSummary::of(&pod);
            assert_eq!(summary.status, status, "{inits:?}");
            assert_eq!(
                format!("{}/{}", summary.ready, summary.total),
                shown,
                "{inits:?}"
            );
        }
    }

    #[test]
    fn restarts_are_summed_up_with_the_time_of_the_last() {
        let restarted = |count: i32, time: &str| {
            json!({"name": "c", "ready": true, "restartCount": count, "state": {"running": {}},
                "lastState": {"terminated": {"exitCode": 1, "finishedAt": time}}})
        };
        let pod = mk_pod(
            json!({"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "c"}]}),
            json!({
                "phase": "Running",
                "initContainerStatuses": [{"name": "c", "restartCount": 5,
                    "state": {"terminated": {"exitCode": 0}}}],
                "containerStatuses": [
                    restarted(1, "2026-01-01T00:00:09Z"), restarted(2, "2026-01-01T00:00:05Z"),
                ],
            }),
        );
        let summary = PodSummary::of(&pod);
        assert_eq!(
            summary.restarts, 3,
            "init containers count only while they run"
        );
        assert_eq!(summary.last_restart, "2026-01-01T00:00:09Z".parse().ok());
    }

    #[test]
    fn what_the_pod_says_of_itself_stands_before_its_phase_and_deletion_before_all() {
        let summary = |reason: &str, phase: &str, deleted: bool| {
            let mut pod = mk_pod(
                json!({"containers": []}),
                json!({"phase": phase, "reason": reason}),
            );
            if deleted {
                pod.metadata =
                    from_value(json!({"deletionTimestamp": "2026-01-01T00:00:00Z"})).unwrap();
            }
            PodSummary::of(&pod).status
        };
        assert_eq!(summary("Evicted", "Failed", false), "Evicted");
        assert_eq!(summary("", "Running", true), "Terminating");
        assert_eq!(summary("", "Succeeded", true), "Succeeded");
        assert_eq!(summary("NodeLost", "Running", true), "Unknown");
        let gated =
            json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]);
        let pod = mk_pod(
            json!({"containers": []}),
            json!({"phase": "Pending", "conditions": gated}),
        );
        assert_eq!(PodSummary::of(&pod).status, "SchedulingGated");
    }
}
