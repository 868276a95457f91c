//! The environment of a container: literal values, ConfigMap keys and fields of the pod.
//!
//! Source: `pkg/kubelet/kubelet_pods.go`, `makeEnvironmentVariables`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVarSource, Pod};

/// The ConfigMaps that a container's environment names.
pub(super) fn configmaps(container: &Container) -> impl Iterator<Item = &str> {
    let keys = container.env.iter().flatten().filter_map(|variable| {
        let source = variable.value_from.as_ref()?.config_map_key_ref.as_ref()?;
        Some(source.name.as_str())
    });
    let whole = container
        .env_from
        .iter()
        .flatten()
        .filter_map(|source| Some(source.config_map_ref.as_ref()?.name.as_str()));
    keys.chain(whole)
}

/// The variables of a container, or why it cannot be configured.
pub(super) fn resolve(
    container: &Container,
    pod: &Pod,
    configmaps: &BTreeMap<String, ConfigMap>,
) -> Result<BTreeMap<String, String>, String> {
    let mut variables = BTreeMap::new();
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        if let Some(reference) = &source.config_map_ref {
            match configmaps.get(&reference.name) {
                Some(found) => variables.extend(
                    found
                        .data
                        .iter()
                        .flatten()
                        .map(|(key, value)| (format!("{prefix}{key}"), value.clone())),
                ),
                None if reference.optional == Some(true) => {}
                None => return Err(format!("configmap \"{}\" not found", reference.name)),
            }
        }
        if let Some(reference) = &source.secret_ref
            && reference.optional != Some(true)
        {
            return Err(format!("secret \"{}\" not found", reference.name));
        }
    }
    for variable in container.env.iter().flatten() {
        let value = match &variable.value_from {
            Some(source) => from_source(source, pod, configmaps)?,
            None => Some(expand(
                variable.value.as_deref().unwrap_or_default(),
                &variables,
            )),
        };
        if let Some(value) = value {
            variables.insert(variable.name.clone(), value);
        }
    }
    Ok(variables)
}

/// The value of a reference; `None` for an optional one that leads nowhere.
fn from_source(
    source: &EnvVarSource,
    pod: &Pod,
    configmaps: &BTreeMap<String, ConfigMap>,
) -> Result<Option<String>, String> {
    if let Some(reference) = &source.config_map_key_ref {
        let optional = reference.optional == Some(true);
        let Some(found) = configmaps.get(&reference.name) else {
            return if optional {
                Ok(None)
            } else {
                Err(format!("configmap \"{}\" not found", reference.name))
            };
        };
        let value = found
            .data
            .as_ref()
            .and_then(|data| data.get(&reference.key));
        return match value {
            Some(value) => Ok(Some(value.clone())),
            None if optional => Ok(None),
            None => Err(format!(
                "couldn't find key {} in ConfigMap {}/{}",
                reference.key,
                pod.metadata.namespace.as_deref().unwrap_or_default(),
                reference.name
            )),
        };
    }
    if let Some(reference) = &source.secret_key_ref {
        // This cluster serves no Secrets.
        return if reference.optional == Some(true) {
            Ok(None)
        } else {
            Err(format!("secret \"{}\" not found", reference.name))
        };
    }
    if let Some(reference) = &source.field_ref {
        return field(pod, &reference.field_path)
            .map(Some)
            .ok_or_else(|| format!("unsupported fieldPath: {}", reference.field_path));
    }
    Ok(None)
}

/// The value of a pod's field, as the downward API names it.
fn field(pod: &Pod, path: &str) -> Option<String> {
    let metadata = &pod.metadata;
    let status = pod.status.clone().unwrap_or_default();
    let spec = pod.spec.as_ref();
    if let Some((map, key)) = path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"))
    {
        let map = match map {
            "metadata.labels" => &metadata.labels,
            "metadata.annotations" => &metadata.annotations,
            _ => return None,
        };
        return Some(
            map.as_ref()
                .and_then(|map| map.get(key))
                .cloned()
                .unwrap_or_default(),
        );
    }
    let value = match path {
        "metadata.name" => metadata.name.clone(),
        "metadata.namespace" => metadata.namespace.clone(),
        "metadata.uid" => metadata.uid.clone(),
        "spec.nodeName" => spec?.node_name.clone(),
        "spec.serviceAccountName" => spec?.service_account_name.clone(),
        "status.hostIP" => status.host_ip,
        "status.podIP" => status.pod_ip,
        _ => return None,
    };
    Some(value.unwrap_or_default())
}

/// Replaces `$(NAME)` by variables defined before; `$$` stands for one `$`.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        out.push_str(&rest[..start]);
        let tail = &rest[start + 1..];
        let reference = tail
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'));
        if let Some(after) = tail.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = reference {
            match variables.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&rest[start..rest.len() - after.len()]),
            }
            rest = after;
        } else {
            out.push('$');
            rest = tail;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn mk_container(env: Value) -> Container {
        from_value(json!({"name": "app", "env": env})).unwrap()
    }

    fn mk_pod() -> Pod {
        from_value(json!({
            "metadata": {"name": "p", "namespace": "ns", "labels": {"app": "web"}},
            "status": {"podIP": "10.0.0.1"},
        }))
        .unwrap()
    }

    fn mk_configmaps() -> BTreeMap<String, ConfigMap> {
        let config = from_value(json!({"metadata": {"name": "c"}, "data": {"PORT": "3000"}}));
        BTreeMap::from([("c".to_owned(), config.unwrap())])
    }

    fn key(name: &str, key: &str) -> Value {
        json!([{"name": "X", "valueFrom": {"configMapKeyRef": {"name": name, "key": key}}}])
    }

    #[test]
    fn values_come_from_literals_configmaps_and_the_pod() {
        let container = mk_container(json!([
            {"name": "A", "value": "a"},
            {"name": "B", "value": "$(A)-$$(A)-$(NOPE)-$"},
            {"name": "PORT", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "PORT"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        ]));
        let env = resolve(&container, &mk_pod(), &mk_configmaps()).unwrap();
        assert_eq!(env["B"], "a-$(A)-$(NOPE)-$");
        assert_eq!(
            (env["PORT"].as_str(), env["IP"].as_str()),
            ("3000", "10.0.0.1")
        );
        assert_eq!(env["L"], "web");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (env, message) in [
            (key("nope", "PORT"), "configmap \"nope\" not found"),
            (key("c", "NOPE"), "couldn't find key NOPE in ConfigMap ns/c"),
        ] {
            let error = resolve(&mk_container(env), &mk_pod(), &mk_configmaps()).unwrap_err();
            assert_eq!(error, message);
        }
    }
}
