//! Which pods a node port leads to, as the cluster's services and endpoint slices say.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBuilder;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, Event, watcher as watch_kind};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

/// The label by which the slices of a service are known.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// A broken watch is resumed after this at first, and after this at the latest.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Where the node port leads now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The cluster has not said yet.
    Unknown,
    /// No service has this node port.
    NoService(u16),
    Service {
        /// Namespace and name.
        name: String,
        ready: Vec<Backend>,
    },
}

/// A port of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Backend {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) port: u16,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespace,
            pod,
            port,
        } = self;
        write!(f, "port {port} of pod {namespace}/{pod}")
    }
}

/// Tells each change of the route, for as long as somebody wants to know.
pub(super) async fn follow(client: Client, node_port: u16, told: watch::Sender<Route>) {
    let services = Api::<Service>::all(client.clone());
    let mut services = Followed::new(services, watcher::Config::default());
    let mut slices: Option<Slices> = None;
    loop {
        tokio::select! {
            () = services.changed() => {}
            () = changed(slices.as_mut()) => {}
        }
        if !services.is_listed {
            continue;
        }
        let state = services.store.state();
        let found = state.iter().find_map(|service| {
            let port = port_of(service, node_port)?;
            Some((service, port.name.clone().unwrap_or_default()))
        });
        let Some((service, port_name)) = found else {
            slices = None;
            told.send_replace(Route::NoService(node_port));
            continue;
        };
        let slices = match slices.take().filter(|slices| slices.are_of(service)) {
            Some(known) => slices.insert(known),
            None => slices.insert(Slices::of(&client, service)),
        };
        let route = if slices.followed.is_listed {
            Route::Service {
                name: format!("{}/{}", slices.namespace, slices.service),
                ready: ready(
                    &slices.followed.store.state(),
                    &slices.namespace,
                    &port_name,
                ),
            }
        } else {
            Route::Unknown
        };
        told.send_if_modified(|current| {
            let is_new = *current != route;
            *current = route;
            is_new
        });
    }
}

/// The endpoint slices of one service.
struct Slices {
    namespace: String,
    service: String,
    followed: Followed<EndpointSlice>,
}

impl Slices {
    fn of(client: &Client, service: &Service) -> Self {
        let (namespace, service) = (service.namespace().unwrap_or_default(), service.name_any());
        let api = Api::namespaced(client.clone(), &namespace);
        let config = watcher::Config::default().labels(&format!("{SERVICE_NAME}={service}"));
        Self {
            namespace,
            service,
            followed: Followed::new(api, config),
        }
    }

    fn are_of(&self, service: &Service) -> bool {
        service.namespace().as_ref() == Some(&self.namespace) && service.name_any() == self.service
    }
}

/// Waits for a change of the slices; for ever where there is no service.
async fn changed(slices: Option<&mut Slices>) {
    match slices {
        Some(slices) => slices.followed.changed().await,
        None => std::future::pending().await,
    }
}

/// The objects of a watch, as they are now.
struct Followed<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store: Store<K>,
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    /// Whether the first list has been read.
    is_listed: bool,
}

impl<K> Followed<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    fn new(api: Api<K>, config: watcher::Config) -> Self {
        let (store, writer) = reflector::store();
        let events = watch_kind(api, config).backoff(retries()).reflect(writer);
        Self {
            store,
            events: events.boxed(),
            is_listed: false,
        }
    }

    /// Waits until the objects are no longer what they were. Cancelling it loses nothing.
    async fn changed(&mut self) {
        loop {
            match self.events.try_next().await {
                // The parts of a list are not a change; its end is.
                Ok(Some(Event::Init | Event::InitApply(_))) => {}
                Ok(Some(Event::InitDone)) => {
                    self.is_listed = true;
                    return;
                }
                Ok(Some(Event::Apply(_) | Event::Delete(_))) => return,
                Err(error) => {
                    let kind = K::kind(&());
                    tracing::debug!(%error, %kind, "a watch for a forwarded node port broke");
                }
                // A watch has no end.
                Ok(None) => std::future::pending().await,
            }
        }
    }
}

/// Waits between attempts that double until one succeeds.
fn retries() -> watcher::ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_RETRY)
        .with_max_delay(LONGEST_RETRY)
        .without_max_times()
        .into()
}

/// The port of a service that has a node port.
fn port_of(service: &Service, node_port: u16) -> Option<&ServicePort> {
    let ports = service.spec.as_ref()?.ports.as_ref()?;
    ports.iter().find(|port| {
        port.node_port == Some(node_port.into())
            && port.protocol.as_deref().unwrap_or("TCP") == "TCP"
    })
}

/// The ready pods of a service port, by the port's name. A pod counts once, however many
/// addresses it has.
fn ready(slices: &[Arc<EndpointSlice>], namespace: &str, port_name: &str) -> Vec<Backend> {
    let mut found = BTreeSet::new();
    for slice in slices {
        let port = slice
            .ports
            .iter()
            .flatten()
            .find(|port| port.name.as_deref().unwrap_or_default() == port_name)
            .and_then(|port| u16::try_from(port.port?).ok());
        let Some(port) = port else { continue };
        for endpoint in slice.endpoints.iter().flatten() {
            let conditions = endpoint.conditions.as_ref();
            // What is unknown counts as ready, as the API says.
            let is_ready = conditions.and_then(|conditions| conditions.ready);
            let target = endpoint.target_ref.as_ref();
            let pod = target
                .filter(|target| target.kind.as_deref() == Some("Pod"))
                .and_then(|target| target.name.clone());
            // An endpoint that is no pod cannot be reached through the API.
            if let Some(pod) = pod.filter(|_| is_ready.unwrap_or(true)) {
                found.insert(Backend {
                    namespace: namespace.to_owned(),
                    pod,
                    port,
                });
            }
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_slice(port: &Value, endpoints: &Value) -> Arc<EndpointSlice> {
        Arc::new(
            from_value(json!({
                "addressType": "IPv4", "ports": [port], "endpoints": endpoints,
            }))
            .unwrap(),
        )
    }

    fn mk_endpoint(pod: &str, conditions: &Value) -> Value {
        json!({
            "addresses": ["10.0.0.1"],
            "conditions": conditions,
            "targetRef": {"kind": "Pod", "name": pod},
        })
    }

    #[test]
    fn only_ready_pods_are_reached_and_each_counts_once() {
        let http = json!({"name": "http", "port": 3000});
        let admin = json!({"name": "admin", "port": 9000});
        let serving = json!({"ready": false, "serving": true, "terminating": true});
        let slices = [
            mk_slice(
                &http,
                &json!([
                    mk_endpoint("ready", &json!({"ready": true})),
                    mk_endpoint("unknown", &json!({})),
                    mk_endpoint("unready", &json!({"ready": false})),
                    mk_endpoint("terminating", &serving),
                    {"addresses": ["10.0.0.2"], "conditions": {"ready": true}},
                ]),
            ),
            mk_slice(
                &http,
                &json!([mk_endpoint("ready", &json!({"ready": true}))]),
            ),
            mk_slice(
                &admin,
                &json!([mk_endpoint("ready", &json!({"ready": true}))]),
            ),
        ];
        let found = |port_name| {
            let found = ready(&slices, "ns", port_name);
            let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
            texts
        };
        assert_eq!(
            found("http"),
            ["port 3000 of pod ns/ready", "port 3000 of pod ns/unknown"]
        );
        assert_eq!(found("admin"), ["port 9000 of pod ns/ready"]);
        assert!(found("").is_empty());
    }

    #[test]
    fn a_service_is_known_by_its_node_port() {
        let service: Service = from_value(json!({"spec": {"ports": [
            {"name": "dns", "port": 53, "nodePort": 30000, "protocol": "UDP"},
            {"name": "admin", "port": 81, "nodePort": 30001},
            {"name": "http", "port": 80, "nodePort": 30000, "protocol": "TCP"},
        ]}}))
        .unwrap();
        let name = |node_port| port_of(&service, node_port)?.name.as_deref();
        assert_eq!(name(30000), Some("http"));
        assert_eq!(name(30001), Some("admin"));
        assert_eq!(name(3000), None);
    }
}
