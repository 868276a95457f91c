//! Node.

use super::Struct;
use super::field::{flag, int32, int64, list, one, part, quantities, text, texts, time};
use super::meta::OBJECT_META;

pub(super) static NODE: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &NODE_SPEC),
    part(3, "status", &NODE_STATUS),
]);

pub(super) static NODE_SPEC: Struct = Struct::of(&[
    text(1, "podCIDR"),
    text(2, "externalID"),
    text(3, "providerID"),
    flag(4, "unschedulable"),
    list(5, "taints", &TAINT),
    one(6, "configSource", &NODE_CONFIG_SOURCE),
    texts(7, "podCIDRs").set(),
]);

pub(super) static TAINT: Struct = Struct::of(&[
    text(1, "key").always(),
    text(2, "value"),
    text(3, "effect").always(),
    time(4, "timeAdded"),
]);

pub(super) static NODE_CONFIG_SOURCE: Struct =
    Struct::of(&[one(2, "configMap", &CONFIG_MAP_NODE_CONFIG_SOURCE)]);

pub(super) static CONFIG_MAP_NODE_CONFIG_SOURCE: Struct = Struct::of(&[
    text(1, "namespace").always(),
    text(2, "name").always(),
    text(3, "uid"),
    text(4, "resourceVersion"),
    text(5, "kubeletConfigKey").always(),
]);

pub(super) static NODE_STATUS: Struct = Struct::of(&[
    quantities(1, "capacity"),
    quantities(2, "allocatable"),
    text(3, "phase"),
    list(4, "conditions", &NODE_CONDITION).keyed(&["type"]),
    list(5, "addresses", &NODE_ADDRESS).keyed(&["type"]),
    part(6, "daemonEndpoints", &NODE_DAEMON_ENDPOINTS),
    part(7, "nodeInfo", &NODE_SYSTEM_INFO),
    list(8, "images", &CONTAINER_IMAGE),
    texts(9, "volumesInUse"),
    list(10, "volumesAttached", &ATTACHED_VOLUME),
    one(11, "config", &NODE_CONFIG_STATUS),
    list(12, "runtimeHandlers", &NODE_RUNTIME_HANDLER),
    one(13, "features", &NODE_FEATURES),
]);

pub(super) static NODE_CONDITION: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "status").always(),
    time(3, "lastHeartbeatTime"),
    time(4, "lastTransitionTime"),
    text(5, "reason"),
    text(6, "message"),
]);

pub(super) static NODE_ADDRESS: Struct =
    Struct::of(&[text(1, "type").always(), text(2, "address").always()]);

pub(super) static NODE_DAEMON_ENDPOINTS: Struct =
    Struct::of(&[part(1, "kubeletEndpoint", &DAEMON_ENDPOINT)]);

pub(super) static DAEMON_ENDPOINT: Struct = Struct::of(&[int32(1, "Port").always()]);

pub(super) static NODE_SYSTEM_INFO: Struct = Struct::of(&[
    text(1, "machineID").always(),
    text(2, "systemUUID").always(),
    text(3, "bootID").always(),
    text(4, "kernelVersion").always(),
    text(5, "osImage").always(),
    text(6, "containerRuntimeVersion").always(),
    text(7, "kubeletVersion").always(),
    text(8, "kubeProxyVersion").always(),
    text(9, "operatingSystem").always(),
    text(10, "architecture").always(),
    one(11, "swap", &NODE_SWAP_STATUS),
]);

pub(super) static NODE_SWAP_STATUS: Struct = Struct::of(&[int64(1, "capacity").pointer()]);

pub(super) static CONTAINER_IMAGE: Struct =
    Struct::of(&[texts(1, "names").always(), int64(2, "sizeBytes")]);

pub(super) static ATTACHED_VOLUME: Struct =
    Struct::of(&[text(1, "name").always(), text(2, "devicePath").always()]);

pub(super) static NODE_CONFIG_STATUS: Struct = Struct::of(&[
    one(1, "assigned", &NODE_CONFIG_SOURCE),
    one(2, "active", &NODE_CONFIG_SOURCE),
    one(3, "lastKnownGood", &NODE_CONFIG_SOURCE),
    text(4, "error"),
]);

pub(super) static NODE_RUNTIME_HANDLER: Struct = Struct::of(&[
    text(1, "name").always(),
    one(2, "features", &NODE_RUNTIME_HANDLER_FEATURES),
]);

pub(super) static NODE_RUNTIME_HANDLER_FEATURES: Struct = Struct::of(&[
    flag(1, "recursiveReadOnlyMounts").pointer(),
    flag(2, "userNamespaces").pointer(),
]);

pub(super) static NODE_FEATURES: Struct =
    Struct::of(&[flag(1, "supplementalGroupsPolicy").pointer()]);
