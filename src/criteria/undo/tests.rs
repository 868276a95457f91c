use crate::criteria::cause::Cause;
use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{UNDO, undone, updated};
use crate::criteria::scene::{
    DEPLOYMENT, Scene, command, deployment, deployment_facts, pod, replicaset,
};
use crate::history::criterion::Criterion;
use crate::history::record::Verb;
use crate::history::{Entry, Record};

/// The undo with a revision that it was told to go back to.
fn undone_to(revision: &str) -> Scene {
    undone().edit(|record| {
        if let Entry::Command(command) = &mut record.entry
            && command.verb == Verb::Undo
        {
            revision.clone_into(&mut command.argument);
        }
    })
}

fn of_undo(record: &Record, name: &str) -> bool {
    record.at.0 >= UNDO * 1000
        && matches!(&record.entry, Entry::Change(change) if change.name == name)
}

fn with_uid_after_undo(scene: Scene, name: &str, uid: &str) -> Scene {
    scene.edit(|record| {
        if of_undo(record, name)
            && let Entry::Change(change) = &mut record.entry
        {
            uid.clone_into(&mut change.uid);
        }
    })
}

#[test]
fn an_undo_brings_the_old_template_back() {
    let wanted = "the undo of web completes: the old template is back in its old ReplicaSet";
    let again = "ReplicaSet web-1 is used again as revision 3";
    let last = |version, revision| {
        let mut facts = deployment_facts(version, 3, [3, 3, 3]);
        facts.revision = revision;
        undone()
            .without(|record| of_undo(record, DEPLOYMENT))
            .add(UNDO + 1020, deployment(facts))
    };
    let fail = |object, seen, cause| Want::Fail {
        object,
        seen,
        cause,
    };
    let rows = [
        ("to the one before", undone(), Want::Pass(again)),
        ("to a revision", undone_to("1"), Want::Pass(again)),
        (
            "the template stays",
            last(2, 3),
            fail("deployment/web", "the template did not change", None),
        ),
        (
            "the template is another one",
            last(3, 3),
            fail("deployment/web", "not that of revision 1", None),
        ),
        (
            "the revision stays",
            last(1, 2),
            fail(
                "deployment/web",
                "the revision went from 2 to 2, not to 3",
                None,
            ),
        ),
        (
            "a revision is left out",
            last(1, 4),
            fail(
                "deployment/web",
                "the revision went from 2 to 4, not to 3",
                None,
            ),
        ),
        (
            "the old ReplicaSet is replaced",
            with_uid_after_undo(undone(), "web-1", "other"),
            fail("replicaset/web-1", "the old ReplicaSet was replaced", None),
        ),
        (
            "the pods do not run",
            undone()
                .until(UNDO + 100)
                .add(UNDO + 200, pod("web-1-d", "CrashLoopBackOff")),
            fail("pod/web-1-d", "CrashLoopBackOff", Some(Cause::CrashAtStart)),
        ),
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("web was not applied"),
        ),
        (
            "the last change was an update",
            updated(),
            Want::Unknown("the last change was no undo"),
        ),
        (
            "the change has not been seen",
            undone().until(UNDO + 9),
            Want::Unknown("the change has not been seen yet"),
        ),
        (
            "the watch began with the undo",
            undone().without(|record| {
                record.at.0 < UNDO * 1000 && matches!(record.entry, Entry::Change(_))
            }),
            Want::Unknown("the Deployment was not seen before the undo"),
        ),
        (
            "the ReplicaSet to go back to was never seen",
            undone_to("7"),
            Want::Unknown("the ReplicaSet to go back to was not seen"),
        ),
    ];
    let criterion = Criterion::UndoComplete {
        deployment: DEPLOYMENT.to_owned(),
    };
    check(&criterion, wanted, &rows);
}

#[test]
fn a_third_template_is_not_the_one_before() {
    // Revision 3 is version 3; the undo went to version 1, though version 2 was the one before.
    let third = updated()
        .add(6500, command(Verb::Apply, "v3.yaml", 6490, Some(3)))
        .add(6510, replicaset(3, 3, [3, 3, 3]))
        .add(6520, deployment(deployment_facts(3, 3, [3, 3, 3])))
        .add(7001, command(Verb::Undo, "the one before", 7000, Some(4)))
        .add(7010, replicaset(1, 4, [3, 3, 3]))
        .add(7020, deployment(deployment_facts(1, 4, [3, 3, 3])));
    let criterion = Criterion::UndoComplete {
        deployment: DEPLOYMENT.to_owned(),
    };
    let rows = [(
        "two steps back",
        third,
        Want::Fail {
            object: "deployment/web",
            seen: "not that of revision 2",
            cause: None,
        },
    )];
    check(&criterion, "the undo of web completes", &rows);
}
