//! Service and EndpointSlice.

use super::Struct;
use super::field::{flag, int_or_text, int32, labels, list, one, part, text, texts};
use super::meta::{CONDITION, OBJECT_META};
use super::reference::OBJECT_REFERENCE;

pub(super) static SERVICE: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &SERVICE_SPEC),
    part(3, "status", &SERVICE_STATUS),
]);

pub(super) static SERVICE_SPEC: Struct = Struct::of(&[
    list(1, "ports", &SERVICE_PORT).keyed(&["port", "protocol"]),
    labels(2, "selector").atomic(),
    text(3, "clusterIP"),
    text(4, "type"),
    texts(5, "externalIPs"),
    text(7, "sessionAffinity"),
    text(8, "loadBalancerIP"),
    texts(9, "loadBalancerSourceRanges"),
    text(10, "externalName"),
    text(11, "externalTrafficPolicy"),
    int32(12, "healthCheckNodePort"),
    flag(13, "publishNotReadyAddresses"),
    one(14, "sessionAffinityConfig", &SESSION_AFFINITY_CONFIG),
    text(17, "ipFamilyPolicy").pointer(),
    texts(18, "clusterIPs"),
    texts(19, "ipFamilies"),
    flag(20, "allocateLoadBalancerNodePorts").pointer(),
    text(21, "loadBalancerClass").pointer(),
    text(22, "internalTrafficPolicy").pointer(),
    text(23, "trafficDistribution").pointer(),
]);

pub(super) static SERVICE_PORT: Struct = Struct::of(&[
    text(1, "name"),
    text(2, "protocol").defaults_to("TCP"),
    int32(3, "port").always(),
    int_or_text(4, "targetPort"),
    int32(5, "nodePort"),
    text(6, "appProtocol").pointer(),
]);

pub(super) static SESSION_AFFINITY_CONFIG: Struct =
    Struct::of(&[one(1, "clientIP", &CLIENT_IP_CONFIG)]);

pub(super) static CLIENT_IP_CONFIG: Struct = Struct::of(&[int32(1, "timeoutSeconds").pointer()]);

pub(super) static SERVICE_STATUS: Struct = Struct::of(&[
    part(1, "loadBalancer", &LOAD_BALANCER_STATUS),
    list(2, "conditions", &CONDITION).keyed(&["type"]),
]);

pub(super) static LOAD_BALANCER_STATUS: Struct =
    Struct::of(&[list(1, "ingress", &LOAD_BALANCER_INGRESS)]);

pub(super) static LOAD_BALANCER_INGRESS: Struct = Struct::of(&[
    text(1, "ip"),
    text(2, "hostname"),
    text(3, "ipMode").pointer(),
    list(4, "ports", &PORT_STATUS),
]);

pub(super) static PORT_STATUS: Struct = Struct::of(&[
    int32(1, "port").always(),
    text(2, "protocol").always(),
    text(3, "error").pointer(),
]);

pub(super) static ENDPOINT_SLICE: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    list(2, "endpoints", &ENDPOINT).always(),
    list(3, "ports", &ENDPOINT_PORT).always(),
    text(4, "addressType").always(),
]);

pub(super) static ENDPOINT: Struct = Struct::of(&[
    texts(1, "addresses").set().always(),
    part(2, "conditions", &ENDPOINT_CONDITIONS),
    text(3, "hostname").pointer(),
    one(4, "targetRef", &OBJECT_REFERENCE),
    labels(5, "deprecatedTopology"),
    text(6, "nodeName").pointer(),
    text(7, "zone").pointer(),
    one(8, "hints", &ENDPOINT_HINTS),
]);

pub(super) static ENDPOINT_CONDITIONS: Struct = Struct::of(&[
    flag(1, "ready").pointer(),
    flag(2, "serving").pointer(),
    flag(3, "terminating").pointer(),
]);

pub(super) static ENDPOINT_HINTS: Struct = Struct::of(&[
    list(1, "forZones", &FOR_ZONE),
    list(2, "forNodes", &FOR_NODE),
]);

pub(super) static FOR_ZONE: Struct = Struct::of(&[text(1, "name").always()]);

pub(super) static FOR_NODE: Struct = Struct::of(&[text(1, "name").always()]);

pub(super) static ENDPOINT_PORT: Struct = Struct::of(&[
    text(1, "name").pointer(),
    text(2, "protocol").pointer(),
    int32(3, "port").pointer(),
    text(4, "appProtocol").pointer(),
]);
