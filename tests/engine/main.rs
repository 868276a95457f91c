//! The images in a container engine: Docker's daemon, started for each test in a folder of its own
//! and stopped after it, without any network.
//!
//! `ROLLOUT_LAB_IMAGES` names the archive that `scripts/build-images.sh` makes. The daemon needs
//! root; Debian has it in the package `docker.io`.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod container;
mod daemon;
#[path = "../required/mod.rs"]
mod required;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::container::Container;
use crate::daemon::Daemon;

/// What an image may take, as `docker images` shows it.
const MOST_BYTES: u64 = 15_000_000;
const USER_SERVICE: &str = "mogumogusityau/user-service:1.0.0";
const PAYMENT_SERVICE: &str = "mogumogusityau/payment-service:1.0.0";

/// A daemon. Without one the test says so and cannot run, which is a failure where
/// `ROLLOUT_LAB_REQUIRE` has `engine`.
fn mk_daemon(test: &str) -> Option<Daemon> {
    required::or_not_run(test, required::is_demanded("engine"), Daemon::start())
}

/// A daemon that has the images.
fn mk_daemon_with_images(test: &str) -> Option<Daemon> {
    let demanded = required::is_demanded("engine");
    let archive = required::or_not_run(test, demanded, archive())?;
    let daemon = mk_daemon(test)?;
    let loaded = daemon.docker(&["load", "-i", archive.to_str().unwrap()]);
    for image in [USER_SERVICE, PAYMENT_SERVICE] {
        assert!(
            loaded.contains(&format!("Loaded image: {image}")),
            "{loaded}"
        );
    }
    Some(daemon)
}

fn archive() -> Result<PathBuf, String> {
    let named = std::env::var_os("ROLLOUT_LAB_IMAGES").unwrap_or_default();
    let path = PathBuf::from(named);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "the archive of the images is missing: ROLLOUT_LAB_IMAGES is \"{}\"; run \
         scripts/build-images.sh and set it to the path that is printed last",
        path.display()
    ))
}

#[test]
fn a_container_engine_runs_containers_and_leaves_nothing() {
    let Some(daemon) = mk_daemon("a container engine") else {
        return;
    };
    let folder = daemon.folder().to_owned();
    assert!(folder.exists());
    drop(daemon);
    assert!(!folder.exists());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()), "{mounts}");
}

#[test]
fn the_images_say_what_they_are_and_are_small() {
    let Some(daemon) = mk_daemon_with_images("what the images say") else {
        return;
    };
    for (image, name) in [
        (USER_SERVICE, "user-service"),
        (PAYMENT_SERVICE, "payment-service"),
    ] {
        let said = daemon.docker(&["image", "inspect", image]);
        let said: Value = serde_json::from_str(&said).unwrap();
        let (image, config) = (&said[0], &said[0]["Config"]);
        assert_eq!(config["User"], "65532:65532");
        assert_eq!(config["Entrypoint"], json!(["/rollout-lab", "app", name]));
        assert_eq!(config["ExposedPorts"], json!({"3000/tcp": {}}));
        let labels = &config["Labels"];
        assert_eq!(labels["org.opencontainers.image.title"], name);
        assert_eq!(labels["org.opencontainers.image.version"], "1.0.0");
        assert_eq!(labels["org.opencontainers.image.licenses"], "Apache-2.0");
        let size = image["Size"].as_u64().unwrap();
        assert!(size <= MOST_BYTES, "{name}: {size} bytes");
    }
}

#[test]
fn the_archive_loads_into_containerd_as_kind_and_k3d_load_it() {
    let test = "the archive in containerd";
    let Some(daemon) = mk_daemon(test) else {
        return;
    };
    let demanded = required::is_demanded("engine");
    let Some(archive) = required::or_not_run(test, demanded, archive()) else {
        return;
    };
    // What `kind load image-archive` types on each node, but for the place of files, which a node
    // can mount over each other and this machine may not.
    let import = ["images", "import", "--all-platforms", "--digests"];
    let typed = [&import[..], &["--snapshotter=native", "-"]].concat();
    daemon.ctr(&typed, Some(&archive));
    let images = daemon.ctr(&["images", "ls", "-q"], None);
    for image in [USER_SERVICE, PAYMENT_SERVICE] {
        let name = format!("docker.io/{image}");
        assert!(images.lines().any(|line| line == name), "{images}");
    }
}

#[test]
fn a_service_answers_without_root_and_without_a_file_that_it_can_write() {
    let Some(daemon) = mk_daemon_with_images("the services") else {
        return;
    };
    for (image, name) in [
        (USER_SERVICE, "user-service"),
        (PAYMENT_SERVICE, "payment-service"),
    ] {
        let container = Container::run(&daemon, image);
        let answer = container.ask();
        assert_eq!(answer["service"], name);
        assert_eq!(answer["version"], container::VERSION);
        assert_eq!(answer["pod"], container::POD);
        assert_eq!(container.users(), ["65532"; 4]);
    }
}

#[test]
fn user_service_ignores_a_sigterm_and_payment_service_ends_on_it() {
    let Some(daemon) = mk_daemon_with_images("the services and SIGTERM") else {
        return;
    };
    let user = Container::run(&daemon, USER_SERVICE);
    user.signal("TERM");
    assert_eq!(user.ask()["service"], "user-service", "it goes on");
    assert_eq!(user.stop(1), 137, "it has to be killed");
    let payment = Container::run(&daemon, PAYMENT_SERVICE);
    let begin = Instant::now();
    assert_eq!(payment.stop(60), 143);
    assert!(begin.elapsed() < Duration::from_secs(30), "it ends at once");
    let user = Container::run(&daemon, USER_SERVICE);
    user.signal("INT");
    assert_eq!(user.end(), 0, "Ctrl+C ends either");
}
