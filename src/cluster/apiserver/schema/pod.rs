//! Pod, without what has files of its own: containers, volumes, affinity.

use super::Struct;
use super::affinity::{AFFINITY, TOLERATION, TOPOLOGY_SPREAD_CONSTRAINT};
use super::container::{
    APP_ARMOR_PROFILE, CONTAINER, EPHEMERAL_CONTAINER, RESOURCE_REQUIREMENTS, SE_LINUX_OPTIONS,
    SECCOMP_PROFILE, WINDOWS_SECURITY_CONTEXT_OPTIONS,
};
use super::field::{
    flag, int32, int64, int64s, labels, list, one, part, quantities, text, texts, time,
};
use super::meta::OBJECT_META;
use super::reference::LOCAL_OBJECT_REFERENCE;
use super::volume::VOLUME;

pub(super) static POD: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &POD_SPEC),
    part(3, "status", &POD_STATUS),
]);

pub(super) static POD_SPEC: Struct = Struct::of(&[
    list(1, "volumes", &VOLUME).keyed(&["name"]),
    list(2, "containers", &CONTAINER).keyed(&["name"]).always(),
    text(3, "restartPolicy"),
    int64(4, "terminationGracePeriodSeconds").pointer(),
    int64(5, "activeDeadlineSeconds").pointer(),
    text(6, "dnsPolicy"),
    labels(7, "nodeSelector").atomic(),
    text(8, "serviceAccountName"),
    text(9, "serviceAccount"),
    text(10, "nodeName"),
    flag(11, "hostNetwork"),
    flag(12, "hostPID"),
    flag(13, "hostIPC"),
    one(14, "securityContext", &POD_SECURITY_CONTEXT),
    list(15, "imagePullSecrets", &LOCAL_OBJECT_REFERENCE).keyed(&["name"]),
    text(16, "hostname"),
    text(17, "subdomain"),
    one(18, "affinity", &AFFINITY),
    text(19, "schedulerName"),
    list(20, "initContainers", &CONTAINER).keyed(&["name"]),
    flag(21, "automountServiceAccountToken").pointer(),
    list(22, "tolerations", &TOLERATION),
    list(23, "hostAliases", &HOST_ALIAS).keyed(&["ip"]),
    text(24, "priorityClassName"),
    int32(25, "priority").pointer(),
    one(26, "dnsConfig", &POD_DNS_CONFIG),
    flag(27, "shareProcessNamespace").pointer(),
    list(28, "readinessGates", &POD_READINESS_GATE),
    text(29, "runtimeClassName").pointer(),
    flag(30, "enableServiceLinks").pointer(),
    text(31, "preemptionPolicy").pointer(),
    quantities(32, "overhead"),
    list(33, "topologySpreadConstraints", &TOPOLOGY_SPREAD_CONSTRAINT)
        .keyed(&["topologyKey", "whenUnsatisfiable"]),
    list(34, "ephemeralContainers", &EPHEMERAL_CONTAINER).keyed(&["name"]),
    flag(35, "setHostnameAsFQDN").pointer(),
    one(36, "os", &POD_OS),
    flag(37, "hostUsers").pointer(),
    list(38, "schedulingGates", &POD_SCHEDULING_GATE).keyed(&["name"]),
    list(39, "resourceClaims", &POD_RESOURCE_CLAIM).keyed(&["name"]),
    one(40, "resources", &RESOURCE_REQUIREMENTS),
    text(41, "hostnameOverride").pointer(),
]);

pub(super) static POD_STATUS: Struct = Struct::of(&[
    text(1, "phase"),
    list(2, "conditions", &POD_CONDITION).keyed(&["type"]),
    text(3, "message"),
    text(4, "reason"),
    text(5, "hostIP"),
    text(6, "podIP"),
    time(7, "startTime"),
    list(8, "containerStatuses", &CONTAINER_STATUS),
    text(9, "qosClass"),
    list(10, "initContainerStatuses", &CONTAINER_STATUS),
    text(11, "nominatedNodeName"),
    list(12, "podIPs", &POD_IP).keyed(&["ip"]),
    list(13, "ephemeralContainerStatuses", &CONTAINER_STATUS),
    text(14, "resize"),
    list(15, "resourceClaimStatuses", &POD_RESOURCE_CLAIM_STATUS).keyed(&["name"]),
    list(16, "hostIPs", &HOST_IP).merged_by("ip"),
    int64(17, "observedGeneration"),
]);

pub(super) static POD_CONDITION: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "status").always(),
    time(3, "lastProbeTime"),
    time(4, "lastTransitionTime"),
    text(5, "reason"),
    text(6, "message"),
    int64(7, "observedGeneration"),
]);

pub(super) static HOST_IP: Struct = Struct::of(&[text(1, "ip").always()]);

pub(super) static POD_IP: Struct = Struct::of(&[text(1, "ip").always()]);

pub(super) static CONTAINER_STATUS: Struct = Struct::of(&[
    text(1, "name").always(),
    part(2, "state", &CONTAINER_STATE),
    part(3, "lastState", &CONTAINER_STATE),
    flag(4, "ready").always(),
    int32(5, "restartCount").always(),
    text(6, "image").always(),
    text(7, "imageID").always(),
    text(8, "containerID"),
    flag(9, "started").pointer(),
    quantities(10, "allocatedResources"),
    one(11, "resources", &RESOURCE_REQUIREMENTS),
    list(12, "volumeMounts", &VOLUME_MOUNT_STATUS).keyed(&["mountPath"]),
    one(13, "user", &CONTAINER_USER),
    list(14, "allocatedResourcesStatus", &RESOURCE_STATUS).keyed(&["name"]),
    text(15, "stopSignal").pointer(),
]);

pub(super) static CONTAINER_STATE: Struct = Struct::of(&[
    one(1, "waiting", &CONTAINER_STATE_WAITING),
    one(2, "running", &CONTAINER_STATE_RUNNING),
    one(3, "terminated", &CONTAINER_STATE_TERMINATED),
]);

pub(super) static CONTAINER_STATE_WAITING: Struct =
    Struct::of(&[text(1, "reason"), text(2, "message")]);

pub(super) static CONTAINER_STATE_RUNNING: Struct = Struct::of(&[time(1, "startedAt")]);

pub(super) static CONTAINER_STATE_TERMINATED: Struct = Struct::of(&[
    int32(1, "exitCode").always(),
    int32(2, "signal"),
    text(3, "reason"),
    text(4, "message"),
    time(5, "startedAt"),
    time(6, "finishedAt"),
    text(7, "containerID"),
]);

pub(super) static VOLUME_MOUNT_STATUS: Struct = Struct::of(&[
    text(1, "name").always(),
    text(2, "mountPath").always(),
    flag(3, "readOnly"),
    text(4, "recursiveReadOnly").pointer(),
]);

pub(super) static CONTAINER_USER: Struct = Struct::of(&[one(1, "linux", &LINUX_CONTAINER_USER)]);

pub(super) static LINUX_CONTAINER_USER: Struct = Struct::of(&[
    int64(1, "uid").always(),
    int64(2, "gid").always(),
    int64s(3, "supplementalGroups"),
]);

pub(super) static RESOURCE_STATUS: Struct = Struct::of(&[
    text(1, "name").always(),
    list(2, "resources", &RESOURCE_HEALTH).owned_by(&["resourceID"]),
]);

pub(super) static RESOURCE_HEALTH: Struct =
    Struct::of(&[text(1, "resourceID").always(), text(2, "health")]);

pub(super) static POD_RESOURCE_CLAIM_STATUS: Struct = Struct::of(&[
    text(1, "name").always(),
    text(2, "resourceClaimName").pointer(),
]);

pub(super) static POD_SECURITY_CONTEXT: Struct = Struct::of(&[
    one(1, "seLinuxOptions", &SE_LINUX_OPTIONS),
    int64(2, "runAsUser").pointer(),
    flag(3, "runAsNonRoot").pointer(),
    int64s(4, "supplementalGroups"),
    int64(5, "fsGroup").pointer(),
    int64(6, "runAsGroup").pointer(),
    list(7, "sysctls", &SYSCTL),
    one(8, "windowsOptions", &WINDOWS_SECURITY_CONTEXT_OPTIONS),
    text(9, "fsGroupChangePolicy").pointer(),
    one(10, "seccompProfile", &SECCOMP_PROFILE),
    one(11, "appArmorProfile", &APP_ARMOR_PROFILE),
    text(12, "supplementalGroupsPolicy").pointer(),
    text(13, "seLinuxChangePolicy").pointer(),
]);

pub(super) static SYSCTL: Struct =
    Struct::of(&[text(1, "name").always(), text(2, "value").always()]);

pub(super) static HOST_ALIAS: Struct = Struct::of(&[text(1, "ip").always(), texts(2, "hostnames")]);

pub(super) static POD_DNS_CONFIG: Struct = Struct::of(&[
    texts(1, "nameservers"),
    texts(2, "searches"),
    list(3, "options", &POD_DNS_CONFIG_OPTION),
]);

pub(super) static POD_DNS_CONFIG_OPTION: Struct =
    Struct::of(&[text(1, "name"), text(2, "value").pointer()]);

pub(super) static POD_READINESS_GATE: Struct = Struct::of(&[text(1, "conditionType").always()]);

pub(super) static POD_OS: Struct = Struct::of(&[text(1, "name").always()]);

pub(super) static POD_SCHEDULING_GATE: Struct = Struct::of(&[text(1, "name").always()]);

pub(super) static POD_RESOURCE_CLAIM: Struct = Struct::of(&[
    text(1, "name").always(),
    text(3, "resourceClaimName").pointer(),
    text(4, "resourceClaimTemplateName").pointer(),
]);
