//! The status of a pod, computed from what its kubelet knows.
//!
//! Source: `pkg/kubelet/kubelet_pods.go` (`getPhase`), `pkg/kubelet/status/generate.go`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated,
    ContainerStateWaiting, ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::state::{ContainerState, Exit, PodState, Run};

/// Conditions that a kubelet writes, in its order.
const OWN: [&str; 5] = [
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
];

/// The status to write. `previous` is the newest one: what others wrote there is kept, and the
/// time of a condition moves only when the condition does.
pub(super) fn status(
    pod: &Pod,
    state: &PodState,
    previous: &PodStatus,
    now: Timestamp,
) -> PodStatus {
    let phase = phase(pod, state);
    let address = state.address.map(|address| address.to_string());
    PodStatus {
        phase: Some(phase.to_owned()),
        conditions: Some(conditions(pod, state, phase, previous, now)),
        host_ip: Some(state.host.to_string()),
        host_ips: Some(vec![HostIP {
            ip: state.host.to_string(),
        }]),
        pod_ips: address.clone().map(|ip| vec![PodIP { ip }]),
        pod_ip: address,
        start_time: Some(Time(state.started)),
        container_statuses: Some(state.containers.iter().map(container_status).collect()),
        qos_class: previous.qos_class.clone(),
        observed_generation: pod.metadata.generation,
        ..PodStatus::default()
    }
}

/// One container, or none, has started: Pending. All have ended for good: Succeeded or Failed.
/// Anything between: Running.
fn phase(pod: &Pod, state: &PodState) -> &'static str {
    let before = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    match before {
        Some("Failed") => return "Failed",
        Some("Succeeded") => return "Succeeded",
        _ => {}
    }
    let never_ran = |container: &ContainerState| {
        matches!(container.run, Run::Waiting { .. }) && container.last.is_none()
    };
    let exits: Vec<&Exit> = state
        .containers
        .iter()
        .filter_map(|container| match &container.run {
            Run::Ended(exit) => Some(exit),
            _ => None,
        })
        .collect();
    let all_ended = exits.len() == state.containers.len();
    let all_well = exits.iter().all(|exit| exit.code == 0);
    let restarts = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.restart_policy.as_deref());
    let for_good = state.finished
        || match restarts {
            Some("Never") => true,
            Some("OnFailure") => all_well,
            _ => false,
        };
    match () {
        () if state.containers.iter().any(never_ran) => "Pending",
        () if all_ended && for_good && all_well => "Succeeded",
        () if all_ended && for_good => "Failed",
        () => "Running",
    }
}

fn conditions(
    pod: &Pod,
    state: &PodState,
    phase: &str,
    previous: &PodStatus,
    now: Timestamp,
) -> Vec<PodCondition> {
    let old: &[PodCondition] = previous.conditions.as_deref().unwrap_or_default();
    let unready: Vec<&str> = state
        .containers
        .iter()
        .filter(|container| !container.ready)
        .map(|container| container.name.as_str())
        .collect();
    let ready = match phase {
        "Succeeded" => Verdict::no("PodCompleted", None),
        "Failed" => Verdict::no("PodFailed", None),
        _ if unready.is_empty() => Verdict::yes(),
        _ => Verdict::no(
            "ContainersNotReady",
            Some(format!(
                "containers with unready status: [{}]",
                unready.join(" ")
            )),
        ),
    };
    let sandbox = if state.sandbox {
        Verdict::yes()
    } else {
        Verdict::no("", None)
    };
    let verdicts = [
        ("PodReadyToStartContainers", sandbox),
        ("Initialized", Verdict::yes()),
        ("Ready", ready.clone()),
        ("ContainersReady", ready),
        ("PodScheduled", Verdict::yes()),
    ];
    let foreign = old
        .iter()
        .filter(|condition| !OWN.contains(&condition.type_.as_str()))
        .cloned();
    foreign
        .chain(verdicts.into_iter().map(|(name, verdict)| {
            let known = old.iter().find(|condition| condition.type_ == name);
            verdict.condition(name, known, pod.metadata.generation, now)
        }))
        .collect()
}

#[derive(Debug, Clone)]
struct Verdict {
    holds: bool,
    reason: &'static str,
    message: Option<String>,
}

impl Verdict {
    fn yes() -> Self {
        Self {
            holds: true,
            reason: "",
            message: None,
        }
    }

    fn no(reason: &'static str, message: Option<String>) -> Self {
        Self {
            holds: false,
            reason,
            message,
        }
    }

    fn condition(
        self,
        name: &str,
        known: Option<&PodCondition>,
        generation: Option<i64>,
        now: Timestamp,
    ) -> PodCondition {
        let status = if self.holds { "True" } else { "False" };
        let since = known
            .filter(|condition| condition.status == status)
            .and_then(|condition| condition.last_transition_time.clone());
        PodCondition {
            type_: name.to_owned(),
            status: status.to_owned(),
            reason: (!self.reason.is_empty()).then(|| self.reason.to_owned()),
            message: self.message,
            last_transition_time: Some(since.unwrap_or(Time(now))),
            observed_generation: generation,
            ..PodCondition::default()
        }
    }
}

fn container_status(container: &ContainerState) -> ContainerStatus {
    ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone(),
        image_id: container.image_id.clone(),
        container_id: (!container.id.is_empty()).then(|| container.id.clone()),
        ready: container.ready,
        started: Some(container.started),
        restart_count: container.restarts,
        state: Some(run_state(&container.run)),
        last_state: container.last.as_ref().map(exit_state),
        ..ContainerStatus::default()
    }
}

fn run_state(run: &Run) -> ApiState {
    match run {
        Run::Waiting { reason, message } => ApiState {
            waiting: Some(ContainerStateWaiting {
                reason: Some((*reason).to_owned()),
                message: message.clone(),
            }),
            ..ApiState::default()
        },
        Run::Running { since } => ApiState {
            running: Some(ContainerStateRunning {
                started_at: Some(Time(*since)),
            }),
            ..ApiState::default()
        },
        Run::Ended(exit) => exit_state(exit),
    }
}

fn exit_state(exit: &Exit) -> ApiState {
    ApiState {
        terminated: Some(ContainerStateTerminated {
            exit_code: exit.code,
            reason: Some(exit.reason.to_owned()),
            message: exit.message.clone(),
            started_at: exit.started.map(Time),
            finished_at: Some(Time(exit.finished)),
            container_id: (!exit.container.is_empty()).then(|| exit.container.clone()),
            ..ContainerStateTerminated::default()
        }),
        ..ApiState::default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::{from_value, json};

    use super::*;

    fn mk_pod(restart_policy: &str) -> Pod {
        from_value(json!({
            "metadata": {"name": "p"},
            "spec": {"restartPolicy": restart_policy, "containers": [{"name": "app"}]},
        }))
        .unwrap()
    }

    fn mk_state(runs: Vec<Run>) -> PodState {
        let pod = mk_pod("Always");
        let spec = &pod.spec.unwrap().containers[0];
        let containers = runs
            .into_iter()
            .map(|run| {
                let ready = matches!(run, Run::Running { .. });
                ContainerState {
                    run,
                    ready,
                    ..ContainerState::new(spec)
                }
            })
            .collect();
        PodState {
            started: Timestamp::UNIX_EPOCH,
            host: Ipv4Addr::LOCALHOST,
            address: None,
            sandbox: true,
            containers,
            finished: false,
        }
    }

    fn waiting(reason: &'static str) -> Run {
        Run::Waiting {
            reason,
            message: None,
        }
    }

    fn running() -> Run {
        Run::Running {
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn ended(code: i32) -> Run {
        Run::Ended(Exit {
            code,
            reason: "Error",
            message: None,
            started: None,
            finished: Timestamp::UNIX_EPOCH,
            container: String::new(),
        })
    }

    #[test]
    fn phases_follow_the_containers() {
        for (policy, runs, finished, expected) in [
            (
                "Always",
                vec![waiting("ContainerCreating")],
                false,
                "Pending",
            ),
            ("Always", vec![running()], false, "Running"),
            (
                "Always",
                vec![running(), waiting("ContainerCreating")],
                false,
                "Pending",
            ),
            ("Always", vec![ended(1)], false, "Running"),
            ("Always", vec![ended(0)], true, "Succeeded"),
            ("Always", vec![ended(137)], true, "Failed"),
            ("Always", vec![ended(0), running()], true, "Running"),
            ("Never", vec![ended(1)], false, "Failed"),
            ("OnFailure", vec![ended(0)], false, "Succeeded"),
            ("OnFailure", vec![ended(1)], false, "Running"),
        ] {
            let state = PodState {
                finished,
                ..mk_state(runs.clone())
            };
            assert_eq!(
                phase(&mk_pod(policy), &state),
                expected,
                "{policy} {runs:?} {finished}"
            );
        }
    }

    #[test]
    fn a_crash_loop_stays_running() {
        let mut state = mk_state(vec![waiting("CrashLoopBackOff")]);
        let Run::Ended(exit) = ended(1) else {
            unreachable!()
        };
        state.containers[0].last = Some(exit);
        assert_eq!(phase(&mk_pod("Always"), &state), "Running");
    }

    #[test]
    fn a_condition_keeps_its_time_until_it_changes() {
        let pod = mk_pod("Always");
        let (first, later) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        let ready_at = |status: &PodStatus| {
            let conditions = status.conditions.as_ref().unwrap();
            let ready = conditions
                .iter()
                .find(|condition| condition.type_ == "Ready")
                .unwrap();
            (
                ready.status.clone(),
                ready.last_transition_time.clone().unwrap().0,
            )
        };
        let pending = mk_state(vec![waiting("ContainerCreating")]);
        let one = status(&pod, &pending, &PodStatus::default(), first);
        assert_eq!(ready_at(&one), ("False".to_owned(), first));
        let two = status(&pod, &pending, &one, later);
        assert_eq!(ready_at(&two), ("False".to_owned(), first));
        let three = status(&pod, &mk_state(vec![running()]), &two, later);
        assert_eq!(ready_at(&three), ("True".to_owned(), later));
    }
}
