use crate::criteria::cause::Cause;
use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{UPDATE, deployed, undone, updated};
use crate::criteria::scene::{DEPLOYMENT, Scene, replicaset};
use crate::history::criterion::Criterion;

#[test]
fn one_replicaset_is_active_and_nothing_is_left_of_the_others() {
    let fail = |object, seen, cause| Want::Fail {
        object,
        seen,
        cause,
    };
    let left = |numbers| updated().add(6500, replicaset(1, 1, numbers));
    let rows = [
        (
            "a first deployment",
            deployed(),
            Want::Pass("only web-1 is active, with 3 replicas"),
        ),
        (
            "an update",
            updated(),
            Want::Pass("only web-2 is active, with 3 replicas"),
        ),
        (
            "an undo",
            undone(),
            Want::Pass("only web-1 is active, with 3 replicas"),
        ),
        (
            "the old one still wants a pod",
            left([1, 0, 0]),
            fail(
                "replicaset/web-1",
                "still has 1 desired and 0 actual replicas, and 0 pods",
                None,
            ),
        ),
        (
            "the old one still counts a pod",
            left([0, 1, 0]),
            fail(
                "replicaset/web-1",
                "still has 0 desired and 1 actual replicas",
                None,
            ),
        ),
        (
            "an old pod ignores SIGTERM",
            updated().until(3500),
            fail(
                "replicaset/web-1",
                "still has 0 desired and 0 actual replicas, and 3 pods",
                Some(Cause::StillTerminating),
            ),
        ),
        (
            "the rollout goes on",
            updated().until(2400),
            fail("replicaset/web-1", "still has 2 desired", None),
        ),
        (
            "the new one wants nothing",
            updated().add(6500, replicaset(2, 2, [0, 0, 0])),
            fail("replicaset/web-2", "web-2 has 0 desired replicas", None),
        ),
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("web was not applied"),
        ),
        (
            "the change has not been seen, and the old one is the only one",
            updated().until(UPDATE + 9),
            Want::Unknown("no ReplicaSet with the new template has been seen yet"),
        ),
        (
            "the new one has not been seen",
            updated().until(UPDATE + 15),
            Want::Unknown("no ReplicaSet with the new template has been seen yet"),
        ),
    ];
    let criterion = Criterion::SingleActiveReplicaSet {
        deployment: DEPLOYMENT.to_owned(),
    };
    check(&criterion, "one ReplicaSet is active, the new one", &rows);
}
