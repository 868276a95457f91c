//! Volumes. Sources of single storage vendors are left out.

use super::Struct;
use super::container::{OBJECT_FIELD_SELECTOR, RESOURCE_FIELD_SELECTOR};
use super::field::{
    flag, inline, int32, int64, labels, list, one, part, quantities, quantity, text, texts,
};
use super::meta::{LABEL_SELECTOR, OBJECT_META};
use super::reference::{
    LOCAL_OBJECT_REFERENCE, TYPED_LOCAL_OBJECT_REFERENCE, TYPED_OBJECT_REFERENCE,
};

pub(super) static VOLUME: Struct =
    Struct::of(&[text(1, "name").always(), inline(2, &VOLUME_SOURCE)]);

pub(super) static VOLUME_SOURCE: Struct = Struct::of(&[
    one(1, "hostPath", &HOST_PATH_VOLUME_SOURCE),
    one(2, "emptyDir", &EMPTY_DIR_VOLUME_SOURCE),
    one(6, "secret", &SECRET_VOLUME_SOURCE),
    one(7, "nfs", &NFS_VOLUME_SOURCE),
    one(
        10,
        "persistentVolumeClaim",
        &PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE,
    ),
    one(16, "downwardAPI", &DOWNWARD_API_VOLUME_SOURCE),
    one(19, "configMap", &CONFIG_MAP_VOLUME_SOURCE),
    one(26, "projected", &PROJECTED_VOLUME_SOURCE),
    one(28, "csi", &CSI_VOLUME_SOURCE),
    one(29, "ephemeral", &EPHEMERAL_VOLUME_SOURCE),
    one(30, "image", &IMAGE_VOLUME_SOURCE),
]);

pub(super) static HOST_PATH_VOLUME_SOURCE: Struct =
    Struct::of(&[text(1, "path").always(), text(2, "type").pointer()]);

pub(super) static EMPTY_DIR_VOLUME_SOURCE: Struct =
    Struct::of(&[text(1, "medium"), quantity(2, "sizeLimit")]);

pub(super) static SECRET_VOLUME_SOURCE: Struct = Struct::of(&[
    text(1, "secretName"),
    list(2, "items", &KEY_TO_PATH),
    int32(3, "defaultMode").pointer(),
    flag(4, "optional").pointer(),
]);

pub(super) static CONFIG_MAP_VOLUME_SOURCE: Struct = Struct::of(&[
    inline(1, &LOCAL_OBJECT_REFERENCE),
    list(2, "items", &KEY_TO_PATH),
    int32(3, "defaultMode").pointer(),
    flag(4, "optional").pointer(),
]);

pub(super) static KEY_TO_PATH: Struct = Struct::of(&[
    text(1, "key").always(),
    text(2, "path").always(),
    int32(3, "mode").pointer(),
]);

pub(super) static NFS_VOLUME_SOURCE: Struct = Struct::of(&[
    text(1, "server").always(),
    text(2, "path").always(),
    flag(3, "readOnly"),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE: Struct =
    Struct::of(&[text(1, "claimName").always(), flag(2, "readOnly")]);

pub(super) static DOWNWARD_API_VOLUME_SOURCE: Struct = Struct::of(&[
    list(1, "items", &DOWNWARD_API_VOLUME_FILE),
    int32(2, "defaultMode").pointer(),
]);

pub(super) static DOWNWARD_API_VOLUME_FILE: Struct = Struct::of(&[
    text(1, "path").always(),
    one(2, "fieldRef", &OBJECT_FIELD_SELECTOR),
    one(3, "resourceFieldRef", &RESOURCE_FIELD_SELECTOR),
    int32(4, "mode").pointer(),
]);

pub(super) static PROJECTED_VOLUME_SOURCE: Struct = Struct::of(&[
    list(1, "sources", &VOLUME_PROJECTION).always(),
    int32(2, "defaultMode").pointer(),
]);

pub(super) static VOLUME_PROJECTION: Struct = Struct::of(&[
    one(1, "secret", &SECRET_PROJECTION),
    one(2, "downwardAPI", &DOWNWARD_API_PROJECTION),
    one(3, "configMap", &CONFIG_MAP_PROJECTION),
    one(4, "serviceAccountToken", &SERVICE_ACCOUNT_TOKEN_PROJECTION),
    one(5, "clusterTrustBundle", &CLUSTER_TRUST_BUNDLE_PROJECTION),
]);

pub(super) static SECRET_PROJECTION: Struct = Struct::of(&[
    inline(1, &LOCAL_OBJECT_REFERENCE),
    list(2, "items", &KEY_TO_PATH),
    flag(4, "optional").pointer(),
]);

pub(super) static DOWNWARD_API_PROJECTION: Struct =
    Struct::of(&[list(1, "items", &DOWNWARD_API_VOLUME_FILE)]);

pub(super) static CONFIG_MAP_PROJECTION: Struct = Struct::of(&[
    inline(1, &LOCAL_OBJECT_REFERENCE),
    list(2, "items", &KEY_TO_PATH),
    flag(4, "optional").pointer(),
]);

pub(super) static SERVICE_ACCOUNT_TOKEN_PROJECTION: Struct = Struct::of(&[
    text(1, "audience"),
    int64(2, "expirationSeconds").pointer(),
    text(3, "path").always(),
]);

pub(super) static CLUSTER_TRUST_BUNDLE_PROJECTION: Struct = Struct::of(&[
    text(1, "name").pointer(),
    text(2, "signerName").pointer(),
    one(3, "labelSelector", &LABEL_SELECTOR),
    text(4, "path").always(),
    flag(5, "optional").pointer(),
]);

pub(super) static CSI_VOLUME_SOURCE: Struct = Struct::of(&[
    text(1, "driver").always(),
    flag(2, "readOnly").pointer(),
    text(3, "fsType").pointer(),
    labels(4, "volumeAttributes"),
    one(5, "nodePublishSecretRef", &LOCAL_OBJECT_REFERENCE),
]);

pub(super) static EPHEMERAL_VOLUME_SOURCE: Struct = Struct::of(&[one(
    1,
    "volumeClaimTemplate",
    &PERSISTENT_VOLUME_CLAIM_TEMPLATE,
)]);

pub(super) static PERSISTENT_VOLUME_CLAIM_TEMPLATE: Struct = Struct::of(&[
    part(1, "metadata", &OBJECT_META),
    part(2, "spec", &PERSISTENT_VOLUME_CLAIM_SPEC),
]);

pub(super) static PERSISTENT_VOLUME_CLAIM_SPEC: Struct = Struct::of(&[
    texts(1, "accessModes"),
    part(2, "resources", &VOLUME_RESOURCE_REQUIREMENTS),
    text(3, "volumeName"),
    one(4, "selector", &LABEL_SELECTOR),
    text(5, "storageClassName").pointer(),
    text(6, "volumeMode").pointer(),
    one(7, "dataSource", &TYPED_LOCAL_OBJECT_REFERENCE),
    one(8, "dataSourceRef", &TYPED_OBJECT_REFERENCE),
    text(9, "volumeAttributesClassName").pointer(),
]);

pub(super) static VOLUME_RESOURCE_REQUIREMENTS: Struct =
    Struct::of(&[quantities(1, "limits"), quantities(2, "requests")]);

pub(super) static IMAGE_VOLUME_SOURCE: Struct =
    Struct::of(&[text(1, "reference"), text(2, "pullPolicy")]);
