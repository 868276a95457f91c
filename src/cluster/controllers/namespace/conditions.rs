//! What the conditions of a namespace say about the deletion of its content.
//!
//! Source: `pkg/controller/namespace/deletion/status_condition_utils.go`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::NamespaceCondition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// What is still there after an attempt to delete everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Remains {
    /// How many objects of each resource, by `PLURAL.GROUP`.
    pub(super) resources: BTreeMap<String, usize>,
    /// How many objects each finalizer holds.
    pub(super) finalizers: BTreeMap<String, usize>,
    /// Why some deletions failed.
    pub(super) failures: Vec<String>,
}

/// One condition: its type, and what it says when all is well. `True` means a problem.
struct Rule {
    kind: &'static str,
    reason: &'static str,
    message: &'static str,
    /// The reason and the message of the problem, if there is one.
    problem: fn(&Remains) -> Option<(&'static str, String)>,
}

/// The first two are about resources that some other server serves; there is none here.
const RULES: [Rule; 5] = [
    Rule {
        kind: "NamespaceDeletionDiscoveryFailure",
        reason: "ResourcesDiscovered",
        message: "All resources successfully discovered",
        problem: |_| None,
    },
    Rule {
        kind: "NamespaceDeletionGroupVersionParsingFailure",
        reason: "ParsedGroupVersions",
        message: "All legacy kube types successfully parsed",
        problem: |_| None,
    },
    Rule {
        kind: "NamespaceDeletionContentFailure",
        reason: "ContentDeleted",
        message: "All content successfully deleted, may be waiting on finalization",
        problem: |remains| {
            let mut failures = remains.failures.clone();
            failures.sort();
            let message = format!(
                "Failed to delete all resource types, {} remaining: {}",
                failures.len(),
                failures.join(", ")
            );
            (!failures.is_empty()).then_some(("ContentDeletionFailed", message))
        },
    },
    Rule {
        kind: "NamespaceContentRemaining",
        reason: "ContentRemoved",
        message: "All content successfully removed",
        problem: |remains| {
            let list = list(&remains.resources, "has");
            let message = format!("Some resources are remaining: {}", list?);
            Some(("SomeResourcesRemain", message))
        },
    },
    Rule {
        kind: "NamespaceFinalizersRemaining",
        reason: "ContentHasNoFinalizers",
        message: "All content-preserving finalizers finished",
        problem: |remains| {
            let list = list(&remains.finalizers, "in");
            let message = format!(
                "Some content in the namespace has finalizers remaining: {}",
                list?
            );
            Some(("SomeFinalizersRemain", message))
        },
    },
];

/// `pods. has 1 resource instances, services. has 2 resource instances`; `None` for nothing.
fn list(counts: &BTreeMap<String, usize>, verb: &str) -> Option<String> {
    let items: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{what} {verb} {count} resource instances"))
        .collect();
    (!items.is_empty()).then(|| items.join(", "))
}

/// The conditions after an attempt; `None` when they say it all already. A condition that keeps
/// its status keeps the time of its last transition.
pub(super) fn update(
    current: &[NamespaceCondition],
    remains: &Remains,
    now: &Time,
) -> Option<Vec<NamespaceCondition>> {
    let mut conditions = current.to_vec();
    for rule in &RULES {
        let (status, (reason, message)) = match (rule.problem)(remains) {
            Some(problem) => ("True", problem),
            None => ("False", (rule.reason, rule.message.to_owned())),
        };
        let mut new = NamespaceCondition {
            type_: rule.kind.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message),
            last_transition_time: Some(now.clone()),
        };
        match conditions.iter_mut().find(|old| old.type_ == rule.kind) {
            Some(old) => {
                if old.status == new.status {
                    new.last_transition_time
                        .clone_from(&old.last_transition_time);
                }
                *old = new;
            }
            None => conditions.push(new),
        }
    }
    (conditions != current).then_some(conditions)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn at(second: u32) -> Time {
        from_value(json!(format!("2026-01-01T00:00:{second:02}Z"))).unwrap()
    }

    fn told(conditions: &[NamespaceCondition]) -> Vec<(&str, &str, &str)> {
        conditions
            .iter()
            .map(|condition| {
                (
                    condition.status.as_str(),
                    condition.reason.as_deref().unwrap(),
                    condition.message.as_deref().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn every_condition_is_told_in_the_words_of_kubernetes() {
        let clean = update(&[], &Remains::default(), &at(0)).unwrap();
        assert_eq!(
            told(&clean),
            [
                (
                    "False",
                    "ResourcesDiscovered",
                    "All resources successfully discovered"
                ),
                (
                    "False",
                    "ParsedGroupVersions",
                    "All legacy kube types successfully parsed"
                ),
                (
                    "False",
                    "ContentDeleted",
                    "All content successfully deleted, may be waiting on finalization"
                ),
                (
                    "False",
                    "ContentRemoved",
                    "All content successfully removed"
                ),
                (
                    "False",
                    "ContentHasNoFinalizers",
                    "All content-preserving finalizers finished"
                ),
            ]
        );
        let remains = Remains {
            resources: [("pods.".to_owned(), 1), ("deployments.apps".to_owned(), 2)].into(),
            finalizers: [("x/y".to_owned(), 1)].into(),
            failures: vec!["second".to_owned(), "first".to_owned()],
        };
        let held = update(&[], &remains, &at(0)).unwrap();
        assert_eq!(
            told(&held)[2..],
            [
                (
                    "True",
                    "ContentDeletionFailed",
                    "Failed to delete all resource types, 2 remaining: first, second"
                ),
                (
                    "True",
                    "SomeResourcesRemain",
                    "Some resources are remaining: deployments.apps has 2 resource instances, \
                     pods. has 1 resource instances"
                ),
                (
                    "True",
                    "SomeFinalizersRemain",
                    "Some content in the namespace has finalizers remaining: x/y in 1 resource \
                     instances"
                ),
            ]
        );
    }

    #[test]
    fn only_news_is_written_and_only_a_new_status_is_a_transition() {
        let remains = |count| Remains {
            resources: [("pods.".to_owned(), count)].into(),
            ..Remains::default()
        };
        let first = update(&[], &remains(2), &at(1)).unwrap();
        assert_eq!(update(&first, &remains(2), &at(2)), None);
        let fewer = update(&first, &remains(1), &at(3)).unwrap();
        assert_eq!(fewer[3].last_transition_time, Some(at(1)), "still True");
        let none = update(&fewer, &Remains::default(), &at(4)).unwrap();
        assert_eq!(none[3].last_transition_time, Some(at(4)), "now False");
        assert_eq!(none[4].last_transition_time, Some(at(1)));
    }
}
