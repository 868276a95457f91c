//! What an image starts, as whom, and with what around it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::archive::{Blob, Digest};
use super::binary::{OS, Platform};
use super::layer::{Layer, PROGRAM, USER};
use crate::app::{BOOT, PORT, SampleService};

/// The time of everything in an image, so that it does not depend on when it was made.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// The image of a service: a configuration, and the manifest that ties it to the layer.
#[derive(Debug)]
pub(super) struct Image {
    service: SampleService,
    platform: Platform,
    config: Blob,
    manifest: Blob,
}

impl Image {
    pub(super) fn of(service: SampleService, platform: Platform, layer: &Layer) -> Self {
        let config = Blob::json(&config(service, platform, layer));
        let manifest = Blob::json(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
            "layers": [layer.packed().descriptor("application/vnd.oci.image.layer.v1.tar+gzip")],
        }));
        Self {
            service,
            platform,
            config,
            manifest,
        }
    }

    /// The name with the tag.
    pub(super) fn name(&self) -> &'static str {
        self.service.image()
    }

    /// The name with the registry that is meant where a manifest names none.
    pub(super) fn full_name(&self) -> String {
        format!("docker.io/{}", self.name())
    }

    pub(super) fn tag(&self) -> &'static str {
        tag(self.service)
    }

    /// The digest of the configuration, which is what container engines call the id of an image.
    pub(super) fn id(&self) -> &Digest {
        self.config.digest()
    }

    pub(super) fn config(&self) -> &Blob {
        &self.config
    }

    pub(super) fn manifest(&self) -> &Blob {
        &self.manifest
    }

    /// What the image runs on, for an index of images.
    pub(super) fn platform(&self) -> Value {
        let mut platform = json!({"architecture": self.platform.architecture, "os": OS});
        if let Some(variant) = self.platform.variant {
            platform["variant"] = variant.into();
        }
        platform
    }
}

fn tag(service: SampleService) -> &'static str {
    let (_, tag) = service.image().rsplit_once(':').unwrap_or_default();
    tag
}

fn config(service: SampleService, platform: Platform, layer: &Layer) -> Value {
    let name = service.name();
    let env = BTreeMap::from([
        ("BOOT_SECONDS", BOOT.as_secs_f64().to_string()),
        ("HOST", "0.0.0.0".to_owned()),
        ("ON_SIGTERM", service.temperament().name().to_owned()),
        ("PORT", PORT.to_string()),
    ]);
    let env: Vec<String> = env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut config = json!({
        "architecture": platform.architecture,
        "os": OS,
        "created": EPOCH,
        "config": {
            "User": USER,
            "ExposedPorts": {format!("{PORT}/tcp"): {}},
            "Env": env,
            "Entrypoint": [PROGRAM, "app", name],
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": name,
                "org.opencontainers.image.description":
                    format!("{name}, a sample service of rollout labs"),
                "org.opencontainers.image.version": tag(service),
                "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.content().to_string()]},
        "history": [{"created": EPOCH, "created_by": "rollout-lab images build"}],
    });
    if let Some(variant) = platform.variant {
        config["variant"] = variant.into();
    }
    config
}
