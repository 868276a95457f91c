//! Small kinds: Namespace, ConfigMap, `ServiceAccount`, `ResourceQuota`, Event, Lease, and the bodies
//! of bindings and evictions.

use super::Struct;
use super::field::{
    bytes_map, flag, int32, labels, list, micro_time, one, part, quantities, text, texts, time,
};
use super::meta::{DELETE_OPTIONS, OBJECT_META};
use super::reference::{LOCAL_OBJECT_REFERENCE, OBJECT_REFERENCE};

pub(super) static NAMESPACE: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &NAMESPACE_SPEC),
    part(3, "status", &NAMESPACE_STATUS),
]);

pub(super) static NAMESPACE_SPEC: Struct = Struct::of(&[texts(1, "finalizers")]);

pub(super) static NAMESPACE_STATUS: Struct = Struct::of(&[
    text(1, "phase"),
    list(2, "conditions", &NAMESPACE_CONDITION).keyed(&["type"]),
]);

pub(super) static NAMESPACE_CONDITION: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "status").always(),
    time(4, "lastTransitionTime"),
    text(5, "reason"),
    text(6, "message"),
]);

pub(super) static CONFIG_MAP: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    labels(2, "data"),
    bytes_map(3, "binaryData"),
    flag(4, "immutable").pointer(),
]);

pub(super) static RESOURCE_QUOTA: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &RESOURCE_QUOTA_SPEC),
    part(3, "status", &RESOURCE_QUOTA_STATUS),
]);

pub(super) static RESOURCE_QUOTA_SPEC: Struct = Struct::of(&[
    quantities(1, "hard"),
    texts(2, "scopes"),
    one(3, "scopeSelector", &SCOPE_SELECTOR),
]);

pub(super) static SCOPE_SELECTOR: Struct = Struct::atomic(&[list(
    1,
    "matchExpressions",
    &SCOPED_RESOURCE_SELECTOR_REQUIREMENT,
)]);

pub(super) static SCOPED_RESOURCE_SELECTOR_REQUIREMENT: Struct = Struct::atomic(&[
    text(1, "scopeName").always(),
    text(2, "operator").always(),
    texts(3, "values"),
]);

pub(super) static RESOURCE_QUOTA_STATUS: Struct =
    Struct::of(&[quantities(1, "hard"), quantities(2, "used")]);

pub(super) static SERVICE_ACCOUNT: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    list(2, "secrets", &OBJECT_REFERENCE).keyed(&["name"]),
    list(3, "imagePullSecrets", &LOCAL_OBJECT_REFERENCE),
    flag(4, "automountServiceAccountToken").pointer(),
]);

pub(super) static BINDING: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "target", &OBJECT_REFERENCE),
]);

pub(super) static EVENT: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "involvedObject", &OBJECT_REFERENCE),
    text(3, "reason"),
    text(4, "message"),
    part(5, "source", &EVENT_SOURCE),
    time(6, "firstTimestamp"),
    time(7, "lastTimestamp"),
    int32(8, "count"),
    text(9, "type"),
    micro_time(10, "eventTime"),
    one(11, "series", &EVENT_SERIES),
    text(12, "action"),
    one(13, "related", &OBJECT_REFERENCE),
    text(14, "reportingComponent").always(),
    text(15, "reportingInstance").always(),
]);

pub(super) static EVENT_SOURCE: Struct = Struct::of(&[text(1, "component"), text(2, "host")]);

pub(super) static EVENT_SERIES: Struct =
    Struct::of(&[int32(1, "count"), micro_time(2, "lastObservedTime")]);

pub(super) static EVICTION: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    one(2, "deleteOptions", &DELETE_OPTIONS),
]);

pub(super) static LEASE: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &LEASE_SPEC),
]);

pub(super) static LEASE_SPEC: Struct = Struct::of(&[
    text(1, "holderIdentity").pointer(),
    int32(2, "leaseDurationSeconds").pointer(),
    micro_time(3, "acquireTime"),
    micro_time(4, "renewTime"),
    int32(5, "leaseTransitions").pointer(),
    text(6, "strategy").pointer(),
    text(7, "preferredHolder").pointer(),
]);
