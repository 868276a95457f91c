//! What a kubelet knows of a pod it runs. The status is computed from it.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Container;

/// A pod on its node.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PodState {
    pub(super) started: Timestamp,
    pub(super) host: Ipv4Addr,
    /// The pod's address, once its sandbox is ready.
    pub(super) address: Option<Ipv4Addr>,
    /// Whether the sandbox is there; it goes when the pod has ended.
    pub(super) sandbox: bool,
    pub(super) containers: Vec<ContainerState>,
    /// Whether the kubelet is done with the pod: no container will run again.
    pub(super) finished: bool,
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ContainerState {
    pub(super) name: String,
    pub(super) image: String,
    /// Empty until the image is there.
    pub(super) image_id: String,
    /// Empty until the container was created.
    pub(super) id: String,
    pub(super) run: Run,
    /// How the run before this one ended.
    pub(super) last: Option<Exit>,
    pub(super) restarts: i32,
    pub(super) ready: bool,
    pub(super) started: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Run {
    Waiting {
        reason: &'static str,
        message: Option<String>,
    },
    Running {
        since: Timestamp,
    },
    Ended(Exit),
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exit {
    pub(super) code: i32,
    pub(super) reason: &'static str,
    pub(super) message: Option<String>,
    /// `None` for a container that never ran.
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Timestamp,
    pub(super) container: String,
}

impl Run {
    /// The end of a container that was stopped before it ran.
    pub(super) fn never_ran(now: Timestamp) -> Self {
        Self::Ended(Exit {
            code: 137,
            reason: "ContainerStatusUnknown",
            message: Some(
                "The container could not be located when the pod was terminated".to_owned(),
            ),
            started: None,
            finished: now,
            container: String::new(),
        })
    }
}

impl ContainerState {
    pub(super) fn new(container: &Container) -> Self {
        Self {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            image_id: String::new(),
            id: String::new(),
            run: Run::Waiting {
                reason: "ContainerCreating",
                message: None,
            },
            last: None,
            restarts: 0,
            ready: false,
            started: false,
        }
    }
}
