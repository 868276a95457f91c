//! Keeps every EndpointSlice at the pods that serve its Service.
//!
//! ```text
//! pods, nodes ─► endpoints (by ports) ─► plan of slices ─► create, update, delete
//! ```
//!
//! A pass does all Services of a namespace. One pod can be behind many of them, and the Service
//! that it has just left can be told from its old labels only; looking at all needs no memory of
//! either, and a burst of pod changes costs one pass. A Service that goes takes its slices along
//! by their owner reference.
//!
//! Source: `pkg/controller/endpointslice/endpointslice_controller.go`.

mod endpoints;
mod ports;
mod slice;
mod slices;

use std::collections::HashSet;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::runtime::{PredicateConfig, WatchStreamExt as _, predicates, watcher};
use kube::{Api, Client, ResourceExt as _};

use self::endpoints::Zones;
use self::slice::{CONTROLLER, MANAGED_BY};
use self::slices::Plan;
use super::recorder::{Recorder, reference};
use super::refused;
use super::runtime::{Action, Controller, Trigger, on_change};
use crate::cluster::clock::Clock;
use crate::cluster::retries::retries;
use crate::cluster::store::Key;

const COMPONENT: &str = "endpoint-slice-controller";
const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// The EndpointSlice controller.
pub(crate) struct EndpointSliceController {
    client: Client,
    recorder: Recorder,
}

impl EndpointSliceController {
    pub(crate) fn new(client: Client, clock: Clock) -> Self {
        Self {
            recorder: Recorder::new(client.clone(), clock, COMPONENT),
            client,
        }
    }

    async fn reconcile_service(&self, service: &Service, plan: Plan) -> Result<(), kube::Error> {
        let namespace = service.namespace().unwrap_or_default();
        let slices: Api<EndpointSlice> = Api::namespaced(self.client.clone(), &namespace);
        let result = write(&slices, plan).await;
        if let Err((what, error)) = &result {
            let name = service.name_any();
            self.recorder.warning(
                reference(service),
                "FailedToUpdateEndpointSlices",
                format!(
                    "Error updating Endpoint Slices for Service {namespace}/{name}: failed to \
                     {what} EndpointSlice for Service {namespace}/{name}: {}",
                    refused::message(error)
                ),
            );
        }
        result.map_err(|(_, error)| error)
    }
}

impl Controller for EndpointSliceController {
    const NAME: &'static str = COMPONENT;

    fn triggers(&self) -> Vec<Trigger> {
        let all = watcher::Config::default;
        let own = all().labels(&format!("{MANAGED_BY}={CONTROLLER}"));
        vec![
            on_change(Api::<Service>::all(self.client.clone()), all(), home),
            on_change(Api::<Pod>::all(self.client.clone()), all(), |pod| {
                if endpoints::has_address(pod) {
                    home(pod)
                } else {
                    Vec::new()
                }
            }),
            on_change(Api::<EndpointSlice>::all(self.client.clone()), own, home),
            on_node_change(self.client.clone()),
        ]
    }

    async fn reconcile(&self, key: &Key) -> Result<Action, kube::Error> {
        let all = ListParams::default();
        let of = key.namespace.as_str();
        let services = Api::<Service>::namespaced(self.client.clone(), of);
        let services = services.list(&all).await?;
        if services.items.is_empty() {
            return Ok(Action::Await);
        }
        let pods = Api::<Pod>::namespaced(self.client.clone(), of);
        let pods = pods.list(&all).await?.items;
        let slices = Api::<EndpointSlice>::namespaced(self.client.clone(), of);
        let slices = slices.list(&all).await?.items;
        let nodes = Api::<Node>::all(self.client.clone()).list(&all).await?;
        let zones: Zones = nodes
            .iter()
            .map(|node| (node.name_any(), zone(node)))
            .collect();
        let mut result = Ok(Action::Await);
        for service in &services {
            if let Some(groups) = endpoints::of_service(service, &pods, &zones) {
                let existing = slices
                    .iter()
                    .filter(|slice| slice::belongs(slice, service))
                    .cloned()
                    .collect();
                let plan = slices::plan(service, groups, existing);
                if let Err(error) = self.reconcile_service(service, plan).await {
                    result = Err(error);
                }
            }
        }
        result
    }
}

/// Carries a plan out; an error comes with the verb that failed.
async fn write(slices: &Api<EndpointSlice>, plan: Plan) -> Result<(), (&'static str, kube::Error)> {
    for slice in plan.create {
        match slices.create(&PostParams::default(), &slice).await {
            // It would be refused for ever, and soon nobody wants it.
            Err(error) if refused::is_namespace_terminating(&error) => return Ok(()),
            result => result.map_err(|error| ("create", error))?,
        };
    }
    for slice in plan.update {
        let name = slice.name_any();
        let result = slices.replace(&name, &PostParams::default(), &slice).await;
        result.map_err(|error| ("update", error))?;
    }
    for slice in plan.delete {
        match slices
            .delete(&slice.name_any(), &DeleteParams::default())
            .await
        {
            Err(error) if !refused::is_not_found(&error) => return Err(("delete", error)),
            _ => {}
        }
    }
    Ok(())
}

/// The key of all Services of an object's namespace.
fn home<K: kube::Resource>(object: &K) -> Vec<Key> {
    vec![namespace_key(object.namespace().unwrap_or_default())]
}

fn namespace_key(namespace: String) -> Key {
    Key::new(namespace, "")
}

fn zone(node: &Node) -> Option<String> {
    node.labels().get(ZONE_LABEL).cloned()
}

/// All namespaces that have Services, whenever a node comes or its labels change: it may be in
/// another zone, and pods may have waited for it. What nodes write to their status changes nothing.
fn on_node_change(client: Client) -> Trigger {
    watcher(Api::<Node>::all(client.clone()), watcher::Config::default())
        .backoff(retries())
        .touched_objects()
        .predicate_filter(predicates::labels, PredicateConfig::default())
        .filter_map(async |node| node.ok())
        .then(move |_| {
            let services = Api::<Service>::all(client.clone());
            async move {
                let services = services.list(&ListParams::default()).await;
                let namespaces: HashSet<String> = services
                    .into_iter()
                    .flatten()
                    .filter_map(|service| service.namespace())
                    .collect();
                namespaces.into_iter().map(namespace_key).collect()
            }
        })
        .boxed()
}

#[cfg(test)]
mod tests;
