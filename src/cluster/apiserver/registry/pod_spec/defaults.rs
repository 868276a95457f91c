//! What a pod spec becomes when its writer leaves things out.
//!
//! Source: `pkg/apis/core/v1/defaults.go`.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, HTTPGetAction, Lifecycle, ObjectFieldSelector, PodSpec,
    PodTemplateSpec, Probe, ResourceFieldSelector, Volume, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// The mode of files in volumes: 0644.
const FILE_MODE: i32 = 420;
const TOKEN_SECONDS: i64 = 3600;
const GRACE_SECONDS: i64 = 30;

/// Puts a text where none is, or an empty one.
pub(crate) fn fill(slot: &mut Option<String>, text: &str) {
    if slot.as_deref().unwrap_or_default().is_empty() {
        *slot = Some(text.to_owned());
    }
}

/// Puts a number where none is, or a zero.
fn fill_number(slot: &mut Option<i32>, number: i32) {
    if slot.unwrap_or_default() == 0 {
        *slot = Some(number);
    }
}

/// The defaults of a template, which are those that its pods will share.
pub(crate) fn default_template(template: &mut PodTemplateSpec) {
    template.metadata.get_or_insert_default();
    default_spec(template.spec.get_or_insert_default());
}

/// The defaults of a pod itself.
pub(crate) fn default_pod(spec: &mut PodSpec) {
    default_spec(spec);
    spec.enable_service_links.get_or_insert(true);
    let host_network = spec.host_network.unwrap_or_default();
    let init_containers = spec.init_containers.iter_mut().flatten();
    for container in spec.containers.iter_mut().chain(init_containers) {
        request_what_is_limited(container);
        if host_network {
            container.ports.iter_mut().flatten().for_each(open_on_host);
        }
    }
}

fn default_spec(spec: &mut PodSpec) {
    fill(&mut spec.dns_policy, "ClusterFirst");
    fill(&mut spec.restart_policy, "Always");
    fill(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds
        .get_or_insert(GRACE_SECONDS);
    one_service_account(spec);
    let init_containers = spec.init_containers.iter_mut().flatten();
    for container in spec.containers.iter_mut().chain(init_containers) {
        default_container(container);
    }
    spec.volumes.iter_mut().flatten().for_each(default_volume);
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are served.
fn one_service_account(spec: &mut PodSpec) {
    let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let name = given(&spec.service_account_name).or_else(|| given(&spec.service_account));
    spec.service_account.clone_from(&name);
    spec.service_account_name = name;
}

fn default_container(container: &mut Container) {
    let image = container.image.as_deref().unwrap_or_default();
    let policy = if is_latest(image) {
        "Always"
    } else {
        "IfNotPresent"
    };
    fill(&mut container.image_pull_policy, policy);
    fill(
        &mut container.termination_message_path,
        "/dev/termination-log",
    );
    fill(&mut container.termination_message_policy, "File");
    container.resources.get_or_insert_default();
    for port in container.ports.iter_mut().flatten() {
        fill(&mut port.protocol, "TCP");
    }
    container
        .env
        .iter_mut()
        .flatten()
        .for_each(default_variable);
    for probe in [
        &mut container.liveness_probe,
        &mut container.readiness_probe,
        &mut container.startup_probe,
    ] {
        probe.iter_mut().for_each(default_probe);
    }
    container.lifecycle.iter_mut().for_each(default_lifecycle);
}

/// Whether an image is meant to change under its name: tag `latest`, or neither tag nor digest.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    let (name, digest) = match last.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (last, None),
    };
    let named = !name.is_empty() && !image.contains(char::is_whitespace);
    match name.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => named && digest.is_none(),
    }
}

fn default_variable(variable: &mut EnvVar) {
    if let Some(source) = &mut variable.value_from {
        source.field_ref.iter_mut().for_each(default_field);
        source
            .resource_field_ref
            .iter_mut()
            .for_each(default_resource_field);
    }
}

fn default_field(field: &mut ObjectFieldSelector) {
    fill(&mut field.api_version, "v1");
}

fn default_resource_field(field: &mut ResourceFieldSelector) {
    field
        .divisor
        .get_or_insert_with(|| Quantity("0".to_owned()));
}

fn default_probe(probe: &mut Probe) {
    fill_number(&mut probe.timeout_seconds, 1);
    fill_number(&mut probe.period_seconds, 10);
    fill_number(&mut probe.success_threshold, 1);
    fill_number(&mut probe.failure_threshold, 3);
    probe.http_get.iter_mut().for_each(default_request);
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert_default();
    }
}

fn default_lifecycle(lifecycle: &mut Lifecycle) {
    let hooks = [&mut lifecycle.post_start, &mut lifecycle.pre_stop];
    for hook in hooks.into_iter().flatten() {
        hook.http_get.iter_mut().for_each(default_request);
    }
}

fn default_request(request: &mut HTTPGetAction) {
    fill(&mut request.path, "/");
    fill(&mut request.scheme, "HTTP");
}

fn default_volume(volume: &mut Volume) {
    if is_without_source(volume) {
        volume.empty_dir.get_or_insert_default();
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(FILE_MODE);
        for file in source.items.iter_mut().flatten() {
            file.field_ref.iter_mut().for_each(default_field);
            file.resource_field_ref
                .iter_mut()
                .for_each(default_resource_field);
        }
    }
    if let Some(source) = &mut volume.projected {
        source.default_mode.get_or_insert(FILE_MODE);
        source
            .sources
            .iter_mut()
            .flatten()
            .for_each(default_projection);
    }
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_default();
    }
    if let Some(template) = volume
        .ephemeral
        .as_mut()
        .and_then(|source| source.volume_claim_template.as_mut())
    {
        template.metadata.get_or_insert_default();
        fill(&mut template.spec.volume_mode, "Filesystem");
    }
}

fn default_projection(projection: &mut VolumeProjection) {
    if let Some(token) = &mut projection.service_account_token {
        token.expiration_seconds.get_or_insert(TOKEN_SECONDS);
    }
    let files = projection
        .downward_api
        .iter_mut()
        .flat_map(|source| source.items.iter_mut().flatten());
    for file in files {
        file.field_ref.iter_mut().for_each(default_field);
        file.resource_field_ref
            .iter_mut()
            .for_each(default_resource_field);
    }
}

fn is_without_source(volume: &Volume) -> bool {
    *volume
        == Volume {
            name: volume.name.clone(),
            ..Volume::default()
        }
}

/// A resource that is only limited is requested as much.
fn request_what_is_limited(container: &mut Container) {
    let Some(resources) = &mut container.resources else {
        return;
    };
    for (name, limit) in resources.limits.iter().flatten() {
        resources
            .requests
            .get_or_insert_default()
            .entry(name.clone())
            .or_insert_with(|| limit.clone());
    }
}

/// On the host's network a container's port is the host's.
fn open_on_host(port: &mut ContainerPort) {
    fill_number(&mut port.host_port, port.container_port);
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn an_image_without_tag_and_digest_is_the_latest() {
        for (image, latest) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.25", false),
            ("localhost:5000/app", true),
            ("localhost:5000/app:v1", false),
            ("nginx@sha256:0123", false),
            ("nginx:latest@sha256:0123", true),
            (" x", false),
            ("", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image:?}");
        }
    }

    #[test]
    fn a_pod_requests_what_it_limits_and_opens_its_ports_on_the_host() {
        let mut pod: Pod = from_value(json!({"spec": {"hostNetwork": true, "containers": [{
            "name": "c",
            "image": "app:v1",
            "ports": [{"containerPort": 80}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}},
        }]}}))
        .unwrap();
        default_pod(pod.spec.as_mut().unwrap());
        let pod = to_value(&pod).unwrap();
        let container = &pod["spec"]["containers"][0];
        assert_eq!(
            container["resources"]["requests"],
            json!({"cpu": "100m", "memory": "1Gi"})
        );
        assert_eq!(
            container["ports"][0],
            json!({"containerPort": 80, "hostPort": 80, "protocol": "TCP"})
        );
        assert_eq!(pod["spec"]["enableServiceLinks"], json!(true));
    }
}
