//! The contract, held against the tools themselves where they are on this machine.
//!
//! `ROLLOUT_LAB_REQUIRE` lists the tools that have to be there (`kind k3d minikube`), and
//! `ROLLOUT_LAB_IMAGES` names the archive of the labs' images; without one the nodes pull them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::contract::{a_cluster_for_a_run, a_cluster_to_work_with};
use crate::machine::{Machine, Real};

/// A name that nobody's own cluster has.
const NAME: &str = "rollout-lab-contract";

/// What a command prints; `None` where it fails.
fn ask(command: &[&str]) -> Option<String> {
    let mut asked = Command::new(command[0]);
    asked.args(&command[1..]).stdin(Stdio::null());
    let output = asked.output().ok()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(printed)
}

/// What a tool needs that is not there.
fn missing(tool: &str, engines: &[&str]) -> Option<String> {
    if which::which(tool).is_err() {
        return Some(format!("{tool} is not on PATH"));
    }
    let answers = engines
        .iter()
        .any(|engine| ask(&[engine, "info"]).is_some());
    (!answers).then(|| format!("none of its engines answers: {}", engines.join(", ")))
}

/// Holds a tool to the contract, or says why that cannot be.
fn hold(tool: &str, engines: &[&str], context: &str, access: &str, list: fn() -> Vec<String>) {
    if let Some(why) = missing(tool, engines) {
        let demanded = std::env::var("ROLLOUT_LAB_REQUIRE").unwrap_or_default();
        assert!(!demanded.contains(tool), "{why}");
        // The harness shows nothing that a passing test prints; this it does not catch.
        let _ = writeln!(
            std::io::stderr(),
            "\nNOT RUN: the contract on {tool}: {why}"
        );
        return;
    }
    let images = match std::env::var("ROLLOUT_LAB_IMAGES") {
        Ok(archive) => vec!["--image-archive".to_owned(), archive],
        Err(_) => vec!["--images".to_owned(), "pull".to_owned()],
    };
    let machine = Machine::real(Real { list }, images);
    a_cluster_to_work_with(&machine, tool, NAME, context, access);
    a_cluster_for_a_run(&machine, tool, access);
}

/// The values of a field in a list that is printed as JSON.
fn names(printed: &str, list: &str, field: &str) -> Vec<String> {
    let printed: serde_json::Value = serde_json::from_str(printed).unwrap_or_default();
    let list = printed.pointer(list).and_then(|list| list.as_array());
    let names = list.into_iter().flatten().map(|one| one[field].as_str());
    names.flatten().map(str::to_owned).collect()
}

#[test]
fn kind_itself_keeps_the_contract() {
    let list = || {
        let printed = ask(&["kind", "get", "clusters"]).unwrap_or_default();
        printed.split_whitespace().map(str::to_owned).collect()
    };
    let engines = ["docker", "podman", "nerdctl"];
    let context = format!("kind-{NAME}");
    hold("kind", &engines, &context, "mapped-port", list);
}

#[test]
fn k3d_itself_keeps_the_contract() {
    let list = || {
        let printed = ask(&["k3d", "cluster", "list", "--output", "json"]);
        names(&printed.unwrap_or_default(), "", "name")
    };
    let context = format!("k3d-{NAME}");
    hold("k3d", &["docker", "podman"], &context, "mapped-port", list);
}

#[test]
fn minikube_itself_keeps_the_contract() {
    let list = || {
        let list = ["minikube", "profile", "list", "--light", "--output", "json"];
        let printed = ask(&list).unwrap_or_default();
        let valid = names(&printed, "/valid", "Name");
        [valid, names(&printed, "/invalid", "Name")].concat()
    };
    hold("minikube", &["docker"], NAME, "node-address", list);
}
