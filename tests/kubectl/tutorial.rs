//! The commands of the rolling-update tutorial, typed from the first to the last.

use std::cell::RefCell;

use crate::cluster::Cluster;
use crate::golden::assert_golden;
use crate::kubectl::{self, Answer, Kubectl};
use crate::redact::transcript;

const FOLLOW: [&str; 5] = ["-n", "app-dev", "logs", "-f", "deployment/user-service"];

/// A learner who types, and all that the screen showed.
struct Learner<'c> {
    kubectl: Kubectl<'c>,
    screen: RefCell<String>,
}

impl Learner<'_> {
    /// Types a command, written with single spaces, as the tutorial prints it.
    fn types(&self, command: &str) {
        let arguments: Vec<&str> = command.split(' ').collect();
        self.sees(&arguments, &self.kubectl.run(&arguments));
    }

    /// Waits until one of the Deployment's pods has printed something.
    fn awaits_output(&self) {
        let some = |lines: &[String]| !lines.is_empty();
        let lines = self.kubectl.follow(&FOLLOW, || {}, some);
        assert!(some(&lines), "nothing was printed");
    }

    /// Waits until the last pod of a version is gone.
    fn awaits_the_end_of(&self, version: &str) {
        let label = format!("app.kubernetes.io/version={version}");
        let pods = ["pods", "-n", "app-dev", "-l", &label];
        let wait = ["wait", "--for=delete", "--timeout=40s"];
        // An old kubectl takes it for an error when they are gone already.
        self.kubectl.run(&[&wait[..], &pods].concat());
        let left = self.kubectl.run(&[&["get"][..], &pods].concat());
        assert!(left.stdout.is_empty(), "{left:?}");
    }

    fn sees(&self, arguments: &[&str], answer: &Answer) {
        let mut screen = self.screen.borrow_mut();
        screen.push_str(&transcript(arguments, answer));
        screen.push('\n');
    }
}

#[test]
fn the_tutorials_commands_are_answered_as_expected() {
    let Some(program) = kubectl::find("the tutorial's commands") else {
        return;
    };
    let cluster = Cluster::start();
    let learner = Learner {
        kubectl: Kubectl::new(program, &cluster),
        screen: RefCell::default(),
    };
    deploys(&learner);
    updates(&learner);
    goes_back(&learner);
    cleans_up(&learner);
    assert_golden("tutorial.txt", &learner.screen.into_inner());
}

fn deploys(learner: &Learner<'_>) {
    learner.types("get nodes -o wide");
    learner.types("create namespace app-dev");
    learner.types("-n app-dev apply -f k8s/base/configmap.yaml");
    learner.types("-n app-dev apply -f k8s/base/deployment-v1.yaml");
    learner.types("-n app-dev apply -f k8s/base/service-nodeport.yaml");
    learner.types("-n app-dev rollout status deployment/user-service");
    learner.types("-n app-dev get pods");
    learner.types("-n app-dev get rs");
    learner.types("-n app-dev get svc");
    // The controller of the slices needs a moment.
    let three = |lines: &[String]| lines.iter().any(|line| line.matches(',').count() == 2);
    let slices = ["-n", "app-dev", "get", "endpointslices"];
    let watch: Vec<&str> = slices.iter().copied().chain(["-w"]).collect();
    learner.kubectl.follow(&watch, || {}, three);
    learner.types("-n app-dev get endpointslices");
    learner.types("-n app-dev get all");
    learner.types("-n app-dev describe deployment user-service");
    learner.awaits_output();
    learner.types("-n app-dev logs deployment/user-service");

    let pods = learner
        .kubectl
        .run(&["-n", "app-dev", "get", "pods", "-o", "name"]);
    let pod = pods.stdout.lines().next().unwrap();
    learner.types(&format!("-n app-dev describe {pod}"));
    learner.types(&format!("-n app-dev logs {pod} --previous"));
    learner.types(&format!("-n app-dev exec {pod} -- ls"));
    learner.types(&format!("-n app-dev port-forward {pod} 3000"));
}

fn updates(learner: &Learner<'_>) {
    let update = || learner.types("-n app-dev apply -f k8s/base/deployment-v2.yaml");
    let finished = |lines: &[String]| {
        let last_of = |revision: &str| {
            let mut rows = lines.iter().rev().map(|line| row(line));
            rows.find(|row| row.name == revision).map(|row| row.counts)
        };
        let names = names_of(lines);
        names.len() == 2 && last_of(&names[0]) == Some([0; 3]) && last_of(&names[1]) == Some([3; 3])
    };
    let arguments = ["-n", "app-dev", "get", "rs", "-w", "--no-headers"];
    let watched = learner.kubectl.follow(&arguments, update, finished);
    assert!(finished(&watched), "it never finished: {watched:#?}");
    assert_rolls(&watched);

    learner.types("-n app-dev rollout status deployment/user-service");
    learner.types("-n app-dev get pods");
    learner.types("-n app-dev get all");
    learner.types("-n app-dev rollout history deployment/user-service");
    learner.types("-n app-dev rollout history deployment/user-service --revision=2");
    learner.awaits_the_end_of("1.0.0");
    learner.awaits_output();
    learner.types("-n app-dev logs deployment/user-service");
}

fn goes_back(learner: &Learner<'_>) {
    // Every pod that it may follow ends with the undo, and the log with it.
    let undo = || learner.types("-n app-dev rollout undo deployment/user-service");
    let followed = learner.kubectl.follow(&FOLLOW, undo, |_| false);
    let answer = Answer {
        code: Some(0),
        stdout: followed.join("\n"),
        stderr: String::new(),
    };
    learner.sees(&FOLLOW, &answer);
    learner.types("-n app-dev rollout status deployment/user-service --timeout=300s");
    learner.types("-n app-dev rollout history deployment/user-service");
    learner.types("-n app-dev rollout undo deployment/user-service --to-revision=2");
    learner.types("-n app-dev rollout status deployment/user-service");
    learner.types("-n app-dev rollout undo deployment/user-service --to-revision=2");
    learner.types(
        "-n app-dev set image deployment/user-service app=mogumogusityau/user-service:1.0.0",
    );
    learner.types("-n app-dev rollout status deployment/user-service");
    learner.types("-n app-dev scale deployment/user-service --replicas=5");
    learner.types("-n app-dev rollout status deployment/user-service");
    learner.types("-n app-dev get deployment user-service -o wide");
}

fn cleans_up(learner: &Learner<'_>) {
    learner.types("delete namespace app-dev");
    learner.types("get all -n app-dev");
    learner.types("get namespaces");
}

/// A line of `kubectl get rs`.
struct Row {
    name: String,
    /// Desired, current, ready.
    counts: [u32; 3],
}

#[track_caller]
fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells.len(), 5, "{line}");
    let count = |cell: usize| cells[cell].parse().unwrap();
    Row {
        name: cells[0].to_owned(),
        counts: [count(1), count(2), count(3)],
    }
}

/// The names in a watch, in order of their appearance.
fn names_of(lines: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for line in lines {
        let name = row(line).name;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The old ReplicaSet only shrinks, the new one only grows, and both together stay within the
/// surge.
#[track_caller]
fn assert_rolls(lines: &[String]) {
    let names = names_of(lines);
    let mut desired = [3, 0];
    for line in lines {
        let row = row(line);
        let wanted = row.counts[0];
        let which = usize::from(row.name == names[1]);
        if which == 0 {
            assert!(wanted <= desired[0], "the old one grew: {lines:#?}");
        } else {
            assert!(wanted >= desired[1], "the new one shrank: {lines:#?}");
        }
        desired[which] = wanted;
        assert!(
            desired.iter().sum::<u32>() <= 4,
            "too many at once: {lines:#?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mk_lines(rows: &[(&str, u32)]) -> Vec<String> {
        let line = |(name, desired): &(&str, u32)| format!("{name}   {desired}   0   0   1s");
        rows.iter().map(line).collect()
    }

    #[test]
    fn a_rolling_update_is_known() {
        assert_rolls(&mk_lines(&[
            ("old", 3),
            ("new", 1),
            ("old", 2),
            ("new", 2),
            ("old", 0),
        ]));
    }

    #[test]
    #[should_panic(expected = "the old one grew")]
    fn an_old_one_that_grows_is_caught() {
        assert_rolls(&mk_lines(&[("old", 3), ("new", 1), ("old", 2), ("old", 3)]));
    }

    #[test]
    #[should_panic(expected = "too many at once")]
    fn too_large_a_surge_is_caught() {
        assert_rolls(&mk_lines(&[("old", 3), ("new", 2)]));
    }
}
