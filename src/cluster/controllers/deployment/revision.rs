//! Revisions, and the other annotations that a `ReplicaSet` gets from its `Deployment`.
//!
//! Source: `pkg/controller/deployment/util/deployment_util.go`, `SetNewReplicaSetAnnotations`.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::{Resource, ResourceExt};

/// The number of a version, on a `ReplicaSet` and on the `Deployment` that runs it.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// The numbers that a `ReplicaSet` had before it was rolled back to.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// The pods that the `Deployment` wanted when it last sized the `ReplicaSet`.
const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
/// The same with the surge.
const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations of a `Deployment` that its `ReplicaSet`s do not get.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];
/// Characters of the revision history that are kept.
const HISTORY_LIMIT: usize = 2000;

type Annotations = BTreeMap<String, String>;

/// The revision of an object; `None` where it has none or one that is no number.
pub(super) fn of<K: Resource>(object: &K) -> Option<i64> {
    number(object, REVISION)
}

/// The pods that the deployment wanted when it last sized the set.
pub(super) fn desired_replicas(set: &ReplicaSet) -> Option<i32> {
    number(set, DESIRED_REPLICAS)
}

/// The pods that the deployment would have allowed then.
pub(super) fn max_replicas(set: &ReplicaSet) -> Option<i32> {
    number(set, MAX_REPLICAS)
}

fn number<K: Resource, N: std::str::FromStr>(object: &K, key: &str) -> Option<N> {
    object.annotations().get(key)?.parse().ok()
}

/// The revision of the newest version, given all older ones.
pub(super) fn next<'a>(old: impl IntoIterator<Item = &'a ReplicaSet>) -> i64 {
    let newest = old.into_iter().filter_map(of).max();
    newest.unwrap_or_default().max(0).saturating_add(1)
}

/// Copies the deployment's annotations to the `ReplicaSet` that runs its template and raises the
/// revision there, never lowers it. Returns whether anything changed.
///
/// Worked example: three versions with revisions 1, 2, 3; undoing to the first makes its revision
/// 4, and its history `1`. Undone again later it might be 6, with the history `1,4`.
pub(super) fn annotate_new(
    deployment: &Annotations,
    set: &mut Annotations,
    new_revision: i64,
) -> bool {
    let before = set.clone();
    let copied = deployment
        .iter()
        .filter(|(key, _)| !NOT_COPIED.contains(&key.as_str()));
    set.extend(copied.map(|(key, value)| (key.clone(), value.clone())));
    let old = set.get(REVISION).cloned();
    let old_revision = match old.as_deref() {
        None | Some("") => 0,
        Some(text) => {
            let Ok(revision) = text.parse() else {
                *set = before;
                return false;
            };
            revision
        }
    };
    if old_revision < new_revision {
        set.insert(REVISION.to_owned(), new_revision.to_string());
        if let Some(old) = old {
            append_history(set, &old);
        }
    }
    *set != before
}

/// Appends a revision, dropping the oldest where there are too many; one that is too long for
/// itself is not kept.
fn append_history(set: &mut Annotations, revision: &str) {
    let history = set.get(REVISION_HISTORY).cloned().unwrap_or_default();
    let mut kept = history.as_str();
    while !kept.is_empty() && kept.len() + 1 + revision.len() > HISTORY_LIMIT {
        kept = kept.split_once(',').map_or("", |(_, rest)| rest);
    }
    let appended = match kept {
        "" if history.is_empty() || revision.len() <= HISTORY_LIMIT => revision.to_owned(),
        "" => return,
        kept => format!("{kept},{revision}"),
    };
    set.insert(REVISION_HISTORY.to_owned(), appended);
}

/// Notes what the deployment wanted when it sized a set. Returns whether anything changed.
pub(super) fn annotate_sizes(set: &mut Annotations, desired: i32, max: i32) -> bool {
    let mut note = |key: &str, number: i32| {
        let text = number.to_string();
        set.insert(key.to_owned(), text.clone()) != Some(text)
    };
    let desired_changed = note(DESIRED_REPLICAS, desired);
    let max_changed = note(MAX_REPLICAS, max);
    desired_changed || max_changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(pairs: &[(&str, &str)]) -> Annotations {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[track_caller]
    fn assert_annotated(before: &[(&str, &str)], revision: i64, after: &[(&str, &str)]) {
        let mut set = annotations(before);
        let changed = annotate_new(&Annotations::new(), &mut set, revision);
        assert_eq!(set, annotations(after));
        assert_eq!(changed, before != after);
    }

    #[test]
    fn a_revision_is_raised_and_the_old_one_remembered() {
        assert_annotated(&[], 1, &[(REVISION, "1")]);
        assert_annotated(&[(REVISION, "1")], 1, &[(REVISION, "1")]);
        assert_annotated(&[(REVISION, "5")], 3, &[(REVISION, "5")]);
        assert_annotated(
            &[(REVISION, "1")],
            4,
            &[(REVISION, "4"), (REVISION_HISTORY, "1")],
        );
        assert_annotated(
            &[(REVISION, "4"), (REVISION_HISTORY, "1")],
            6,
            &[(REVISION, "6"), (REVISION_HISTORY, "1,4")],
        );
        assert_annotated(&[(REVISION, "first")], 2, &[(REVISION, "first")]);
    }

    #[test]
    fn the_oldest_history_is_dropped_where_it_grows_too_long() {
        let long = format!("1,2,{}", "3".repeat(1992));
        let mut set = annotations(&[(REVISION, "100000"), (REVISION_HISTORY, &long)]);
        annotate_new(&Annotations::new(), &mut set, 100_001);
        let kept = format!("{},100000", "3".repeat(1992));
        assert_eq!(set[REVISION_HISTORY], kept);
    }

    #[test]
    fn other_annotations_are_copied_and_never_removed() {
        let deployment = annotations(&[
            ("kubernetes.io/change-cause", "image updated"),
            ("kubectl.kubernetes.io/last-applied-configuration", "{}"),
            (REVISION, "9"),
        ]);
        let mut set = annotations(&[("kept", "x"), (REVISION, "1")]);
        assert!(annotate_new(&deployment, &mut set, 1));
        let expected = annotations(&[
            ("kubernetes.io/change-cause", "image updated"),
            ("kept", "x"),
            (REVISION, "1"),
        ]);
        assert_eq!(set, expected);
        assert!(!annotate_new(&deployment, &mut set, 1));
    }

    #[test]
    fn the_next_revision_follows_the_largest_of_the_old_ones() {
        let mk_set = |revision: &str| {
            let mut set = ReplicaSet::default();
            set.metadata.annotations = Some(annotations(&[(REVISION, revision)]));
            set
        };
        assert_eq!(next([]), 1);
        assert_eq!(next(&[mk_set("2"), mk_set("7"), mk_set("x")]), 8);
        assert_eq!(
            next(&[mk_set("3546343826724305832")]),
            3_546_343_826_724_305_833
        );
    }

    #[test]
    fn sizes_are_noted_where_they_differ() {
        let mut set = Annotations::new();
        assert!(annotate_sizes(&mut set, 10, 13));
        assert!(!annotate_sizes(&mut set, 10, 13));
        assert!(annotate_sizes(&mut set, 10, 12));
        assert_eq!(
            set,
            annotations(&[(DESIRED_REPLICAS, "10"), (MAX_REPLICAS, "12")])
        );
    }
}
