//! The arithmetic of a rolling update: how far the new `ReplicaSet` may grow, how far the old ones
//! may shrink.
//!
//! Worked example: 10 replicas, surge 3, unavailable 2. The new set begins with 3, for 13 may be
//! there; at once the old one may go to 8, for 8 must be available, and the new one to 5. Then each
//! new pod that becomes available lets an old one go, and that lets another new one come.
//!
//! Source: `pkg/controller/deployment/rolling.go`.

use super::fenceposts::Fenceposts;

/// What the arithmetic knows of a `ReplicaSet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) desired: i32,
    pub(super) available: i32,
}

/// One change of an old `ReplicaSet`, named by its place among the old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shrink {
    pub(super) place: usize,
    pub(super) size: i32,
    /// Whether the pods that go were not available anyway.
    pub(super) is_unhealthy: bool,
}

/// The size that the new `ReplicaSet` should have now, given the sum of all desired sizes.
pub(super) fn new_size(replicas: i32, bounds: Fenceposts, new: i32, all: i32) -> i32 {
    if new >= replicas {
        return replicas;
    }
    let room = replicas + bounds.surge - all;
    if room <= 0 {
        return new;
    }
    new + room.min(replicas - new)
}

/// The changes that bring the old `ReplicaSet`s as far down as may be, oldest first: at first pods
/// that are not available anyway, then available ones that are no longer needed. A set may occur
/// twice.
pub(super) fn shrink_old(
    replicas: i32,
    bounds: Fenceposts,
    new: Counts,
    old: &[Counts],
) -> Vec<Shrink> {
    let old_desired: i32 = old.iter().map(|set| set.desired).sum();
    let must_be_available = replicas - bounds.unavailable;
    let new_unavailable = new.desired - new.available;
    let spare = old_desired + new.desired - must_be_available - new_unavailable;
    if old_desired == 0 || spare <= 0 {
        return Vec::new();
    }
    let mut old = old.to_vec();
    let (mut changes, lags) = drop_unhealthy(&mut old, spare);
    if !lags {
        let available = new.available + old.iter().map(|set| set.available).sum::<i32>();
        changes.extend(drop_healthy(&old, available - must_be_available));
    }
    changes
}

/// Takes away pods that are not available. Stops at a set that has more available pods than it
/// should have: its controller lags behind, and what it counts cannot be relied on.
fn drop_unhealthy(old: &mut [Counts], spare: i32) -> (Vec<Shrink>, bool) {
    let mut changes = Vec::new();
    let mut left = spare;
    for (place, set) in old.iter_mut().enumerate() {
        if left <= 0 {
            break;
        }
        if set.desired == 0 || set.desired == set.available {
            continue;
        }
        let dropped = left.min(set.desired - set.available);
        if dropped < 0 {
            return (changes, true);
        }
        set.desired -= dropped;
        left -= dropped;
        changes.push(Shrink {
            place,
            size: set.desired,
            is_unhealthy: true,
        });
    }
    (changes, false)
}

/// Takes away available pods as long as there are more than needed.
fn drop_healthy(old: &[Counts], spare: i32) -> Vec<Shrink> {
    let mut changes = Vec::new();
    let mut left = spare;
    for (place, set) in old.iter().enumerate() {
        if left <= 0 {
            break;
        }
        let dropped = left.min(set.desired);
        if dropped > 0 {
            left -= dropped;
            changes.push(Shrink {
                place,
                size: set.desired - dropped,
                is_unhealthy: false,
            });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(surge: i32, unavailable: i32) -> Fenceposts {
        Fenceposts { surge, unavailable }
    }

    fn counts(desired: i32, available: i32) -> Counts {
        Counts { desired, available }
    }

    #[test]
    fn the_new_set_grows_as_far_as_the_surge_allows() {
        for (replicas, surge, new, all, size) in [
            // Upstream: TestNewRSNewReplicas, TestDeploymentController_reconcileNewReplicaSet.
            (1, 1, 0, 0, 1),
            (10, 0, 0, 10, 0),
            (10, 2, 0, 10, 2),
            (10, 2, 0, 5, 7),
            (10, 2, 5, 15, 5),
            (10, 0, 12, 12, 10),
            // The worked example of ten replicas.
            (10, 3, 0, 10, 3),
            (10, 3, 3, 11, 5),
            (10, 3, 5, 12, 6),
            (10, 3, 8, 11, 10),
        ] {
            let actual = new_size(replicas, bounds(surge, 0), new, all);
            assert_eq!(actual, size, "{replicas} {surge} {new} {all}");
        }
    }

    /// The sizes of the old sets after the changes.
    fn shrunk(replicas: i32, max: Fenceposts, new: Counts, old: &[Counts]) -> Vec<i32> {
        let mut sizes: Vec<i32> = old.iter().map(|set| set.desired).collect();
        for change in shrink_old(replicas, max, new, old) {
            sizes[change.place] = change.size;
        }
        sizes
    }

    #[test]
    fn old_sets_shrink_as_far_as_availability_allows() {
        for (replicas, unavailable, new, old, sizes) in [
            // Upstream: TestDeploymentController_reconcileOldReplicaSets.
            (10, 0, counts(0, 0), vec![counts(10, 10)], vec![10]),
            (10, 2, counts(0, 0), vec![counts(10, 10)], vec![8]),
            (10, 2, counts(0, 0), vec![counts(10, 8)], vec![8]),
            (10, 2, counts(0, 0), vec![counts(10, 9)], vec![8]),
            (10, 2, counts(2, 2), vec![counts(8, 8)], vec![6]),
            (10, 2, counts(1, 0), vec![counts(10, 8)], vec![8]),
            (10, 2, counts(1, 0), vec![counts(8, 8)], vec![8]),
            // The worked example of ten replicas.
            (10, 2, counts(3, 0), vec![counts(10, 10)], vec![8]),
            (10, 2, counts(5, 1), vec![counts(8, 8)], vec![7]),
            (10, 2, counts(6, 3), vec![counts(7, 7)], vec![5]),
            (10, 2, counts(10, 8), vec![counts(3, 3)], vec![0]),
            // Several old sets: the oldest goes first.
            (
                10,
                0,
                counts(10, 7),
                vec![counts(3, 3), counts(3, 3)],
                vec![0, 3],
            ),
            (
                10,
                0,
                counts(10, 9),
                vec![counts(2, 2), counts(2, 2)],
                vec![0, 1],
            ),
            // Pods that never became available cost nothing.
            (3, 0, counts(3, 3), vec![counts(1, 0)], vec![0]),
            (
                3,
                0,
                counts(1, 0),
                vec![counts(3, 3), counts(1, 0)],
                vec![3, 0],
            ),
        ] {
            let actual = shrunk(replicas, bounds(0, unavailable), new, &old);
            assert_eq!(actual, sizes, "{replicas} {unavailable} {new:?} {old:?}");
        }
    }

    #[test]
    fn a_set_whose_controller_lags_behind_is_waited_for() {
        let lagging = counts(2, 3);
        let changes = shrink_old(3, bounds(1, 1), counts(2, 1), &[lagging]);
        assert_eq!(changes, []);
    }

    #[test]
    fn one_set_may_lose_unhealthy_and_healthy_pods_in_one_go() {
        let changes = shrink_old(10, bounds(0, 5), counts(0, 0), &[counts(10, 8)]);
        let steps: Vec<_> = changes
            .iter()
            .map(|change| (change.place, change.size, change.is_unhealthy))
            .collect();
        assert_eq!(steps, [(0, 8, true), (0, 5, false)]);
    }
}
