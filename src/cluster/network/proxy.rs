//! The service proxy: one listening socket per address and port of a service, and a random backend
//! for each new connection.
//!
//! Changes reach it as they reach kube-proxy: the first at once, then at most one sync a second,
//! scaled by the pace. It works in user space, so the kernel accepts a connection before a backend
//! is known; a missing or refusing backend therefore shows as a reset, not as a refusal.
//! Source: `pkg/proxy/iptables/proxier.go` (`minSyncPeriod`), `pkg/util/async`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backends::{Backend, backends};
use super::{Addresses, Sockets};
use crate::cluster::clock::Clock;
use crate::cluster::controllers::recorder::{Recorder, reference};
use crate::cluster::retries::retries;

/// The shortest time between two syncs.
const MIN_SYNC_PERIOD: Duration = Duration::from_secs(1);

/// Where node ports are served besides the nodes' own addresses, for people.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The address to listen on.
    pub address: Option<IpAddr>,
    /// Node ports that are served under another number there.
    pub ports: BTreeMap<u16, u16>,
}

/// The proxy of a whole cluster.
pub(crate) struct Proxy {
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) addresses: Addresses,
    pub(crate) sockets: Sockets,
    pub(crate) nodes: u8,
    pub(crate) published: Published,
    pub(crate) recorder: Recorder,
}

/// A service port: namespace, name, and port name.
type PortKey = (String, String, String);

/// A listening socket and the backends that it hands connections to.
struct Listening {
    key: PortKey,
    backends: Shared,
    task: AbortHandle,
}

type Shared = Arc<Mutex<Arc<[Backend]>>>;

impl Proxy {
    /// Proxies until it is told to stop; then drops all connections.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let (services, service_changes) = reflect::<Service>(&self.client);
        let (slices, slice_changes) = reflect::<EndpointSlice>(&self.client);
        let mut changes = pin!(stream::select(service_changes, slice_changes));
        let mut listeners: BTreeMap<SocketAddr, Listening> = BTreeMap::new();
        let mut tasks = JoinSet::new();
        let mut last_sync: Option<Instant> = None;
        let mut due: Option<Instant> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(()) = changes.next() => {
                    let earliest = last_sync.map(|at| at + self.clock.real(MIN_SYNC_PERIOD));
                    due = due.or(Some(earliest.unwrap_or_else(Instant::now)));
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    last_sync = Some(Instant::now());
                    self.sync(&services, &slices, &mut listeners, &mut tasks).await;
                }
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    /// Makes listeners and backends what services and slices say.
    async fn sync(
        &self,
        services: &Store<Service>,
        slices: &Store<EndpointSlice>,
        listeners: &mut BTreeMap<SocketAddr, Listening>,
        tasks: &mut JoinSet<()>,
    ) {
        let slices = slices.state();
        let mut wanted = BTreeSet::new();
        for service in services.state() {
            let name = service.name_any();
            let namespace = service.namespace().unwrap_or_default();
            let own = |slice: &&EndpointSlice| {
                slice.namespace().as_deref() == Some(namespace.as_str())
                    && slice.labels().get("kubernetes.io/service-name") == Some(&name)
            };
            for (port_name, address) in self.entrances(&service) {
                let key = (namespace.clone(), name.clone(), port_name);
                let found = backends(slices.iter().map(Arc::as_ref).filter(own), &key.2);
                wanted.insert(address);
                if listeners
                    .get(&address)
                    .is_some_and(|listening| listening.key != key)
                    && let Some(old) = listeners.remove(&address)
                {
                    old.task.abort();
                }
                match listeners.get(&address) {
                    Some(listening) => *lock(&listening.backends) = found.into(),
                    None => match listen(address).await {
                        Ok(listener) => {
                            let backends: Shared = Arc::new(Mutex::new(found.into()));
                            let accepting =
                                accept(listener, backends.clone(), self.sockets.clone());
                            let task = tasks.spawn(accepting);
                            listeners.insert(
                                address,
                                Listening {
                                    key,
                                    backends,
                                    task,
                                },
                            );
                        }
                        Err(error) => self.recorder.warning(
                            reference(&*service),
                            "FailedToListen",
                            format!("cannot listen on {address}: {error}"),
                        ),
                    },
                }
            }
        }
        listeners.retain(|address, listening| {
            let stays = wanted.contains(address);
            if !stays {
                listening.task.abort();
            }
            stays
        });
    }

    /// The port names and addresses at which a service is entered.
    fn entrances(&self, service: &Service) -> Vec<(String, SocketAddr)> {
        let Some(spec) = &service.spec else {
            return Vec::new();
        };
        let cluster_ip: Option<Ipv4Addr> = spec
            .cluster_ip
            .as_deref()
            .and_then(|text| text.parse().ok());
        let Some(cluster_ip) = cluster_ip else {
            return Vec::new();
        };
        let mut entrances = Vec::new();
        for port in spec.ports.iter().flatten() {
            if port.protocol.as_deref().unwrap_or("TCP") != "TCP" {
                continue;
            }
            let name = port.name.clone().unwrap_or_default();
            if self.addresses.are_real()
                && let Ok(number) = u16::try_from(port.port)
            {
                entrances.push((name.clone(), (cluster_ip, number).into()));
            }
            if let Some(number) = port.node_port.and_then(|port| u16::try_from(port).ok()) {
                let nodes = (0..self.nodes).map(|node| (self.addresses.node(node), number).into());
                let published = self.published.address.map(|address| {
                    SocketAddr::new(
                        address,
                        *self.published.ports.get(&number).unwrap_or(&number),
                    )
                });
                entrances.extend(
                    nodes
                        .chain(published)
                        .map(|address| (name.clone(), address)),
                );
            }
        }
        entrances
    }
}

/// A store of a kind and a stream that yields whenever it has changed.
fn reflect<K>(client: &Client) -> (Store<K>, impl Stream<Item = ()> + Send + use<K>)
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, writer) = reflector::store();
    let watch = watcher(Api::<K>::all(client.clone()), watcher::Config::default());
    let changes = watch
        .backoff(retries())
        .reflect(writer)
        .filter_map(async |event| match event {
            // The parts of a first list are not a change; its end is.
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) | Err(_) => None,
            Ok(_) => Some(()),
        });
    (store, changes)
}

fn lock(backends: &Shared) -> std::sync::MutexGuard<'_, Arc<[Backend]>> {
    backends.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Accepts connections and hands each to a backend, for as long as the task lives.
async fn accept(listener: TcpListener, backends: Shared, sockets: Sockets) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let chosen = choose(&lock(&backends));
                connections.spawn(forward(client, chosen, sockets.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One of the backends, each with the same chance, as kube-proxy's rules choose.
fn choose(backends: &[Backend]) -> Option<Backend> {
    (!backends.is_empty()).then(|| backends[rand::random_range(..backends.len())])
}

async fn forward(mut client: TcpStream, backend: Option<Backend>, sockets: Sockets) {
    let target = backend.and_then(|(pod, port)| sockets.find(pod, port));
    let connected = match target {
        Some(address) => TcpStream::connect(address).await,
        None => Err(io::ErrorKind::ConnectionRefused.into()),
    };
    match connected {
        Ok(mut server) => {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            if copy_bidirectional(&mut client, &mut server).await.is_err() {
                reset(&client);
            }
        }
        Err(_) => reset(&client),
    }
}

/// Makes the close of a connection a reset, which is what a client of a dead backend sees.
fn reset(connection: &TcpStream) {
    let socket = socket2::SockRef::from(connection);
    // Without it the client would see an orderly end, which is a failure all the same.
    let _ = socket.set_linger(Some(Duration::ZERO));
}
