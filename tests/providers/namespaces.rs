//! What runs make in clusters that were there before, and that a kubeconfig names.

use std::fs;
use std::path::Path;

use crate::machine::Machine;
use crate::ownership::{expect_way_back, stuck_in};
use crate::program::{Ended, Place, Running};

/// A cluster of somebody else's, named by its kubeconfig.
struct Theirs {
    _home: Place,
    cluster: Running,
    kubeconfig: String,
}

impl Theirs {
    fn start() -> Self {
        let home = Place::new();
        let kubeconfig = home.path("config").to_str().unwrap().to_owned();
        let up = ["cluster", "up", "--publish", "none", "--pace", "20"];
        let up = [&up[..], &["--kubeconfig", &kubeconfig]].concat();
        let mut cluster = home.start(&up);
        cluster.await_line("Ctrl+C stops");
        Self {
            _home: home,
            cluster,
            kubeconfig,
        }
    }

    /// Starts a feature there.
    fn start_run(&self, machine: &Machine, feature: &str, more: &[&str]) -> Running {
        let reports = machine.path("reports");
        let run = [
            "run",
            feature,
            "--provider",
            "kubeconfig",
            "--report-dir",
            &reports,
        ];
        let cluster = ["--kubeconfig", &self.kubeconfig, "--context", "rollout-lab"];
        machine.start(&[&run[..], &cluster, more].concat())
    }

    fn run(&self, machine: &Machine, feature: &str, more: &[&str]) -> Ended {
        self.start_run(machine, feature, more).end()
    }

    /// Leaves a namespace of a run that is killed.
    fn leave(&self, machine: &Machine, namespace: &str) {
        let feature = stuck_in(machine, namespace);
        let mut run = self.start_run(machine, &feature, &[]);
        run.await_line("✓ Given the namespace");
        run.signal("KILL");
        assert_eq!(run.end().code, None);
    }
}

#[test]
fn namespaces_of_a_killed_run_are_removed_and_no_others() {
    let (theirs, machine) = (Theirs::start(), Machine::with(&[]));
    let other = stuck_in(&machine, "other");
    let kept = theirs.run(&machine, &other, &["--keep", "--step-limit", "0.2"]);
    let how = "kubectl --context rollout-lab get namespaces -l rollout-lab/run=";
    kept.expect(1, &[how, "  rollout-lab clean --kept\n"]);
    expect_way_back(&machine, &kept, "rollout-lab");
    theirs.leave(&machine, "app-dev");
    assert_eq!(machine.ledger().len(), 2);

    let what = " in rollout-lab (kubeconfig), made ";
    let looked = machine.run(&["clean", "--dry-run"]);
    let would = "would remove: the namespaces of run ";
    looked.expect(0, &[would, what, "kept (--kept removes it): "]);
    assert_eq!(machine.ledger().len(), 2);
    let exists = theirs.run(&machine, &machine.path("glance.feature"), &[]);
    exists.expect(1, &["namespace app-dev exists already"]);

    let clean = machine.run(&["clean"]);
    clean.expect(0, &["removed: the namespaces of run ", what]);
    theirs
        .run(&machine, &machine.path("glance.feature"), &[])
        .expect(0, &[]);
    let exists = theirs.run(
        &machine,
        &stuck_in(&machine, "other"),
        &["--step-limit", "0.2"],
    );
    exists.expect(1, &["namespace other exists already"]);
    let exists = theirs.run(
        &machine,
        &stuck_in(&machine, "default"),
        &["--step-limit", "0.2"],
    );
    exists.expect(1, &["was not made by this run"]);

    machine.run(&["clean", "--kept"]).expect(0, &["removed: "]);
    machine.expect_nothing_left("kubeconfig");
    theirs.cluster.signal("TERM");
    theirs.cluster.end().expect(0, &[]);
}

#[test]
fn a_context_that_is_gone_is_told_and_forgotten_only_when_asked() {
    let (theirs, machine) = (Theirs::start(), Machine::with(&[]));
    theirs.leave(&machine, "app-dev");
    let text = fs::read_to_string(&theirs.kubeconfig).unwrap();
    let renamed = text.replace("rollout-lab", "renamed");
    fs::write(Path::new(&theirs.kubeconfig), renamed).unwrap();

    let clean = machine.run(&["clean"]);
    let why = "there is no context \"rollout-lab\" in the kubeconfig; there are: renamed";
    clean.expect(1, &["not removed: ", why, "rollout-lab clean --forget"]);
    assert_eq!(machine.ledger().len(), 1);
    machine
        .run(&["clean", "--forget"])
        .expect(0, &["forgotten: the namespaces of run "]);
    machine.expect_nothing_left("kubeconfig");
    theirs.cluster.signal("TERM");
    theirs.cluster.end().expect(0, &[]);
}
