//! Histories in which all goes well.

use super::{
    DEPLOYMENT, NAMESPACE, Scene, answered, command, deleted, deployment, deployment_facts,
    endpoints, inventory, namespace, pod, replicaset, service, traffic,
};
use crate::history::record::{Verb, When};

/// When the update is sent.
pub(in crate::criteria) const UPDATE: u64 = 2000;
/// When it is complete.
pub(in crate::criteria) const UPDATED: u64 = UPDATE + 1020;
/// When the undo is sent.
pub(in crate::criteria) const UNDO: u64 = 7000;
/// When the deletion of the namespace is sent.
pub(in crate::criteria) const DELETION: u64 = 2000;

/// Version 1 is applied at 0 and complete at 0.51 s.
pub(in crate::criteria) fn deployed() -> Scene {
    let mut scene = Scene::default()
        .add(0, inventory(When::Before, &["kube-root-ca.crt"], &[], None))
        .add(0, namespace("Active", &[]))
        .add(5, service())
        .add(10, deployment(deployment_facts(1, 1, [0, 0, 0])))
        .add(12, command(Verb::Apply, "v1.yaml", 1, Some(1)))
        .add(20, replicaset(1, 1, [3, 0, 0]))
        .add(35, replicaset(1, 1, [3, 3, 0]));
    for name in ["web-1-a", "web-1-b", "web-1-c"] {
        scene = scene
            .add(30, pod(name, "Pending"))
            .add(40, pod(name, "ContainerCreating"))
            .add(500, pod(name, "Running"));
    }
    scene
        .add(505, endpoints(3000, &["web-1-a", "web-1-b", "web-1-c"]))
        .add(507, replicaset(1, 1, [3, 3, 3]))
        .add(510, deployment(deployment_facts(1, 1, [3, 3, 3])))
}

/// Besides, version 1 answers from 1 s to 3 s.
pub(in crate::criteria) fn answering() -> Scene {
    deployed()
        .add(1000, traffic(true))
        .requests(1000, 3000, |_| answered(1, Some("web-1-a")))
}

/// Version 1 is updated to version 2 under traffic that flows from 1 s to 6 s.
pub(in crate::criteria) fn updated() -> Scene {
    let scene = deployed().add(1000, traffic(true));
    roll(scene, UPDATE, Verb::Apply, "v2.yaml", 2, ["a", "b", "c"]).requests(1000, 6000, |ms| {
        let is_new = match ms {
            0..2535 => false,
            // Both versions have two endpoints.
            2535..2625 => ms % 20 == 0,
            _ => true,
        };
        if is_new {
            answered(2, Some("web-2-a"))
        } else {
            answered(1, Some("web-1-a"))
        }
    })
}

/// The update is undone; version 1 answers from 8.5 s to 10 s.
pub(in crate::criteria) fn undone() -> Scene {
    roll(
        updated(),
        UNDO,
        Verb::Undo,
        "the one before",
        3,
        ["d", "e", "f"],
    )
    .add(8500, traffic(true))
    .requests(8500, 10_000, |_| answered(1, Some("web-1-d")))
}

/// Version 1 is removed with its namespace, which is gone at 3 s.
pub(in crate::criteria) fn removed() -> Scene {
    deployed()
        .add(
            DELETION + 2,
            command(Verb::DeleteNamespace, NAMESPACE, DELETION, None),
        )
        .add(2100, namespace("Terminating", &[]))
        .add(3000, deleted(namespace("Terminating", &[])))
        .add(
            3010,
            inventory(When::After, &["kube-root-ca.crt"], &[], None),
        )
}

/// A rolling update of three pods with maxSurge 1 and maxUnavailable 1, complete after 1.02 s. The
/// generation decides the version: odd ones are version 1.
fn roll(
    scene: Scene,
    start: u64,
    verb: Verb,
    argument: &str,
    generation: i64,
    letters: [&str; 3],
) -> Scene {
    let (new, old) = if generation % 2 == 0 { (2, 1) } else { (1, 2) };
    let (was, is) = (generation - 1, generation);
    let old_pods = ["a", "b", "c"].map(|letter| format!("{DEPLOYMENT}-{old}-{letter}"));
    let new_pods = letters.map(|letter| format!("{DEPLOYMENT}-{new}-{letter}"));
    let [old_a, old_b, old_c] = old_pods.each_ref().map(String::as_str);
    let [new_a, new_b, new_c] = new_pods.each_ref().map(String::as_str);
    let mut unobserved = deployment_facts(new, is, [3, 3, 3]);
    unobserved.observed_generation = was;
    unobserved.revision = was;
    let comes = |scene: Scene, name: &str, created: u64, runs: u64| {
        scene
            .add(start + created, pod(name, "Pending"))
            .add(start + created + 5, pod(name, "ContainerCreating"))
            .add(start + runs, pod(name, "Running"))
    };
    let goes = |scene: Scene, name: &str, asked: u64| {
        scene
            .add(start + asked, pod(name, "Terminating"))
            .add(start + 2000, deleted(pod(name, "Terminating")))
    };
    let numbers = |scene: Scene, rows: &[(u64, u8, i64, [i64; 3])]| {
        rows.iter()
            .fold(scene, |scene, (ms, version, revision, numbers)| {
                scene.add(start + ms, replicaset(*version, *revision, *numbers))
            })
    };
    let mut scene = scene
        .add(start + 8, command(verb, argument, start, Some(is)))
        .add(start + 10, deployment(unobserved))
        .add(
            start + 100,
            deployment(deployment_facts(new, is, [2, 4, 2])),
        )
        .add(
            start + 1020,
            deployment(deployment_facts(new, is, [3, 3, 3])),
        );
    scene = numbers(
        scene,
        &[
            (20, new, is, [1, 0, 0]),
            (40, old, was, [2, 3, 3]),
            (50, old, was, [2, 2, 2]),
            (60, new, is, [2, 1, 0]),
            (75, new, is, [2, 2, 0]),
            (520, new, is, [2, 2, 2]),
            (600, old, was, [0, 2, 2]),
            (610, old, was, [0, 0, 0]),
            (630, new, is, [3, 2, 2]),
            (645, new, is, [3, 3, 2]),
            (1010, new, is, [3, 3, 3]),
        ],
    );
    scene = comes(scene, new_a, 30, 500);
    scene = comes(scene, new_b, 65, 510);
    scene = comes(scene, new_c, 635, 1000);
    scene = goes(scene, old_c, 45);
    scene = goes(scene, old_a, 605);
    scene = goes(scene, old_b, 606);
    scene
        .add(start + 46, endpoints(3000, &[old_a, old_b]))
        .add(start + 530, endpoints(3000, &[old_a, old_b, new_a, new_b]))
        .add(start + 620, endpoints(3000, &[new_a, new_b]))
        .add(start + 1005, endpoints(3000, &[new_a, new_b, new_c]))
}
