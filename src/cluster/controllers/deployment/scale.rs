//! Scaling a `Deployment` that has pods of several versions: every version gets its share.
//!
//! Worked example: 10 replicas with a surge of 3 are stuck with 8 old pods and 5 new ones, each
//! noted as a part of 13. Scaled to 15, up to 18 pods may be there: 8 × 18 / 13 is 11, 5 × 18 / 13
//! is 7, and 11 + 7 are the 18. What rounding leaves over goes to the largest.
//!
//! Source: `pkg/controller/deployment/sync.go`, `scale`;
//! `pkg/controller/deployment/util/deployment_util.go`, `GetReplicaSetProportion`.

/// What scaling knows of a `ReplicaSet`. They come oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Member {
    pub(super) is_new: bool,
    pub(super) desired: i32,
    pub(super) available: i32,
    /// What the deployment wanted when it last sized the set.
    pub(super) noted_desired: Option<i32>,
    /// What the deployment would have allowed then.
    pub(super) noted_max: Option<i32>,
}

/// What scaling knows of the `Deployment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) replicas: i32,
    pub(super) surge: i32,
    pub(super) rolls: bool,
    /// The pods that its status counts.
    pub(super) actual: i32,
}

/// A `ReplicaSet`, by its place, and the size that it gets; it may be the one that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resize {
    pub(super) place: usize,
    pub(super) size: i32,
}

/// Whether the deployment was scaled since a `ReplicaSet` with pods was last sized.
pub(super) fn is_due(wanted: i32, members: &[Member]) -> bool {
    active(members).any(|(_, member)| member.noted_desired.is_some_and(|noted| noted != wanted))
}

/// The sizes that the `ReplicaSet`s get, in the order in which they get them.
pub(super) fn plan(wanted: Wanted, members: &[Member]) -> Vec<Resize> {
    if let Some(place) = only_active_or_newest(members) {
        let size = wanted.replicas;
        return if members[place].desired == size {
            Vec::new()
        } else {
            vec![Resize { place, size }]
        };
    }
    if members.iter().any(|member| is_saturated(wanted, member)) {
        return active(members)
            .filter(|(_, member)| !member.is_new)
            .map(|(place, _)| Resize { place, size: 0 })
            .collect();
    }
    if wanted.rolls {
        proportional(wanted, members)
    } else {
        Vec::new()
    }
}

fn active(members: &[Member]) -> impl Iterator<Item = (usize, &Member)> {
    members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.desired > 0)
}

/// The place of the only set with pods; where none has any, that of the new one or else of the
/// newest; `None` where several have.
fn only_active_or_newest(members: &[Member]) -> Option<usize> {
    let mut active = active(members);
    match (active.next(), active.next()) {
        (Some((place, _)), None) => Some(place),
        (Some(_), Some(_)) => None,
        (None, _) => members
            .iter()
            .position(|member| member.is_new)
            .or(members.len().checked_sub(1)),
    }
}

/// Whether the new set has all the pods that the deployment wants, available.
fn is_saturated(wanted: Wanted, member: &Member) -> bool {
    member.is_new
        && member.noted_desired == Some(wanted.replicas)
        && member.desired == wanted.replicas
        && member.available == wanted.replicas
}

fn proportional(wanted: Wanted, members: &[Member]) -> Vec<Resize> {
    let total: i32 = members.iter().map(|member| member.desired).sum();
    let allowed = if wanted.replicas > 0 {
        wanted.replicas + wanted.surge
    } else {
        0
    };
    let to_add = allowed - total;
    let mut order: Vec<usize> = active(members).map(|(place, _)| place).collect();
    if to_add > 0 {
        // The largest first; among equals the newest.
        order.sort_by_key(|place| (-members[*place].desired, usize::MAX - place));
    } else if to_add < 0 {
        order.sort_by_key(|place| (-members[*place].desired, *place));
    }
    let mut added = 0;
    let mut sizes: Vec<Resize> = order
        .into_iter()
        .map(|place| {
            let share = share(wanted, &members[place], to_add, added);
            added += share;
            Resize {
                place,
                size: members[place].desired + share,
            }
        })
        .collect();
    if let Some(first) = sizes.first_mut() {
        first.size = (first.size + to_add - added).max(0);
    }
    sizes
}

/// What one set gets of what is to be added, or loses of what is to be taken away.
fn share(wanted: Wanted, member: &Member, to_add: i32, added: i32) -> i32 {
    let left = to_add - added;
    if left == 0 {
        0
    } else if to_add > 0 {
        fraction(wanted, member).min(left)
    } else {
        fraction(wanted, member).max(left)
    }
}

/// The change that keeps a set's part of the whole, rounded half up.
fn fraction(wanted: Wanted, member: &Member) -> i32 {
    if wanted.replicas == 0 {
        return -member.desired;
    }
    let before = match member.noted_max {
        Some(noted) if noted != 0 => noted,
        _ => wanted.actual,
    };
    if before == 0 {
        return 0;
    }
    let (before, after) = (i64::from(before), i64::from(wanted.replicas + wanted.surge));
    let size = (2 * i64::from(member.desired) * after + before).div_euclid(2 * before);
    i32::try_from(size).unwrap_or(i32::MAX) - member.desired
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(replicas: i32, surge: i32) -> Wanted {
        Wanted {
            replicas,
            surge,
            rolls: true,
            actual: 0,
        }
    }

    fn member(desired: i32, noted_max: i32) -> Member {
        Member {
            desired,
            noted_max: Some(noted_max),
            ..Member::default()
        }
    }

    fn new(member: Member) -> Member {
        Member {
            is_new: true,
            ..member
        }
    }

    /// The sizes after a plan, in the order of the members.
    fn sizes(wanted: Wanted, members: &[Member]) -> Vec<i32> {
        let mut sizes: Vec<i32> = members.iter().map(|member| member.desired).collect();
        for resize in plan(wanted, members) {
            sizes[resize.place] = resize.size;
        }
        sizes
    }

    #[test]
    fn several_versions_are_scaled_in_proportion() {
        for (wanted, members, expected) in [
            // Recorded: a stuck rollout of ten, scaled to 15, to 5 and to 0.
            (
                wanted(15, 3),
                vec![member(8, 13), new(member(5, 13))],
                vec![11, 7],
            ),
            (
                wanted(5, 3),
                vec![member(11, 18), new(member(7, 18))],
                vec![5, 3],
            ),
            (
                wanted(0, 3),
                vec![member(5, 8), new(member(3, 8))],
                vec![0, 0],
            ),
            // Upstream's conformance test, and its integration test.
            (
                wanted(30, 3),
                vec![member(8, 13), new(member(5, 13))],
                vec![20, 13],
            ),
            (
                wanted(120, 20),
                vec![member(100, 120), new(member(20, 120))],
                vec![117, 23],
            ),
            // By hand.
            (
                wanted(10, 0),
                vec![member(5, 10), new(member(5, 10))],
                vec![5, 5],
            ),
            (
                wanted(12, 0),
                vec![member(5, 10), new(member(5, 10))],
                vec![6, 6],
            ),
            (
                wanted(8, 0),
                vec![member(5, 10), new(member(5, 10))],
                vec![4, 4],
            ),
            (
                wanted(20, 0),
                vec![member(3, 10), member(2, 10), new(member(5, 10))],
                vec![6, 4, 10],
            ),
            (
                wanted(5, 0),
                vec![member(8, 10), new(member(2, 10))],
                vec![4, 1],
            ),
            (
                wanted(20, 0),
                vec![member(2, 8), member(3, 8), new(member(3, 8))],
                vec![4, 8, 8],
            ),
        ] {
            assert_eq!(sizes(wanted, &members), expected, "{wanted:?} {members:?}");
        }
    }

    #[test]
    fn a_share_without_a_note_is_of_what_the_status_counts() {
        let unnoted = |desired| Member {
            desired,
            ..Member::default()
        };
        let members = [unnoted(8), new(unnoted(2))];
        let mut wanted = wanted(20, 0);
        wanted.actual = 10;
        assert_eq!(sizes(wanted, &members), [16, 4]);
        wanted.actual = 0;
        assert_eq!(sizes(wanted, &members), [18, 2], "the largest gets it all");
    }

    #[test]
    fn every_set_of_a_proportional_plan_is_named_to_refresh_its_notes() {
        // Noted for another whole, but of the right size already.
        let members = [member(5, 8), new(member(5, 12))];
        assert_eq!(plan(wanted(10, 0), &members).len(), 2);
        assert_eq!(sizes(wanted(10, 0), &members), [5, 5]);
    }

    #[test]
    fn the_only_set_with_pods_is_scaled_alone() {
        assert_eq!(
            sizes(wanted(5, 1), &[member(3, 4), new(member(0, 4))]),
            [5, 0]
        );
        assert_eq!(
            sizes(wanted(5, 1), &[new(member(0, 4)), member(0, 4)]),
            [5, 0]
        );
        assert_eq!(sizes(wanted(5, 1), &[member(0, 4), member(0, 4)]), [0, 5]);
        assert_eq!(plan(wanted(3, 1), &[member(3, 4)]), []);
        assert_eq!(plan(wanted(3, 1), &[]), []);
    }

    #[test]
    fn a_saturated_new_set_ends_the_old_ones() {
        let saturated = Member {
            available: 10,
            noted_desired: Some(10),
            ..new(member(10, 12))
        };
        assert_eq!(sizes(wanted(10, 2), &[member(2, 12), saturated]), [0, 10]);
    }

    #[test]
    fn only_a_set_with_pods_and_another_note_calls_for_scaling() {
        let noted = |desired, noted_desired| Member {
            desired,
            noted_desired,
            ..Member::default()
        };
        assert!(is_due(5, &[noted(3, Some(3))]));
        assert!(!is_due(
            5,
            &[noted(3, Some(5)), noted(0, Some(3)), noted(2, None)]
        ));
    }
}
