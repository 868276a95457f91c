//! What becomes of an object, given how its owners and its dependents stand.
//!
//! Source: `pkg/controller/garbagecollector/garbagecollector.go`, `attemptToDeleteItem` and
//! `attemptToOrphanWorker`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::PropagationPolicy;

pub(super) const ORPHAN: &str = "orphan";
pub(super) const FOREGROUND: &str = "foregroundDeletion";

/// How an owner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is there and stays, or goes for reasons of its own.
    Solid,
    /// It is not there, or another object has its name.
    Absent,
    /// It waits for its dependents to go first.
    Waiting,
    /// Nobody can say: its kind is not served, or a cluster-scoped object names an owner in a
    /// namespace.
    Unknown,
}

/// What is to be done with an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Nothing,
    /// Free the dependents of their reference to it, then let it go.
    Orphan,
    /// Let it go: no dependent blocks it any longer.
    Finish,
    /// Keep it, without its references to owners of these uids.
    Release(Vec<String>),
    /// Delete it.
    Delete {
        policy: PropagationPolicy,
        /// Its references must first cease to block its owners: one of its own dependents waits
        /// too, and would wait for ever in a circle.
        unblock: bool,
    },
}

/// Decides about an object. `owners` are its owner references with their standing, `dependents`
/// the metadata of those that name it as an owner.
pub(super) fn decide(
    object: &ObjectMeta,
    owners: &[(OwnerReference, Standing)],
    dependents: &[ObjectMeta],
) -> Step {
    if is_orphaning(object) {
        return Step::Orphan;
    }
    if is_waiting(object) {
        return if dependents.iter().any(|dependent| blocks(dependent, object)) {
            Step::Nothing
        } else {
            Step::Finish
        };
    }
    let of = |wanted: Standing| {
        owners
            .iter()
            .filter(move |(_, standing)| *standing == wanted)
    };
    let is_going = object.deletion_timestamp.is_some();
    if is_going || owners.is_empty() || of(Standing::Unknown).next().is_some() {
        return Step::Nothing;
    }
    if of(Standing::Solid).next().is_some() {
        let gone: Vec<String> = of(Standing::Absent)
            .chain(of(Standing::Waiting))
            .map(|(owner, _)| owner.uid.clone())
            .collect();
        return if gone.is_empty() {
            Step::Nothing
        } else {
            Step::Release(gone)
        };
    }
    if of(Standing::Waiting).next().is_some() && !dependents.is_empty() {
        return Step::Delete {
            policy: PropagationPolicy::Foreground,
            unblock: dependents.iter().any(is_waiting),
        };
    }
    Step::Delete {
        policy: if has_finalizer(object, ORPHAN) {
            PropagationPolicy::Orphan
        } else if has_finalizer(object, FOREGROUND) {
            PropagationPolicy::Foreground
        } else {
            PropagationPolicy::Background
        },
        unblock: false,
    }
}

/// Whether a decision about an object takes its dependents into account.
pub(super) fn needs_dependents(object: &ObjectMeta, owners: &[(OwnerReference, Standing)]) -> bool {
    object.deletion_timestamp.is_some()
        || owners
            .iter()
            .any(|(_, standing)| *standing == Standing::Waiting)
}

/// How an owner stands that was found under the name of a reference.
pub(super) fn standing(reference: &OwnerReference, found: Option<&ObjectMeta>) -> Standing {
    match found {
        Some(owner) if owner.uid.as_ref() == Some(&reference.uid) => {
            if is_waiting(owner) {
                Standing::Waiting
            } else {
                Standing::Solid
            }
        }
        _ => Standing::Absent,
    }
}

/// Whether an object goes as soon as its dependents have been set free.
pub(super) fn is_orphaning(object: &ObjectMeta) -> bool {
    object.deletion_timestamp.is_some() && has_finalizer(object, ORPHAN)
}

/// Whether an object goes as soon as its dependents have gone.
pub(super) fn is_waiting(object: &ObjectMeta) -> bool {
    object.deletion_timestamp.is_some() && has_finalizer(object, FOREGROUND)
}

/// Whether a dependent keeps its owner from going.
fn blocks(dependent: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let references = dependent.owner_references.iter().flatten();
    references
        .filter(|reference| Some(&reference.uid) == owner.uid.as_ref())
        .any(|reference| reference.block_owner_deletion == Some(true))
}

fn has_finalizer(object: &ObjectMeta, wanted: &str) -> bool {
    let finalizers = object.finalizers.iter().flatten();
    finalizers.into_iter().any(|finalizer| finalizer == wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::Standing::{Absent, Solid, Unknown, Waiting};
    use super::*;

    fn mk_object(uid: &str, is_going: bool, finalizers: &[&str]) -> ObjectMeta {
        let deleted = is_going.then_some("2026-01-01T00:00:00Z");
        let object = json!({"uid": uid, "deletionTimestamp": deleted, "finalizers": finalizers});
        from_value(object).unwrap()
    }

    fn mk_reference(uid: &str, blocks: Value) -> OwnerReference {
        from_value(json!({
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": uid,
            "uid": uid,
            "blockOwnerDeletion": blocks,
        }))
        .unwrap()
    }

    fn mk_dependent(blocks: Value, is_waiting: bool) -> ObjectMeta {
        let mut dependent = mk_object("dependent", is_waiting, &[FOREGROUND]);
        dependent.owner_references = Some(vec![mk_reference("object", blocks)]);
        dependent
    }

    fn delete(policy: PropagationPolicy) -> Step {
        Step::Delete {
            policy,
            unblock: false,
        }
    }

    #[test]
    fn an_object_stays_as_long_as_one_owner_stays() {
        let release = |uids: &[&str]| Step::Release(uids.iter().map(ToString::to_string).collect());
        let background = || delete(PropagationPolicy::Background);
        for (owners, expected) in [
            (vec![], Step::Nothing),
            (vec![Solid], Step::Nothing),
            (vec![Solid, Solid], Step::Nothing),
            (vec![Solid, Absent], release(&["1"])),
            (vec![Waiting, Solid, Absent], release(&["2", "0"])),
            (vec![Absent], background()),
            (vec![Absent, Absent], background()),
            (vec![Waiting], background()),
            (vec![Waiting, Absent], background()),
            (vec![Unknown, Absent], Step::Nothing),
        ] {
            let owners: Vec<_> = owners
                .into_iter()
                .enumerate()
                .map(|(index, standing)| (mk_reference(&index.to_string(), json!(true)), standing))
                .collect();
            let step = decide(&mk_object("object", false, &[]), &owners, &[]);
            assert_eq!(step, expected, "{owners:?}");
        }
    }

    #[test]
    fn an_object_of_a_waiting_owner_waits_for_its_own_dependents() {
        let object = mk_object("object", false, &[]);
        let owners = [(mk_reference("owner", json!(true)), Waiting)];
        let foreground = |unblock| Step::Delete {
            policy: PropagationPolicy::Foreground,
            unblock,
        };
        let dependent = mk_dependent(json!(true), false);
        assert_eq!(decide(&object, &owners, &[dependent]), foreground(false));
        let circle = mk_dependent(json!(true), true);
        assert_eq!(decide(&object, &owners, &[circle]), foreground(true));
    }

    #[test]
    fn finalizers_of_an_object_without_owners_say_how_it_goes() {
        let owners = [(mk_reference("owner", json!(true)), Absent)];
        for (finalizers, policy) in [
            (vec![], PropagationPolicy::Background),
            (vec!["lab/hold"], PropagationPolicy::Background),
            (vec![FOREGROUND], PropagationPolicy::Foreground),
            (vec![FOREGROUND, ORPHAN], PropagationPolicy::Orphan),
        ] {
            let object = mk_object("object", false, &finalizers);
            assert_eq!(
                decide(&object, &owners, &[]),
                delete(policy),
                "{finalizers:?}"
            );
        }
    }

    #[test]
    fn an_object_that_goes_is_finished_when_nothing_blocks_it() {
        let absent = [(mk_reference("owner", json!(true)), Absent)];
        let blocking = || vec![mk_dependent(json!(true), false)];
        for (finalizers, dependents, expected) in [
            (vec![], vec![], Step::Nothing),
            (vec!["lab/hold"], blocking(), Step::Nothing),
            (vec![FOREGROUND], vec![], Step::Finish),
            (
                vec![FOREGROUND],
                vec![mk_dependent(json!(null), false)],
                Step::Finish,
            ),
            (
                vec![FOREGROUND],
                vec![mk_dependent(json!(false), false)],
                Step::Finish,
            ),
            (vec![FOREGROUND], blocking(), Step::Nothing),
            (vec![ORPHAN], blocking(), Step::Orphan),
            (vec![FOREGROUND, ORPHAN], blocking(), Step::Orphan),
        ] {
            let object = mk_object("object", true, &finalizers);
            assert_eq!(
                decide(&object, &absent, &dependents),
                expected,
                "{finalizers:?}"
            );
        }
    }

    #[test]
    fn an_owner_is_known_by_its_uid() {
        let reference = mk_reference("owner", json!(true));
        for (found, expected) in [
            (None, Absent),
            (Some(mk_object("another", false, &[])), Absent),
            (Some(mk_object("owner", false, &[])), Solid),
            (Some(mk_object("owner", true, &["lab/hold"])), Solid),
            (Some(mk_object("owner", false, &[FOREGROUND])), Solid),
            (Some(mk_object("owner", true, &[FOREGROUND])), Waiting),
        ] {
            assert_eq!(standing(&reference, found.as_ref()), expected, "{found:?}");
        }
    }
}
