//! Validation of volumes and their mounts.
//!
//! Source: `pkg/apis/core/validation/validation.go`, `ValidateVolumes` and
//! `ValidateVolumeMounts`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume, VolumeMount,
};
use serde_json::{Value, json};

use crate::cluster::apiserver::registry::names::broken_label;
use crate::cluster::object::{FieldError, FieldPath};

const BAD_MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// Validates the volumes; returns the names of the good ones, which containers may mount.
pub(super) fn validate_volumes<'v>(
    volumes: &'v [Volume],
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) -> BTreeSet<&'v str> {
    let mut names = BTreeSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = path.index(index);
        let before = errors.len();
        validate_source(volume, &path, errors);
        let name = volume.name.as_str();
        let name_path = path.child("name");
        if name.is_empty() {
            errors.push(FieldError::required(&name_path, ""));
        } else {
            for why in broken_label(name) {
                errors.push(FieldError::invalid(&name_path, &json!(name), &why));
            }
        }
        if names.contains(name) {
            errors.push(FieldError::duplicate(&name_path, &json!(name)));
        }
        if errors.len() == before {
            names.insert(name);
        }
    }
    names
}

fn validate_source(volume: &Volume, path: &FieldPath, errors: &mut Vec<FieldError>) {
    // Every field but the name is a source, and a volume has one.
    let fields = serde_json::to_value(volume).unwrap_or_default();
    let sources = fields.as_object().into_iter().flatten();
    let mut sources = sources.map(|(name, _)| name).filter(|name| *name != "name");
    if sources.next().is_none() {
        errors.push(FieldError::required(path, "must specify a volume type"));
    }
    for further in sources {
        errors.push(FieldError::forbidden(
            path.child(further),
            "may not specify more than 1 volume type",
        ));
    }
    if let Some(source) = &volume.config_map {
        let path = path.child("configMap");
        if source.name.is_empty() {
            errors.push(FieldError::required(path.child("name"), ""));
        }
        check_mode(source.default_mode, path.child("defaultMode"), errors);
        let items = source.items.as_deref().unwrap_or_default();
        validate_items(items, &path.child("items"), errors);
    }
    if let Some(source) = &volume.secret {
        let path = path.child("secret");
        if source.secret_name.as_deref().unwrap_or_default().is_empty() {
            errors.push(FieldError::required(path.child("secretName"), ""));
        }
        check_mode(source.default_mode, path.child("defaultMode"), errors);
        let items = source.items.as_deref().unwrap_or_default();
        validate_items(items, &path.child("items"), errors);
    }
    if let Some(source) = &volume.downward_api {
        let path = path.child("downwardAPI");
        check_mode(source.default_mode, path.child("defaultMode"), errors);
        let items = source.items.as_deref().unwrap_or_default();
        validate_files(items, &path, errors);
    }
    if let Some(source) = &volume.projected {
        validate_projected(source, &path.child("projected"), errors);
    }
    if let Some(source) = &volume.host_path {
        let path = path.child("hostPath");
        if source.path.is_empty() {
            errors.push(FieldError::required(path.child("path"), ""));
        }
        check_no_back_steps(&source.path, path.child("path"), errors);
        let kind = source.type_.as_deref().unwrap_or_default();
        if !HOST_PATH_TYPES.contains(&kind) {
            let path = path.child("type");
            errors.push(FieldError::not_supported(
                path,
                &json!(kind),
                &HOST_PATH_TYPES,
            ));
        }
    }
    if let Some(source) = &volume.persistent_volume_claim
        && source.claim_name.is_empty()
    {
        let path = path.child("persistentVolumeClaim.claimName");
        errors.push(FieldError::required(path, ""));
    }
}

fn validate_projected(
    source: &ProjectedVolumeSource,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    check_mode(source.default_mode, path.child("defaultMode"), errors);
    for (index, projection) in source.sources.iter().flatten().enumerate() {
        let path = path.child("sources").index(index);
        let fields = serde_json::to_value(projection).unwrap_or_default();
        match fields.as_object().map_or(0, serde_json::Map::len) {
            0 => errors.push(FieldError::required(&path, "must specify a source type")),
            1 => {}
            _ => errors.push(FieldError::forbidden(
                &path,
                "may not specify more than 1 volume type per source",
            )),
        }
        if let Some(source) = &projection.config_map {
            let path = path.child("configMap");
            if source.name.is_empty() {
                errors.push(FieldError::required(path.child("name"), ""));
            }
            let items = source.items.as_deref().unwrap_or_default();
            validate_items(items, &path.child("items"), errors);
        }
        if let Some(source) = &projection.secret {
            let path = path.child("secret");
            if source.name.is_empty() {
                errors.push(FieldError::required(path.child("name"), ""));
            }
            let items = source.items.as_deref().unwrap_or_default();
            validate_items(items, &path.child("items"), errors);
        }
        if let Some(source) = &projection.downward_api {
            let items = source.items.as_deref().unwrap_or_default();
            validate_files(items, &path.child("downwardAPI"), errors);
        }
        if let Some(token) = &projection.service_account_token {
            let path = path.child("serviceAccountToken");
            if token
                .expiration_seconds
                .is_some_and(|seconds| seconds < 600)
            {
                errors.push(FieldError::invalid(
                    path.child("expirationSeconds"),
                    &json!(token.expiration_seconds),
                    "may not specify a duration less than 10 minutes",
                ));
            }
            if token.path.is_empty() {
                errors.push(FieldError::required(path.child("path"), ""));
            } else {
                check_relative(&token.path, &path.child("path"), errors);
            }
        }
    }
}

/// Keys of a ConfigMap or Secret as files.
fn validate_items(items: &[KeyToPath], path: &FieldPath, errors: &mut Vec<FieldError>) {
    for (index, item) in items.iter().enumerate() {
        let path = path.index(index);
        if item.key.is_empty() {
            errors.push(FieldError::required(path.child("key"), ""));
        }
        if item.path.is_empty() {
            errors.push(FieldError::required(path.child("path"), ""));
        }
        check_relative(&item.path, &path.child("path"), errors);
        check_mode(item.mode, path.child("mode"), errors);
    }
}

/// Fields of the pod as files.
fn validate_files(files: &[DownwardAPIVolumeFile], path: &FieldPath, errors: &mut Vec<FieldError>) {
    for file in files {
        if file.path.is_empty() {
            errors.push(FieldError::required(path.child("path"), ""));
        }
        check_relative(&file.path, &path.child("path"), errors);
        match (&file.field_ref, &file.resource_field_ref) {
            (None, None) => errors.push(FieldError::required(
                path.child("fieldRef"),
                "one of fieldRef and resourceFieldRef is required",
            )),
            (Some(_), Some(_)) => errors.push(FieldError::invalid(
                path,
                &json!("resource"),
                "fieldRef and resourceFieldRef can not be specified simultaneously",
            )),
            _ => {}
        }
        check_mode(file.mode, path.child("mode"), errors);
    }
}

pub(super) fn validate_mounts(
    mounts: &[VolumeMount],
    volumes: &BTreeSet<&str>,
    path: &FieldPath,
    errors: &mut Vec<FieldError>,
) {
    let mut places = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let path = path.index(index);
        if mount.name.is_empty() {
            errors.push(FieldError::required(path.child("name"), ""));
        }
        if !volumes.contains(mount.name.as_str()) {
            errors.push(FieldError::missing(path.child("name"), &json!(mount.name)));
        }
        let place = json!(mount.mount_path);
        if mount.mount_path.is_empty() {
            errors.push(FieldError::required(path.child("mountPath"), ""));
        }
        if !places.insert(mount.mount_path.as_str()) {
            errors.push(FieldError::invalid(
                path.child("mountPath"),
                &place,
                "must be unique",
            ));
        }
        if let Some(sub_path) = mount.sub_path.as_deref().filter(|path| !path.is_empty()) {
            check_relative(sub_path, &path.child("subPath"), errors);
        }
    }
}

fn check_mode(mode: Option<i32>, path: FieldPath, errors: &mut Vec<FieldError>) {
    if let Some(mode) = mode
        && !(0..=0o777).contains(&mode)
    {
        errors.push(FieldError::invalid(path, &Value::from(mode), BAD_MODE));
    }
}

/// Complains of a path that leads out of its volume.
fn check_relative(text: &str, path: &FieldPath, errors: &mut Vec<FieldError>) {
    if text.starts_with('/') {
        let why = "must be a relative path";
        errors.push(FieldError::invalid(path, &json!(text), why));
    }
    check_no_back_steps(text, path.clone(), errors);
}

fn check_no_back_steps(text: &str, path: FieldPath, errors: &mut Vec<FieldError>) {
    if text.split('/').any(|step| step == "..") {
        errors.push(FieldError::invalid(
            path,
            &json!(text),
            "must not contain '..'",
        ));
    }
}
