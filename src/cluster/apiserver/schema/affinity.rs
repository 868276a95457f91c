//! Where a pod may run: affinity, tolerations, spread.

use super::Struct;
use super::field::{int32, int64, list, one, part, text, texts};
use super::meta::LABEL_SELECTOR;

pub(super) static AFFINITY: Struct = Struct::of(&[
    one(1, "nodeAffinity", &NODE_AFFINITY),
    one(2, "podAffinity", &POD_AFFINITY),
    one(3, "podAntiAffinity", &POD_ANTI_AFFINITY),
]);

pub(super) static NODE_AFFINITY: Struct = Struct::of(&[
    one(
        1,
        "requiredDuringSchedulingIgnoredDuringExecution",
        &NODE_SELECTOR,
    ),
    list(
        2,
        "preferredDuringSchedulingIgnoredDuringExecution",
        &PREFERRED_SCHEDULING_TERM,
    ),
]);

pub(super) static NODE_SELECTOR: Struct =
    Struct::atomic(&[list(1, "nodeSelectorTerms", &NODE_SELECTOR_TERM).always()]);

pub(super) static NODE_SELECTOR_TERM: Struct = Struct::atomic(&[
    list(1, "matchExpressions", &NODE_SELECTOR_REQUIREMENT),
    list(2, "matchFields", &NODE_SELECTOR_REQUIREMENT),
]);

pub(super) static NODE_SELECTOR_REQUIREMENT: Struct = Struct::of(&[
    text(1, "key").always(),
    text(2, "operator").always(),
    texts(3, "values"),
]);

pub(super) static PREFERRED_SCHEDULING_TERM: Struct = Struct::of(&[
    int32(1, "weight").always(),
    part(2, "preference", &NODE_SELECTOR_TERM),
]);

pub(super) static POD_AFFINITY: Struct = Struct::of(&[
    list(
        1,
        "requiredDuringSchedulingIgnoredDuringExecution",
        &POD_AFFINITY_TERM,
    ),
    list(
        2,
        "preferredDuringSchedulingIgnoredDuringExecution",
        &WEIGHTED_POD_AFFINITY_TERM,
    ),
]);

pub(super) static POD_ANTI_AFFINITY: Struct = Struct::of(&[
    list(
        1,
        "requiredDuringSchedulingIgnoredDuringExecution",
        &POD_AFFINITY_TERM,
    ),
    list(
        2,
        "preferredDuringSchedulingIgnoredDuringExecution",
        &WEIGHTED_POD_AFFINITY_TERM,
    ),
]);

pub(super) static POD_AFFINITY_TERM: Struct = Struct::of(&[
    one(1, "labelSelector", &LABEL_SELECTOR),
    texts(2, "namespaces"),
    text(3, "topologyKey").always(),
    one(4, "namespaceSelector", &LABEL_SELECTOR),
    texts(5, "matchLabelKeys"),
    texts(6, "mismatchLabelKeys"),
]);

pub(super) static WEIGHTED_POD_AFFINITY_TERM: Struct = Struct::of(&[
    int32(1, "weight").always(),
    part(2, "podAffinityTerm", &POD_AFFINITY_TERM),
]);

pub(super) static TOLERATION: Struct = Struct::of(&[
    text(1, "key"),
    text(2, "operator"),
    text(3, "value"),
    text(4, "effect"),
    int64(5, "tolerationSeconds").pointer(),
]);

pub(super) static TOPOLOGY_SPREAD_CONSTRAINT: Struct = Struct::of(&[
    int32(1, "maxSkew").always(),
    text(2, "topologyKey").always(),
    text(3, "whenUnsatisfiable").always(),
    one(4, "labelSelector", &LABEL_SELECTOR),
    int32(5, "minDomains").pointer(),
    text(6, "nodeAffinityPolicy").pointer(),
    text(7, "nodeTaintsPolicy").pointer(),
    texts(8, "matchLabelKeys"),
]);
