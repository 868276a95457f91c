//! Metadata that every object has, label selectors, and the options of a delete.

use super::Struct;
use super::field::{fields_v1, flag, int64, labels, list, one, text, texts, time};

pub(super) static OBJECT_META: Struct = Struct::of(&[
    text(1, "name"),
    text(2, "generateName"),
    text(3, "namespace"),
    text(4, "selfLink"),
    text(5, "uid"),
    text(6, "resourceVersion"),
    int64(7, "generation"),
    time(8, "creationTimestamp"),
    time(9, "deletionTimestamp"),
    int64(10, "deletionGracePeriodSeconds").pointer(),
    labels(11, "labels"),
    labels(12, "annotations"),
    list(13, "ownerReferences", &OWNER_REFERENCE).keyed(&["uid"]),
    texts(14, "finalizers").set(),
    list(17, "managedFields", &MANAGED_FIELDS_ENTRY),
]);

pub(super) static OWNER_REFERENCE: Struct = Struct::atomic(&[
    text(1, "kind").always(),
    text(3, "name").always(),
    text(4, "uid").always(),
    text(5, "apiVersion").always(),
    flag(6, "controller").pointer(),
    flag(7, "blockOwnerDeletion").pointer(),
]);

pub(super) static MANAGED_FIELDS_ENTRY: Struct = Struct::of(&[
    text(1, "manager"),
    text(2, "operation"),
    text(3, "apiVersion"),
    time(4, "time"),
    text(6, "fieldsType"),
    fields_v1(7, "fieldsV1"),
    text(8, "subresource"),
]);

pub(super) static LABEL_SELECTOR: Struct = Struct::atomic(&[
    labels(1, "matchLabels"),
    list(2, "matchExpressions", &LABEL_SELECTOR_REQUIREMENT),
]);

pub(super) static LABEL_SELECTOR_REQUIREMENT: Struct = Struct::of(&[
    text(1, "key").always(),
    text(2, "operator").always(),
    texts(3, "values"),
]);

pub(super) static CONDITION: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "status").always(),
    int64(3, "observedGeneration"),
    time(4, "lastTransitionTime"),
    text(5, "reason").always(),
    text(6, "message").always(),
]);

pub(super) static DELETE_OPTIONS: Struct = Struct::of(&[
    int64(1, "gracePeriodSeconds").pointer(),
    one(2, "preconditions", &PRECONDITIONS),
    flag(3, "orphanDependents").pointer(),
    text(4, "propagationPolicy").pointer(),
    texts(5, "dryRun"),
    flag(6, "ignoreStoreReadErrorWithClusterBreakingPotential").pointer(),
]);

pub(super) static PRECONDITIONS: Struct = Struct::of(&[
    text(1, "uid").pointer(),
    text(2, "resourceVersion").pointer(),
]);
