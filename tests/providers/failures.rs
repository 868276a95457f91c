//! What goes wrong on the way to a cluster: it is told with the reason and the next step, and
//! nothing is left of it.

use std::net::TcpListener;

use crate::machine::Machine;

/// The tools, in one order for all tables here.
const TOOLS: [&str; 3] = ["kind", "k3d", "minikube"];

/// What removes a cluster of each tool that a run made for itself.
const DELETE: [&str; 3] = [
    "kind delete cluster --name rollout-lab-ID",
    "k3d cluster delete rollout-lab-ID",
    "minikube delete --profile rollout-lab-ID",
];

/// What makes one, as far as it is the same for all.
const CREATE: [&str; 3] = ["kind create ", "k3d cluster create ", "minikube start "];

/// Something that goes wrong before the run can begin.
struct Failure {
    /// The word of the stand-ins.
    wrong: &'static str,
    /// What is told of it besides the next step, for each tool; nothing where it has no such
    /// failure.
    told: [&'static str; 3],
    next: &'static str,
    /// Whether something may be there of the cluster, so that it is deleted.
    is_deleted: [bool; 3],
}

/// Runs the lab on a cluster of each tool that fails in a way of its own.
fn fails(failure: &Failure) {
    for (at, tool) in TOOLS.into_iter().enumerate() {
        if failure.told[at].is_empty() {
            continue;
        }
        let machine = Machine::with(&[tool]);
        machine.goes_wrong(failure.wrong);
        let run = machine.run_glance(tool, &[]);
        let name = format!("the {tool} cluster rollout-lab-");
        run.expect(3, &[&name, failure.told[at], failure.next]);
        let is_deleted = machine.typed().contains(&DELETE[at].to_owned());
        assert_eq!(is_deleted, failure.is_deleted[at], "{:#?}", machine.typed());
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn a_tool_that_is_missing_is_told_with_how_to_get_it() {
    for (tool, site) in TOOLS.into_iter().zip([
        "https://kind.sigs.k8s.io",
        "https://k3d.io",
        "https://minikube.sigs.k8s.io",
    ]) {
        let machine = Machine::with(&[]);
        let run = machine.run_glance(tool, &[]);
        let missing = format!("{tool} is not on PATH; see {site}");
        run.expect(3, &[&missing, "--provider embedded"]);
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn a_tool_that_is_too_old_is_told_with_what_is_needed() {
    fails(&Failure {
        wrong: "old",
        told: [
            "kind v0.11.1 is too old: 0.20 or newer is needed",
            "k3d v4.4.8 is too old: 5.0 or newer is needed",
            "minikube v1.20.0 is too old: 1.33 or newer is needed",
        ],
        next: "see https://",
        is_deleted: [false; 3],
    });
}

#[test]
fn an_engine_that_is_down_is_to_be_started_whatever_its_release_calls_it() {
    for (wrong, exit) in [("engine-28", "exit code 63"), ("engine-29", "exit code 69")] {
        fails(&Failure {
            wrong,
            told: [
                "kind get clusters ended with exit code 1",
                "k3d cluster list --output json ended with exit code 1",
                exit,
            ],
            next: "next: start the container engine, and see that this user may use it",
            // minikube finds out while it makes the cluster.
            is_deleted: [false, false, true],
        });
    }
}

#[test]
fn an_engine_that_refuses_this_user_is_told_apart_from_one_that_is_down() {
    fails(&Failure {
        wrong: "denied",
        told: [
            "permission denied while trying to connect to the docker API",
            "permission denied while trying to connect to the docker API",
            "Exiting due to PROVIDER_DOCKER_NEWGRP",
        ],
        next: "next: let this user talk to the engine",
        is_deleted: [false, false, true],
    });
    fails(&Failure {
        wrong: "root",
        told: ["", "", "Exiting due to DRV_AS_ROOT"],
        next: "next: run it as another user than root",
        is_deleted: [false, false, true],
    });
}

#[test]
fn an_image_that_cannot_be_pulled_is_told_with_where_to_look() {
    fails(&Failure {
        wrong: "image",
        told: [
            "failed to pull image \"kindest/node:v1.36.2\"",
            "docker failed to pull image 'docker.io/rancher/k3s:v1.31.5-k3s1'",
            "Exiting due to INET_LOOKUP_HOST",
        ],
        next: "next: an image could not be fetched: check that this machine is online",
        is_deleted: [true; 3],
    });
}

#[test]
fn what_is_half_made_is_removed() {
    fails(&Failure {
        wrong: "half",
        told: [
            "failed to init node with kubeadm",
            "Cluster creation FAILED",
            "Exiting due to GUEST_START",
        ],
        next: "ended with exit code ",
        is_deleted: [true; 3],
    });
}

#[test]
fn a_node_port_that_a_container_holds_is_told_in_the_engines_words() {
    fails(&Failure {
        wrong: "port",
        told: ["port is already allocated", "port is already allocated", ""],
        next: "next: stop what holds the port, or choose another with --publish",
        is_deleted: [true; 3],
    });
}

#[test]
fn a_list_that_cannot_be_read_is_shown() {
    fails(&Failure {
        wrong: "list",
        told: ["", "NAME   SERVERS", "{\"valid\":["],
        next: "printed what cannot be read",
        is_deleted: [false; 3],
    });
}

#[test]
fn a_disk_that_is_full_while_images_are_loaded_ends_the_cluster_too() {
    fails(&Failure {
        wrong: "disk",
        told: [
            "no space left on device: unknown\nnext: free some disk space",
            "first error: Exec process in node",
            "says that it is done, but mogumogusityau/",
        ],
        next: "docker system df",
        is_deleted: [true; 3],
    });
}

#[test]
fn a_node_port_that_a_process_holds_is_told_before_anything_is_made() {
    for (tool, create) in TOOLS.into_iter().zip(CREATE) {
        let machine = Machine::with(&[tool]);
        let _holder = TcpListener::bind((machine.address, 30000)).unwrap();
        // The same port of another address is somebody else's.
        let _other = TcpListener::bind((machine.address, 30001)).unwrap();
        let run = machine.run_glance(tool, &[]);
        let is_made = machine.typed().iter().any(|line| line.starts_with(create));
        if tool == "minikube" {
            // It maps no port, so none has to be free.
            run.expect(0, &[]);
            continue;
        }
        let pid = format!("(pid {})", std::process::id());
        let address = machine.address;
        let taken = format!("port 30000 of {address} is in use by ");
        let another = format!("--publish {address}:30002=30000");
        run.expect(3, &[&taken, &pid, &another]);
        assert!(!is_made, "{:#?}", machine.typed());
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn an_image_archive_that_is_not_there_is_a_slip_of_the_command_line() {
    for tool in TOOLS {
        let machine = Machine::with(&[tool]);
        std::fs::remove_file(machine.place.path("images.tar")).unwrap();
        let run = machine.run_glance(tool, &[]);
        run.expect(2, &["there is no image archive ", "images.tar"]);
        assert_eq!(machine.typed(), [""; 0]);
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn a_tool_that_hangs_is_ended_by_an_interrupt_with_its_children() {
    for (wrong, is_made) in [
        ("hang-listing", false),
        ("hang", true),
        ("hang-loading", true),
    ] {
        for (tool, delete) in TOOLS.into_iter().zip(DELETE) {
            let machine = Machine::with(&[tool]);
            machine.goes_wrong(wrong);
            let run = machine.start_of(tool, &["run", &machine.path("glance.feature")]);
            machine.engine.await_word(wrong);
            machine.goes_wrong("");
            run.signal("INT");
            run.end()
                .expect(130, &["interrupted before the cluster was ready"]);
            let is_deleted = machine.typed().contains(&delete.to_owned());
            assert_eq!(is_deleted, is_made, "{:#?}", machine.typed());
            machine.expect_nothing_left(tool);
        }
    }
}

#[test]
fn a_cluster_that_cannot_be_removed_is_told_and_cleaned_later() {
    for tool in TOOLS {
        for wrong in ["delete-fails", "delete-nothing"] {
            let machine = Machine::with(&[tool]);
            machine.goes_wrong(wrong);
            let run = machine.run_glance(tool, &[]);
            let [name] = &machine.clusters(tool)[..] else {
                panic!("it is still there: {run:#?}");
            };
            let warning = format!("warning: could not remove the {tool} cluster {name}: ");
            run.expect(0, &[&warning, "rollout-lab clean"]);
            assert_eq!(machine.ledger(), [format!("{tool}-{name}")]);

            let not_yet = machine.run(&["clean"]);
            let what = format!("not removed: the {tool} cluster {name}, made ");
            not_yet.expect(1, &[&what, "0 removed, 1 not"]);
            machine.goes_wrong("");
            let clean = machine.run(&["clean"]);
            clean.expect(0, &[&format!("\nremoved: the {tool} cluster {name}")[1..]]);
            machine.expect_nothing_left(tool);
        }
    }
}

#[test]
fn what_is_half_made_and_cannot_be_removed_is_told_and_cleaned_later() {
    let machine = Machine::with(&["kind"]);
    machine.goes_wrong("half delete-fails");
    let run = machine.run_glance("kind", &[]);
    let warning = "warning: could not remove the kind cluster rollout-lab-";
    run.expect(3, &["failed to init node with kubeadm", warning]);

    machine.goes_wrong("hang delete-fails");
    let up = machine.start_of("kind", &["cluster", "up", "--cluster", "lab"]);
    machine.engine.await_word("hang");
    up.signal("INT");
    let warning = "warning: could not remove the kind cluster lab: ";
    let ended = up.end();
    ended.expect(130, &[warning, "unless a warning says otherwise"]);
    assert_eq!(machine.ledger().len(), 2);

    machine.goes_wrong("");
    machine
        .run(&["clean"])
        .expect(0, &["removed: the kind cluster lab"]);
    machine.expect_nothing_left("kind");
}

#[test]
fn a_deletion_that_says_all_is_well_without_an_engine_is_seen_through() {
    let machine = Machine::with(&["k3d"]);
    machine
        .type_of("k3d", &["cluster", "up", "--cluster", "lab"])
        .expect(0, &[]);
    machine.goes_wrong("engine-28");
    let down = machine.run(&["cluster", "down", "lab"]);
    down.expect(
        1,
        &[
            "warning: could not remove the k3d cluster lab: ",
            "next: start the container engine",
            "the k3d cluster lab is still there",
        ],
    );
    assert_eq!(machine.ledger(), ["k3d-lab"]);
    // It was to stay, and is not any more.
    machine.goes_wrong("");
    machine
        .run(&["clean"])
        .expect(0, &["removed: the k3d cluster lab"]);
    machine.expect_nothing_left("k3d");
}

#[test]
fn a_mapped_port_that_nothing_accepts_on_is_passed_over_for_the_node_and_told() {
    for tool in ["kind", "k3d"] {
        let machine = Machine::with(&[tool]);
        machine.goes_wrong("unmapped");
        let run = machine.run_glance(tool, &[]);
        run.expect(0, &["requests go to the address of a node"]);
        assert_eq!(machine.access(), "node-address");
        machine.expect_nothing_left(tool);
    }
}
