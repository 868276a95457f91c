use crate::criteria::cause::Cause;
use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{UPDATE, UPDATED, answering, updated};
use crate::criteria::scene::{
    DEPLOYMENT, Scene, answered, deleted, deployment, deployment_facts, gap, pod, replicaset,
};
use crate::history::criterion::Criterion;
use crate::history::facts::{DeploymentFacts, Facts, PodFacts};
use crate::history::{Entry, Record};

const WANTED: &str = "at most 4 pods and at least 2 available, at every event";

fn within(max_surge: i64, max_unavailable: i64) -> Criterion {
    Criterion::Envelope {
        deployment: DEPLOYMENT.to_owned(),
        max_surge,
        max_unavailable,
    }
}

fn fail(seen: &'static str, cause: Option<Cause>) -> Want {
    Want::Fail {
        object: "deployment/web",
        seen,
        cause,
    }
}

/// The update, with another strategy than it says.
fn with_strategy(scene: Scene, strategy: (i64, i64)) -> Scene {
    scene.edit(|record| {
        if let Entry::Change(change) = &mut record.entry
            && let Facts::Deployment(facts) = &mut change.facts
        {
            facts.strategy = Some(strategy);
        }
    })
}

/// Three pods too many from 2.1 s on, which go at a moment.
fn crowded(until_ms: u64) -> Scene {
    ["web-2-x", "web-2-y", "web-2-z"]
        .into_iter()
        .fold(updated(), |scene, name| {
            scene
                .add(2100, pod(name, "Running"))
                .add(until_ms, pod(name, "Terminating"))
        })
}

#[test]
fn desired_and_available_pods_keep_within_the_strategy() {
    let rows = [
        (
            "all went well",
            updated(),
            Want::Pass("at most 4 pods desired and 4 seen, at least 2 available, over 11 events"),
        ),
        (
            "too many are desired",
            updated().add(2300, replicaset(2, 2, [3, 2, 0])),
            fail("at most 5 pods desired and 4 seen", None),
        ),
        (
            "the actual numbers in the statuses come late",
            updated().add(2051, replicaset(1, 1, [2, 9, 2])),
            Want::Pass("at most 4 pods desired"),
        ),
        (
            "too few are available, as the strategy has it",
            with_strategy(updated(), (1, 3)).add(2300, replicaset(1, 1, [2, 2, 1])),
            fail("at least 1 available", Some(Cause::MaxUnavailable)),
        ),
        (
            "too few are available, against the strategy",
            updated().add(2300, replicaset(1, 1, [2, 2, 1])),
            fail("at least 1 available", None),
        ),
        (
            "too many are desired, by a strategy that lets more be missing",
            with_strategy(updated(), (1, 3)).add(2300, replicaset(2, 2, [3, 2, 0])),
            fail("at most 5 pods desired", None),
        ),
        (
            "what the ReplicaSets do later is another matter",
            updated().add(5000, replicaset(2, 2, [9, 3, 3])),
            Want::Pass("at most 4 pods desired"),
        ),
    ];
    check(&within(1, 1), WANTED, &rows);
    let rows = [(
        "a tighter bound on the available",
        updated(),
        fail("at least 2 available", Some(Cause::MaxUnavailable)),
    )];
    check(
        &within(1, 0),
        "at most 4 pods and at least 3 available",
        &rows,
    );
    let rows = [(
        "a tighter bound on the desired",
        updated(),
        fail("at most 4 pods desired", None),
    )];
    check(
        &within(0, 1),
        "at most 3 pods and at least 2 available",
        &rows,
    );
}

#[test]
fn too_many_pods_count_when_they_last() {
    let finished = |name: &str, facts: &mut PodFacts| {
        if name.ends_with(['x', 'y', 'z']) {
            "Failed".clone_into(&mut facts.phase);
        }
    };
    let rows = [
        (
            "their deletion follows soon",
            crowded(7100),
            Want::Pass("at most 4 pods desired and 7 seen"),
        ),
        (
            "it follows too late",
            crowded(7101),
            fail("and 7 seen", None),
        ),
        (
            "it never follows",
            crowded(60_000),
            fail("and 7 seen", None),
        ),
        (
            "they come shortly before the completion, and go soon after it",
            updated()
                .add(3000, pod("web-2-x", "Running"))
                .add(3001, pod("web-2-y", "Running"))
                .add(3900, pod("web-2-x", "Terminating")),
            Want::Pass("and 5 seen"),
        ),
        (
            "they come shortly before the completion, and stay",
            updated()
                .add(3000, pod("web-2-x", "Running"))
                .add(3001, pod("web-2-y", "Running"))
                .requests(6000, 8100, |_| answered(2, Some("web-2-a"))),
            fail("and 5 seen", None),
        ),
        (
            "whether it lasts is not known yet",
            updated()
                .until(3020)
                .add(3000, pod("web-2-x", "Running"))
                .add(3000, pod("web-2-y", "Running")),
            Want::Unknown("there are too many pods, but not for long yet"),
        ),
        (
            "pods that have finished are none too many",
            crowded(60_000).edit_pods(finished),
            Want::Pass("and 4 seen"),
        ),
        (
            "pods of somebody else are none too many",
            updated()
                .add(2100, pod("other-1-a", "Running"))
                .add(2100, pod("other-1-b", "Running")),
            Want::Pass("and 4 seen"),
        ),
        (
            "pods are seen before their ReplicaSet",
            updated()
                .add(2015, pod("web-2-x", "Pending"))
                .add(2016, pod("web-2-y", "Pending"))
                .add(2018, pod("web-2-x", "Terminating"))
                .add(2019, pod("web-2-y", "Terminating")),
            Want::Pass("and 5 seen"),
        ),
    ];
    check(&within(1, 1), WANTED, &rows);
}

#[test]
fn the_extremes_are_figures() {
    let figures = crowded(3000).judge(&within(1, 1)).figures;
    for (name, expected) in [
        ("most_desired", 4.0),
        ("least_available", 2.0),
        ("most_pods", 7.0),
        ("longest_excess_seconds", 0.9),
    ] {
        assert!(
            (figures[name] - expected).abs() < 1e-9,
            "{name}: {}",
            figures[name]
        );
    }
}

#[test]
fn an_update_that_scales_has_the_bounds_of_both_numbers() {
    let scaled = updated().edit(|record| {
        if let Entry::Change(change) = &mut record.entry
            && let Facts::Deployment(facts) = &mut change.facts
            && facts.generation == 2
        {
            facts.replicas = 2;
        }
    });
    let rows = [(
        "from three to two",
        scaled.add(UPDATED - 2, replicaset(2, 2, [2, 3, 3])),
        Want::Pass("at least 2 available"),
    )];
    check(
        &within(1, 1),
        "at most 4 pods and at least 1 available",
        &rows,
    );
}

/// One watch may come back seconds after another.
#[test]
fn what_happened_before_the_completion_counts_though_it_is_told_later() {
    let late = |scene: Scene| {
        scene.delay(3000, |record| {
            is_replicaset(record) && record.at.0 > UPDATE * 1000
        })
    };
    let rows = [
        (
            "all went well",
            late(updated()),
            Want::Pass("at most 4 pods desired and 4 seen, at least 2 available, over 11 events"),
        ),
        (
            "too many were desired",
            late(updated().add(2300, replicaset(2, 2, [3, 2, 0]))),
            fail("at most 5 pods desired", None),
        ),
        (
            "pods that were too many for less than a second",
            crowded(2900).delay(3000, |record| is_pod(record) && record.at.0 > UPDATE * 1000),
            Want::Pass("at least 2 available"),
        ),
        (
            "not all is told yet",
            late(updated()).until(UPDATE + 3000 + 700),
            Want::Unknown("have not been seen yet as they were at the end"),
        ),
        (
            "what happened after the completion, told with it",
            late(updated()).add(6100, replicaset(2, 2, [9, 3, 3])),
            Want::Pass("at most 4 pods desired"),
        ),
    ];
    check(&within(1, 1), WANTED, &rows);
}

/// One watch may be seconds behind another when the change is made.
#[test]
fn what_happened_before_the_change_does_not_count_though_it_is_told_later() {
    let late = updated()
        .add(300, replicaset(1, 1, [3, 3, 1]))
        .add(310, replicaset(1, 1, [3, 3, 2]))
        .add(320, pod("web-1-x", "Running"))
        .add(330, pod("web-1-y", "Running"))
        .add(340, pod("web-1-x", "Terminating"))
        .add(350, pod("web-1-y", "Terminating"))
        .add(360, deleted(pod("web-1-x", "Terminating")))
        .add(370, deleted(pod("web-1-y", "Terminating")))
        .delay(UPDATE - 295, |record| {
            let is_watched = is_replicaset(record) || is_pod(record);
            is_watched && (300_000..UPDATE * 1000).contains(&record.at.0)
        });
    let rows = [(
        "pods came and went before it",
        late,
        Want::Pass("at most 4 pods desired and 4 seen, at least 2 available, over 11 events"),
    )];
    check(&within(1, 1), WANTED, &rows);
}

fn is_replicaset(record: &Record) -> bool {
    matches!(&record.entry, Entry::Change(change) if matches!(change.facts, Facts::ReplicaSet(_)))
}

fn is_pod(record: &Record) -> bool {
    matches!(&record.entry, Entry::Change(change) if matches!(change.facts, Facts::Pod(_)))
}

#[test]
fn what_cannot_be_judged_is_unknown() {
    let unavailable = DeploymentFacts {
        available: 2,
        ..deployment_facts(1, 1, [3, 3, 3])
    };
    let generic = "the update keeps within maxSurge 1 and maxUnavailable 1";
    let rows = [
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("web was not applied"),
        ),
        (
            "a first deployment updates nothing",
            answering(),
            Want::Unknown("there was no Deployment before the change"),
        ),
    ];
    check(&within(1, 1), generic, &rows);
    let rows = [
        (
            "the watch has a gap",
            updated().add(2500, gap("ReplicaSet")),
            Want::Unknown("the watch has a gap: ReplicaSet"),
        ),
        (
            "not all were available before",
            updated().add(1900, deployment(unavailable)),
            Want::Unknown("not all pods were available before the change"),
        ),
        (
            "no ReplicaSet changed",
            updated().without(|record| is_replicaset(record) && record.at.0 > 2_000_000),
            Want::Unknown("no ReplicaSet changed"),
        ),
        (
            "the rollout is not complete",
            updated().until(2900),
            Want::Unknown("the rollout is not complete"),
        ),
    ];
    check(&within(1, 1), WANTED, &rows);
}
