use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{answering, undone, updated};
use crate::criteria::scene::{DEPLOYMENT, Scene, deleted, gap, pod};
use crate::history::Entry;
use crate::history::criterion::Criterion;
use crate::history::facts::Facts;

/// Leaves out the news that a pod has a STATUS.
fn without_status(scene: Scene, name: &str, status: &str) -> Scene {
    scene.without(|record| {
        matches!(
            &record.entry,
            Entry::Change(change)
                if change.name == name
                    && matches!(&change.facts, Facts::Pod(pod) if pod.status == status)
        )
    })
}

#[test]
fn pods_go_through_the_states_of_a_rolling_update() {
    let all = "3 of 3 new pods went from ContainerCreating to Running, 3 of 3 old ones";
    let fail = |object, seen| Want::Fail {
        object,
        seen,
        cause: None,
    };
    let rows = [
        ("all go as they should", updated(), Want::Pass(all)),
        (
            "an undo takes up a ReplicaSet whose earlier pods are still terminating",
            undone().without(|record| {
                matches!(&record.entry, Entry::Change(change)
                    if change.name == "web-1-a" && record.at.0 == 4_000_000)
            }),
            Want::Pass(all),
        ),
        (
            "an old pod that was on its way out before has no part in it",
            updated()
                .add(1900, pod("web-1-x", "Terminating"))
                .add(2500, deleted(pod("web-1-x", "Terminating"))),
            Want::Pass(all),
        ),
        (
            "it was on its way out, but that is told after the change",
            updated()
                .add(1800, pod("web-1-x", "Terminating"))
                .add(1900, deleted(pod("web-1-x", "Terminating")))
                .delay(300, |record| {
                    matches!(&record.entry, Entry::Change(change) if change.name == "web-1-x")
                }),
            Want::Pass(all),
        ),
        (
            "a new pod was never ContainerCreating",
            without_status(updated(), "web-2-b", "ContainerCreating"),
            fail("pod/web-2-b", "2 of 3 new pods"),
        ),
        (
            "a new pod was never Running",
            without_status(updated(), "web-2-b", "Running"),
            fail("pod/web-2-b", "2 of 3 new pods"),
        ),
        (
            "a new pod ran before it was ContainerCreating",
            without_status(updated(), "web-2-b", "ContainerCreating")
                .add(5000, pod("web-2-b", "ContainerCreating")),
            fail("pod/web-2-b", "2 of 3 new pods"),
        ),
        (
            "an old pod never terminates",
            without_status(updated(), "web-1-b", "Terminating"),
            fail("pod/web-1-b", "2 of 3 old ones"),
        ),
        (
            "an old pod never ran",
            without_status(updated(), "web-1-b", "Running"),
            fail("pod/web-1-b", "2 of 3 old ones"),
        ),
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("web was not applied"),
        ),
        (
            "the watch has a gap",
            updated().add(2500, gap("Pod")),
            Want::Unknown("the watch has a gap: Pod: too old resource version"),
        ),
        (
            "a gap before the change is none of its affair",
            updated().add(1500, gap("Pod")),
            Want::Pass(all),
        ),
        (
            "the rollout is not complete",
            updated().until(2900),
            Want::Unknown("the rollout is not complete"),
        ),
        (
            "a first deployment replaces nothing",
            answering(),
            Want::Unknown("nothing was replaced: 3 of 3 new pods"),
        ),
    ];
    let criterion = Criterion::PodStates {
        deployment: DEPLOYMENT.to_owned(),
    };
    check(
        &criterion,
        "new pods are ContainerCreating, then Running",
        &rows,
    );
}

#[test]
fn a_pod_that_runs_without_having_been_created_is_decided() {
    let criterion = Criterion::PodStates {
        deployment: DEPLOYMENT.to_owned(),
    };
    let is_final = |status| {
        let story = without_status(updated(), "web-2-b", status);
        story.judge(&criterion).is_final
    };
    assert!(is_final("ContainerCreating"));
    // It may still come: each kind has a watch of its own.
    assert!(!is_final("Running"));
}
