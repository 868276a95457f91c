//! Sessions that were recorded with a real Kubernetes 1.36.2, typed again.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::cluster::Cluster;
use crate::golden::{assert_same, folder};
use crate::kubectl::{self, Answer, Kubectl};
use crate::redact::{stages, transcript};

/// The stages of a rollout in the order in which it goes through them.
const STAGES: [&str; 3] = ["updated", "pending", "available"];

#[derive(Deserialize)]
struct Session {
    actions: Vec<Action>,
}

/// A command with its answer, line by line.
#[derive(Deserialize)]
struct Action {
    kubectl: Vec<String>,
    #[serde(default)]
    stdin: Vec<String>,
    exit: i32,
    #[serde(default)]
    stdout: Vec<String>,
    #[serde(default)]
    stderr: Vec<String>,
}

#[test]
fn recorded_sessions_are_answered_as_a_real_cluster_answered_them() {
    let Some(program) = kubectl::find("recorded sessions") else {
        return;
    };
    let cluster = Cluster::start();
    let kubectl = Kubectl::new(program, &cluster);
    // Side by side: the sessions wait most of their time.
    std::thread::scope(|scope| {
        for entry in std::fs::read_dir(folder().join("recorded")).unwrap() {
            let (kubectl, path) = (&kubectl, entry.unwrap().path());
            scope.spawn(move || replay(kubectl, &path));
        }
    });
}

fn replay(kubectl: &Kubectl<'_>, path: &Path) {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let session: Session = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let namespace = format!("t-{name}");
    let made = kubectl.run(&["create", "namespace", &namespace]);
    assert_eq!(made.code, Some(0), "{made:?}");
    for action in &session.actions {
        let recorded = Answer {
            code: Some(action.exit),
            stdout: action.stdout.join("\n"),
            stderr: action.stderr.join("\n"),
        };
        let arguments: Vec<&str> = action.kubectl.iter().map(String::as_str).collect();
        let typed: Vec<&str> = ["-n", &namespace]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let answer = kubectl.run_with_input(&typed, &action.stdin.join("\n"));
        let seen = stages(&answer.stdout);
        let is_in_order = arguments[..2] != ["rollout", "status"] || is_part(&seen, &STAGES);
        assert!(is_in_order, "{name}: {arguments:?}: {}", answer.stdout);
        assert_same(
            &format!("{name}: kubectl {}", arguments.join(" ")),
            &whichever_order(&transcript(&arguments, &recorded)),
            &whichever_order(&transcript(&arguments, &answer)),
        );
    }
}

/// Whether some things are among others, in the same order.
fn is_part(some: &[&str], all: &[&str]) -> bool {
    let mut rest = all.iter();
    some.iter().all(|one| rest.any(|other| other == one))
}

/// Which pod is ready first decides in which steps the sizes change, and so which events there
/// are: of each sort one is kept, without its numbers.
fn whichever_order(transcript: &str) -> String {
    let mut lines = Vec::new();
    let mut scalings = BTreeSet::new();
    for line in transcript.lines() {
        match line.split_once(" Scaled ") {
            Some((_, what)) if line.contains("ScalingReplicaSet") => {
                scalings.insert(what.split(" from ").next().unwrap_or_default());
            }
            _ => lines.push(line),
        }
    }
    lines
        .into_iter()
        .chain(scalings)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_may_be_missed_but_not_swapped() {
        assert!(is_part(&[], &STAGES));
        assert!(is_part(&["updated", "available"], &STAGES));
        assert!(!is_part(&["available", "updated"], &STAGES));
    }

    #[test]
    fn of_scalings_one_of_each_sort_counts() {
        let up = |from| {
            format!("Normal ScalingReplicaSet <age> Scaled up replica set a from {from} to 3\n")
        };
        let down = "Normal ScalingReplicaSet <age> Scaled down replica set a from 3 to 0\n";
        let one = whichever_order(&format!("{}{down}", up(0)));
        assert_eq!(one, whichever_order(&format!("{down}{}{}", up(1), up(2))));
        assert_ne!(one, whichever_order(down));
    }
}
