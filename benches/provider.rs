//! What rollout-lab adds to the time that a tool takes to make a cluster: `cargo bench --bench
//! provider`.
//!
//! A kind that does nothing stands in for the tool: its cluster is there already, an embedded one.
//! So nearly all that is measured is added. Target: at most 1 s for a provisioning.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should stop")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;
/// Prints what kind prints, and copies the kubeconfig of the cluster that is there.
const STANDIN: &str = r#"#!/bin/sh
cd "$STANDIN" || exit 9
case "$1 $2" in
"version ") echo "kind v0.33.0 go1.27.2 linux/amd64" ;;
"get clusters") cat name 2>/dev/null || : ;;
"create cluster") echo "$4" > name; sed "s/rollout-lab/kind-$4/g" config > "$KUBECONFIG" ;;
"delete cluster") rm name ;;
*) exit 1 ;;
esac
"#;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("bin")).expect("a folder for the stand-in");
    write_program(&at("bin/kind"), STANDIN);
    let mut cluster = program(folder.path())
        .args(["cluster", "up", "--publish", "none", "--kubeconfig"])
        .arg(at("config"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let stdout = cluster.stdout.take().expect("its output");
    let ready = BufReader::new(stdout)
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("Ctrl+C stops"));
    assert!(ready, "the embedded cluster is ready");

    let up = ["cluster", "up", "--provider", "kind", "--images", "pull"];
    let (mut making, mut removing) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        making.push(time(folder.path(), &up));
        removing.push(time(folder.path(), &["cluster", "down", "rollout-lab"]));
    }
    report("making a cluster", making);
    report("removing it", removing);

    // Its own process, by its id; the cluster goes with it.
    cluster.kill().expect("the cluster ends");
    cluster.wait().expect("the cluster has ended");
}

/// The program with a state folder and a PATH of its own.
fn program(folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_rollout-lab"));
    let path = format!("{}:/usr/bin:/bin", folder.join("bin").display());
    program
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("STANDIN", folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    program
}

fn time(folder: &Path, arguments: &[&str]) -> Duration {
    let began = Instant::now();
    let output = program(folder).args(arguments).output();
    let took = began.elapsed();
    let status = output.expect("the program runs").status;
    assert!(status.success(), "{arguments:?}: {status}");
    took
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let milliseconds = |time: &Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{what}: median {:.0} ms, {:.0} to {:.0} ms, of {}",
        milliseconds(&times[times.len() / 2]),
        milliseconds(&times[0]),
        milliseconds(&times[times.len() - 1]),
        times.len()
    );
}

#[cfg(unix)]
fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::write(path, text).expect("the stand-in");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, mode).expect("the stand-in is a program");
}

#[cfg(not(unix))]
fn write_program(_: &Path, _: &str) {
    panic!("the stand-in is a shell script");
}
