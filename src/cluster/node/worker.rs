//! The worker of one pod: brings its containers up, writes its status, takes it down.
//!
//! Source: `pkg/kubelet/pod_workers.go`.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::container::{self, Host, Place};
use super::state::{ContainerState, PodState, Run};
use super::{status, timing};
use crate::cluster::clock;
use crate::cluster::network::Addresses;

/// The node's share in a pod.
pub(super) struct Worker {
    pub(super) host: Arc<Host>,
    pub(super) addresses: Addresses,
    pub(super) node: u8,
    /// The newest version of the pod.
    pub(super) pod: watch::Receiver<Arc<Pod>>,
}

impl Worker {
    /// Runs the pod to its end.
    pub(super) async fn run(mut self) {
        let pod = self.pod.borrow_and_update().clone();
        let specs = pod
            .spec
            .as_ref()
            .map(|spec| spec.containers.clone())
            .unwrap_or_default();
        let mut book = Book {
            api: Api::namespaced(
                self.host.client.clone(),
                &pod.namespace().unwrap_or_default(),
            ),
            written: pod.status.clone().unwrap_or_default(),
            state: PodState {
                started: clock::timestamp(),
                host: self.addresses.node(self.node),
                address: None,
                sandbox: false,
                containers: specs.iter().map(ContainerState::new).collect(),
                finished: false,
            },
        };
        let (stop, stopped) = watch::channel(None);
        let (reports, mut news) = mpsc::unbounded_channel();
        let mut containers = JoinSet::new();
        book.write(&pod).await;

        let mut newest = self.pod.clone();
        let address = tokio::select! {
            address = self.sandbox() => Some(address),
            _ = newest.wait_for(|pod| is_terminating(pod)) => None,
        };
        if let Some(address) = address {
            book.state.sandbox = true;
            for (index, spec) in specs.into_iter().enumerate() {
                let place = Place {
                    host: self.host.clone(),
                    pod: pod.clone(),
                    address,
                    spec,
                    index,
                    states: reports.clone(),
                    stop: stopped.clone(),
                };
                containers.spawn(container::run(place));
            }
            book.write(&pod).await;
            // The address shows with the first container that runs, as upstream's does.
            book.state.address = Some(address);
        }
        drop(reports);

        loop {
            let newest = self.pod.borrow_and_update().clone();
            if is_terminating(&newest) {
                let grace = newest
                    .metadata
                    .deletion_grace_period_seconds
                    .unwrap_or(30)
                    .max(1);
                let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(1));
                let deadline = self.host.clock.after(grace);
                stop.send_if_modified(|current| {
                    let nearer = current.is_none_or(|current| deadline < current);
                    if nearer {
                        *current = Some(deadline);
                    }
                    nearer
                });
            }
            tokio::select! {
                // A container's last state comes before its end, and must be read first.
                biased;
                Some((which, now)) = news.recv() => {
                    book.state.containers[which] = now;
                    while let Ok((which, now)) = news.try_recv() {
                        book.state.containers[which] = now;
                    }
                    book.write(&newest).await;
                }
                changed = self.pod.changed() => if changed.is_err() {
                    break;
                },
                ended = containers.join_next() => match ended {
                    Some(_) => {}
                    None if is_terminating(&newest) => break,
                    // All ended for good; the pod stays until somebody deletes it.
                    None => if self.pod.changed().await.is_err() {
                        break;
                    },
                },
            }
        }
        self.remove(&mut book).await;
        if let Some(address) = address {
            self.addresses.release_pod(address);
        }
    }

    /// Makes the sandbox: after its time the pod has an address.
    async fn sandbox(&self) -> Ipv4Addr {
        loop {
            self.host.clock.sleep(timing::SANDBOX).await;
            if let Some(address) = self.addresses.take_pod(self.node) {
                return address;
            }
        }
    }

    /// Writes the last status and removes the pod from the API.
    async fn remove(&self, book: &mut Book) {
        let pod = self.pod.borrow().clone();
        for state in &mut book.state.containers {
            if let Run::Waiting { .. } = state.run {
                let end = state.last.take().map(Run::Ended);
                state.run = end.unwrap_or_else(|| Run::never_ran(clock::timestamp()));
            }
        }
        book.state.finished = true;
        book.state.sandbox = false;
        book.write(&pod).await;
        self.host.clock.sleep(timing::CLEAN_UP).await;
        let parameters = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions {
                uid: pod.uid(),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        // Somebody else may have removed it by force.
        let _ = book.api.delete(&pod.name_any(), &parameters).await;
        self.host.logs.forget(&pod.uid().unwrap_or_default());
    }
}

fn is_terminating(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// The pod's state and what the API has been told of it.
struct Book {
    api: Api<Pod>,
    written: PodStatus,
    state: PodState,
}

impl Book {
    /// Writes the status if it has changed.
    async fn write(&mut self, pod: &Pod) {
        let status = status::status(pod, &self.state, &self.written, clock::timestamp());
        if status == self.written {
            return;
        }
        let patch = Patch::Merge(json!({"status": status}));
        let written = self
            .api
            .patch_status(&pod.name_any(), &PatchParams::default(), &patch)
            .await;
        match written {
            Ok(_) => self.written = status,
            // Removed by force: the watch will say so.
            Err(error) => tracing::debug!(%error, pod = pod.name_any(), "writing a pod's status"),
        }
    }
}
