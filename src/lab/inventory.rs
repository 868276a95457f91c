//! What a cluster holds: names by kind, and the node ports in use.
//!
//! Pods, ReplicaSets, Events and Leases are left out: on a cluster that others use they come and
//! go by themselves.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service, ServiceAccount};
use kube::api::{ListParams, ObjectMeta};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::history::record::{Inventory, When};

/// Takes an inventory.
///
/// # Errors
/// The API does not answer a list.
pub async fn take(client: &Client, when: When) -> Result<Inventory, kube::Error> {
    let mut objects = BTreeMap::new();
    list::<Namespace>(client, &mut objects).await?;
    list::<Deployment>(client, &mut objects).await?;
    list::<ConfigMap>(client, &mut objects).await?;
    list::<ServiceAccount>(client, &mut objects).await?;
    let services: Api<Service> = Api::all(client.clone());
    let services = services.list(&ListParams::default()).await?;
    objects.insert(
        "Service".to_owned(),
        names(services.iter().map(Resource::meta)),
    );
    let node_ports = services
        .iter()
        .flat_map(|service| {
            let holder = name(service.meta());
            let ports = service
                .spec
                .iter()
                .flat_map(|spec| spec.ports.iter().flatten());
            ports
                .filter_map(|port| u16::try_from(port.node_port?).ok())
                .map(move |port| (port, holder.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    Ok(Inventory {
        when,
        objects,
        node_ports,
    })
}

async fn list<K>(
    client: &Client,
    objects: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    // Only names are needed, so only metadata is fetched.
    let api: Api<K> = Api::all(client.clone());
    let list = api.list_metadata(&ListParams::default()).await?;
    let names = names(list.iter().map(|object| &object.metadata));
    objects.insert(K::kind(&()).into_owned(), names);
    Ok(())
}

fn names<'m>(metadata: impl Iterator<Item = &'m ObjectMeta>) -> Vec<String> {
    let mut names: Vec<String> = metadata.map(name).collect();
    names.sort();
    names
}

fn name(metadata: &ObjectMeta) -> String {
    let name = metadata.name.as_deref().unwrap_or_default();
    match metadata.namespace.as_deref() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}
