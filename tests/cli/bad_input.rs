//! Bad input gets a clear error, and nothing is started or lost for it.

use std::net::TcpListener;
use std::path::Path;

use crate::program::{Ended, Place};

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  a: b\n";

fn mk_feature(step: &str) -> String {
    format!("Feature: F\n  Scenario: S\n    Given the namespace \"app-dev\"\n    When {step}\n")
}

/// Runs a feature with manifests beside it on an embedded cluster of its own.
fn run_feature(place: &Place, feature: &Path, more: &[&str]) -> Ended {
    let reports = place.path("reports");
    let mut arguments = vec!["run", feature.to_str().unwrap(), "--publish", "none"];
    arguments.extend(["--report-dir", reports.to_str().unwrap()]);
    arguments.extend(more);
    place.run(&arguments)
}

#[track_caller]
fn assert_refused(ended: &Ended, code: i32, texts: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    for text in texts {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(text), "\"{text}\" is not in:\n{said}");
    }
}

#[test]
fn a_feature_that_is_not_there_or_cannot_be_read_is_refused() {
    let place = Place::new();
    let missing = place.run(&["run", "nowhere.feature"]);
    assert_refused(&missing, 2, &["there is no feature nowhere.feature"]);
    let broken = place.file("broken.feature", "Scenario: S\n");
    assert_refused(
        &run_feature(&place, &broken, &[]),
        2,
        &["broken.feature:2:1: this is no Gherkin: unknown keyword"],
    );
    let unknown = place.file("unknown.feature", &mk_feature("I aply \"good.yaml\""));
    assert_refused(
        &run_feature(&place, &unknown, &[]),
        2,
        &[
            "unknown.feature:4: no sentence reads",
            "the nearest is \"I apply {file}\"",
        ],
    );
    let good = place.file("good.feature", &mk_feature("I delete the namespace"));
    let nothing = run_feature(&place, &good, &["--tags", "@nope"]);
    assert_refused(&nothing, 2, &["no scenario of", "--tags \"@nope\""]);
    assert!(!place.path("reports").exists(), "nothing was started");
}

#[test]
fn a_manifest_that_is_not_there_or_broken_is_refused_before_anything_starts() {
    let place = Place::new();
    place.file(
        "broken.yaml",
        "apiVersion: v1\nkind: [ConfigMap\nmetadata: {name: a}\n",
    );
    place.file("untyped.yaml", "metadata: {name: a}\n");
    for (file, text) in [
        ("missing.yaml", "there is no file missing.yaml; looked in"),
        ("broken.yaml", "broken.yaml:3:"),
        ("untyped.yaml", "untyped.yaml: document 1 has no apiVersion"),
    ] {
        let feature = place.file("f.feature", &mk_feature(&format!("I apply \"{file}\"")));
        let ended = run_feature(&place, &feature, &[]);
        assert_refused(&ended, 2, &["f.feature:4: ", text]);
    }
    assert!(!place.path("reports").exists(), "nothing was started");
}

#[test]
fn a_kind_or_a_field_that_the_cluster_does_not_know_fails_the_step() {
    let place = Place::new();
    place.file(
        "kind.yaml",
        &GOOD.replace("kind: ConfigMap", "kind: ConfigMop"),
    );
    place.file("global.yaml", &GOOD.replace("ConfigMap", "Namespace"));
    place.file("field.yaml", &GOOD.replace("\ndata:", "\ndatta:"));
    place.file(
        "elsewhere.yaml",
        &GOOD.replace("name: good", "name: good\n  namespace: other"),
    );
    for (file, text) in [
        ("kind.yaml", "kind.yaml: the cluster knows no v1 ConfigMop"),
        ("field.yaml", "could not apply ConfigMap/good"),
        ("field.yaml", "datta"),
        (
            "elsewhere.yaml",
            "is for namespace other, but the scenario's is app-dev",
        ),
        ("global.yaml", "Namespace/good belongs to no namespace"),
    ] {
        let feature = place.file("f.feature", &mk_feature(&format!("I apply \"{file}\"")));
        assert_refused(&run_feature(&place, &feature, &[]), 1, &[text]);
    }
    let report = std::fs::read_to_string(place.path("reports/report.json")).unwrap();
    assert!(
        report.contains("belongs to no namespace"),
        "the report says so too"
    );
}

#[test]
fn a_port_that_is_taken_is_traced_and_another_offered() {
    let place = Place::new();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let publish = format!("127.0.0.1:{port}=30000");
    let reports = place.path("reports");
    let ended = place.run(&[
        "run",
        "--publish",
        &publish,
        "--report-dir",
        reports.to_str().unwrap(),
    ]);
    let pid = std::process::id();
    let taken = format!("port {port} of 127.0.0.1 is in use");
    assert_refused(
        &ended,
        3,
        &[&taken, "choose another with --publish 127.0.0.1:"],
    );
    if cfg!(target_os = "linux") {
        assert_refused(&ended, 3, &[&format!("(pid {pid})")]);
    }
    let up = place.run(&["cluster", "up", "--publish", &publish]);
    assert_refused(&up, 3, &[&taken]);
}

#[test]
fn a_cluster_that_is_not_named_or_does_not_answer_is_not_touched() {
    let place = Place::new();
    // Nothing listens on a port that was just given back.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: production\n\
         clusters: [{{name: c, cluster: {{server: \"http://{gone}\"}}}}]\n\
         users: [{{name: u, user: {{}}}}]\n\
         contexts: [{{name: production, context: {{cluster: c, user: u}}}}]\n"
    );
    let config = place.file("config", &config);
    let config = config.to_str().unwrap();
    let run = |more: &[&str]| {
        let mut arguments = vec!["run", "--provider", "kubeconfig", "--kubeconfig", config];
        let reports = place.path("reports");
        arguments.extend(["--report-dir", reports.to_str().unwrap()]);
        arguments.extend(more);
        place.run(&arguments)
    };
    assert_refused(
        &run(&[]),
        2,
        &["no context was named", "--context: production"],
    );
    assert_refused(
        &run(&["--context", "x"]),
        2,
        &["no context \"x\"", "production"],
    );
    assert_refused(
        &run(&["--context", "production"]),
        3,
        &["context \"production\"", "does not answer", "refused"],
    );
}

#[test]
fn a_step_that_hangs_is_ended_at_its_limit() {
    let place = Place::new();
    place.file("good.yaml", GOOD);
    let text = "Feature: F\n  Scenario: S\n    Given the namespace \"app-dev\"\n    \
                When I apply \"good.yaml\"\n    \
                Then 3 pods of \"nobody\" are ready without a restart\n";
    let feature = place.file("f.feature", text);
    let ended = run_feature(&place, &feature, &["--step-limit", "0.2"]);
    assert_refused(&ended, 1, &["the step took longer than its limit of 0.2 s"]);
}

#[test]
fn unusable_arguments_are_a_usage_error() {
    let place = Place::new();
    assert_refused(
        &place.run(&["run", "--pace", "0"]),
        2,
        &["expected a number above 0"],
    );
    assert_refused(
        &place.run(&["run", "--publish", "here"]),
        2,
        &["is none of: none"],
    );
    assert_refused(
        &place.run(&["report", "nowhere.jsonl"]),
        2,
        &["nowhere.jsonl"],
    );
}
