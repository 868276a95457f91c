use crate::criteria::cause::Cause;
use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{UPDATE, UPDATED, answering, deployed, updated};
use crate::criteria::scene::{
    DEPLOYMENT, Scene, answered, at, deployment, deployment_facts, endpoints, failed, pod,
    replicaset, service, traffic,
};
use crate::history::criterion::Criterion;
use crate::history::facts::Facts;
use crate::history::record::{FailureClass, Outcome};
use crate::history::{Entry, Record};

fn only(service: &str, version: &str) -> Criterion {
    Criterion::OnlyAnswers {
        service: service.to_owned(),
        version: version.to_owned(),
        deployment: DEPLOYMENT.to_owned(),
    }
}

fn only_v1() -> Criterion {
    only("user-service", "1.0.0")
}

fn only_v2() -> Criterion {
    only("payment-service", "2.0.0")
}

/// The update, after which all requests up to a moment end otherwise.
fn updated_with(until_ms: u64, outcome: &Outcome) -> Scene {
    updated().edit_requests(UPDATED, until_ms, outcome)
}

/// The same for as long as it takes to be no part of settling.
fn updated_with_ever(outcome: &Outcome) -> Scene {
    updated_with(6000, outcome).requests(6000, 9000, |_| outcome.clone())
}

/// The update, after which all is well but for one request.
fn updated_but_once(outcome: &Outcome) -> Scene {
    updated()
        .requests(6000, 9000, |_| answered(2, Some("web-2-a")))
        .edit_requests(8500, 8510, outcome)
}

fn fail(object: &'static str, seen: &'static str, cause: Option<Cause>) -> Want {
    Want::Fail {
        object,
        seen,
        cause,
    }
}

fn slices(record: &Record) -> bool {
    matches!(&record.entry, Entry::Change(change) if matches!(change.facts, Facts::EndpointSlice(_)))
}

#[test]
fn the_version_that_was_deployed_answers_alone() {
    let rows = [
        (
            "all answers are of version 1",
            answering(),
            Want::Pass("200 of 200 answers from user-service 1.0.0"),
        ),
        (
            "the first pod to answer was slow",
            answering().edit_requests(1000, 1500, &failed(FailureClass::Refused)),
            Want::Pass("150 of 150"),
        ),
        (
            "nobody tells the pod",
            answering().edit_requests(0, 3000, &answered(1, None)),
            Want::Pass("200 of 200"),
        ),
    ];
    check(
        &only_v1(),
        "only user-service 1.0.0 answers, at least 30 times",
        &rows,
    );
}

#[test]
fn the_version_that_took_over_answers_alone() {
    let old = answered(1, Some("web-1-a"));
    let rows = [
        ("all went well", updated(), Want::Pass("298 of 298")),
        (
            "an old pod still answered for a second",
            updated_with(4000, &old),
            Want::Pass("200 of 200"),
        ),
        (
            "an old pod answered a request that was due late and sent early",
            updated()
                .without(|record| {
                    matches!(record.entry, Entry::Sample(_)) && record.at > at(UPDATED)
                })
                .requests(3500, 5000, |_| answered(2, Some("web-2-a")))
                .requests(3100, 3110, |_| old.clone()),
            Want::Pass("150 of 150"),
        ),
        (
            "requests began long after the endpoints had switched",
            updated()
                .without(|record| matches!(record.entry, Entry::Sample(_) | Entry::Traffic(_)))
                .add(20_000, traffic(true))
                .requests(20_000, 21_000, |_| answered(2, Some("web-2-a"))),
            Want::Pass("100 of 100"),
        ),
    ];
    check(&only_v2(), "only payment-service 2.0.0 answers", &rows);
}

#[test]
fn the_lag_of_the_path_is_a_figure() {
    let of = |scene: Scene| scene.judge(&only_v2()).figures["path_lag_seconds"];
    assert!((of(updated())).abs() < 1e-9);
    let old = answered(1, Some("web-1-a"));
    assert!((of(updated_with(4000, &old)) - 0.98).abs() < 1e-9);
}

const WANTED: &str = "only payment-service 2.0.0 answers";

#[test]
fn a_path_that_leads_elsewhere_for_too_long_fails() {
    let old = answered(1, Some("web-1-a"));
    let slow = |seen| fail("service/web", seen, Some(Cause::SlowPath));
    let rows = [
        (
            "an old pod answers for more than five seconds, then no more",
            updated_with_ever(&old).requests(9000, 10_000, |_| answered(2, Some("web-2-a"))),
            slow("the path took 6.0 s"),
        ),
        (
            "an old pod never ceases to answer",
            updated_with_ever(&old),
            slow("never 10 right ones in a row"),
        ),
        (
            "requests never get an answer",
            updated_with_ever(&failed(FailureClass::Timeout)),
            slow("no answer in time"),
        ),
        (
            "nothing listens on a port that the pods declare",
            updated_with_ever(&failed(FailureClass::Refused)),
            slow("connection refused"),
        ),
        (
            "an old pod answers again after all was well",
            updated_but_once(&old),
            slow("answered by user-service 1.0.0 (web-1-a)"),
        ),
        (
            "a request fails after all was well",
            updated_but_once(&failed(FailureClass::Reset)),
            fail("service/web", "failed: connection broken", None),
        ),
    ];
    check(&only_v2(), WANTED, &rows);
}

#[test]
fn new_pods_that_answer_as_somebody_else_fail() {
    // Version 2 has the image of version 1.
    let as_v1 = answered(1, Some("web-2-a"));
    let wrong = |seen| fail("deployment/web", seen, Some(Cause::WrongService));
    let rows = [
        (
            "the new pods answer as the old version",
            updated_with(6000, &as_v1),
            wrong("the last: answered by user-service 1.0.0"),
        ),
        (
            "nobody tells the pod, and no old one is left",
            updated_with(6000, &answered(1, None)),
            wrong("answered by user-service"),
        ),
        (
            "a new pod answers as the old version after all was well",
            updated_but_once(&as_v1),
            wrong("(web-2-a)"),
        ),
        (
            "the template has another VERSION than the answers",
            updated().edit_new_version("9"),
            wrong("their template has VERSION=9"),
        ),
    ];
    check(&only_v2(), WANTED, &rows);
}

#[test]
fn a_service_that_does_not_lead_to_the_pods_fails() {
    let refused = failed(FailureClass::Refused);
    let rows = [
        (
            "it sends to a port that no pod declares",
            updated_with_ever(&refused)
                .without(|record| slices(record) && record.at.0 > UPDATE)
                .add(UPDATED, endpoints(3999, &["web-2-a", "web-2-b", "web-2-c"])),
            fail(
                "service/web",
                "connection refused",
                Some(Cause::WrongTargetPort),
            ),
        ),
        (
            "it selects no pod",
            updated_with_ever(&refused).without(slices),
            fail(
                "service/web",
                "the endpoints of web are empty, the pods of web are ready",
                Some(Cause::WrongSelector),
            ),
        ),
        (
            "its endpoints stay with an old pod",
            updated_with_ever(&answered(1, Some("web-1-a")))
                .without(|record| slices(record) && record.at.0 > 2_600_000),
            fail("service/web", "not just the new pods", None),
        ),
    ];
    check(&only_v2(), WANTED, &rows);
}

#[test]
fn what_cannot_be_judged_is_unknown() {
    let samples = |record: &Record| matches!(record.entry, Entry::Sample(_));
    let flow = |record: &Record| matches!(record.entry, Entry::Traffic(_));
    let rows = [
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("web was not applied"),
        ),
        (
            "the rollout is not complete",
            updated().until(2600),
            Want::Unknown("the rollout is not complete: 2 of 3 updated"),
        ),
        (
            "a pod cannot run",
            updated()
                .until(2400)
                .add(2400, pod("web-2-a", "ImagePullBackOff")),
            Want::Unknown("ImagePullBackOff"),
        ),
        (
            "there is no Service",
            updated().without_object("web-abcde").edit(|record| {
                if let Entry::Change(change) = &mut record.entry
                    && matches!(change.facts, Facts::Service(_))
                {
                    change.facts = Facts::Event(crate::history::facts::EventFacts::default());
                }
            }),
            Want::Unknown("there is no Service"),
        ),
        (
            "the endpoints may still come",
            deployed().without(slices),
            Want::Unknown("the endpoints of web are empty"),
        ),
        (
            "no request flows",
            deployed(),
            Want::Unknown("no request was sent"),
        ),
        (
            "no request was sent since",
            updated().without(|record| samples(record) && record.at.0 > 3_000_000),
            Want::Unknown("no request was sent since"),
        ),
        (
            "a flow without any request",
            updated().without(samples),
            Want::Unknown("no request was sent since"),
        ),
        (
            "connections are shared",
            updated().without(flow).add(1000, traffic(false)),
            Want::Unknown("the requests shared connections"),
        ),
        (
            "too few requests",
            updated().until(3200),
            Want::Unknown("18 answers are not enough"),
        ),
        (
            "the path may still settle",
            updated_with(6000, &answered(1, Some("web-1-a"))),
            Want::Unknown("never 10 right ones in a row"),
        ),
        (
            "a new pod may have been wrong by chance",
            updated_with(3200, &answered(1, Some("web-2-a"))).until(3200),
            Want::Unknown("never 10 right ones in a row"),
        ),
    ];
    check(&only_v2(), "only payment-service 2.0.0 answers", &rows);
}

#[test]
fn a_path_that_is_too_slow_is_decided() {
    let old = answered(1, Some("web-1-a"));
    let slow = updated_with(6000, &old).requests(6000, 8040, |_| old.clone());
    let verdict = slow.judge(&only_v2());
    assert!(verdict.is_final, "{verdict:?}");
    // Not a moment before, when the next answer might be right.
    let before = slow.until(8010).judge(&only_v2());
    assert!(!before.is_final, "{before:?}");
}

#[test]
fn the_image_and_the_version_stand_beside_the_answers() {
    let verdict = updated().judge(&only_v2());
    let told = verdict
        .evidence
        .iter()
        .map(|evidence| evidence.text.en.as_str());
    let found: Vec<&str> = told.filter(|text| text.starts_with("image")).collect();
    assert_eq!(
        found,
        ["image example/payment-service:1.0.0, VERSION=2.0.0"]
    );
}

#[test]
fn endpoints_are_awaited_after_the_completion() {
    // The slices follow 0.2 s after the Deployment is complete.
    let late = updated()
        .without(|record| slices(record) && record.at.0 > 3_000_000)
        .add(3220, endpoints(3000, &["web-2-a", "web-2-b", "web-2-c"]))
        .add(3221, service())
        .add(3222, replicaset(2, 2, [3, 3, 3]))
        .add(3223, deployment(deployment_facts(2, 2, [3, 3, 3])));
    let verdict = late.judge(&only_v2());
    assert_eq!(verdict.evidence[0].at, Some(at(3220)));
}

#[test]
fn a_request_lost_after_the_path_has_settled_is_decided() {
    let verdict = updated_but_once(&failed(FailureClass::Reset)).judge(&only_v2());
    assert!(verdict.is_final, "{verdict:?}");
}
