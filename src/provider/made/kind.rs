//! kind: a cluster of containers, with the labs' node port mapped to this machine.
//!
//! Source: kind 0.33, `kind create cluster --help` and
//! <https://kind.sigs.k8s.io/docs/user/configuration>.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::maker::{Maker, Needs, Order, Size, needs_of, words};
use crate::provider::embedded::NODE_PORT;
use crate::provider::version::Version;

/// How long kind waits for the control plane.
const READY: &str = "300s";
/// One control plane and two workers.
const NODES: u8 = 3;

/// Makes kind clusters.
#[derive(Debug, Clone, Copy)]
pub struct Kind;

impl Maker for Kind {
    fn name(&self) -> &'static str {
        "kind"
    }

    fn install(&self) -> &'static str {
        "see https://kind.sigs.k8s.io/docs/user/quick-start/#installation, or run on the embedded \
         cluster: --provider embedded"
    }

    fn oldest(&self) -> Version {
        Version(0, 20)
    }

    fn engines(&self) -> &'static [&'static str] {
        &["docker", "podman", "nerdctl"]
    }

    fn needs(&self, size: &Size) -> Needs {
        needs_of(size.nodes.unwrap_or(NODES))
    }

    fn check(&self, size: &Size) -> Result<(), String> {
        if size.as_in_tutorial {
            return Err("--tutorial-size is minikube's; kind takes --nodes".to_owned());
        }
        Ok(())
    }

    fn create(&self, order: &Order<'_>) -> io::Result<Vec<String>> {
        let config = order.folder.join("kind.yaml");
        // JSON is YAML.
        std::fs::write(&config, config_of(order).to_string())?;
        let config = config.to_string_lossy();
        let mut arguments = words(["create", "cluster", "--name", order.name]);
        arguments.extend(words(["--config", &config, "--wait", READY]));
        let size = order.size;
        let image = size.node_image.clone().or_else(|| {
            let version = size.kubernetes_version.as_ref()?;
            Some(format!("kindest/node:{version}"))
        });
        if let Some(image) = image {
            arguments.extend(words(["--image", &image]));
        }
        Ok(arguments)
    }

    fn export(&self, name: &str, _: &Path) -> Vec<String> {
        words(["export", "kubeconfig", "--name", name])
    }

    fn delete(&self, name: &str) -> Vec<String> {
        words(["delete", "cluster", "--name", name])
    }

    fn load(&self, name: &str, archive: &Path) -> Vec<String> {
        let archive = archive.to_string_lossy();
        words(["load", "image-archive", &archive, "--name", name])
    }

    fn list(&self) -> &'static [&'static str] {
        &["get", "clusters"]
    }

    fn names(&self, printed: &str) -> Result<Vec<String>, String> {
        Ok(printed.split_whitespace().map(str::to_owned).collect())
    }

    fn context(&self, name: &str) -> String {
        format!("kind-{name}")
    }

    /// ` • Preparing nodes 📦 📦 📦   ...`, and the same with a tick when it is done.
    fn step<'a>(&self, line: &'a str) -> Option<&'a str> {
        let step = line.trim_start().strip_prefix("• ")?;
        let end = step
            .find(|c: char| !c.is_ascii() && c != '≤')
            .unwrap_or(step.len());
        Some(step[..end].trim_end_matches(['.', ' ']))
    }

    fn maps_ports(&self) -> bool {
        true
    }
}

/// One control plane, the workers, and the node port on this machine.
fn config_of(order: &Order<'_>) -> Value {
    let nodes = order.size.nodes.unwrap_or(NODES).max(1);
    let mapping = json!({
        "containerPort": NODE_PORT,
        "hostPort": order.published.port(),
        "listenAddress": order.published.ip(),
        "protocol": "TCP",
    });
    let control_plane = json!({"role": "control-plane", "extraPortMappings": [mapping]});
    let workers = (1..nodes).map(|_| json!({"role": "worker"}));
    json!({
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": std::iter::once(control_plane).chain(workers).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_steps_are_read_without_their_decoration() {
        for (line, step) in [
            (
                " • Ensuring node image (kindest/node:v1.36.2) 🖼\u{fe0f}  ...",
                Some("Ensuring node image (kindest/node:v1.36.2)"),
            ),
            (" • Preparing nodes 📦 📦   ...", Some("Preparing nodes")),
            (
                " • Waiting ≤ 2m0s for control-plane = Ready ⏳  ...",
                Some("Waiting ≤ 2m0s for control-plane = Ready"),
            ),
            (" ✓ Preparing nodes 📦 📦 ", None),
            ("Creating cluster \"lab\" ...", None),
        ] {
            assert_eq!(Kind.step(line), step, "{line}");
        }
    }

    #[test]
    fn the_size_is_asked_for_in_kinds_words() {
        let folder = tempfile::tempdir().unwrap();
        let order = |size: &Size| {
            let order = Order {
                name: "lab",
                published: ([127, 0, 0, 1], 30001).into(),
                size,
                folder: folder.path(),
            };
            let arguments = Kind.create(&order).unwrap().join(" ");
            let config = std::fs::read_to_string(folder.path().join("kind.yaml")).unwrap();
            (arguments, serde_json::from_str::<Value>(&config).unwrap())
        };
        let (arguments, config) = order(&Size::default());
        assert!(!arguments.contains("--image"), "{arguments}");
        let mapping = &config["nodes"][0]["extraPortMappings"][0];
        assert_eq!(mapping["hostPort"], 30001);
        assert_eq!(mapping["listenAddress"], "127.0.0.1");
        assert_eq!(config["nodes"].as_array().unwrap().len(), 3);
        let (arguments, config) = order(&Size {
            nodes: Some(1),
            kubernetes_version: Some("v1.34.0".to_owned()),
            ..Size::default()
        });
        assert!(
            arguments.ends_with("--image kindest/node:v1.34.0"),
            "{arguments}"
        );
        assert_eq!(config["nodes"].as_array().unwrap().len(), 1);
        let of_tutorial = Size {
            as_in_tutorial: true,
            ..Size::default()
        };
        assert!(Kind.check(&of_tutorial).is_err());
    }
}
