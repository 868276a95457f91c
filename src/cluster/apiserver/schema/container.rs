//! Containers: environment, ports, resources, probes, life cycle, security.

use super::Struct;
use super::field::{
    flag, inline, int_or_text, int32, int32s, int64, list, one, part, quantities, quantity, text,
    texts,
};
use super::reference::LOCAL_OBJECT_REFERENCE;

pub(super) static CONTAINER: Struct = Struct::of(&[
    text(1, "name").always(),
    text(2, "image"),
    texts(3, "command"),
    texts(4, "args"),
    text(5, "workingDir"),
    list(6, "ports", &CONTAINER_PORT).keyed(&["containerPort", "protocol"]),
    list(7, "env", &ENV_VAR).keyed(&["name"]),
    part(8, "resources", &RESOURCE_REQUIREMENTS),
    list(9, "volumeMounts", &VOLUME_MOUNT).keyed(&["mountPath"]),
    one(10, "livenessProbe", &PROBE),
    one(11, "readinessProbe", &PROBE),
    one(12, "lifecycle", &LIFECYCLE),
    text(13, "terminationMessagePath"),
    text(14, "imagePullPolicy"),
    one(15, "securityContext", &SECURITY_CONTEXT),
    flag(16, "stdin"),
    flag(17, "stdinOnce"),
    flag(18, "tty"),
    list(19, "envFrom", &ENV_FROM_SOURCE),
    text(20, "terminationMessagePolicy"),
    list(21, "volumeDevices", &VOLUME_DEVICE).keyed(&["devicePath"]),
    one(22, "startupProbe", &PROBE),
    list(23, "resizePolicy", &CONTAINER_RESIZE_POLICY),
    text(24, "restartPolicy").pointer(),
    list(25, "restartPolicyRules", &CONTAINER_RESTART_RULE),
]);

pub(super) static EPHEMERAL_CONTAINER: Struct = Struct::of(&[
    inline(1, &EPHEMERAL_CONTAINER_COMMON),
    text(2, "targetContainerName"),
]);

pub(super) static EPHEMERAL_CONTAINER_COMMON: Struct = Struct::of(&[
    text(1, "name").always(),
    text(2, "image"),
    texts(3, "command"),
    texts(4, "args"),
    text(5, "workingDir"),
    list(6, "ports", &CONTAINER_PORT).keyed(&["containerPort", "protocol"]),
    list(7, "env", &ENV_VAR).keyed(&["name"]),
    part(8, "resources", &RESOURCE_REQUIREMENTS),
    list(9, "volumeMounts", &VOLUME_MOUNT).keyed(&["mountPath"]),
    one(10, "livenessProbe", &PROBE),
    one(11, "readinessProbe", &PROBE),
    one(12, "lifecycle", &LIFECYCLE),
    text(13, "terminationMessagePath"),
    text(14, "imagePullPolicy"),
    one(15, "securityContext", &SECURITY_CONTEXT),
    flag(16, "stdin"),
    flag(17, "stdinOnce"),
    flag(18, "tty"),
    list(19, "envFrom", &ENV_FROM_SOURCE),
    text(20, "terminationMessagePolicy"),
    list(21, "volumeDevices", &VOLUME_DEVICE).keyed(&["devicePath"]),
    one(22, "startupProbe", &PROBE),
    list(23, "resizePolicy", &CONTAINER_RESIZE_POLICY),
    text(24, "restartPolicy").pointer(),
    list(25, "restartPolicyRules", &CONTAINER_RESTART_RULE),
]);

pub(super) static CONTAINER_PORT: Struct = Struct::of(&[
    text(1, "name"),
    int32(2, "hostPort"),
    int32(3, "containerPort").always(),
    text(4, "protocol").defaults_to("TCP"),
    text(5, "hostIP"),
]);

pub(super) static ENV_FROM_SOURCE: Struct = Struct::of(&[
    text(1, "prefix"),
    one(2, "configMapRef", &CONFIG_MAP_ENV_SOURCE),
    one(3, "secretRef", &SECRET_ENV_SOURCE),
]);

pub(super) static CONFIG_MAP_ENV_SOURCE: Struct = Struct::of(&[
    inline(1, &LOCAL_OBJECT_REFERENCE),
    flag(2, "optional").pointer(),
]);

pub(super) static SECRET_ENV_SOURCE: Struct = Struct::of(&[
    inline(1, &LOCAL_OBJECT_REFERENCE),
    flag(2, "optional").pointer(),
]);

pub(super) static ENV_VAR: Struct = Struct::of(&[
    text(1, "name").always(),
    text(2, "value"),
    one(3, "valueFrom", &ENV_VAR_SOURCE),
]);

pub(super) static ENV_VAR_SOURCE: Struct = Struct::of(&[
    one(1, "fieldRef", &OBJECT_FIELD_SELECTOR),
    one(2, "resourceFieldRef", &RESOURCE_FIELD_SELECTOR),
    one(3, "configMapKeyRef", &CONFIG_MAP_KEY_SELECTOR),
    one(4, "secretKeyRef", &SECRET_KEY_SELECTOR),
    one(5, "fileKeyRef", &FILE_KEY_SELECTOR),
]);

pub(super) static OBJECT_FIELD_SELECTOR: Struct =
    Struct::atomic(&[text(1, "apiVersion"), text(2, "fieldPath").always()]);

pub(super) static RESOURCE_FIELD_SELECTOR: Struct = Struct::atomic(&[
    text(1, "containerName"),
    text(2, "resource").always(),
    quantity(3, "divisor"),
]);

pub(super) static CONFIG_MAP_KEY_SELECTOR: Struct = Struct::atomic(&[
    inline(1, &LOCAL_OBJECT_REFERENCE),
    text(2, "key").always(),
    flag(3, "optional").pointer(),
]);

pub(super) static SECRET_KEY_SELECTOR: Struct = Struct::atomic(&[
    inline(1, &LOCAL_OBJECT_REFERENCE),
    text(2, "key").always(),
    flag(3, "optional").pointer(),
]);

pub(super) static FILE_KEY_SELECTOR: Struct = Struct::atomic(&[
    text(1, "volumeName").always(),
    text(2, "path").always(),
    text(3, "key").always(),
    flag(4, "optional").pointer(),
]);

pub(super) static RESOURCE_REQUIREMENTS: Struct = Struct::of(&[
    quantities(1, "limits"),
    quantities(2, "requests"),
    list(3, "claims", &RESOURCE_CLAIM).owned_by(&["name"]),
]);

pub(super) static RESOURCE_CLAIM: Struct =
    Struct::of(&[text(1, "name").always(), text(2, "request")]);

pub(super) static CONTAINER_RESIZE_POLICY: Struct = Struct::of(&[
    text(1, "resourceName").always(),
    text(2, "restartPolicy").always(),
]);

pub(super) static CONTAINER_RESTART_RULE: Struct = Struct::of(&[
    text(1, "action"),
    one(2, "exitCodes", &CONTAINER_RESTART_RULE_ON_EXIT_CODES),
]);

pub(super) static CONTAINER_RESTART_RULE_ON_EXIT_CODES: Struct =
    Struct::of(&[text(1, "operator"), int32s(2, "values")]);

pub(super) static VOLUME_MOUNT: Struct = Struct::of(&[
    text(1, "name").always(),
    flag(2, "readOnly"),
    text(3, "mountPath").always(),
    text(4, "subPath"),
    text(5, "mountPropagation").pointer(),
    text(6, "subPathExpr"),
    text(7, "recursiveReadOnly").pointer(),
]);

pub(super) static VOLUME_DEVICE: Struct =
    Struct::of(&[text(1, "name").always(), text(2, "devicePath").always()]);

pub(super) static PROBE: Struct = Struct::of(&[
    inline(1, &PROBE_HANDLER),
    int32(2, "initialDelaySeconds"),
    int32(3, "timeoutSeconds"),
    int32(4, "periodSeconds"),
    int32(5, "successThreshold"),
    int32(6, "failureThreshold"),
    int64(7, "terminationGracePeriodSeconds").pointer(),
]);

pub(super) static PROBE_HANDLER: Struct = Struct::of(&[
    one(1, "exec", &EXEC_ACTION),
    one(2, "httpGet", &HTTP_GET_ACTION),
    one(3, "tcpSocket", &TCP_SOCKET_ACTION),
    one(4, "grpc", &GRPC_ACTION),
]);

pub(super) static EXEC_ACTION: Struct = Struct::of(&[texts(1, "command")]);

pub(super) static HTTP_GET_ACTION: Struct = Struct::of(&[
    text(1, "path"),
    int_or_text(2, "port"),
    text(3, "host"),
    text(4, "scheme"),
    list(5, "httpHeaders", &HTTP_HEADER),
]);

pub(super) static HTTP_HEADER: Struct =
    Struct::of(&[text(1, "name").always(), text(2, "value").always()]);

pub(super) static TCP_SOCKET_ACTION: Struct =
    Struct::of(&[int_or_text(1, "port"), text(2, "host")]);

pub(super) static GRPC_ACTION: Struct =
    Struct::of(&[int32(1, "port").always(), text(2, "service").pointer()]);

pub(super) static LIFECYCLE: Struct = Struct::of(&[
    one(1, "postStart", &LIFECYCLE_HANDLER),
    one(2, "preStop", &LIFECYCLE_HANDLER),
    text(3, "stopSignal").pointer(),
]);

pub(super) static LIFECYCLE_HANDLER: Struct = Struct::of(&[
    one(1, "exec", &EXEC_ACTION),
    one(2, "httpGet", &HTTP_GET_ACTION),
    one(3, "tcpSocket", &TCP_SOCKET_ACTION),
    one(4, "sleep", &SLEEP_ACTION),
]);

pub(super) static SLEEP_ACTION: Struct = Struct::of(&[int64(1, "seconds").always()]);

pub(super) static SECURITY_CONTEXT: Struct = Struct::of(&[
    one(1, "capabilities", &CAPABILITIES),
    flag(2, "privileged").pointer(),
    one(3, "seLinuxOptions", &SE_LINUX_OPTIONS),
    int64(4, "runAsUser").pointer(),
    flag(5, "runAsNonRoot").pointer(),
    flag(6, "readOnlyRootFilesystem").pointer(),
    flag(7, "allowPrivilegeEscalation").pointer(),
    int64(8, "runAsGroup").pointer(),
    text(9, "procMount").pointer(),
    one(10, "windowsOptions", &WINDOWS_SECURITY_CONTEXT_OPTIONS),
    one(11, "seccompProfile", &SECCOMP_PROFILE),
    one(12, "appArmorProfile", &APP_ARMOR_PROFILE),
]);

pub(super) static CAPABILITIES: Struct = Struct::of(&[texts(1, "add"), texts(2, "drop")]);

pub(super) static SE_LINUX_OPTIONS: Struct = Struct::of(&[
    text(1, "user"),
    text(2, "role"),
    text(3, "type"),
    text(4, "level"),
]);

pub(super) static WINDOWS_SECURITY_CONTEXT_OPTIONS: Struct = Struct::of(&[
    text(1, "gmsaCredentialSpecName").pointer(),
    text(2, "gmsaCredentialSpec").pointer(),
    text(3, "runAsUserName").pointer(),
    flag(4, "hostProcess").pointer(),
]);

pub(super) static SECCOMP_PROFILE: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "localhostProfile").pointer(),
]);

pub(super) static APP_ARMOR_PROFILE: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "localhostProfile").pointer(),
]);
