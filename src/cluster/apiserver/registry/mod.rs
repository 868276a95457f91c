//! The served resources: what each is called, and the rules of its kind.
//!
//! A kind is one file that implements [`Kind`] on its typed object. [`Typed`] turns that into the
//! [`Strategy`] that the handlers call, so they never learn a kind.

mod configmap;
mod decode;
mod deployment;
mod endpointslice;
mod event;
mod kind;
mod lease;
mod metadata;
mod names;
mod namespace;
mod node;
mod numbers;
mod pod;
mod pod_spec;
mod replicaset;
mod resource;
mod selector;
mod service;
mod serviceaccount;
mod shape;

use kube::core::{ApiResource, GroupVersionKind};

pub(crate) use kind::{Admission, Decoded, Kind, Strategy, Typed, Writer};
pub(crate) use names::NameRule;
pub(crate) use namespace::RESOURCE as NAMESPACES;
pub(crate) use resource::{Resource, Scope, Subresource};

/// Every served resource, in the order of discovery.
pub(crate) static RESOURCES: &[&Resource] = &[
    &configmap::RESOURCE,
    &event::RESOURCE,
    &namespace::RESOURCE,
    &node::RESOURCE,
    &pod::RESOURCE,
    &serviceaccount::RESOURCE,
    &service::RESOURCE,
    &deployment::RESOURCE,
    &replicaset::RESOURCE,
    &lease::RESOURCE,
    &endpointslice::RESOURCE,
];

/// Every served resource as a dynamic client names it, for controllers that deal with all kinds.
pub(crate) fn served() -> impl Iterator<Item = (ApiResource, Scope)> {
    RESOURCES.iter().map(|resource| {
        let kind = GroupVersionKind::gvk(resource.group, resource.version, resource.kind);
        let api = ApiResource::from_gvk_with_plural(&kind, resource.plural);
        (api, resource.scope)
    })
}

/// Finds a resource by its group, version and plural.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Resource> {
    RESOURCES.iter().copied().find(|resource| {
        resource.group == group && resource.version == version && resource.plural == plural
    })
}
