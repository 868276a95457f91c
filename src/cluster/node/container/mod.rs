//! The life of one container: pull, configure, create, start, watch, stop, start again.
//!
//! A container is one task. It tells its pod's worker each new state, and is told when to stop.
//! Source: `pkg/kubelet/kuberuntime/kuberuntime_container.go`.

mod prepare;
mod probes;
mod stop;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Container, ObjectReference, Pod};
use kube::{Client, ResourceExt as _};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use self::probes::Probes;
use self::stop::{asked_to_stop, maybe};
use super::backoff::{self, Backoff};
use super::image::{ImageStore, Images};
use super::probe::{Asked, Purpose};
use super::state::{ContainerState, Exit, Run};
use super::{Process, Program, Signals, timing};
use crate::cluster::clock::{self, Clock};
use crate::cluster::controllers::recorder::Recorder;
use crate::cluster::logs::Logs;
use crate::cluster::network::Sockets;

/// The exit code of a process that was killed, and of one that a plain SIGTERM ended.
const KILLED: i32 = 137;

/// What a node gives each of its containers.
pub(super) struct Host {
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) images: Images,
    pub(super) pulled: ImageStore,
    pub(super) sockets: Sockets,
    pub(super) logs: Logs,
    pub(super) recorder: Recorder,
}

/// A container's place in its pod.
pub(super) struct Place {
    pub(super) host: Arc<Host>,
    pub(super) pod: Arc<Pod>,
    pub(super) address: Ipv4Addr,
    pub(super) spec: Container,
    pub(super) index: usize,
    /// Each new state goes to the pod's worker.
    pub(super) states: mpsc::UnboundedSender<(usize, ContainerState)>,
    /// When the container must have ended; `None` while the pod is wanted.
    pub(super) stop: watch::Receiver<Option<Instant>>,
}

/// Runs a container until it ends for good.
pub(super) async fn run(place: Place) {
    let state = ContainerState::new(&place.spec);
    let stop = place.stop.clone();
    let mut life = Life {
        place,
        state,
        stop,
        pulls: Backoff::default(),
        crashes: Backoff::default(),
    };
    loop {
        let mut stop = life.stop.clone();
        let prepared = tokio::select! {
            prepared = life.prepare() => Some(prepared),
            _ = stop.wait_for(Option::is_some) => None,
        };
        // The worker writes the end of what never ran.
        let Some((program, env)) = prepared else {
            return;
        };
        let began = Instant::now();
        let exit = life.execute(program, env).await;
        let ran = life.place.host.clock.simulated_since(began);
        let wait = match life.restart_wait(&exit, ran) {
            Restart::Never => return,
            Restart::Now => None,
            Restart::After(wait) => Some(wait),
        };
        if let Some(wait) = wait {
            life.back_off(wait);
            let mut stop = life.stop.clone();
            tokio::select! {
                () = life.place.host.clock.sleep(wait) => {}
                _ = stop.wait_for(Option::is_some) => return,
            }
        }
        life.state.restarts += 1;
    }
}

struct Life {
    place: Place,
    state: ContainerState,
    stop: watch::Receiver<Option<Instant>>,
    pulls: Backoff,
    crashes: Backoff,
}

enum Restart {
    Never,
    Now,
    After(Duration),
}

impl Life {
    /// Runs the program until it ends or is killed.
    async fn execute(&mut self, program: Arc<dyn Program>, env: BTreeMap<String, String>) -> Exit {
        let host = self.place.host.clone();
        let pod = &self.place.pod;
        let log = host.logs.begin(
            &pod.uid().unwrap_or_default(),
            &self.state.name,
            &self.state.id,
        );
        let (terminate, terminated) = watch::channel(false);
        let mut process = AbortOnDropHandle::new(tokio::spawn(program.run(Process {
            env,
            hostname: pod.name_any(),
            clock: host.clock.clone(),
            log: log.clone(),
            signals: Signals {
                terminate: terminated,
            },
            address: self.place.address,
            sockets: host.sockets.clone(),
        })));
        let since = clock::timestamp();
        let (findings, mut found) = mpsc::unbounded_channel();
        let mut probes = Probes {
            findings,
            tasks: JoinSet::new(),
        };
        let spec = self.place.spec.clone();
        self.state.run = Run::Running { since };
        self.state.started = spec.startup_probe.is_none();
        self.state.ready = self.state.started && spec.readiness_probe.is_none();
        if self.state.started {
            probes.start_main(self);
        } else {
            probes.start(Purpose::Startup, self);
        }
        self.publish();

        let mut stop = self.stop.clone();
        let mut stopping: Option<BoxFuture<'static, ()>> = None;
        let code = loop {
            let is_stopping = stopping.is_some();
            tokio::select! {
                ended = &mut process => break ended.unwrap_or(KILLED),
                deadline = asked_to_stop(&mut stop), if !is_stopping => {
                    host.recorder.normal(
                        self.about(),
                        "Killing",
                        format!("Stopping container {}", self.state.name),
                    );
                    probes.start_only_readiness(self);
                    stopping = Some(self.stop_sequence(deadline, terminate.clone()));
                }
                () = maybe(stopping.as_mut()), if is_stopping => {
                    process.abort();
                    break (&mut process).await.unwrap_or(KILLED);
                }
                Some(finding) = found.recv() => {
                    if self.note(&finding, is_stopping, &mut probes) {
                        let grace = self.grace();
                        let deadline = Instant::now() + host.clock.real(grace);
                        stopping = Some(self.stop_sequence(deadline, terminate.clone()));
                    }
                }
            }
        };
        drop(probes);
        log.end();
        let finished = clock::timestamp();
        host.clock.sleep(timing::NOTICE_EXIT).await;
        let exit = Exit {
            code,
            reason: if code == 0 { "Completed" } else { "Error" },
            message: None,
            started: Some(since),
            finished,
            container: self.state.id.clone(),
        };
        self.state.ready = false;
        self.state.started = false;
        self.state.run = Run::Ended(exit.clone());
        self.publish();
        exit
    }

    fn restart_wait(&mut self, exit: &Exit, ran: Duration) -> Restart {
        if self.stop.borrow().is_some() {
            return Restart::Never;
        }
        let policy = self
            .place
            .pod
            .spec
            .as_ref()
            .and_then(|spec| spec.restart_policy.as_deref());
        match policy {
            Some("Never") => return Restart::Never,
            Some("OnFailure") if exit.code == 0 => return Restart::Never,
            _ => {}
        }
        self.state.last = Some(exit.clone());
        match self.crashes.after_exit(ran) {
            None => Restart::Now,
            Some(wait) => Restart::After(wait),
        }
    }

    fn back_off(&mut self, wait: Duration) {
        let pod = &self.place.pod;
        let which = format!(
            "{}_{}({})",
            pod.name_any(),
            pod.namespace().unwrap_or_default(),
            pod.uid().unwrap_or_default()
        );
        let name = self.state.name.clone();
        self.place.host.recorder.warning(
            self.about(),
            "BackOff",
            format!("Back-off restarting failed container {name} in pod {which}"),
        );
        let text = format!(
            "back-off {} restarting failed container={name} pod={which}",
            backoff::spelled(wait)
        );
        self.wait_state("CrashLoopBackOff", Some(text));
    }

    fn wait_state(&mut self, reason: &'static str, message: Option<String>) {
        self.state.run = Run::Waiting { reason, message };
        self.publish();
    }

    fn publish(&self) {
        // The worker outlives its containers, except when the pod is gone already.
        let _ = self
            .place
            .states
            .send((self.place.index, self.state.clone()));
    }

    /// The reference by which events name this container.
    fn about(&self) -> ObjectReference {
        ObjectReference {
            field_path: Some(format!("spec.containers{{{}}}", self.state.name)),
            ..crate::cluster::controllers::recorder::reference(&*self.place.pod)
        }
    }

    fn asked(&self) -> Asked {
        Asked {
            address: self.place.address,
            sockets: self.place.host.sockets.clone(),
            container: self.place.spec.clone(),
        }
    }
}
