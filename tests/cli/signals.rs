//! Signals at any moment: the run ends in order, the reports are written, nothing is left.

use crate::program::{Place, Running};

/// Starts the lab so slowly that it is interrupted in the middle.
fn start_slowly(place: &Place) -> Running {
    let reports = place.path("reports");
    let arguments = [
        "run",
        "--pace",
        "1",
        "--publish",
        "none",
        "--report-dir",
        reports.to_str().unwrap(),
    ];
    place.start(&arguments)
}

#[test]
fn an_interrupt_at_any_step_ends_in_order() {
    for (signal, line) in [
        ("INT", "Given a cluster with at least"),
        ("TERM", "And the namespace"),
        ("INT", "When I apply \"k8s/base/configmap.yaml\""),
        ("TERM", "And I apply \"k8s/base/service-nodeport.yaml\""),
        ("INT", "Then the rollout of"),
    ] {
        let place = Place::new();
        let mut run = start_slowly(&place);
        run.await_line(line);
        run.signal(signal);
        let ended = run.end();
        assert_eq!(ended.code, Some(130), "{signal} after {line}: {ended:#?}");
        let report = std::fs::read_to_string(place.path("reports/report.json")).unwrap();
        assert!(
            report.contains("\"interrupted\": true"),
            "{signal} after {line}: {report}"
        );
        for file in ["history.jsonl", "junit.xml", "checklist.md"] {
            assert!(place.path("reports").join(file).exists(), "{file}");
        }
        assert_eq!(place.leftovers(), Vec::<String>::new());
    }
}

#[test]
fn an_interrupted_history_is_judged_again_as_interrupted() {
    let place = Place::new();
    let mut run = start_slowly(&place);
    run.await_line("Then the rollout of");
    run.signal("INT");
    assert_eq!(run.end().code, Some(130));
    let history = place.path("reports/history.jsonl");
    let again = place.run(&["report", history.to_str().unwrap()]);
    assert_eq!(again.code, Some(130), "{again:#?}");
}

#[test]
fn a_killed_run_leaves_its_evidence() {
    let place = Place::new();
    let mut run = start_slowly(&place);
    run.await_line("Then the rollout of");
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    let history = place.path("reports/history.jsonl");
    let again = place.run(&["report", history.to_str().unwrap()]);
    assert!(
        again
            .stdout
            .contains("the rollout of \"user-service\" completes"),
        "{again:#?}"
    );
    assert_eq!(
        again.code,
        Some(4),
        "what was not finished is unknown: {again:#?}"
    );
}

#[test]
fn a_cluster_for_people_goes_with_its_kubeconfig() {
    // The second signal may come while the first one's work is done, or after it.
    for (signals, codes) in [
        (&["INT"][..], &[0][..]),
        (&["TERM"], &[0]),
        (&["INT", "INT"], &[0, 130]),
    ] {
        let place = Place::new();
        let mut cluster = place.start(&["cluster", "up", "--publish", "none"]);
        let line = cluster.await_line("export KUBECONFIG=");
        let kubeconfig = line
            .trim()
            .trim_start_matches("export KUBECONFIG=")
            .to_owned();
        let metadata = std::fs::metadata(&kubeconfig).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
        assert!(metadata.is_file());
        cluster.await_line("Ctrl+C stops");
        for signal in signals {
            cluster.signal(signal);
        }
        let ended = cluster.end();
        let code = ended.code.unwrap();
        assert!(codes.contains(&code), "{ended:#?}");
        assert!(!std::path::Path::new(&kubeconfig).exists());
        assert_eq!(place.leftovers(), Vec::<String>::new());
    }
}
