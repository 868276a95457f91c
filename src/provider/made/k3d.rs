//! k3d: k3s in containers, with the labs' node port mapped to this machine.
//!
//! The port is mapped to the server's own container: the load balancer that k3d would put between
//! answers for nodes that do not.
//!
//! Source: k3d 5.8, `k3d cluster create --help` and <https://k3d.io/stable/usage/exposing_services>.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::maker::{Maker, Needs, Order, Size, needs_of, words};
use crate::provider::embedded::NODE_PORT;
use crate::provider::version::Version;

/// How long k3d waits for the servers.
const READY: &str = "300s";
/// One server and two agents.
const NODES: u8 = 3;

/// Makes k3d clusters.
#[derive(Debug, Clone, Copy)]
pub struct K3d;

/// What is read of a cluster in a list.
#[derive(Deserialize)]
struct Listed {
    name: String,
}

impl Maker for K3d {
    fn name(&self) -> &'static str {
        "k3d"
    }

    fn install(&self) -> &'static str {
        "see https://k3d.io/stable/#installation, or run on the embedded cluster: --provider \
         embedded"
    }

    fn oldest(&self) -> Version {
        Version(5, 0)
    }

    fn engines(&self) -> &'static [&'static str] {
        &["docker", "podman"]
    }

    fn needs(&self, size: &Size) -> Needs {
        needs_of(size.nodes.unwrap_or(NODES))
    }

    fn check(&self, size: &Size) -> Result<(), String> {
        if size.as_in_tutorial {
            return Err("--tutorial-size is minikube's; k3d takes --nodes".to_owned());
        }
        Ok(())
    }

    fn create(&self, order: &Order<'_>) -> io::Result<Vec<String>> {
        let size = order.size;
        let agents = size.nodes.unwrap_or(NODES).max(1) - 1;
        let mut arguments = words(["cluster", "create", order.name, "--servers", "1"]);
        arguments.extend(words(["--agents", &agents.to_string()]));
        let published = order.published;
        let mapping = format!("{published}:{NODE_PORT}@server:0:direct");
        arguments.extend(words(["--port", &mapping, "--no-lb"]));
        arguments.extend(words(["--wait", "--timeout", READY]));
        arguments.extend(words(["--kubeconfig-update-default=false"]));
        arguments.extend(words(["--k3s-arg", "--disable=traefik@server:0"]));
        let image = size.node_image.clone().or_else(|| {
            let version = size.kubernetes_version.as_ref()?;
            Some(format!("rancher/k3s:{version}-k3s1"))
        });
        if let Some(image) = image {
            arguments.extend(words(["--image", &image]));
        }
        Ok(arguments)
    }

    fn export(&self, name: &str, kubeconfig: &Path) -> Vec<String> {
        let file = kubeconfig.to_string_lossy();
        words(["kubeconfig", "write", name, "--output", &file])
    }

    fn delete(&self, name: &str) -> Vec<String> {
        words(["cluster", "delete", name])
    }

    fn load(&self, name: &str, archive: &Path) -> Vec<String> {
        let archive = archive.to_string_lossy();
        // In the other mode an image that could not be imported is no failure.
        let mode = ["--mode", "direct"];
        let arguments = words(["image", "import", &archive, "--cluster", name]);
        [arguments, words(mode)].concat()
    }

    fn list(&self) -> &'static [&'static str] {
        &["cluster", "list", "--output", "json"]
    }

    fn names(&self, printed: &str) -> Result<Vec<String>, String> {
        // It logs to the same output, in colours; the list is one line.
        let is_list = |line: &&str| line.starts_with('[') || *line == "null";
        let list = printed.lines().find(is_list).unwrap_or(printed);
        let listed: Option<Vec<Listed>> =
            serde_json::from_str(list).map_err(|error| error.to_string())?;
        let listed = listed.unwrap_or_default();
        Ok(listed.into_iter().map(|cluster| cluster.name).collect())
    }

    fn context(&self, name: &str) -> String {
        format!("k3d-{name}")
    }

    /// `INFO[0003] Creating node 'k3d-lab-server-0'`
    fn step<'a>(&self, line: &'a str) -> Option<&'a str> {
        let rest = line.strip_prefix("INFO[")?;
        let (_, step) = rest.split_once("] ")?;
        Some(step.trim())
    }

    fn maps_ports(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_asked_for_in_k3ds_words() {
        let order = |size: &Size| {
            let order = Order {
                name: "lab",
                published: ([127, 0, 0, 1], 30001).into(),
                size,
                folder: Path::new("."),
            };
            K3d.create(&order).unwrap().join(" ")
        };
        let usual = order(&Size::default());
        assert!(usual.contains("--servers 1 --agents 2 "), "{usual}");
        assert!(
            usual.contains("--port 127.0.0.1:30001:30000@server:0:direct "),
            "{usual}"
        );
        let other = order(&Size {
            nodes: Some(1),
            kubernetes_version: Some("v1.33.4".to_owned()),
            ..Size::default()
        });
        assert!(other.contains("--agents 0 "), "{other}");
        assert!(
            other.ends_with("--image rancher/k3s:v1.33.4-k3s1"),
            "{other}"
        );
    }

    #[test]
    fn its_clusters_and_steps_are_read() {
        let listed = r#"[{"name":"lab","nodes":[],"serversCount":1}]"#;
        assert_eq!(K3d.names(listed).unwrap(), ["lab"]);
        let logged = format!("\u{1b}[37mDEBU\u{1b}[0m[0000] Runtime Info:\n{listed}\n");
        assert_eq!(K3d.names(&logged).unwrap(), ["lab"]);
        assert_eq!(K3d.names("null").unwrap(), [""; 0]);
        assert!(K3d.names("NAME SERVERS").is_err());
        assert_eq!(
            K3d.step("INFO[0001] Creating node 'k3d-lab-server-0'"),
            Some("Creating node 'k3d-lab-server-0'")
        );
        assert_eq!(K3d.step("FATA[0001] Cluster creation FAILED"), None);
    }
}
