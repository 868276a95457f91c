//! The schema of the served kinds: which fields an object has, what number each has in protobuf,
//! and how lists and maps merge.
//!
//! One table for three readers: [`patch::strategic`](super::patch), [`apply`](super::apply) and
//! [`protobuf`](super::protobuf). One file holds one area of the API. A list is replaced as a
//! whole unless the table says otherwise. Fields that the table does not know (dynamic resource
//! allocation, volumes of single vendors) merge by what their values look like, and are skipped in
//! protobuf. A test compares the table with the typed objects.
//!
//! Source: `staging/src/k8s.io/api/*/*/generated.proto`, whose comments carry `listType`,
//! `mapType`, `structType` and `patchStrategy`, and `types.go` for what is a pointer.

mod affinity;
mod autoscaling;
mod cluster;
mod container;
mod field;
mod meta;
mod node;
mod pod;
mod reference;
mod service;
#[cfg(test)]
mod tests;
mod volume;
mod workload;

pub(crate) use field::{Field, ListRule, Place, Presence, Shape, Type};
pub(crate) use workload::SCALE;

use self::field::part;
use super::registry::Resource;

/// The fields of an object or of a part of one.
#[derive(Debug)]
pub(crate) struct Struct {
    fields: &'static [Field],
    /// Server-side apply treats it as one value.
    atomic: bool,
}

/// An object of a kind that is not in the table: only its metadata is known.
static ANY: Struct = Struct::of(&[part(1, "metadata", &meta::OBJECT_META)]);

/// The schema of a kind, `None` where the table does not have it.
pub(crate) fn find(group: &str, version: &str, kind: &str) -> Option<&'static Struct> {
    Some(match (group, version, kind) {
        ("", "v1", "Binding") => &cluster::BINDING,
        ("", "v1", "ConfigMap") => &cluster::CONFIG_MAP,
        ("", "v1", "Event") => &cluster::EVENT,
        ("", "v1", "Namespace") => &cluster::NAMESPACE,
        ("", "v1", "Node") => &node::NODE,
        ("", "v1", "Pod") => &pod::POD,
        ("", "v1", "ResourceQuota") => &cluster::RESOURCE_QUOTA,
        ("", "v1", "Service") => &service::SERVICE,
        ("", "v1", "ServiceAccount") => &cluster::SERVICE_ACCOUNT,
        ("apps", "v1", "Deployment") => &workload::DEPLOYMENT,
        ("apps", "v1", "ReplicaSet") => &workload::REPLICA_SET,
        ("autoscaling", "v1", "HorizontalPodAutoscaler") => {
            &autoscaling::HORIZONTAL_POD_AUTOSCALER_V1
        }
        ("autoscaling", "v2", "HorizontalPodAutoscaler") => &autoscaling::HORIZONTAL_POD_AUTOSCALER,
        ("autoscaling", "v1", "Scale") => &SCALE,
        ("coordination.k8s.io", "v1", "Lease") => &cluster::LEASE,
        ("discovery.k8s.io", "v1", "EndpointSlice") => &service::ENDPOINT_SLICE,
        ("policy", "v1", "Eviction") => &cluster::EVICTION,
        // Every group has its own name for the same options.
        (_, _, "DeleteOptions") => &meta::DELETE_OPTIONS,
        _ => return None,
    })
}

/// The schema of a served resource.
pub(crate) fn of(resource: &Resource) -> &'static Struct {
    find(resource.group, resource.version, resource.kind).unwrap_or(&ANY)
}

impl Struct {
    const fn of(fields: &'static [Field]) -> Self {
        Self {
            fields,
            atomic: false,
        }
    }

    const fn atomic(fields: &'static [Field]) -> Self {
        Self {
            fields,
            atomic: true,
        }
    }

    /// The field of a name, also where it stands in an inlined message.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find_map(|field| match field.shape {
            Shape::Inline(inner) => inner.field(name),
            _ => (field.name == name).then_some(field),
        })
    }

    /// The field of a number in protobuf.
    pub(crate) fn numbered(&self, number: u32) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.number == number)
    }
}
