use crate::criteria::cause::Cause;
use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{UPDATE, updated};
use crate::criteria::scene::{
    DEPLOYMENT, Scene, answered, deleted, endpoints, failed, pod, traffic, traffic_ended,
};
use crate::history::criterion::{Bar, Criterion};
use crate::history::record::FailureClass;
use crate::history::{Entry, Record};

fn availability(bar: Bar) -> Criterion {
    Criterion::Availability {
        bar,
        deployment: DEPLOYMENT.to_owned(),
    }
}

fn wanted(bar: Bar) -> &'static str {
    match bar {
        Bar::Measured => "the availability during the update is measured",
        Bar::NoneFails => "not one request fails during the update",
        Bar::SomeFail => "the claim of zero downtime does not hold",
    }
}

/// Each bar with what it must say of each history.
fn check_bars(rows: &[(&str, Scene, [Want; 3])]) {
    let bars = [Bar::Measured, Bar::NoneFails, Bar::SomeFail];
    for (index, bar) in bars.into_iter().enumerate() {
        let rows: Vec<(&str, Scene, Want)> = rows
            .iter()
            .map(|(name, scene, wants)| (*name, scene.clone(), wants[index]))
            .collect();
        check(&availability(bar), wanted(bar), &rows);
    }
}

fn fail(seen: &'static str, cause: Option<Cause>) -> Want {
    Want::Fail {
        object: "deployment/web",
        seen,
        cause,
    }
}

fn refused(from_ms: u64, to_ms: u64) -> Scene {
    updated().edit_requests(from_ms, to_ms, &failed(FailureClass::Refused))
}

fn without_readiness_probes(scene: Scene) -> Scene {
    scene.edit_pods(|_, facts| facts.readiness_probe = false)
}

fn without_pre_stop(scene: Scene) -> Scene {
    scene.edit_pods(|_, facts| facts.pre_stop = false)
}

/// Two old pods end at once when they are asked to, at 2.605 s.
fn ending_at_once() -> Scene {
    without_pre_stop(refused(2625, 2655))
        .add(2700, deleted(pod("web-1-a", "Terminating")))
        .add(2700, deleted(pod("web-1-b", "Terminating")))
}

fn is_flow(record: &Record) -> bool {
    matches!(record.entry, Entry::Sample(_) | Entry::Traffic(_))
}

#[test]
fn each_bar_is_held_against_the_failures() {
    let none = "0 of 400 requests failed at 100/s; gap between requests at most 10 ms, a failure \
                rate up to 0.75 % could still hide";
    let three = "3 of 400 requests failed at 100/s, the longest outage 30 ms";
    let all = |seen| {
        [
            Want::Pass(seen),
            fail(seen, None),
            Want::Unknown("for no cause that is known"),
        ]
    };
    let because = |seen, cause| [Want::Pass(seen), fail(seen, Some(cause)), Want::Pass(seen)];
    check_bars(&[
        (
            "none fails",
            updated(),
            [Want::Pass(none), Want::Pass(none), fail(none, None)],
        ),
        (
            "what failed before the change is not its affair",
            refused(1900, 1950),
            [Want::Pass(none), Want::Pass(none), fail(none, None)],
        ),
        (
            "some fail for no known cause",
            refused(2550, 2580),
            all(three),
        ),
        (
            "some fail after the completion",
            refused(4000, 4030),
            all(three),
        ),
        (
            "a new pod is ready before it listens",
            without_readiness_probes(refused(2535, 2565)).edit_requests(
                2565,
                2625,
                &answered(1, Some("web-1-a")),
            ),
            because(three, Cause::NoReadinessProbe),
        ),
        (
            "old pods end while they are still sent to",
            ending_at_once(),
            because(three, Cause::NoPreStop),
        ),
        (
            "old pods ignore SIGTERM and are not to blame",
            without_pre_stop(refused(2625, 2655))
                .without(|record| record.at.0 == 4_000_000)
                .add(5500, deleted(pod("web-1-a", "Terminating"))),
            all(three),
        ),
        (
            "old pods wait before they end",
            ending_at_once().edit_pods(|_, facts| facts.pre_stop = true),
            all(three),
        ),
        (
            "no pod is ready",
            refused(2700, 2730)
                .add(2690, endpoints(3000, &[]))
                .add(2735, endpoints(3000, &["web-2-a", "web-2-b", "web-2-c"])),
            because(three, Cause::NoEndpoints),
        ),
    ]);
}

#[test]
fn the_most_frequent_cause_is_named() {
    let scene = without_readiness_probes(ending_at_once())
        .edit_requests(2535, 2625, &failed(FailureClass::Reset))
        .edit_requests(2625, 2655, &failed(FailureClass::Refused));
    let verdict = scene.judge(&availability(Bar::NoneFails));
    assert_eq!(verdict.cause, Some(Cause::NoReadinessProbe));
    let told: Vec<&str> = verdict
        .evidence
        .iter()
        .map(|found| found.text.en.as_str())
        .collect();
    for part in [
        "connection refused: 3",
        "connection broken: 9",
        "12 × no-readiness-probe",
    ] {
        assert!(
            told.iter().any(|text| text.starts_with(part)),
            "{part}: {told:?}"
        );
    }
}

#[test]
fn only_what_failed_since_the_change_is_explained() {
    let reset = failed(FailureClass::Reset);
    let scene = refused(1900, 1950).edit_requests(2550, 2580, &reset);
    let verdict = scene.judge(&availability(Bar::NoneFails));
    let told: Vec<&str> = verdict
        .evidence
        .iter()
        .map(|found| found.text.en.as_str())
        .collect();
    assert_eq!(
        told,
        ["connection broken: 3", "3 failures without a known cause"]
    );
}

#[test]
fn what_cannot_be_judged_is_unknown() {
    let few = |scene: Scene| {
        scene.without(|record| matches!(record.entry, Entry::Sample(_)) && record.at.0 > 2_290_000)
    };
    let same = |seen| [Want::Unknown(seen); 3];
    let few_seen = "only 29 requests during the rollout; 0 of 29 requests failed";
    check_bars(&[
        (
            "nothing happened",
            Scene::default(),
            same("web was not applied"),
        ),
        (
            "the rollout is not complete",
            updated().until(2900),
            same("the rollout is not complete"),
        ),
        (
            "no request flows",
            updated().without(is_flow),
            same("no request was sent"),
        ),
        (
            "the flow began with the change",
            updated()
                .without(|record| is_flow(record) && record.at.0 < UPDATE * 1000)
                .add(UPDATE, traffic(true)),
            same("no 10 requests in a row were answered before the change"),
        ),
        (
            "nobody answered before the change",
            refused(1000, UPDATE),
            same("no 10 requests in a row were answered before the change"),
        ),
        ("too few requests", few(updated()), same(few_seen)),
        (
            "requests that could not be sent",
            updated().add(6000, traffic_ended(7)),
            same("7 requests could not be sent from this host"),
        ),
        (
            "the requests ended too early",
            updated()
                .without(|record| is_flow(record) && record.at.0 > 2_600_000)
                .add(2600, traffic_ended(0)),
            same("the requests ended before the rollout was complete"),
        ),
    ]);
}

#[test]
fn a_failure_is_a_fact_however_few_requests_there_were() {
    let few = refused(2100, 2110)
        .without(|record| matches!(record.entry, Entry::Sample(_)) && record.at.0 > 2_290_000);
    check_bars(&[(
        "one of 29 failed",
        few,
        [
            Want::Unknown("only 29 requests during the rollout"),
            fail("1 of 29 requests failed", None),
            Want::Unknown("for no cause that is known"),
        ],
    )]);
}

#[test]
fn the_figures_stand_beside_the_verdict() {
    let figures = refused(2550, 2580)
        .judge(&availability(Bar::Measured))
        .figures;
    for (name, expected) in [
        ("requests", 400.0),
        ("requests_during_rollout", 103.0),
        ("rate", 100.0),
        ("failed", 3.0),
        ("longest_outage_seconds", 0.03),
        ("sampling_gap_seconds", 0.01),
        ("hidden_failure_rate", 0.0075),
    ] {
        assert!(
            (figures[name] - expected).abs() < 1e-9,
            "{name}: {}",
            figures[name]
        );
    }
}
