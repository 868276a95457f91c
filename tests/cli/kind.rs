//! kind as a provider. A script stands in for the program: it notes its arguments, prints what kind
//! 0.33 prints, and starts an embedded cluster where kind starts containers, or fails in one of
//! kind's ways.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::{Ended, Place, Running};

const SCRIPT: &str = r#"#!/bin/sh
cd "$STANDIN_FOLDER" || exit 9
echo "$*" >> argv
case "$1" in
version)
  echo "kind v0.33.0 go1.27.2 linux/amd64"
  exit 0;;
delete)
  echo "Deleting cluster \"$4\" ..." >&2
  [ -e cluster.pid ] && kill -TERM "$(cat cluster.pid)" && mv cluster.pid deleted.pid
  exit 0;;
esac
name=$4 config=$6 kubeconfig=$8
cp "$config" kind.yaml
echo "Creating cluster \"$name\" ..." >&2
case "$STANDIN_FAILS" in
image)
  echo 'ERROR: failed to create cluster: failed to pull image "kindest/node:v9.9.9"' >&2
  exit 1;;
hang)
  sleep 600 &
  echo "$!" > child.part && mv child.part child.pid
  wait;;
esac
port=$(sed 's/.*"hostPort":\([0-9]*\).*/\1/' kind.yaml)
# In a session of its own, as the engine's containers are.
setsid "$STANDIN_LAB" cluster up --pace 20 --publish "127.0.0.1:$port=30000" \
  --kubeconfig config > cluster.log 2>&1 < /dev/null &
echo "$!" > cluster.pid
until grep -qs "Ctrl+C stops" cluster.log; do sleep 0.05; done
sed "s/rollout-lab/kind-$name/g" config > "$kubeconfig"
echo "Set kubectl context to \"kind-$name\"" >&2
"#;

const FEATURE: &str = "\
Feature: F
  Scenario: S
    Given a cluster with at least 3 ready nodes
    And the namespace \"app-dev\"
    And these files are applied and rolled out within 60 seconds:
      | ROOT/k8s/base/configmap.yaml        |
      | ROOT/k8s/base/service-nodeport.yaml |
      | ROOT/k8s/base/deployment-v1.yaml    |
    Then only \"user-service\" \"1.0.0\" answers on node port 30000
";

/// The longest that a test waits for a process.
const LIMIT: Duration = Duration::from_secs(30);

/// A machine with a kind on it.
struct Machine {
    place: Place,
    /// Where the node port is to be reached.
    port: u16,
}

impl Machine {
    fn new() -> Self {
        let place = Place::new();
        place.script("bin/kind", SCRIPT);
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        Self { place, port }
    }

    fn start(&self, fails: &str, path: &str) -> Running {
        let feature = self.place.file(
            "f.feature",
            &FEATURE.replace("ROOT", env!("CARGO_MANIFEST_DIR")),
        );
        let reports = self.place.path("reports");
        let publish = format!("127.0.0.1:{}=30000", self.port);
        let mut arguments = vec!["run", feature.to_str().unwrap(), "--provider", "kind"];
        arguments.extend(["--publish", &publish]);
        arguments.extend(["--node-image", "kindest/node:v1.36.2"]);
        arguments.extend(["--report-dir", reports.to_str().unwrap()]);
        let mut command = self.place.command(&arguments);
        command
            .env("PATH", path)
            .env("STANDIN_FOLDER", self.place.path(""))
            .env("STANDIN_LAB", env!("CARGO_BIN_EXE_rollout-lab"))
            .env("STANDIN_FAILS", fails);
        Running::of(command)
    }

    fn run(&self, fails: &str) -> Ended {
        self.start(fails, &self.path()).end()
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.place.path("bin").display())
    }

    fn pid(&self, file: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.place.path(file)).ok()?;
        Some(text.trim().to_owned())
    }

    /// The commands that were typed, with what differs from run to run replaced.
    fn typed(&self) -> Vec<String> {
        let typed = std::fs::read_to_string(self.place.path("argv")).unwrap_or_default();
        let id = |line: &str| {
            let (_, rest) = line.split_once("rollout-lab-")?;
            Some(rest.split(' ').next()?.to_owned())
        };
        let folder = self.place.path("tmp").display().to_string();
        let redact = |line: &str| {
            let line = id(line).map_or(line.to_owned(), |id| line.replace(&id, "ID"));
            let words = line
                .split(' ')
                .map(|word| match word.strip_prefix(&folder) {
                    Some(path) => path.rsplit('/').next().unwrap_or_default(),
                    None => word,
                });
            words.collect::<Vec<_>>().join(" ")
        };
        typed.lines().map(redact).collect()
    }
}

/// What is left of a process; a zombie is gone.
fn is_there(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[track_caller]
fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// A test that fails in the middle ends what its stand-in started.
impl Drop for Machine {
    fn drop(&mut self) {
        for file in ["cluster.pid", "child.pid"] {
            if let Some(pid) = self.pid(file).filter(|pid| is_there(pid)) {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        }
    }
}

const VERSION: &str = "version";
const CREATE: &str = "create cluster --name rollout-lab-ID --config kind.yaml --kubeconfig \
                      kubeconfig --wait 300s --image kindest/node:v1.36.2";
const DELETE: &str = "delete cluster --name rollout-lab-ID --kubeconfig kubeconfig";

#[test]
fn a_cluster_is_made_for_the_run_used_and_removed() {
    let machine = Machine::new();
    let ended = machine.run("");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("kind v0.33.0, Kubernetes v1.36.2+rollout-lab, at https://127.0.0.1:"),
        "{ended:#?}"
    );
    assert_eq!(machine.typed(), [VERSION, CREATE, DELETE]);
    let config = std::fs::read_to_string(machine.place.path("kind.yaml")).unwrap();
    let mapping = format!(
        r#""extraPortMappings":[{{"containerPort":30000,"hostPort":{},"listenAddress":"127.0.0.1","protocol":"TCP"}}]"#,
        machine.port
    );
    assert!(config.contains(&mapping), "{config}");
    let report = std::fs::read_to_string(machine.place.path("reports/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let name = format!(
        "--name rollout-lab-{} ",
        report["run"]["id"].as_str().unwrap()
    );
    let argv = std::fs::read_to_string(machine.place.path("argv")).unwrap();
    assert!(argv.contains(&name), "the cluster has the run's id: {argv}");
    let cluster = machine.pid("deleted.pid").unwrap();
    await_that("the cluster is gone", || !is_there(&cluster));
    assert_eq!(machine.place.leftovers(), [""; 0]);
}

#[test]
fn a_cluster_that_cannot_be_made_is_removed_and_the_reason_told() {
    let machine = Machine::new();
    let ended = machine.run("image");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    for told in [
        "error: could not make the kind cluster rollout-lab-",
        "ended with exit code 1",
        "failed to pull image \"kindest/node:v9.9.9\"",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {ended:#?}");
    }
    assert_eq!(machine.typed(), [VERSION, CREATE, DELETE]);
    assert_eq!(machine.place.leftovers(), [""; 0]);
}

#[test]
fn an_interrupt_while_it_is_made_ends_kind_and_removes_what_there_is() {
    let machine = Machine::new();
    let run = machine.start("hang", &machine.path());
    await_that("kind works", || machine.pid("child.pid").is_some());
    run.signal("INT");
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    let child = machine.pid("child.pid").unwrap();
    await_that("kind's own child is gone", || !is_there(&child));
    assert_eq!(machine.typed(), [VERSION, CREATE, DELETE]);
    assert_eq!(machine.place.leftovers(), [""; 0]);
}

#[test]
fn without_kind_or_its_port_nothing_is_made() {
    let machine = Machine::new();
    let ended = machine.start("", "/nowhere").end();
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(
        ended.stderr.contains("kind is not on PATH; see https://"),
        "{ended:#?}"
    );

    let _taken = TcpListener::bind(("127.0.0.1", machine.port)).unwrap();
    let ended = machine.run("");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let told = format!("port {} of 127.0.0.1 is in use by ", machine.port);
    assert!(ended.stderr.contains(&told), "{ended:#?}");
    assert_eq!(machine.typed(), [""; 0]);
}
