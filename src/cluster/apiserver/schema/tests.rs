//! The table is compared with the typed objects: serde tells which fields a type has.

use std::cell::RefCell;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::autoscaling::{v1, v2};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    Binding, ConfigMap, Event, Namespace, Node, Pod, ResourceQuota, Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::Eviction;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::*;

/// What the table leaves out on purpose: dynamic resource allocation, alpha fields, and volumes of
/// single storage vendors.
const LEFT_OUT: &[&str] = &[
    "NodeStatus.declaredFeatures",
    "PodSpec.schedulingGroup",
    "PodStatus.allocatedResources",
    "PodStatus.extendedResourceClaimStatus",
    "PodStatus.nodeAllocatableResourceClaimStatuses",
    "PodStatus.resources",
    "ResourceHealth.message",
    "Volume.awsElasticBlockStore",
    "Volume.azureDisk",
    "Volume.azureFile",
    "Volume.cephfs",
    "Volume.cinder",
    "Volume.fc",
    "Volume.flexVolume",
    "Volume.flocker",
    "Volume.gcePersistentDisk",
    "Volume.gitRepo",
    "Volume.glusterfs",
    "Volume.iscsi",
    "Volume.photonPersistentDisk",
    "Volume.portworxVolume",
    "Volume.quobyte",
    "Volume.rbd",
    "Volume.scaleIO",
    "Volume.storageos",
    "Volume.vsphereVolume",
    "VolumeMountStatus.volumeStatus",
    "VolumeProjection.podCertificate",
];

/// Stands for a value of a shape. A type that is read from it asks for its fields, and each
/// difference from the table is noted.
#[derive(Clone, Copy)]
struct Probe<'n> {
    shape: Shape,
    notes: &'n RefCell<Vec<String>>,
}

impl Probe<'_> {
    fn note(&self, what: String) {
        self.notes.borrow_mut().push(what);
    }

    fn expect(&self, name: &str, fits: impl Fn(Type) -> bool) {
        if !matches!(self.shape, Shape::One(value) if fits(value)) {
            self.note(format!("{name} where the table has {:?}", self.shape));
        }
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.expect("bool", |value| matches!(value, Type::Bool));
        visitor.visit_bool(true)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.expect("i32", |value| matches!(value, Type::Int32));
        visitor.visit_i32(1)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.expect("i64", |value| matches!(value, Type::Int64));
        visitor.visit_i64(1)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.expect("any", |value| {
            matches!(value, Type::IntOrText | Type::Quantity | Type::FieldsV1)
        });
        visitor.visit_i64(1)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.shape {
            Shape::One(Type::Time | Type::MicroTime) => visitor.visit_str("2026-11-21T00:00:00Z"),
            Shape::One(Type::Text | Type::Quantity | Type::Bytes) => visitor.visit_str("dGV4dA=="),
            _ => {
                self.note(format!("a text where the table has {:?}", self.shape));
                visitor.visit_str("")
            }
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.expect(name, |value| {
            matches!(
                (name, value),
                ("Time", Type::Time)
                    | ("MicroTime", Type::MicroTime)
                    | ("Quantity", Type::Quantity)
                    | ("IntOrString", Type::IntOrText)
                    | ("ByteString", Type::Bytes)
                    | ("FieldsV1", Type::FieldsV1)
            )
        });
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Shape::One(Type::Struct(known)) = self.shape else {
            self.note(format!("{name} where the table has {:?}", self.shape));
            return visitor.visit_map(Fields::none(self));
        };
        // `OwnerReference.kind` is a field; the kind of an object is not.
        let is_object = known.field("metadata").is_some() && fields.contains(&"kind");
        let is_body = is_object || name == "DeleteOptions";
        let mut shared = Vec::new();
        for field in fields {
            match known.field(field) {
                Some(known) => shared.push((*field, known.shape)),
                None if is_body && matches!(*field, "kind" | "apiVersion") => {}
                None => self.note(format!("{name}.{field}")),
            }
        }
        for name_of_known in names(known) {
            if !fields.contains(&name_of_known) {
                self.note(format!("no {name}.{name_of_known}"));
            }
        }
        visitor.visit_map(Fields {
            probe: self,
            left: shared,
            next: None,
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Shape::Map(value, _) = self.shape else {
            self.note(format!("a map where the table has {:?}", self.shape));
            return visitor.visit_map(Fields::none(self));
        };
        visitor.visit_map(Fields {
            probe: self,
            left: vec![("key", Shape::One(value))],
            next: None,
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Shape::List(item, _) = self.shape else {
            self.note(format!("a list where the table has {:?}", self.shape));
            return visitor.visit_seq(Items(None));
        };
        visitor.visit_seq(Items(Some(Probe {
            shape: Shape::One(item),
            ..self
        })))
    }

    serde::forward_to_deserialize_any! {
        i8 i16 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct enum
        identifier ignored_any
    }
}

struct Fields<'n> {
    probe: Probe<'n>,
    left: Vec<(&'static str, Shape)>,
    next: Option<Shape>,
}

impl<'n> Fields<'n> {
    fn none(probe: Probe<'n>) -> Self {
        Self {
            probe,
            left: Vec::new(),
            next: None,
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, shape)) = self.left.pop() else {
            return Ok(None);
        };
        self.next = Some(shape);
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let shape = self.next.take().expect("a key comes before its value");
        seed.deserialize(Probe {
            shape,
            ..self.probe
        })
    }
}

struct Items<'n>(Option<Probe<'n>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|item| seed.deserialize(item)).transpose()
    }
}

/// The JSON names of a struct's fields.
fn names(known: &Struct) -> Vec<&'static str> {
    let fields = known.fields.iter();
    fields
        .flat_map(|field| match field.shape {
            Shape::Inline(inner) => names(inner),
            _ => vec![field.name],
        })
        .collect()
}

fn differences<T: DeserializeOwned>(group: &str, version: &str, kind: &str) -> Vec<String> {
    let notes = RefCell::new(Vec::new());
    let shape = Shape::One(Type::Struct(find(group, version, kind).unwrap()));
    T::deserialize(Probe {
        shape,
        notes: &notes,
    })
    .unwrap();
    notes.into_inner()
}

#[test]
fn the_table_has_the_fields_of_the_typed_objects() {
    let mut found = [
        differences::<Binding>("", "v1", "Binding"),
        differences::<ConfigMap>("", "v1", "ConfigMap"),
        differences::<Deployment>("apps", "v1", "Deployment"),
        differences::<EndpointSlice>("discovery.k8s.io", "v1", "EndpointSlice"),
        differences::<Event>("", "v1", "Event"),
        differences::<Eviction>("policy", "v1", "Eviction"),
        differences::<v1::HorizontalPodAutoscaler>("autoscaling", "v1", "HorizontalPodAutoscaler"),
        differences::<v2::HorizontalPodAutoscaler>("autoscaling", "v2", "HorizontalPodAutoscaler"),
        differences::<Lease>("coordination.k8s.io", "v1", "Lease"),
        differences::<Namespace>("", "v1", "Namespace"),
        differences::<Node>("", "v1", "Node"),
        differences::<Pod>("", "v1", "Pod"),
        differences::<ReplicaSet>("apps", "v1", "ReplicaSet"),
        differences::<ResourceQuota>("", "v1", "ResourceQuota"),
        differences::<v1::Scale>("autoscaling", "v1", "Scale"),
        differences::<Service>("", "v1", "Service"),
        differences::<ServiceAccount>("", "v1", "ServiceAccount"),
    ]
    .concat();
    found.sort();
    found.dedup();
    assert_eq!(found, LEFT_OUT);
}

#[test]
fn numbers_are_unique_within_a_message() {
    fn check(known: &'static Struct) {
        let mut numbers: Vec<u32> = known.fields.iter().map(|field| field.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), known.fields.len(), "{:?}", names(known));
        known.fields.iter().filter_map(Field::inner).for_each(check);
    }
    for (group, version, kind) in [
        ("", "v1", "Node"),
        ("", "v1", "Pod"),
        ("", "v1", "Service"),
        ("apps", "v1", "Deployment"),
        ("autoscaling", "v2", "HorizontalPodAutoscaler"),
    ] {
        check(find(group, version, kind).unwrap());
    }
}

#[test]
fn every_served_resource_is_in_the_table() {
    for resource in crate::cluster::apiserver::registry::RESOURCES {
        assert!(
            find(resource.group, resource.version, resource.kind).is_some(),
            "{}",
            resource.kind
        );
    }
}
