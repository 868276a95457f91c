//! What the doctor says of machines with nothing, with everything, and with something wrong.

use std::net::TcpListener;

use crate::program::{Ended, Place, Running};

/// A machine with some programs: what each prints, or the exit code that it fails with.
fn mk_machine(programs: &[(&str, &str)]) -> Place {
    let place = Place::new();
    place.file("bin/.keep", "");
    for (name, body) in programs {
        place.script(&format!("bin/{name}"), &format!("#!/bin/sh\n{body}\n"));
    }
    place
}

/// Asks about a provider, with some more arguments.
fn ask(place: &Place, provider: &str, more: &[&str]) -> Ended {
    let mut command = place.command(&["doctor", "--provider", provider]);
    command.args(more).env("PATH", place.path("bin"));
    Running::of(command).end()
}

/// A published address that is free, and the one of a listener that is not.
fn mk_ports() -> (String, String, TcpListener) {
    let publish = |listener: &TcpListener| format!("{}=30000", listener.local_addr().unwrap());
    let free = publish(&TcpListener::bind("127.0.0.1:0").unwrap());
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    (free, publish(&holder), holder)
}

#[track_caller]
fn says(ended: &Ended, texts: &[&str]) {
    for text in texts {
        assert!(ended.stdout.contains(text), "{text}: {ended:#?}");
    }
}

#[test]
fn with_nothing_installed_only_the_embedded_cluster_runs() {
    let place = mk_machine(&[]);
    let (free, _, _holder) = mk_ports();
    let embedded = ask(&place, "embedded", &["--publish", &free]);
    assert_eq!(embedded.code, Some(0), "{embedded:#?}");
    says(&embedded, &["--provider embedded can run here"]);
    let ended = ask(&place, "kind", &["--publish", &free]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    says(
        &ended,
        &[
            "✗ kind: not found\n    see https://kind.sigs.k8s.io",
            "✗ container engine: none of docker, podman, nerdctl\n    install one",
            "• kubectl: not found\n    install it to type the tutorials' commands",
            "--provider kind cannot run here yet",
        ],
    );
}

#[test]
fn with_everything_installed_kind_runs() {
    let place = mk_machine(&[
        ("kubectl", "echo 'Client Version: v1.33.1'"),
        (
            "kind",
            "[ \"$1\" = get ] || echo 'kind v0.33.0 go1.27.2 linux/amd64'",
        ),
        ("podman", "echo host:"),
    ]);
    let (free, _, _holder) = mk_ports();
    let ended = ask(&place, "kind", &["--publish", &free]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    says(
        &ended,
        &[
            "✓ kind: v0.33.0 (0.20 or newer is needed)",
            "✓ container engine: podman answers",
            "✓ leftovers: none",
            "✓ kubectl: v1.33.1 (1.27 or newer is needed)",
        ],
    );
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let place = mk_machine(&[
        ("kubectl", "echo 'Client Version: v1.20.2'"),
        (
            "kind",
            "if [ \"$1\" = get ]; then echo lab; echo rollout-lab-0a1b; else echo 'kind v0.11.1'; fi",
        ),
        (
            "docker",
            "echo 'Cannot connect to the Docker daemon. Is the docker daemon running?' >&2; exit 1",
        ),
    ]);
    let (_, taken, _holder) = mk_ports();
    let ended = ask(&place, "kind", &["--publish", &taken]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    says(
        &ended,
        &[
            "✗ node port 30000: not free\n    port ",
            "✗ kind: v0.11.1\n    too old: install 0.20 or newer",
            "Is the docker daemon running?",
            "start it, and see that this user may use it",
            "kind clusters of earlier runs: rollout-lab-0a1b\n",
            "kind delete cluster --name rollout-lab-0a1b",
            "• kubectl: v1.20.2\n    too old: install 1.27 or newer",
        ],
    );
}

#[test]
fn a_context_is_not_guessed_here_either() {
    let place = mk_machine(&[]);
    let kubeconfig = place.file(
        "config",
        "apiVersion: v1\nkind: Config\ncontexts: [{name: one, context: {cluster: c, user: u}}]\n",
    );
    let kubeconfig = kubeconfig.to_str().unwrap();
    let ended = ask(&place, "kubeconfig", &["--kubeconfig", kubeconfig]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    says(
        &ended,
        &["✗ cluster: not reached\n    no context was named", "one"],
    );
}
