//! What the doctor says of machines with nothing, with everything, and with something wrong.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{Ended, Place};

/// A machine with some programs: what each prints, or the exit code that it fails with.
fn mk_machine(programs: &[(&str, &str)]) -> Place {
    let place = Place::new();
    place.file("bin/.keep", "");
    for (name, body) in programs {
        let script = place.file(&format!("bin/{name}"), &format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    place
}

fn ask(place: &Place, provider: &str) -> Ended {
    let mut command = place.command(&["doctor", "--provider", provider]);
    command.env("PATH", place.path("bin"));
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
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
    let ended = ask(&place, "kind");
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
    let ended = ask(&place, "kind");
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
    let ended = ask(&place, "kind");
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    says(
        &ended,
        &[
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
    let mut command = place.command(&["doctor", "--provider", "kubeconfig", "--kubeconfig"]);
    let output = command.arg(kubeconfig).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("✗ cluster: not reached\n    no context was named") && told.contains("one"),
        "{told}"
    );
}
