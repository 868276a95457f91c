use crate::criteria::cause::Cause;
use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{UPDATE, deployed, undone, updated};
use crate::criteria::scene::{
    DEPLOYMENT, Scene, command, deadline_exceeded, deleted, deployment, deployment_facts, pod,
    replicaset, warning,
};
use crate::history::criterion::Criterion;
use crate::history::facts::{DeploymentFacts, Facts};
use crate::history::record::Verb;
use crate::history::{Entry, Record};

fn criterion() -> Criterion {
    Criterion::RolloutComplete {
        deployment: DEPLOYMENT.to_owned(),
    }
}

/// An update whose first new pod has a STATUS and gets no further.
fn stuck(status: &str) -> Scene {
    updated().until(2100).add(2200, pod("web-2-a", status))
}

fn late(facts: DeploymentFacts) -> Entry {
    deployment(DeploymentFacts {
        conditions: vec![deadline_exceeded()],
        ..facts
    })
}

fn is_deployment(record: &Record) -> bool {
    matches!(&record.entry, Entry::Change(change) if matches!(change.facts, Facts::Deployment(_)))
}

#[test]
fn a_rollout_is_complete_by_the_rule_of_kubectl() {
    let wanted = "the rollout of web completes: all pods updated and available";
    let with = |facts| updated().until(2999).add(3000, deployment(facts));
    let numbers = |numbers| with(deployment_facts(2, 2, numbers));
    let fail = |seen| Want::Fail {
        object: "deployment/web",
        seen,
        cause: None,
    };
    let rows = [
        (
            "a first deployment",
            deployed(),
            Want::Pass("complete after 0.51 s"),
        ),
        ("an update", updated(), Want::Pass("complete after 1.02 s")),
        ("an undo", undone(), Want::Pass("complete after 1.02 s")),
        (
            "all there, by the numbers",
            numbers([3, 3, 3]),
            Want::Pass("complete after 1.00 s"),
        ),
        (
            "a pod is of the old template",
            numbers([2, 3, 3]),
            fail("2 of 3 updated, 3 available, 1 old"),
        ),
        (
            "an old pod is left",
            numbers([3, 4, 3]),
            fail("3 of 3 updated, 3 available, 1 old"),
        ),
        (
            "a pod is not available",
            numbers([3, 3, 2]),
            fail("3 of 3 updated, 2 available, 0 old"),
        ),
        (
            "the status is that of an older generation",
            with(DeploymentFacts {
                observed_generation: 1,
                ..deployment_facts(2, 2, [3, 3, 3])
            }),
            fail("3 of 3 updated"),
        ),
        (
            "somebody changed the Deployment once more",
            with(DeploymentFacts {
                observed_generation: 2,
                ..deployment_facts(2, 3, [3, 3, 3])
            }),
            fail("3 of 3 updated"),
        ),
        (
            "the Deployment is gone",
            updated()
                .until(2500)
                .add(2500, deleted(deployment(deployment_facts(2, 2, [2, 4, 2])))),
            fail("the Deployment does not exist"),
        ),
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("web was not applied"),
        ),
        (
            "the change has not been seen",
            updated().without(|record| is_deployment(record) && record.at.0 > 2_000_000),
            Want::Unknown("the change has not been seen yet"),
        ),
        (
            "a command that changed nothing finds the rollout before it",
            deployed()
                .add(3000, command(Verb::Apply, "v1.yaml", 2990, Some(1)))
                .edit(|record| {
                    if let Entry::Command(command) = &mut record.entry
                        && record.at.0 == 3_000_000
                    {
                        command.objects[0].changed = false;
                    }
                }),
            Want::Pass("complete after 0.51 s"),
        ),
    ];
    check(&criterion(), wanted, &rows);
}

#[test]
fn what_keeps_a_pod_from_running_is_the_cause() {
    let fail = |object, seen, cause| Want::Fail {
        object,
        seen,
        cause,
    };
    let rows = [
        (
            "the image cannot be pulled",
            stuck("ImagePullBackOff"),
            fail(
                "pod/web-2-a",
                "container app: ImagePullBackOff",
                Some(Cause::ImagePull),
            ),
        ),
        (
            "the image's name is none",
            stuck("InvalidImageName"),
            fail("pod/web-2-a", "InvalidImageName", Some(Cause::ImagePull)),
        ),
        (
            "a ConfigMap is missing",
            stuck("CreateContainerConfigError"),
            fail(
                "pod/web-2-a",
                "CreateContainerConfigError",
                Some(Cause::MissingConfigMap),
            ),
        ),
        (
            "the container crashes",
            stuck("CrashLoopBackOff"),
            fail("pod/web-2-a", "CrashLoopBackOff", Some(Cause::CrashAtStart)),
        ),
        (
            "the image is pulled for the first time",
            stuck("ErrImagePull").add(2201, pod("web-2-b", "ContainerCreating")),
            fail("deployment/web", "2 of 3 updated, 2 available, 2 old", None),
        ),
        (
            "a pod has no node",
            stuck("Pending").add(2201, pod("web-2-b", "ContainerCreating")),
            fail("pod/web-2-a", "it has no node", Some(Cause::Unschedulable)),
        ),
        (
            "a pod has no node, and another cannot run",
            stuck("Pending").add(2201, pod("web-2-b", "CrashLoopBackOff")),
            fail("pod/web-2-b", "CrashLoopBackOff", Some(Cause::CrashAtStart)),
        ),
        (
            "a terminating pod is in nobody's way",
            stuck("CrashLoopBackOff")
                .edit_pods(|name, facts| facts.terminating |= name == "web-2-a")
                .add(2201, pod("web-2-b", "ContainerCreating")),
            fail("deployment/web", "2 of 3 updated", None),
        ),
        (
            "a pod of the old version has no part in it",
            stuck("ContainerCreating")
                .add(2201, pod("web-2-b", "ContainerCreating"))
                .add(2202, pod("web-1-a", "CrashLoopBackOff")),
            fail("deployment/web", "2 of 3 updated", None),
        ),
        (
            "the deadline has passed",
            stuck("ContainerCreating")
                .add(2201, pod("web-2-b", "ContainerCreating"))
                .add(2300, late(deployment_facts(2, 2, [2, 4, 2]))),
            fail(
                "deployment/web",
                "2 of 3 updated",
                Some(Cause::ProgressDeadline),
            ),
        ),
        (
            "the deadline has passed, and a pod has no node",
            stuck("Pending").add(2300, late(deployment_facts(2, 2, [2, 4, 2]))),
            fail(
                "pod/web-2-a",
                "it has no node",
                Some(Cause::ProgressDeadline),
            ),
        ),
        (
            "the deadline has passed, and a container says why",
            stuck("ImagePullBackOff").add(2300, late(deployment_facts(2, 2, [2, 4, 2]))),
            fail("pod/web-2-a", "ImagePullBackOff", Some(Cause::ImagePull)),
        ),
    ];
    check(&criterion(), "the rollout of web completes", &rows);
}

#[test]
fn the_deadline_of_an_earlier_rollout_is_not_that_of_the_newest() {
    let seen_late = |ms, facts| {
        let begun = stuck("ContainerCreating").add(2201, pod("web-2-b", "ContainerCreating"));
        begun
            .add(1990, late(deployment_facts(1, 1, [3, 4, 3])))
            .add(ms, late(facts))
    };
    let unobserved = DeploymentFacts {
        observed_generation: 1,
        ..deployment_facts(2, 2, [0, 3, 3])
    };
    // The status of the old generation, and that which the controller copies into the first one.
    for scene in [
        seen_late(2010, unobserved)
            .without(|record| is_deployment(record) && record.at.0 == 2_100_000),
        seen_late(2012, deployment_facts(2, 2, [0, 3, 3])).without(|record| {
            is_deployment(record) && [2_010_000, 2_100_000].contains(&record.at.0)
        }),
    ] {
        let verdict = scene.judge(&criterion());
        assert_eq!(verdict.cause, None, "{verdict:?}");
    }
    // Later the condition is gone, and comes back.
    let verdict = seen_late(2300, deployment_facts(2, 2, [2, 4, 2])).judge(&criterion());
    assert_eq!(verdict.cause, Some(Cause::ProgressDeadline), "{verdict:?}");
}

#[test]
fn the_newest_warnings_since_the_change_explain_a_failure() {
    let scene = stuck("ImagePullBackOff")
        .add(
            UPDATE - 100,
            warning("Pod/web-1-a", "Unhealthy", "of another time"),
        )
        .add(2210, warning("Pod/web-2-a", "Failed", "no such image"))
        .add(2220, warning("Pod/web-2-a", "Failed", "no such image"))
        .add(2230, warning("Pod/web-2-a", "BackOff", "wait"));
    let verdict = scene.judge(&criterion());
    let told: Vec<&str> = verdict
        .events
        .iter()
        .map(|event| event.text.en.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "Pod/web-2-a Failed: no such image",
            "Pod/web-2-a BackOff: wait"
        ]
    );
}

#[test]
fn a_complete_rollout_stays_complete() {
    let later = updated()
        .add(6500, pod("web-2-a", "CrashLoopBackOff"))
        .add(6501, replicaset(2, 2, [3, 3, 2]))
        .add(6502, deployment(deployment_facts(2, 2, [3, 3, 2])));
    let rows = [(
        "a pod crashed later",
        later,
        Want::Pass("complete after 1.02 s"),
    )];
    check(&criterion(), "completes", &rows);
}
