//! minikube: what the tutorials use, in a profile of its own.
//!
//! Node ports are reached at the address of a node where this machine reaches it, and else through
//! `minikube service --url`.
//!
//! Source: minikube 1.36, `minikube start --help`; the tutorial's own command for its size.

use std::io;
use std::path::Path;

use serde::Deserialize;

use super::maker::{Maker, Needs, Order, Size, words};
use crate::provider::version::Version;

/// How long minikube waits for its components.
const READY: &str = "6m";

/// Makes minikube clusters.
#[derive(Debug, Clone, Copy)]
pub struct Minikube;

/// What `minikube profile list --output json` prints, as far as it is read.
#[derive(Deserialize)]
struct Profiles {
    valid: Option<Vec<Profile>>,
    invalid: Option<Vec<Profile>>,
    error: Option<Error>,
}

/// Why it has nothing to list.
#[derive(Deserialize)]
struct Error {
    #[serde(rename = "Err")]
    number: i32,
}

/// What `minikube status --output json` prints of a node; of several nodes it prints a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    One(NodeStatus),
    Several(Vec<NodeStatus>),
}

#[derive(Deserialize)]
struct NodeStatus {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Host")]
    host: String,
}

/// The system's number for a folder that is not there: no profile was ever made.
const NOT_FOUND: i32 = 2;

#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "Name")]
    name: String,
}

/// The size of a cluster in minikube's words.
struct Flags {
    nodes: u8,
    processors: u64,
    /// Mebibytes of each node.
    memory: u64,
    network: Option<&'static str>,
}

/// Two nodes, so that traffic crosses from one to another, as small as minikube allows.
const USUAL: Flags = Flags {
    nodes: 2,
    processors: 2,
    memory: 2200,
    network: None,
};
/// `minikube start --driver=docker --nodes=3 --cpus=2 --memory=8g --cni=cilium`
const OF_TUTORIAL: Flags = Flags {
    nodes: 3,
    processors: 2,
    memory: 8192,
    network: Some("cilium"),
};

fn flags(size: &Size) -> Flags {
    let flags = if size.as_in_tutorial {
        OF_TUTORIAL
    } else {
        USUAL
    };
    Flags {
        nodes: size.nodes.unwrap_or(flags.nodes).max(1),
        ..flags
    }
}

impl Maker for Minikube {
    fn name(&self) -> &'static str {
        "minikube"
    }

    fn install(&self) -> &'static str {
        "see https://minikube.sigs.k8s.io/docs/start, or run on the embedded cluster: --provider \
         embedded"
    }

    fn oldest(&self) -> Version {
        Version(1, 33)
    }

    fn engines(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn needs(&self, size: &Size) -> Needs {
        let Flags {
            nodes,
            processors,
            memory,
            ..
        } = flags(size);
        Needs {
            nodes,
            processors,
            node_memory: memory,
        }
    }

    /// Without it the steps begin with pictures, where the terminal can show them.
    fn environment(&self) -> &'static [(&'static str, &'static str)] {
        &[("MINIKUBE_IN_STYLE", "false")]
    }

    fn check(&self, size: &Size) -> Result<(), String> {
        if size.node_image.is_some() {
            return Err(
                "--node-image is for kind and k3d; minikube takes --kubernetes-version".into(),
            );
        }
        Ok(())
    }

    fn create(&self, order: &Order<'_>) -> io::Result<Vec<String>> {
        let Flags {
            nodes,
            processors,
            memory,
            network,
        } = flags(order.size);
        let mut arguments = words(["start", "--profile", order.name, "--driver=docker"]);
        arguments.extend([
            format!("--nodes={nodes}"),
            format!("--cpus={processors}"),
            format!("--memory={memory}mb"),
        ]);
        if let Some(network) = network {
            arguments.push(format!("--cni={network}"));
        }
        if let Some(version) = &order.size.kubernetes_version {
            arguments.push(format!("--kubernetes-version={version}"));
        }
        arguments.extend(words(["--wait=all", "--interactive=false"]));
        arguments.push(format!("--wait-timeout={READY}"));
        Ok(arguments)
    }

    fn export(&self, name: &str, _: &Path) -> Vec<String> {
        words(["update-context", "--profile", name])
    }

    fn status(&self, name: &str) -> Option<Vec<String>> {
        Some(words(["status", "--profile", name, "--output", "json"]))
    }

    fn stopped(&self, printed: &str) -> Result<Option<String>, String> {
        let status = serde_json::from_str(printed).map_err(|error| error.to_string())?;
        let nodes = match status {
            Status::One(node) => vec![node],
            Status::Several(nodes) => nodes,
        };
        let stopped = nodes.into_iter().find(|node| node.host != "Running");
        Ok(stopped.map(|node| format!("{} is {}", node.name, node.host)))
    }

    fn delete(&self, name: &str) -> Vec<String> {
        words(["delete", "--profile", name])
    }

    fn load(&self, name: &str, archive: &Path) -> Vec<String> {
        let archive = archive.to_string_lossy();
        words(["image", "load", &archive, "--profile", name])
    }

    fn images(&self, name: &str) -> Option<Vec<String>> {
        Some(words(["image", "ls", "--profile", name]))
    }

    fn list(&self) -> &'static [&'static str] {
        &["profile", "list", "--light", "--output", "json"]
    }

    fn names(&self, printed: &str) -> Result<Vec<String>, String> {
        let Profiles {
            valid,
            invalid,
            error,
        } = serde_json::from_str(printed).map_err(|error| error.to_string())?;
        if let Some(error) = error.filter(|error| error.number != NOT_FOUND) {
            return Err(format!("error {}", error.number));
        }
        let all = valid.into_iter().chain(invalid).flatten();
        Ok(all.map(|profile| profile.name).collect())
    }

    fn context(&self, name: &str) -> String {
        name.to_owned()
    }

    /// `* Pulling base image v0.0.47 ...`
    fn step<'a>(&self, line: &'a str) -> Option<&'a str> {
        let step = line.strip_prefix("* ")?;
        Some(step.trim_end_matches(['.', ' ']))
    }

    fn maps_ports(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(size: &Size) -> String {
        let order = Order {
            name: "lab",
            published: ([127, 0, 0, 1], 30000).into(),
            size,
            folder: Path::new("."),
        };
        Minikube.create(&order).unwrap().join(" ")
    }

    #[test]
    fn the_size_of_the_tutorial_is_there_and_a_lighter_one_is_usual() {
        let usual = typed(&Size::default());
        assert!(
            usual.contains("--nodes=2 --cpus=2 --memory=2200mb --wait=all"),
            "{usual}"
        );
        let of_tutorial = Size {
            as_in_tutorial: true,
            kubernetes_version: Some("v1.33.1".to_owned()),
            ..Size::default()
        };
        let large = typed(&of_tutorial);
        assert!(
            large.contains(
                "--driver=docker --nodes=3 --cpus=2 --memory=8192mb --cni=cilium \
                 --kubernetes-version=v1.33.1 "
            ),
            "{large}"
        );
        assert_eq!(Minikube.needs(&of_tutorial).memory(), 3 * 8192);
        let image = Size {
            node_image: Some("x".to_owned()),
            ..Size::default()
        };
        assert!(Minikube.check(&image).is_err());
    }

    #[test]
    fn its_profiles_and_steps_are_read() {
        let listed = r#"{"invalid":[{"Name":"broken"}],"valid":[{"Name":"lab","Status":"OK"}]}"#;
        assert_eq!(Minikube.names(listed).unwrap(), ["lab", "broken"]);
        let none = r#"{"invalid":[],"valid":null}"#;
        assert_eq!(Minikube.names(none).unwrap(), [""; 0]);
        let never = r#"{"error":{"Op":"open","Path":"/p","Err":2}}"#;
        assert_eq!(Minikube.names(never).unwrap(), [""; 0]);
        assert!(Minikube.names(&never.replace('2', "13")).is_err());
        assert!(Minikube.names("no profiles").is_err());
        let running = r#"{"Name":"lab","Host":"Running","Kubelet":"Running","APIServer":"Running","Kubeconfig":"Configured","Worker":false}"#;
        assert_eq!(Minikube.stopped(running), Ok(None));
        let stopped = running.replace("\"Host\":\"Running\"", "\"Host\":\"Stopped\"");
        let several = format!("[{running},{stopped}]");
        let seen = Some("lab is Stopped".to_owned());
        assert_eq!(Minikube.stopped(&several), Ok(seen));
        assert!(Minikube.stopped("Stopped").is_err());
        assert_eq!(
            Minikube.step("* Pulling base image v0.0.47 ..."),
            Some("Pulling base image v0.0.47")
        );
        assert_eq!(Minikube.step("! a warning"), None);
    }
}
