//! Horizontal pod autoscalers in both of their versions: `kubectl autoscale` sends either.

use super::Struct;
use super::field::{int32, int64, list, one, part, quantity, text, time};
use super::meta::{LABEL_SELECTOR, OBJECT_META};

pub(super) static HORIZONTAL_POD_AUTOSCALER: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &HORIZONTAL_POD_AUTOSCALER_SPEC),
    part(3, "status", &HORIZONTAL_POD_AUTOSCALER_STATUS),
]);

pub(super) static HORIZONTAL_POD_AUTOSCALER_SPEC: Struct = Struct::of(&[
    part(1, "scaleTargetRef", &CROSS_VERSION_OBJECT_REFERENCE),
    int32(2, "minReplicas").pointer(),
    int32(3, "maxReplicas").always(),
    list(4, "metrics", &METRIC_SPEC),
    one(5, "behavior", &HORIZONTAL_POD_AUTOSCALER_BEHAVIOR),
]);

pub(super) static CROSS_VERSION_OBJECT_REFERENCE: Struct = Struct::atomic(&[
    text(1, "kind").always(),
    text(2, "name").always(),
    text(3, "apiVersion"),
]);

pub(super) static HORIZONTAL_POD_AUTOSCALER_BEHAVIOR: Struct = Struct::of(&[
    one(1, "scaleUp", &HPA_SCALING_RULES),
    one(2, "scaleDown", &HPA_SCALING_RULES),
]);

pub(super) static HPA_SCALING_RULES: Struct = Struct::of(&[
    text(1, "selectPolicy").pointer(),
    list(2, "policies", &HPA_SCALING_POLICY),
    int32(3, "stabilizationWindowSeconds").pointer(),
    quantity(4, "tolerance"),
]);

pub(super) static HPA_SCALING_POLICY: Struct = Struct::of(&[
    text(1, "type").always(),
    int32(2, "value").always(),
    int32(3, "periodSeconds").always(),
]);

pub(super) static METRIC_SPEC: Struct = Struct::of(&[
    text(1, "type").always(),
    one(2, "object", &OBJECT_METRIC_SOURCE),
    one(3, "pods", &PODS_METRIC_SOURCE),
    one(4, "resource", &RESOURCE_METRIC_SOURCE),
    one(5, "external", &EXTERNAL_METRIC_SOURCE),
    one(7, "containerResource", &CONTAINER_RESOURCE_METRIC_SOURCE),
]);

pub(super) static OBJECT_METRIC_SOURCE: Struct = Struct::of(&[
    part(1, "describedObject", &CROSS_VERSION_OBJECT_REFERENCE),
    part(2, "target", &METRIC_TARGET),
    part(3, "metric", &METRIC_IDENTIFIER),
]);

pub(super) static PODS_METRIC_SOURCE: Struct = Struct::of(&[
    part(1, "metric", &METRIC_IDENTIFIER),
    part(2, "target", &METRIC_TARGET),
]);

pub(super) static RESOURCE_METRIC_SOURCE: Struct =
    Struct::of(&[text(1, "name").always(), part(2, "target", &METRIC_TARGET)]);

pub(super) static CONTAINER_RESOURCE_METRIC_SOURCE: Struct = Struct::of(&[
    text(1, "name").always(),
    part(2, "target", &METRIC_TARGET),
    text(3, "container").always(),
]);

pub(super) static EXTERNAL_METRIC_SOURCE: Struct = Struct::of(&[
    part(1, "metric", &METRIC_IDENTIFIER),
    part(2, "target", &METRIC_TARGET),
]);

pub(super) static METRIC_IDENTIFIER: Struct = Struct::of(&[
    text(1, "name").always(),
    one(2, "selector", &LABEL_SELECTOR),
]);

pub(super) static METRIC_TARGET: Struct = Struct::of(&[
    text(1, "type").always(),
    quantity(2, "value"),
    quantity(3, "averageValue"),
    int32(4, "averageUtilization").pointer(),
]);

pub(super) static HORIZONTAL_POD_AUTOSCALER_STATUS: Struct = Struct::of(&[
    int64(1, "observedGeneration").pointer(),
    time(2, "lastScaleTime"),
    int32(3, "currentReplicas"),
    int32(4, "desiredReplicas").always(),
    list(5, "currentMetrics", &METRIC_STATUS).always(),
    list(6, "conditions", &HORIZONTAL_POD_AUTOSCALER_CONDITION).keyed(&["type"]),
]);

pub(super) static HORIZONTAL_POD_AUTOSCALER_CONDITION: Struct = Struct::of(&[
    text(1, "type").always(),
    text(2, "status").always(),
    time(3, "lastTransitionTime"),
    text(4, "reason"),
    text(5, "message"),
]);

pub(super) static METRIC_STATUS: Struct = Struct::of(&[
    text(1, "type").always(),
    one(2, "object", &OBJECT_METRIC_STATUS),
    one(3, "pods", &PODS_METRIC_STATUS),
    one(4, "resource", &RESOURCE_METRIC_STATUS),
    one(5, "external", &EXTERNAL_METRIC_STATUS),
    one(7, "containerResource", &CONTAINER_RESOURCE_METRIC_STATUS),
]);

pub(super) static OBJECT_METRIC_STATUS: Struct = Struct::of(&[
    part(1, "metric", &METRIC_IDENTIFIER),
    part(2, "current", &METRIC_VALUE_STATUS),
    part(3, "describedObject", &CROSS_VERSION_OBJECT_REFERENCE),
]);

pub(super) static PODS_METRIC_STATUS: Struct = Struct::of(&[
    part(1, "metric", &METRIC_IDENTIFIER),
    part(2, "current", &METRIC_VALUE_STATUS),
]);

pub(super) static RESOURCE_METRIC_STATUS: Struct = Struct::of(&[
    text(1, "name").always(),
    part(2, "current", &METRIC_VALUE_STATUS),
]);

pub(super) static CONTAINER_RESOURCE_METRIC_STATUS: Struct = Struct::of(&[
    text(1, "name").always(),
    part(2, "current", &METRIC_VALUE_STATUS),
    text(3, "container").always(),
]);

pub(super) static EXTERNAL_METRIC_STATUS: Struct = Struct::of(&[
    part(1, "metric", &METRIC_IDENTIFIER),
    part(2, "current", &METRIC_VALUE_STATUS),
]);

pub(super) static METRIC_VALUE_STATUS: Struct = Struct::of(&[
    quantity(1, "value"),
    quantity(2, "averageValue"),
    int32(3, "averageUtilization").pointer(),
]);

pub(super) static HORIZONTAL_POD_AUTOSCALER_V1: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &HORIZONTAL_POD_AUTOSCALER_SPEC_V1),
    part(3, "status", &HORIZONTAL_POD_AUTOSCALER_STATUS_V1),
]);

pub(super) static HORIZONTAL_POD_AUTOSCALER_SPEC_V1: Struct = Struct::of(&[
    part(1, "scaleTargetRef", &CROSS_VERSION_OBJECT_REFERENCE),
    int32(2, "minReplicas").pointer(),
    int32(3, "maxReplicas").always(),
    int32(4, "targetCPUUtilizationPercentage").pointer(),
]);

pub(super) static HORIZONTAL_POD_AUTOSCALER_STATUS_V1: Struct = Struct::of(&[
    int64(1, "observedGeneration").pointer(),
    time(2, "lastScaleTime"),
    int32(3, "currentReplicas").always(),
    int32(4, "desiredReplicas").always(),
    int32(5, "currentCPUUtilizationPercentage").pointer(),
]);
