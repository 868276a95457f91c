//! The embedded Kubernetes cluster. It knows nothing of the lab.
//!
//! ```text
//!            kubectl ── TLS ──┐
//! controllers, scheduler ─────┤
//! kubelets, service proxy ────┼─► apiserver ─► store
//! the lab's own client ───────┘
//! ```
//!
//! An in-process API server with real semantics, the controllers, a scheduler, a kubelet per node
//! that runs built-in images as real HTTP servers on loopback addresses, and a service proxy. No
//! engine, no root, no download. Names follow upstream, so that a Kubernetes engineer finds
//! `rolling` without asking.

pub mod clock;

mod apiserver;
mod controllers;
mod identity;
mod logs;
mod network;
mod node;
mod object;
mod retries;
mod scheduler;
mod store;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::Client;
use kube::api::{Api, PostParams};
use kube::runtime::wait::{Condition, await_condition};
use serde_json::{from_value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use apiserver::{ApiServer, Sessions, listener};
use clock::Clock;
use controllers::deployment::Deployments;
use controllers::endpointslice::EndpointSliceController;
use controllers::garbage_collector::GarbageCollector;
use controllers::namespace::NamespaceController;
use controllers::replicaset::ReplicaSets;
use controllers::runtime::{self, Controller};
use controllers::service_account::ServiceAccountController;
use identity::Identity;
use logs::Logs;
use network::{Addresses, Proxy, Sockets};
use node::{Kubelet, KubeletSettings};
use scheduler::Scheduler;
use store::Store;

pub use identity::IdentityError;
pub use logs::Log;
pub use network::{PodListener, Published};
pub use node::{Images, Process, Program, Signals};

/// The version of Kubernetes that the cluster behaves as.
pub const VERSION: &str = "v1.36.2";
/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// How a cluster is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many times faster than real time simulated durations run.
    pub pace: f64,
    /// How many nodes there are.
    pub nodes: u8,
    /// The programs that run in its pods.
    pub images: Images,
    /// Where node ports are served besides the nodes' own addresses.
    pub published: Published,
    /// Whether clients outside the process are served, and on which port; 0 takes any.
    pub listen: Option<u16>,
    /// Whether all nodes share 127.0.0.1 even where they could have addresses of their own.
    pub shared_address: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pace: 1.0,
            nodes: 3,
            images: Images::default(),
            published: Published::default(),
            listen: None,
            shared_address: false,
        }
    }
}

/// Why a cluster did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port of the API is in use.
    #[error(
        "could not listen on 127.0.0.1:{port} for the API; choose another port or stop what holds it"
    )]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The certificates could not be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The controllers did not put into a namespace what belongs there.
    #[error("the new cluster is incomplete: {what} did not come")]
    Incomplete {
        /// What is missing.
        what: String,
        /// Why.
        source: kube::runtime::wait::Error,
    },
    /// The cluster's own API refused what every cluster has.
    #[error("the new cluster refused {what}")]
    Bootstrap {
        /// What was refused.
        what: String,
        /// Why.
        source: kube::Error,
    },
}

/// A running cluster.
pub struct Cluster {
    server: ApiServer,
    clock: Clock,
    identity: Identity,
    addresses: Addresses,
    nodes: Vec<String>,
    /// Where the API is served to clients outside the process.
    api: Option<SocketAddr>,
    stop: CancellationToken,
    /// Stops everything when the cluster is dropped without having been stopped.
    _guard: DropGuard,
    tasks: TaskTracker,
}

impl Cluster {
    /// Starts a cluster; it is ready to be used when this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let addresses = if settings.shared_address {
            Addresses::shared()
        } else {
            Addresses::claim()
        };
        let clock = Clock::new(settings.pace);
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let identity = Identity::new(&[loopback])?;
        let rules = apiserver::settings::Settings {
            services: addresses.services(),
        };
        let logs = Logs::default();
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let tasks = TaskTracker::new();
        let sockets = Sockets::new(addresses.are_real());
        let server = ApiServer::new(Store::default(), logs.clone(), rules)
            .reaching(sockets.clone(), Sessions::new(stop.clone(), tasks.clone()));
        let api = match settings.listen {
            Some(port) => Some(serve(&server, &identity, port, &stop, &tasks).await?),
            None => None,
        };
        let mut cluster = Self {
            server,
            clock,
            identity,
            addresses,
            nodes: Vec::new(),
            api,
            stop,
            _guard: guard,
            tasks,
        };
        cluster.start_controllers();
        cluster.make_namespaces().await?;
        cluster.start_nodes(&settings, &logs, &sockets).await?;
        cluster.start_proxy(&settings, sockets);
        cluster.await_namespaces().await?;
        Ok(cluster)
    }

    /// A client in the process; `component` is its name in `managedFields`.
    #[must_use]
    pub fn client(&self, component: &'static str) -> Client {
        self.server.client(component)
    }

    /// The cluster's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Names of the nodes; the first is the control plane.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        self.nodes.clone()
    }

    /// The address of the first node, at which node ports are served.
    #[must_use]
    pub fn node_address(&self) -> IpAddr {
        IpAddr::V4(self.addresses.node(0))
    }

    /// Writes the kubeconfig to a new file that only its owner can read.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the cluster is served to nobody outside.
    pub fn write_kubeconfig(&self, path: &Path) -> io::Result<()> {
        let address = self.api.ok_or(io::ErrorKind::NotConnected)?;
        identity::write_private(path, &self.identity.kubeconfig("rollout-lab", address))
    }

    /// Breaks every open watch, log stream and forwarded port, as a lost connection does.
    pub fn cut_connections(&self) {
        self.server.cut_streams();
    }

    /// Stops everything at once and waits until all sockets are closed.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn start_controllers(&self) {
        let run = |controller| self.tasks.spawn(controller);
        let client = || self.client("kube-controller-manager");
        let (clock, stop) = (|| self.clock.clone(), || self.stop.clone());
        run(drive(Deployments::new(client(), clock()), clock(), stop()));
        run(drive(ReplicaSets::new(client(), clock()), clock(), stop()));
        run(drive(
            EndpointSliceController::new(client(), clock()),
            clock(),
            stop(),
        ));
        run(drive(
            NamespaceController::new(client(), clock()),
            clock(),
            stop(),
        ));
        run(drive(
            GarbageCollector::new(client(), clock()),
            clock(),
            stop(),
        ));
        let account = ServiceAccountController::new(client(), self.identity.ca.clone());
        run(drive(account, clock(), stop()));
        let scheduler = Scheduler::new(self.client("kube-scheduler"), clock());
        run(drive(scheduler, clock(), stop()));
    }

    async fn make_namespaces(&self) -> Result<(), StartError> {
        let namespaces: Api<Namespace> = Api::all(self.client("kube-apiserver"));
        for name in NAMESPACES {
            let namespace: Namespace =
                from_value(json!({"metadata": {"name": name}})).unwrap_or_default();
            namespaces
                .create(&PostParams::default(), &namespace)
                .await
                .map_err(|source| StartError::Bootstrap {
                    what: format!("namespace {name}"),
                    source,
                })?;
        }
        Ok(())
    }

    /// Waits until the controllers have put into every namespace what belongs there: a cluster
    /// that is still being made would change under its users' eyes.
    async fn await_namespaces(&self) -> Result<(), StartError> {
        let client = self.client("kube-apiserver");
        for name in NAMESPACES {
            let missing = |what: &str| {
                let what = format!("{what} of namespace {name}");
                move |source| StartError::Incomplete { what, source }
            };
            let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), name);
            await_condition(accounts, "default", exists())
                .await
                .map_err(missing("the service account"))?;
            let configmaps: Api<ConfigMap> = Api::namespaced(client.clone(), name);
            await_condition(configmaps, "kube-root-ca.crt", exists())
                .await
                .map_err(missing("the CA certificate"))?;
        }
        Ok(())
    }

    async fn start_nodes(
        &mut self,
        settings: &Settings,
        logs: &Logs,
        sockets: &Sockets,
    ) -> Result<(), StartError> {
        for index in 0..settings.nodes {
            let name = match index {
                0 => "lab-control-plane".to_owned(),
                1 => "lab-worker".to_owned(),
                _ => format!("lab-worker{index}"),
            };
            let kubelet = Kubelet::register(KubeletSettings {
                client: self.client("kubelet"),
                clock: self.clock.clone(),
                images: settings.images.clone(),
                addresses: self.addresses.clone(),
                sockets: sockets.clone(),
                logs: logs.clone(),
                version: VERSION,
                index,
                name: name.clone(),
            })
            .await
            .map_err(|source| StartError::Bootstrap {
                what: format!("node {name}"),
                source,
            })?;
            self.nodes.push(name);
            self.tasks.spawn(kubelet.run(self.stop.clone()));
        }
        Ok(())
    }

    fn start_proxy(&self, settings: &Settings, sockets: Sockets) {
        let client = self.client("kube-proxy");
        let recorder =
            controllers::recorder::Recorder::new(client.clone(), self.clock.clone(), "kube-proxy");
        let proxy = Proxy {
            client,
            clock: self.clock.clone(),
            addresses: self.addresses.clone(),
            sockets,
            nodes: settings.nodes,
            published: settings.published.clone(),
            recorder,
        };
        self.tasks.spawn(proxy.run(self.stop.clone()));
    }
}

/// Keys and tokens stay out of it.
impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("nodes", &self.nodes)
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

/// That an object is there, in whatever state.
fn exists<K>() -> impl Condition<K> {
    |object: Option<&K>| object.is_some()
}

/// Runs a controller, with its type erased.
fn drive<C: Controller>(
    controller: C,
    clock: Clock,
    stop: CancellationToken,
) -> BoxFuture<'static, ()> {
    runtime::run(Arc::new(controller), clock, stop).boxed()
}

/// Opens the API to clients outside the process.
async fn serve(
    server: &ApiServer,
    identity: &Identity,
    port: u16,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<SocketAddr, StartError> {
    let listen = |source| StartError::Listen { port, source };
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(listen)?;
    let address = socket.local_addr().map_err(listen)?;
    tasks.spawn(listener::serve(
        server.clone(),
        socket,
        identity.tls.clone(),
        identity.token.clone(),
        stop.clone(),
    ));
    Ok(address)
}
