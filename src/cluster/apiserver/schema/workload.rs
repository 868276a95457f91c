//! Deployment, ReplicaSet, their pod template, and Scale.

use super::Struct;
use super::field::{flag, int_or_text, int32, int64, list, one, part, text, time};
use super::meta::{LABEL_SELECTOR, OBJECT_META};
use super::pod::POD_SPEC;

pub(super) static DEPLOYMENT: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &DEPLOYMENT_SPEC),
    part(3, "status", &DEPLOYMENT_STATUS),
]);

pub(super) static DEPLOYMENT_SPEC: Struct = Struct::of(&[
    int32(1, "replicas").pointer(),
    one(2, "selector", &LABEL_SELECTOR),
    part(3, "template", &POD_TEMPLATE_SPEC),
    part(4, "strategy", &DEPLOYMENT_STRATEGY),
    int32(5, "minReadySeconds"),
    int32(6, "revisionHistoryLimit").pointer(),
    flag(7, "paused"),
    int32(9, "progressDeadlineSeconds").pointer(),
]);

pub(super) static DEPLOYMENT_STRATEGY: Struct = Struct::of(&[
    text(1, "type"),
    one(2, "rollingUpdate", &ROLLING_UPDATE_DEPLOYMENT),
]);

pub(super) static ROLLING_UPDATE_DEPLOYMENT: Struct =
    Struct::of(&[int_or_text(1, "maxUnavailable"), int_or_text(2, "maxSurge")]);

pub(super) static DEPLOYMENT_STATUS: Struct = Struct::of(&[
    int64(1, "observedGeneration"),
    int32(2, "replicas"),
    int32(3, "updatedReplicas"),
    int32(4, "availableReplicas"),
    int32(5, "unavailableReplicas"),
    list(6, "conditions", &DEPLOYMENT_CONDITION).keyed(&["type"]),
    int32(7, "readyReplicas"),
    int32(8, "collisionCount").pointer(),
    int32(9, "terminatingReplicas").pointer(),
]);

pub(super) static DEPLOYMENT_CONDITION: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "status").always(),
    text(4, "reason"),
    text(5, "message"),
    time(6, "lastUpdateTime"),
    time(7, "lastTransitionTime"),
]);

pub(super) static REPLICA_SET: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &REPLICA_SET_SPEC),
    part(3, "status", &REPLICA_SET_STATUS),
]);

pub(super) static REPLICA_SET_SPEC: Struct = Struct::of(&[
    int32(1, "replicas").pointer(),
    one(2, "selector", &LABEL_SELECTOR),
    part(3, "template", &POD_TEMPLATE_SPEC),
    int32(4, "minReadySeconds"),
]);

pub(super) static REPLICA_SET_STATUS: Struct = Struct::of(&[
    int32(1, "replicas").always(),
    int32(2, "fullyLabeledReplicas"),
    int64(3, "observedGeneration"),
    int32(4, "readyReplicas"),
    int32(5, "availableReplicas"),
    list(6, "conditions", &REPLICA_SET_CONDITION).keyed(&["type"]),
    int32(7, "terminatingReplicas").pointer(),
]);

pub(super) static REPLICA_SET_CONDITION: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "status").always(),
    time(3, "lastTransitionTime"),
    text(4, "reason"),
    text(5, "message"),
]);

pub(super) static POD_TEMPLATE_SPEC: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &POD_SPEC),
]);

pub(crate) static SCALE: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &SCALE_SPEC),
    part(3, "status", &SCALE_STATUS),
]);

pub(super) static SCALE_SPEC: Struct = Struct::of(&[int32(1, "replicas")]);

pub(super) static SCALE_STATUS: Struct =
    Struct::of(&[int32(1, "replicas").always(), text(2, "selector")]);
