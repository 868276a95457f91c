//! What was made here is found again and removed, however the run ended that made it, and is left
//! alone while somebody uses it or wants to keep it.

use crate::machine::Machine;
use crate::processes::end_those_of;
use crate::program::{Ended, Running};

pub(crate) const TOOLS: [&str; 3] = ["kind", "k3d", "minikube"];

/// The second step waits for pods that never come.
const STUCK: &str = "\
Feature: F
  Scenario: Stuck
    Given the namespace \"NAMESPACE\"
    Then 3 pods of \"nobody\" are ready without a restart
  Scenario: Next
    Given the namespace \"NAMESPACE\"
";

/// Writes a feature that gets stuck in a namespace.
pub(crate) fn stuck_in(machine: &Machine, namespace: &str) -> String {
    let text = STUCK.replace("NAMESPACE", namespace);
    let file = machine.place.file("stuck.feature", &text);
    file.to_str().unwrap().to_owned()
}

/// Starts a run on a cluster of a tool that gets stuck in the middle.
fn start_stuck(machine: &Machine, tool: &str, more: &[&str]) -> Running {
    let feature = stuck_in(machine, "app-dev");
    let mut run = machine.start_of(tool, &[&["run", &feature], more].concat());
    run.await_line("✓ Given the namespace");
    run
}

/// The only cluster of a tool.
#[track_caller]
pub(crate) fn only(machine: &Machine, tool: &str) -> String {
    let clusters = machine.clusters(tool);
    assert_eq!(clusters.len(), 1, "{clusters:?}");
    clusters[0].clone()
}

/// Cleans up after a run that was killed, and looks before and after it.
#[track_caller]
fn clean_after_kill(machine: &Machine, tool: &str) {
    let name = only(machine, tool);
    let what = format!("the {tool} cluster {name}, made ");
    let status = machine.run(&["cluster", "status"]);
    let left = format!("{name} ({tool}), left by a run that was killed (rollout-lab clean");
    assert!(status.stdout.contains(&left), "{status:#?}");

    let looked = machine.run(&["clean", "--dry-run"]);
    looked.expect(0, &[&format!("would remove: {what}")]);
    assert_eq!(only(machine, tool), name);
    assert_eq!(machine.ledger(), [format!("{tool}-{name}")]);

    machine
        .run(&["clean"])
        .expect(0, &[&format!("removed: {what}")]);
    machine.run(&["clean"]).expect(0, &["nothing is left"]);
    machine.expect_nothing_left(tool);
}

#[test]
fn what_a_run_leaves_that_is_killed_while_its_cluster_is_made_is_cleaned() {
    for tool in TOOLS {
        let machine = Machine::with(&[tool]);
        machine.goes_wrong("hang");
        let run = machine.start_of(tool, &["run", &machine.path("glance.feature")]);
        machine.engine.await_word("hang");
        machine.goes_wrong("");
        run.signal("KILL");
        assert_eq!(run.end().code, None);
        // The tool would end at its next line, which nobody reads.
        end_those_of(&machine.folder());
        clean_after_kill(&machine, tool);
    }
}

#[test]
fn what_a_run_leaves_that_is_killed_while_it_uses_its_cluster_is_cleaned() {
    for tool in TOOLS {
        let machine = Machine::with(&[tool]);
        let run = start_stuck(&machine, tool, &[]);
        run.signal("KILL");
        assert_eq!(run.end().code, None);
        clean_after_kill(&machine, tool);
    }
}

#[test]
fn a_cluster_that_a_living_run_made_is_not_touched() {
    let machine = Machine::with(&["kind"]);
    let run = start_stuck(&machine, "kind", &[]);
    let name = only(&machine, "kind");
    expect_in_use(&machine, &name);
    run.signal("INT");
    run.end().expect(130, &[]);
    machine.expect_nothing_left("kind");
}

#[test]
fn a_cluster_that_a_living_run_was_given_is_not_touched() {
    let machine = Machine::with(&["kind"]);
    let up = machine.type_of("kind", &["cluster", "up", "--cluster", "lab"]);
    up.expect(0, &[]);
    let run = start_stuck(&machine, "kind", &["--cluster", "lab", "--reuse"]);
    expect_in_use(&machine, "lab");
    run.signal("INT");
    run.end().expect(130, &[]);
    assert_eq!(only(&machine, "kind"), "lab");
    machine.run(&["cluster", "down", "lab"]).expect(0, &[]);
    machine.expect_nothing_left("kind");
}

#[track_caller]
fn expect_in_use(machine: &Machine, name: &str) {
    let clean = machine.run(&["clean", "--kept", "--forget"]);
    let told = format!(": the kind cluster {name}, made ");
    clean.expect(0, &["in use by process ", &told, "nothing was removed"]);
    let down = machine.run(&["cluster", "down", name]);
    let told = format!(" uses the kind cluster {name}; interrupt that one first");
    down.expect(1, &["process ", &told]);
    assert_eq!(only(machine, "kind"), name);
}

#[test]
fn a_cluster_that_was_made_here_is_reached_where_it_was_published_then() {
    let machine = Machine::with(&["kind"]);
    let up = machine.type_of("kind", &["cluster", "up", "--cluster", "lab"]);
    up.expect(0, &[]);
    let (feature, reports) = (machine.path("glance.feature"), machine.path("reports"));
    let run = [
        "run",
        &feature,
        "--provider",
        "kind",
        "--cluster",
        "lab",
        "--reuse",
    ];
    let how = ["--images", "pull", "--report-dir", &reports];
    machine.run(&[&run[..], &how].concat()).expect(0, &[]);
    let access = &machine.report()["scenarios"][0]["cluster"]["access"];
    assert_eq!(access["kind"], "mapped-port");
    assert_eq!(access["address"], format!("{}:30000", machine.address));
    let loaded = machine
        .typed()
        .into_iter()
        .filter(|line| line.contains(" load "));
    assert_eq!(loaded.count(), 1, "nothing is loaded where nodes pull");
}

#[test]
fn a_cluster_that_is_to_be_reused_is_made_where_there_is_none_and_goes_with_its_run() {
    for tool in TOOLS {
        let machine = Machine::with(&[tool]);
        let run = machine.run_glance(tool, &["--cluster", "lab", "--reuse"]);
        run.expect(0, &["removing the cluster lab"]);
        machine.expect_nothing_left(tool);
    }
}

/// Sees that the kubeconfig works that was printed.
#[track_caller]
pub(crate) fn expect_way_back(machine: &Machine, ended: &Ended, context: &str) {
    let export = ended.stdout.lines().find_map(|line| {
        let line = line.trim();
        line.strip_prefix("export KUBECONFIG=")
    });
    let Some(kubeconfig) = export else {
        panic!("no kubeconfig is printed: {ended:#?}");
    };
    let look = ["doctor", "--provider", "kubeconfig", "--context", context];
    let look = [&look[..], &["--kubeconfig", kubeconfig]].concat();
    machine.run(&look).expect(0, &["✓ cluster: "]);
}

#[test]
fn what_is_kept_can_be_come_back_to_and_is_taken_down() {
    for (tool, prefix) in TOOLS.into_iter().zip(["kind-", "k3d-", ""]) {
        let machine = Machine::with(&[tool]);
        let run = machine.run_glance(tool, &["--keep"]);
        let name = only(&machine, tool);
        let down = format!("rollout-lab cluster down {name}");
        run.expect(
            0,
            &[
                "kept; to look around, and to remove it:",
                "  kubectl get pods --all-namespaces\n",
                &down,
            ],
        );
        expect_way_back(&machine, &run, &format!("{prefix}{name}"));
        let clean = machine.run(&["clean"]);
        clean.expect(0, &["kept (--kept removes it): ", "nothing was removed"]);
        assert_eq!(only(&machine, tool), name);
        machine.run(&["cluster", "down", &name]).expect(0, &[]);
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn a_failure_that_is_kept_is_left_as_it_was() {
    let machine = Machine::with(&["kind"]);
    let passed = machine.run_glance("kind", &["--keep=on-failure"]);
    passed.expect(0, &["removing the cluster "]);
    machine.expect_nothing_left("kind");

    let stuck = stuck_in(&machine, "app-dev");
    let run = ["run", &stuck, "--keep=on-failure", "--step-limit", "0.2"];
    let failed = machine.type_of("kind", &run);
    let not_run = "not run: everything is left as \"Stuck\" left it when it failed";
    failed.expect(1, &[not_run, "kept; to look around, and to remove it:"]);
    let name = only(&machine, "kind");
    expect_way_back(&machine, &failed, &format!("kind-{name}"));

    let again = machine.run_glance("kind", &["--cluster", &name, "--reuse"]);
    again.expect(1, &["namespace app-dev exists already"]);
    machine
        .run(&["clean", "--kept"])
        .expect(0, &[&format!("removed: the kind cluster {name}")]);
    machine.expect_nothing_left("kind");
}

#[test]
fn what_runs_leave_inside_a_cluster_goes_with_it() {
    let machine = Machine::with(&["kind"]);
    let reuse = ["--cluster", "lab", "--reuse"];
    let up = || {
        machine
            .type_of("kind", &["cluster", "up", "--cluster", "lab"])
            .expect(0, &[]);
    };
    up();
    let kept = machine.run_glance("kind", &[&reuse[..], &["--keep"]].concat());
    kept.expect(0, &["  rollout-lab clean --kept\n"]);
    let other = stuck_in(&machine, "other");
    let mut run = machine.start_of("kind", &[&["run", &other], &reuse[..]].concat());
    run.await_line("✓ Given the namespace");
    run.signal("KILL");
    assert_eq!(run.end().code, None);
    assert_eq!(machine.ledger().len(), 3);
    machine.run(&["cluster", "down", "lab"]).expect(0, &[]);
    machine.expect_nothing_left("kind");

    up();
    machine
        .run_glance("kind", &[&reuse[..], &["--keep"]].concat())
        .expect(0, &[]);
    let clean = machine.run(&["clean", "--kept"]);
    clean.expect(
        0,
        &[
            "removed: the namespaces of run ",
            "removed: the kind cluster lab",
        ],
    );
    machine.expect_nothing_left("kind");
}

#[test]
fn an_embedded_cluster_cannot_be_kept() {
    let machine = Machine::with(&[]);
    for keep in ["--keep", "--keep=on-failure"] {
        let run = machine.run(&[
            "run",
            &machine.path("glance.feature"),
            "--publish",
            "none",
            keep,
        ]);
        run.expect(
            2,
            &[
                "an embedded cluster ends with its run",
                "rollout-lab cluster up",
            ],
        );
    }
}

#[test]
fn images_are_loaded_into_a_cluster_that_is_there_and_nowhere_else() {
    for tool in TOOLS {
        let machine = Machine::with(&[tool]);
        machine
            .type_of(tool, &["cluster", "up", "--cluster", "lab"])
            .expect(0, &[]);
        let before = machine.typed().len();
        let load = machine.type_of(tool, &["images", "load", "--cluster", "lab"]);
        load.expect(0, &["images.tar is loaded"]);
        let typed = machine.typed().split_off(before);
        let loads = typed.iter().filter(|line| line.contains("images.tar"));
        assert_eq!(loads.count(), 1, "{typed:#?}");
        assert_eq!(machine.ledger(), [format!("{tool}-lab")]);

        let nowhere = machine.type_of(tool, &["images", "load", "--cluster", "other"]);
        let told = format!("there is no {tool} cluster other; there are: lab");
        nowhere.expect(3, &[&told]);
        let unnamed = machine.type_of(tool, &["images", "load"]);
        unnamed.expect(2, &["name it with --cluster"]);
        machine
            .run(&["cluster", "down"])
            .expect(0, &["lab is removed"]);
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn loading_images_that_is_interrupted_leaves_the_cluster_and_nothing_else() {
    for tool in TOOLS {
        let machine = Machine::with(&[tool]);
        let up = machine.type_of(tool, &["cluster", "up", "--cluster", "lab"]);
        up.expect(0, &[]);
        machine.goes_wrong("hang-loading");
        let load = machine.start_of(tool, &["images", "load", "--cluster", "lab"]);
        machine.engine.await_word("hang-loading");
        load.signal("INT");
        load.end().expect(130, &["interrupted"]);
        assert_eq!(machine.ledger(), [format!("{tool}-lab")]);
        machine.run(&["cluster", "down"]).expect(0, &[]);
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn clusters_of_one_name_are_told_apart_by_their_provider() {
    let machine = Machine::with(&["kind", "minikube"]);
    let none = machine.run(&["cluster", "down", "--provider", "kind"]);
    let way = "no kind cluster was made here that is still there; make one with: rollout-lab \
               cluster up --provider kind";
    none.expect(2, &[way]);
    let nothing = machine.run(&["monitor"]);
    nothing.expect(
        2,
        &["rollout-lab cluster up, or name the context of another"],
    );
    for tool in ["kind", "minikube"] {
        let up = machine.type_of(tool, &["cluster", "up", "--cluster", "lab"]);
        up.expect(0, &[]);
    }

    let several = "there are several clusters lab, so add --provider: lab (kind), lab (minikube)";
    machine
        .run(&["cluster", "down", "lab"])
        .expect(2, &[several]);
    machine
        .run(&["monitor", "--cluster", "lab"])
        .expect(2, &[several]);
    let of_context = machine.run(&["cluster", "down", "--provider", "kubeconfig"]);
    of_context.expect(2, &["the cluster of a context was not made here"]);
    let context = ["monitor", "--provider", "kind", "--context", "lab"];
    machine
        .run(&context)
        .expect(2, &["--context is of --provider kubeconfig"]);

    let status = machine.run(&["cluster", "status", "--provider", "minikube"]);
    status.expect(0, &["lab (minikube), kept"]);
    assert!(!status.stdout.contains("lab (kind)"), "{status:#?}");
    let kubeconfig = machine.run(&["cluster", "kubeconfig", "--provider", "kind"]);
    kubeconfig.expect(0, &["kind-lab/"]);
    let mut monitor = machine.start(&["monitor", "--provider", "minikube"]);
    monitor.await_line("kubeconfig (context lab) at ");
    monitor.await_line("no pods");
    monitor.signal("INT");
    monitor.end().expect(0, &["Monitoring stopped by user"]);

    let down = machine.run(&["cluster", "down", "--provider", "minikube"]);
    down.expect(0, &["the minikube cluster lab is removed"]);
    assert_eq!(only(&machine, "kind"), "lab");
    // With one left there is nothing to tell apart.
    let mut monitor = machine.start(&["monitor"]);
    monitor.await_line("kubeconfig (context kind-lab) at ");
    monitor.signal("INT");
    monitor.end().expect(0, &[]);
    machine.run(&["cluster", "down"]).expect(0, &[]);
    machine.expect_nothing_left("kind");
}

#[test]
fn a_profile_that_is_stopped_is_to_be_started() {
    let machine = Machine::with(&["minikube"]);
    machine
        .type_of("minikube", &["cluster", "up", "--cluster", "lab"])
        .expect(0, &[]);
    machine.goes_wrong("stopped");
    let run = machine.run_glance("minikube", &["--cluster", "lab", "--reuse"]);
    let told = "the minikube cluster lab does not run (lab is Stopped); start it with minikube";
    run.expect(3, &[told]);
    machine.run(&["cluster", "down"]).expect(0, &[]);
    machine.expect_nothing_left("minikube");
}
