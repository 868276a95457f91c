//! What holds across criteria, whatever the history.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::scene::check::slip;
use super::scene::story::{UNDO, UPDATE, UPDATED, answering, deployed, removed, undone, updated};
use super::scene::{
    DEPLOYMENT, INTERVAL, NAMESPACE, NODE_PORT, Scene, answered, asked, at, failed, gap,
    judge_records, pod, replicaset, warning,
};
use super::{Status, Verdict, judge_all};
use crate::history::criterion::{Bar, Criterion};
use crate::history::record::{FailureClass, Unreachable};
use crate::history::{Entry, Record};

/// Enough to meet each criterion on each story some times.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn criteria() -> Vec<Criterion> {
    let deployment = || DEPLOYMENT.to_owned();
    let only = |service: &str, version: &str| Criterion::OnlyAnswers {
        service: service.to_owned(),
        version: version.to_owned(),
        deployment: deployment(),
    };
    let availability = |bar| Criterion::Availability {
        bar,
        deployment: deployment(),
    };
    vec![
        only("user-service", "1.0.0"),
        only("payment-service", "2.0.0"),
        Criterion::PodStates {
            deployment: deployment(),
        },
        Criterion::BothAnswered {
            deployment: deployment(),
        },
        Criterion::SingleActiveReplicaSet {
            deployment: deployment(),
        },
        Criterion::Envelope {
            deployment: deployment(),
            max_surge: 1,
            max_unavailable: 1,
        },
        Criterion::RolloutComplete {
            deployment: deployment(),
        },
        Criterion::UndoComplete {
            deployment: deployment(),
        },
        availability(Bar::Measured),
        availability(Bar::NoneFails),
        availability(Bar::SomeFail),
        Criterion::Clean {
            namespace: NAMESPACE.to_owned(),
            node_port: NODE_PORT,
        },
    ]
}

fn any_criterion() -> impl Strategy<Value = Criterion> {
    select(criteria())
}

fn any_story() -> impl Strategy<Value = Scene> {
    select(vec![
        deployed(),
        answering(),
        updated(),
        undone(),
        removed(),
    ])
}

/// Something that a story does not have.
fn any_surprise() -> impl Strategy<Value = Entry> {
    select(vec![
        gap("Pod"),
        pod("web-1-a", "CrashLoopBackOff"),
        pod("web-2-x", "Running"),
        replicaset(1, 1, [2, 1, 1]),
        replicaset(2, 2, [4, 0, 0]),
    ])
}

/// A story with some records lost, some requests failed, and some surprises.
fn any_history() -> impl Strategy<Value = Vec<Arc<Record>>> {
    let lost = prop::collection::vec(any::<Index>(), 0..6);
    let failures = prop::collection::vec((0_u64..10_000, 1_u64..400), 0..3);
    let surprises = prop::collection::vec((0_u64..10_000, any_surprise()), 0..3);
    (any_story(), lost, failures, surprises).prop_map(|(story, lost, failures, surprises)| {
        let story = failures.into_iter().fold(story, |story, (from, length)| {
            story.edit_requests(from, from + length, &failed(FailureClass::Reset))
        });
        let story = surprises
            .into_iter()
            .fold(story, |story, (ms, entry)| story.add(ms, entry));
        let mut records = story.records();
        for index in lost {
            records.remove(index.index(records.len()));
        }
        records
    })
}

fn judge_at_the_end(records: &[Arc<Record>], criterion: &Criterion) -> Verdict {
    let end = records.last().map(|record| record.at).unwrap_or_default();
    judge_records(criterion, end, records)
}

#[test]
fn nothing_passes_on_an_empty_history() {
    for criterion in criteria() {
        let status = Scene::default().judge(&criterion).status;
        assert_eq!(status, Status::Unknown, "{}", criterion.name());
    }
}

#[test]
fn a_stored_history_gets_the_verdicts_that_the_run_got() {
    let moments = [UPDATE - 500, UPDATE + 500, UPDATED + 500, 6500];
    let asking: Vec<(u64, Criterion)> = moments
        .into_iter()
        .flat_map(|ms| criteria().into_iter().map(move |criterion| (ms, criterion)))
        .collect();
    let then: Vec<Verdict> = asking
        .iter()
        .map(|(ms, criterion)| updated().judge_at(criterion, at(*ms)))
        .collect();
    let story = asking.iter().fold(updated(), |story, (ms, criterion)| {
        story.add(*ms, Entry::Asked(asked(criterion)))
    });
    assert_eq!(judge_all(&story.records()), then);
}

#[test]
fn nothing_is_judged_while_the_api_does_not_answer_and_all_is_once_it_does() {
    let story = updated();
    let end = story.end();
    let records = story.records();
    let is_change = |record: &&Arc<Record>| matches!(record.entry, Entry::Change(_));
    let last = records.iter().rfind(is_change).unwrap().entry.clone();
    for criterion in criteria() {
        let verdict = story.judge(&criterion);
        let blinded = updated().add(
            end.0 / 1000 + 1,
            Entry::Unreachable(Unreachable {
                why: "connection refused".to_owned(),
            }),
        );
        let blind = blinded.judge(&criterion);
        assert_eq!(blind.status, Status::Unknown, "{criterion:?}");
        assert!(blind.seen.en.contains("connection refused"), "{blind:?}");
        assert_eq!(slip(&blind.seen), None);
        // The same object in the same state, seen again.
        let found = blinded.add(end.0 / 1000 + 2, last.clone());
        assert_eq!(
            found.judge(&criterion).status,
            verdict.status,
            "{criterion:?}"
        );
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn judging_is_a_function_of_what_had_happened(
        records in any_history(),
        criterion in any_criterion(),
        cut in any::<Index>(),
    ) {
        let moment = records[cut.index(records.len())].at;
        let verdict = judge_records(&criterion, moment, &records);
        prop_assert_eq!(&judge_records(&criterion, moment, &records), &verdict);
        let before: Vec<Arc<Record>> = records
            .iter()
            .filter(|record| record.at <= moment)
            .cloned()
            .collect();
        prop_assert_eq!(&judge_records(&criterion, moment, &before), &verdict);
        let read: Vec<Arc<Record>> = records
            .iter()
            .map(|record| serde_json::to_string(&**record).unwrap())
            .map(|line| Arc::new(serde_json::from_str(&line).unwrap()))
            .collect();
        prop_assert_eq!(&judge_records(&criterion, moment, &read), &verdict);
    }

    #[test]
    fn a_verdict_is_whole(records in any_history(), criterion in any_criterion()) {
        let verdict = judge_at_the_end(&records, &criterion);
        for (name, figure) in &verdict.figures {
            prop_assert!(figure.is_finite() && *figure >= 0.0, "{} is {}", name, figure);
        }
        let said = verdict.evidence.iter().map(|evidence| &evidence.text);
        for phrase in said.chain([&verdict.wanted, &verdict.seen]) {
            prop_assert_eq!(slip(phrase), None);
        }
        prop_assert_eq!(verdict.object.is_some(), verdict.status == Status::Fail);
    }

    #[test]
    fn nothing_passes_before_it_is_done(criterion in any_criterion(), cut in any::<Index>()) {
        let (story, from, to) = match criterion {
            Criterion::UndoComplete { .. } => (undone(), 0, UNDO + 1019),
            Criterion::Clean { .. } => (removed(), 0, 3009),
            _ => (updated(), UPDATE + 8, UPDATED - 1),
        };
        let moment = at(from + cut.index(usize::try_from(to - from).unwrap()) as u64);
        let verdict = story.judge_at(&criterion, moment);
        prop_assert_ne!(verdict.status, Status::Pass, "at {}: {:?}", moment, verdict);
    }

    #[test]
    fn one_more_failure_never_saves_the_availability(
        failures in prop::collection::vec((0_u64..6000, 1_u64..400), 0..3),
        more in 1000_u64..5990,
        is_extra in any::<bool>(),
    ) {
        let reset = failed(FailureClass::Reset);
        let before = failures.into_iter().fold(updated(), |scene, (from, length)| {
            scene.edit_requests(from, from + length, &reset)
        });
        let after = if is_extra {
            before.clone().requests(more, more + 1, |_| reset.clone())
        } else {
            before.clone().edit_requests(more, more + 10, &reset)
        };
        let criterion = Criterion::Availability {
            bar: Bar::NoneFails,
            deployment: DEPLOYMENT.to_owned(),
        };
        let (before, after) = (before.judge(&criterion), after.judge(&criterion));
        prop_assert!(
            after.status != Status::Pass || before.status == Status::Pass,
            "{:?} became {:?}", before, after
        );
        if more >= UPDATE {
            prop_assert_ne!(after.status, Status::Pass);
        }
    }

    #[test]
    fn an_outage_is_no_longer_than_the_flow(from in 1000_u64..6000, length in 1_u64..6000) {
        let scene = updated().edit_requests(from, from + length, &failed(FailureClass::Reset));
        let criterion = Criterion::Availability {
            bar: Bar::Measured,
            deployment: DEPLOYMENT.to_owned(),
        };
        let verdict = scene.judge(&criterion);
        if let Some(outage) = verdict.figures.get("longest_outage_seconds") {
            let window = scene.end() - at(UPDATE);
            let longest = Duration::from_millis(length + INTERVAL).min(window);
            prop_assert!(*outage <= longest.as_secs_f64(), "{}", outage);
        }
    }

    #[test]
    fn a_wrong_answer_after_the_path_has_settled_is_always_found(ms in UPDATED + 500..5990) {
        let scene = updated()
            .requests(6000, 9000, |_| answered(2, Some("web-2-a")))
            .edit_requests(ms + 3000, ms + 3010, &answered(1, Some("web-1-a")));
        let criterion = criteria().swap_remove(1);
        let verdict = scene.judge(&criterion);
        // Up to five seconds after the switch it is part of settling.
        let is_late = ms.next_multiple_of(INTERVAL) + 3000 >= UPDATED + 5000;
        prop_assert_eq!(verdict.status == Status::Fail, is_late, "{:?}", verdict);
    }
}

#[test]
fn a_failure_of_the_update_is_explained_by_the_warnings_of_its_time() {
    let scene = updated()
        .add(
            UPDATE - 100,
            warning("Pod/web-1-a", "Unhealthy", "of another time"),
        )
        .add(
            2300,
            warning("Pod/web-2-a", "Unhealthy", "no answer to the probe"),
        )
        .add(2301, replicaset(1, 1, [2, 1, 1]))
        .without_object("web-2-b")
        .edit_requests(2400, 2500, &failed(FailureClass::Reset))
        .add(2066, pod("web-2-b", "Running"));
    let failures: Vec<Verdict> = criteria()
        .iter()
        .map(|criterion| scene.judge(criterion))
        .filter(|verdict| verdict.status == Status::Fail)
        .collect();
    let names: Vec<&str> = failures
        .iter()
        .map(|verdict| verdict.asked.criterion.name())
        .collect();
    assert_eq!(
        names,
        ["only-answers", "pod-states", "envelope", "availability"]
    );
    for verdict in failures.iter().skip(1) {
        let told: Vec<&str> = verdict
            .events
            .iter()
            .map(|event| event.text.en.as_str())
            .collect();
        assert_eq!(
            told,
            ["Pod/web-2-a Unhealthy: no answer to the probe"],
            "{verdict:#?}"
        );
    }
}
