//! Existing clusters, for which an embedded one stands in, served over TLS to another process.

use std::path::{Path, PathBuf};

use crate::program::{Ended, Place, Running};

/// A cluster in a process of its own.
struct Standin {
    place: Place,
    cluster: Running,
    kubeconfig: PathBuf,
}

impl Standin {
    fn start(pace: &str) -> Self {
        let home = Place::new();
        let kubeconfig = home.path("config");
        let arguments = [
            "cluster",
            "up",
            "--publish",
            "none",
            "--pace",
            pace,
            "--kubeconfig",
            kubeconfig.to_str().unwrap(),
        ];
        let mut cluster = home.start(&arguments);
        cluster.await_line("Ctrl+C stops");
        Self {
            place: home,
            cluster,
            kubeconfig,
        }
    }

    fn arguments<'a>(&'a self, command: &'a str, reports: &'a Path) -> Vec<&'a str> {
        let mut arguments = vec![command];
        if command == "run" {
            arguments.extend(["--provider", "kubeconfig"]);
            arguments.extend(["--report-dir", reports.to_str().unwrap()]);
        }
        let kubeconfig = self.kubeconfig.to_str().unwrap();
        arguments.extend(["--kubeconfig", kubeconfig, "--context", "rollout-lab"]);
        arguments
    }

    fn run(&self, reports: &Path, more: &[&str]) -> Ended {
        let mut arguments = self.arguments("run", reports);
        arguments.extend(more);
        self.place.run(&arguments)
    }

    fn stop(self) {
        self.cluster.signal("TERM");
        let ended = self.cluster.end();
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(!self.kubeconfig.exists());
    }
}

#[test]
fn the_lab_runs_on_an_existing_cluster_and_leaves_nothing_there() {
    let standin = Standin::start("20");
    let reports = standin.place.path("reports");
    let some = ["--name", "Everything is cleaned up"];
    for _ in 0..2 {
        let ended = standin.run(&reports, &some);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(
            ended.stdout.contains("kubeconfig (context rollout-lab)"),
            "{ended:#?}"
        );
    }
    // The second scenario leaves its namespace to be cleaned up; the third needs it gone.
    let two = standin.run(&reports, &["--name", "Version"]);
    assert_eq!(two.code, Some(0), "{two:#?}");
    standin.stop();
}

#[test]
fn the_lab_runs_by_port_forward_where_that_is_asked_for_and_the_report_says_so() {
    let standin = Standin::start("20");
    let reports = standin.place.path("reports");
    let ended = standin.run(
        &reports,
        &["--port-forward", "--name", "Version 2 takes over"],
    );
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let told = "requests go through the API server and a kubelet, by port-forward to one pod each";
    assert!(ended.stdout.contains(told), "{ended:#?}");
    let report = std::fs::read_to_string(reports.join("report.json")).unwrap();
    assert!(report.contains("\"kind\": \"api-forward\""), "{report}");
    standin.stop();
}

/// No packet is ever sent to a link-local address without the link that it is meant on.
#[test]
fn a_node_address_that_is_not_reached_is_told_before_anything_is_made() {
    let standin = Standin::start("20");
    let reports = standin.place.path("reports");
    let ended = standin.run(&reports, &["--node-address", "fe80::1"]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    for told in [
        "fe80::1 is not reached from here",
        "leave --node-address out",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {ended:#?}");
    }
    standin.stop();
}

#[test]
fn what_a_lab_holds_with_a_finalizer_of_its_own_is_let_go() {
    let standin = Standin::start("20");
    let reports = standin.place.path("reports");
    let faults = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/features/rolling-update/faults.feature"
    );
    for _ in 0..2 {
        let ended = standin.run(&reports, &["--name", "finalizer", faults]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    standin.stop();
}

#[test]
fn a_namespace_that_was_there_before_is_not_touched() {
    let standin = Standin::start("20");
    let feature = standin.place.file(
        "f.feature",
        "Feature: F\n  Scenario: S\n    Given the namespace \"kube-public\"\n",
    );
    let reports = standin.place.path("reports");
    let mut arguments = standin.arguments("run", &reports);
    arguments.push(feature.to_str().unwrap());
    let ended = standin.place.run(&arguments);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended.stdout.contains("was not made by this run"),
        "{ended:#?}"
    );
    let again = standin.place.run(&arguments);
    assert!(
        again
            .stdout
            .contains("namespace kube-public exists already"),
        "it is still there"
    );
    standin.stop();
}

#[test]
fn an_interrupted_run_cleans_up_and_a_second_interrupt_does_not_wait_for_it() {
    let standin = Standin::start("20");
    let reports = standin.place.path("reports");
    let arguments = standin.arguments("run", &reports);
    let mut run = standin.place.start(&arguments);
    run.await_line("And I apply \"k8s/base/service-nodeport.yaml\"");
    run.signal("INT");
    assert_eq!(run.end().code, Some(130));
    let clean = standin.run(&reports, &["--name", "Everything is cleaned up"]);
    assert_eq!(clean.code, Some(0), "the namespace was gone: {clean:#?}");
    standin.stop();

    // In real time the pods of user-service take 30 s to go: the second signal comes first.
    let slow = Standin::start("1");
    let reports = slow.place.path("reports");
    let arguments = slow.arguments("run", &reports);
    let mut run = slow.place.start(&arguments);
    run.await_line("Then the rollout of");
    run.signal("INT");
    run.signal("INT");
    run.signal("TERM");
    assert_eq!(run.end().code, Some(130));
    assert!(slow.kubeconfig.exists(), "it is the user's own");
    slow.stop();
}

#[test]
fn the_monitor_shows_pods_and_answers_until_it_is_stopped() {
    let standin = Standin::start("20");
    let reports = standin.place.path("reports");
    let mut arguments = standin.arguments("monitor", &reports);
    arguments.extend(["--every", "0.1"]);
    let mut monitor = standin.place.start(&arguments);
    monitor.await_line("no pods");
    monitor.await_line("Request 3: failed: Refused");
    let lab = standin.run(&reports, &["--name", "Version 2 takes over"]);
    assert_eq!(lab.code, Some(0), "{lab:#?}");
    monitor.await_line("user-service v1.0.0 (user-service-");
    monitor.await_line("payment-service v2.0.0 (user-service-");
    monitor.signal("INT");
    let ended = monitor.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended.stdout.contains("Monitoring stopped by user"),
        "{ended:#?}"
    );
    standin.stop();
}

/// What cannot be seen is not a failure of the rollout, and the reason is told.
#[test]
fn a_cluster_that_goes_away_during_a_run_is_named_as_the_reason() {
    let standin = Standin::start("1");
    let feature = standin.place.file(
        "f.feature",
        concat!(
            "Feature: F\n  Scenario: S\n    Given the namespace \"app-dev\"\n",
            "    When I apply \"ROOT/k8s/base/deployment-v1.yaml\"\n",
            "    Then the rollout of \"user-service\" completes within 5 seconds\n",
        )
        .replace("ROOT", env!("CARGO_MANIFEST_DIR"))
        .as_str(),
    );
    let reports = standin.place.path("reports");
    let mut arguments = standin.arguments("run", &reports);
    arguments.push(feature.to_str().unwrap());
    let mut run = standin.place.start(&arguments);
    run.await_line("When I apply");
    standin.cluster.signal("KILL");
    let ended = run.end();
    assert_eq!(ended.code, Some(4), "{ended:#?}");
    for told in [
        "the API server does not answer",
        "Connection refused",
        "check that the cluster still runs",
    ] {
        assert!(ended.stdout.contains(told), "{told}: {ended:#?}");
    }
    let left = "warning: in context rollout-lab what is left cannot be seen";
    assert!(ended.stderr.starts_with(left), "{ended:#?}");
    let clean = standin.place.run(&["clean"]);
    assert_eq!(clean.code, Some(1), "{clean:#?}");
    assert!(
        clean.stdout.contains("rollout-lab clean --forget"),
        "{clean:#?}"
    );
    let forgotten = standin.place.run(&["clean", "--forget"]);
    assert_eq!(forgotten.code, Some(0), "{forgotten:#?}");
}

#[test]
fn a_user_without_credentials_is_told_so_and_a_context_that_goes_during_a_run_is_not_missed() {
    let standin = Standin::start("20");
    let reports = standin.place.path("reports");
    let text = std::fs::read_to_string(&standin.kubeconfig).unwrap();
    let nobody = standin
        .place
        .file("nobody", &text.replace("\"token\"", "\"username\""));
    let run = |kubeconfig: &Path| {
        let mut arguments = vec![
            "run",
            "--provider",
            "kubeconfig",
            "--context",
            "rollout-lab",
        ];
        arguments.extend(["--kubeconfig", kubeconfig.to_str().unwrap()]);
        arguments.extend(["--report-dir", reports.to_str().unwrap()]);
        arguments.extend(["--name", "Everything is cleaned up"]);
        standin.place.start(&arguments)
    };
    let ended = run(&nobody).end();
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    for told in ["does not let this user in: 40", "renew the credentials"] {
        assert!(ended.stderr.contains(told), "{told}: {ended:#?}");
    }

    let copy = standin.place.file("copy", &text);
    let mut running = run(&copy);
    running.await_line("the namespace \"app-dev\"");
    std::fs::remove_file(&copy).unwrap();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    standin.stop();
}
