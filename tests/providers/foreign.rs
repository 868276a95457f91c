//! What somebody else has made with a tool is never touched, and used where that is asked for.

use std::fs;

use crate::machine::Machine;
use crate::ownership::{TOOLS, only};
use crate::program::Running;

#[test]
fn a_cluster_that_somebody_else_made_is_never_removed() {
    for tool in TOOLS {
        let machine = Machine::with(&[tool]);
        // One of them has the name of a run's.
        let foreign = ["rollout-lab-0a1b2c3d", "theirs"];
        let clusters = machine.place.path("clusters").join(tool);
        for name in foreign {
            fs::create_dir_all(clusters.join(name)).unwrap();
        }
        for name in foreign {
            let taken = format!("there is a {tool} cluster {name} already, and it is not touched");
            let up = machine.type_of(tool, &["cluster", "up", "--cluster", name]);
            up.expect(3, &[&taken, "--reuse"]);
            let run = machine.run_glance(tool, &["--cluster", name]);
            run.expect(3, &[&taken, "--reuse"]);
            machine
                .run(&["cluster", "down", name])
                .expect(2, &["no cluster was made here"]);
        }
        machine.run_glance(tool, &[]).expect(0, &[]);
        let clean = machine.run(&["clean", "--kept", "--forget"]);
        clean.expect(0, &["nothing is left"]);
        assert_eq!(machine.clusters(tool), foreign);
        let typed = machine.typed();
        let deletions = typed.iter().filter(|line| line.contains("delete")).count();
        assert_eq!(deletions, 1, "that of the run's own cluster: {typed:#?}");
    }
}

#[test]
fn a_cluster_is_seen_among_what_its_tool_logs() {
    let machine = Machine::with(&["k3d"]);
    fs::create_dir_all(machine.place.path("clusters/k3d/theirs")).unwrap();
    let up = ["cluster", "up", "--provider", "k3d", "--cluster", "theirs"];
    let mut up = machine.command(&[&up[..], &["--images", "pull"]].concat());
    up.env("LOG_LEVEL", "debug");
    let taken = "there is a k3d cluster theirs already";
    Running::of(up).end().expect(3, &[taken]);
}

#[test]
fn a_cluster_that_somebody_else_made_is_used_where_that_is_asked_for_and_stays() {
    let machine = Machine::with(&["kind"]);
    let archive = machine.path("images.tar");
    let up = ["cluster", "up", "--provider", "kind", "--cluster", "theirs"];
    let how = [
        "--image-archive",
        &archive,
        "--publish",
        "127.0.0.1:0=30000",
    ];
    let mut up = machine.command(&[&up[..], &how].concat());
    up.env("XDG_STATE_HOME", machine.place.path("state of another"));
    Running::of(up).end().expect(0, &[]);

    // What goes wrong with it does not end it either.
    machine.goes_wrong("disk");
    let reuse = ["--cluster", "theirs", "--reuse"];
    let run = machine.run_glance("kind", &reuse);
    run.expect(3, &["no space left on device"]);
    machine.goes_wrong("");
    machine.run_glance("kind", &reuse).expect(0, &[]);
    machine.run(&["cluster", "down", "theirs"]).expect(2, &[]);
    machine
        .run(&["clean", "--kept"])
        .expect(0, &["nothing is left"]);
    assert_eq!(machine.ledger(), [""; 0]);
    assert_eq!(only(&machine, "kind"), "theirs");
}
