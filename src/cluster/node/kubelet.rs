//! The kubelet of one node: registers it, and gives each of its pods a worker.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{from_value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Images;
use super::container::Host;
use super::image::ImageStore;
use super::worker::Worker;
use crate::cluster::clock::{self, Clock};
use crate::cluster::controllers::recorder::Recorder;
use crate::cluster::logs::Logs;
use crate::cluster::network::{Addresses, Sockets};
use crate::cluster::retries::retries;

/// The namespace in which kubelets renew their leases.
const LEASES: &str = "kube-node-lease";

/// What a kubelet needs.
pub(crate) struct KubeletSettings {
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) images: Images,
    pub(crate) addresses: Addresses,
    pub(crate) sockets: Sockets,
    pub(crate) logs: Logs,
    pub(crate) version: &'static str,
    /// The node's number, from 0; node 0 is the control plane.
    pub(crate) index: u8,
    pub(crate) name: String,
}

/// A registered node.
pub(crate) struct Kubelet {
    settings: KubeletSettings,
    host: Arc<Host>,
}

impl Kubelet {
    /// Registers the node and its lease.
    ///
    /// # Errors
    /// The API refuses the node.
    pub(crate) async fn register(settings: KubeletSettings) -> Result<Self, kube::Error> {
        let nodes: Api<Node> = Api::all(settings.client.clone());
        let node = node(&settings);
        nodes.create(&PostParams::default(), &node).await?;
        let status = Patch::Merge(json!({"status": node.status}));
        nodes
            .patch_status(&settings.name, &PatchParams::default(), &status)
            .await?;
        let leases: Api<Lease> = Api::namespaced(settings.client.clone(), LEASES);
        leases
            .create(&PostParams::default(), &lease(&settings.name))
            .await?;
        let recorder = Recorder::new(settings.client.clone(), settings.clock.clone(), "kubelet")
            .on_host(&settings.name);
        let host = Arc::new(Host {
            client: settings.client.clone(),
            clock: settings.clock.clone(),
            images: settings.images.clone(),
            pulled: ImageStore::default(),
            sockets: settings.sockets.clone(),
            logs: settings.logs.clone(),
            recorder,
        });
        Ok(Self { settings, host })
    }

    /// Runs the node's pods until it is told to stop; then kills them all at once.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let pods: Api<Pod> = Api::all(self.settings.client.clone());
        let mine =
            watcher::Config::default().fields(&format!("spec.nodeName={}", self.settings.name));
        let mut events = pin!(watcher(pods, mine).backoff(retries()));
        let mut workers = JoinSet::new();
        let mut doors: BTreeMap<String, watch::Sender<Arc<Pod>>> = BTreeMap::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(event) = events.next() => match event {
                    Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) => {
                        self.hand_over(pod, &mut doors, &mut workers);
                    }
                    // Closing the door tells the worker that the pod is gone.
                    Ok(watcher::Event::Delete(pod)) => {
                        doors.remove(&pod.uid().unwrap_or_default());
                    }
                    Ok(watcher::Event::Init | watcher::Event::InitDone) => {}
                    Err(error) => tracing::debug!(%error, "a kubelet's watch is resumed"),
                },
                Some(_) = workers.join_next() => {}
            }
        }
    }

    fn hand_over(
        &self,
        pod: Pod,
        doors: &mut BTreeMap<String, watch::Sender<Arc<Pod>>>,
        workers: &mut JoinSet<()>,
    ) {
        let uid = pod.uid().unwrap_or_default();
        let pod = Arc::new(pod);
        if let Some(door) = doors.get(&uid) {
            // A worker that has ended waits for nothing more.
            let _ = door.send(pod);
            return;
        }
        let (door, newest) = watch::channel(pod);
        doors.insert(uid, door);
        let worker = Worker {
            host: self.host.clone(),
            addresses: self.settings.addresses.clone(),
            node: self.settings.index,
            pod: newest,
        };
        workers.spawn(worker.run());
    }
}

/// The Node object, with the conditions that a healthy kubelet posts.
fn node(settings: &KubeletSettings) -> Node {
    let now = clock::timestamp()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let condition = |name: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": name,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        })
    };
    let mut labels = json!({
        "kubernetes.io/hostname": settings.name,
        "kubernetes.io/os": std::env::consts::OS,
        "kubernetes.io/arch": architecture(),
        "beta.kubernetes.io/os": std::env::consts::OS,
        "beta.kubernetes.io/arch": architecture(),
    });
    if settings.index == 0 {
        labels["node-role.kubernetes.io/control-plane"] = "".into();
    }
    let capacity = json!({
        "cpu": "8",
        "memory": "16Gi",
        "ephemeral-storage": "100Gi",
        "pods": "110",
    });
    let node = json!({
        "metadata": {"name": settings.name, "labels": labels},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": settings.addresses.node(settings.index)},
                {"type": "Hostname", "address": settings.name},
            ],
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": [
                condition(
                    "MemoryPressure", "False", "KubeletHasSufficientMemory",
                    "kubelet has sufficient memory available",
                ),
                condition(
                    "DiskPressure", "False", "KubeletHasNoDiskPressure",
                    "kubelet has no disk pressure",
                ),
                condition(
                    "PIDPressure", "False", "KubeletHasSufficientPID",
                    "kubelet has sufficient PID available",
                ),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "nodeInfo": {
                "architecture": architecture(),
                "bootID": "",
                "containerRuntimeVersion":
                    concat!("rollout-lab://", env!("CARGO_PKG_VERSION")),
                "kernelVersion": std::env::consts::OS,
                "kubeProxyVersion": "",
                "kubeletVersion": settings.version,
                "machineID": "",
                "operatingSystem": std::env::consts::OS,
                "osImage": "rollout-lab embedded node",
                "systemUUID": "",
            },
        },
    });
    from_value(node).unwrap_or_default()
}

/// The processor's name as Go spells it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn lease(name: &str) -> Lease {
    let now = MicroTime(clock::timestamp());
    Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(name.to_owned()),
            lease_duration_seconds: Some(40),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            ..LeaseSpec::default()
        }),
    }
}
