use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{UPDATE, UPDATED, updated};
use crate::criteria::scene::{DEPLOYMENT, Scene, answered, endpoints, failed};
use crate::history::criterion::Criterion;
use crate::history::record::FailureClass;
use crate::history::{Entry, Record};

fn criterion() -> Criterion {
    Criterion::BothAnswered {
        deployment: DEPLOYMENT.to_owned(),
    }
}

/// Both versions have endpoints from 2.53 s until the completion, in which 49 requests are sent.
fn mixed() -> Scene {
    updated().without(|record| record.at.0 == 2_620_000)
}

#[test]
fn both_versions_answer_during_the_update() {
    let fail = |seen| Want::Fail {
        object: "deployment/web",
        seen,
        cause: None,
    };
    let samples = |record: &Record| matches!(record.entry, Entry::Sample(_) | Entry::Traffic(_));
    let old = answered(1, Some("web-1-a"));
    let rows = [
        (
            "both answered",
            updated(),
            Want::Pass("58 answers of the old version and 44 of the new; mixed for 0.07 s"),
        ),
        (
            "the services tell their version, not their pod",
            updated()
                .edit_requests(UPDATE, 2600, &answered(1, None))
                .edit_requests(2600, UPDATED, &answered(2, None)),
            Want::Pass("60 answers of the old version and 42 of the new; mixed for 0.00 s"),
        ),
        (
            "the new version never answered",
            mixed().edit_requests(UPDATE, UPDATED, &old),
            fail("102 answers of the old version and 0 of the new"),
        ),
        (
            "the old version never answered",
            mixed().edit_requests(UPDATE, UPDATED, &answered(2, Some("web-2-a"))),
            fail("0 answers of the old version and 102 of the new"),
        ),
        (
            "nobody answered",
            mixed().edit_requests(UPDATE, UPDATED, &failed(FailureClass::Timeout)),
            fail("0 answers of the old version and 0 of the new"),
        ),
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("web was not applied"),
        ),
        (
            "the rollout is not complete",
            updated().until(2900),
            Want::Unknown("the rollout is not complete"),
        ),
        (
            "no request flows",
            updated().without(samples),
            Want::Unknown("no request was sent"),
        ),
        (
            "too few requests while both had endpoints",
            updated().edit_requests(UPDATE, UPDATED, &old),
            Want::Unknown("only 9 requests while both had endpoints"),
        ),
        (
            "both versions never had endpoints together",
            updated()
                .without(|record| record.at.0 == 2_530_000)
                .add(2530, endpoints(3000, &["web-2-a"]))
                .edit_requests(UPDATE, UPDATED, &old),
            Want::Unknown("only 0 requests while both had endpoints"),
        ),
        (
            "the services tell neither their pod nor a version that differs",
            mixed()
                .edit_new_version("1.0.0")
                .edit_requests(UPDATE, UPDATED, &answered(1, None)),
            Want::Unknown("102 answers do not tell of which they are"),
        ),
    ];
    check(
        &criterion(),
        "both versions answer between the change and its completion",
        &rows,
    );
}

#[test]
fn the_mixed_window_is_told() {
    let figures = updated().judge(&criterion()).figures;
    for (name, expected) in [
        ("answers_old", 58.0),
        ("answers_new", 44.0),
        ("mixed_from_seconds", 2.542),
        ("mixed_until_seconds", 2.612),
    ] {
        assert!(
            (figures[name] - expected).abs() < 1e-9,
            "{name}: {}",
            figures[name]
        );
    }
}
