use std::collections::BTreeSet;

use super::Cause;
use crate::criteria::Verdict;
use crate::criteria::scene::check::slip;
use crate::criteria::scene::story::{UPDATE, UPDATED, deployed, removed, updated};
use crate::criteria::scene::{
    DEPLOYMENT, NAMESPACE, NODE_PORT, Scene, answered, deadline_exceeded, deleted, deployment,
    deployment_facts, endpoints, failed, inventory, namespace, pod, replicaset, traffic,
};
use crate::history::criterion::{Bar, Criterion};
use crate::history::facts::DeploymentFacts;
use crate::history::record::{FailureClass, When};

fn complete(scene: Scene) -> Verdict {
    scene.judge(&Criterion::RolloutComplete {
        deployment: DEPLOYMENT.to_owned(),
    })
}

/// An update whose first pod comes no further than a STATUS.
fn stuck(status: &str) -> Verdict {
    complete(updated().until(2100).add(2200, pod("web-2-a", status)))
}

fn late() -> Verdict {
    let facts = DeploymentFacts {
        conditions: vec![deadline_exceeded()],
        ..deployment_facts(2, 2, [1, 4, 2])
    };
    let begun = updated()
        .until(2050)
        .add(2060, pod("web-2-a", "ContainerCreating"));
    complete(begun.add(2200, deployment(facts)))
}

fn answers(service: &str, version: &str, scene: Scene) -> Verdict {
    scene.judge(&Criterion::OnlyAnswers {
        service: service.to_owned(),
        version: version.to_owned(),
        deployment: DEPLOYMENT.to_owned(),
    })
}

/// A first deployment that nobody reaches, with its endpoints.
fn unreached(port: u16, pods: &[&str]) -> Verdict {
    let scene = deployed()
        .without_object("web-abcde")
        .add(505, endpoints(port, pods))
        .add(600, traffic(true))
        .requests(600, 6000, |_| failed(FailureClass::Reset));
    answers("user-service", "1.0.0", scene)
}

/// An update after which one pod answers for good.
fn answering_after(version: u8, name: &str) -> Verdict {
    let answer = answered(version, Some(name));
    let scene = updated().edit_requests(UPDATED, 6000, &answer);
    let scene = scene.requests(6000, 9000, |_| answer.clone());
    answers("payment-service", "2.0.0", scene)
}

fn availability(scene: Scene) -> Verdict {
    scene.judge(&Criterion::Availability {
        bar: Bar::NoneFails,
        deployment: DEPLOYMENT.to_owned(),
    })
}

fn reset(from_ms: u64, to_ms: u64) -> Scene {
    updated().edit_requests(from_ms, to_ms, &failed(FailureClass::Reset))
}

fn clean(scene: Scene) -> Verdict {
    scene.judge(&Criterion::Clean {
        namespace: NAMESPACE.to_owned(),
        node_port: NODE_PORT,
    })
}

fn left(configmaps: &[&str], node_port_of: Option<&str>) -> Verdict {
    clean(removed().add(3020, inventory(When::After, configmaps, &[], node_port_of)))
}

#[test]
fn every_cause_is_named_by_a_history() {
    let v1 = ["web-1-a", "web-1-b", "web-1-c"];
    let max_unavailable = updated()
        .add(
            UPDATE + 101,
            deployment(DeploymentFacts {
                strategy: Some((1, 3)),
                ..deployment_facts(2, 2, [2, 4, 2])
            }),
        )
        .without(|record| record.at.0 == UPDATED * 1000)
        .add(2300, replicaset(1, 1, [0, 0, 0]));
    let single = Criterion::SingleActiveReplicaSet {
        deployment: DEPLOYMENT.to_owned(),
    };
    let envelope = Criterion::Envelope {
        deployment: DEPLOYMENT.to_owned(),
        max_surge: 1,
        max_unavailable: 1,
    };
    let finalizer = [(
        "NamespaceFinalizersRemaining",
        "lab/hold in 1 resource instances",
    )];
    let rows = [
        (Cause::WrongSelector, unreached(3000, &[])),
        (Cause::WrongTargetPort, unreached(3999, &v1)),
        (Cause::MissingConfigMap, stuck("CreateContainerConfigError")),
        (Cause::ImagePull, stuck("ImagePullBackOff")),
        (Cause::CrashAtStart, stuck("CrashLoopBackOff")),
        (Cause::Unschedulable, stuck("Pending")),
        (Cause::MaxUnavailable, max_unavailable.judge(&envelope)),
        (Cause::WrongService, answering_after(1, "web-2-a")),
        (Cause::SlowPath, answering_after(1, "web-1-a")),
        // The old pods ignore SIGTERM until they are killed.
        (
            Cause::StillTerminating,
            updated().until(3900).judge(&single),
        ),
        (
            Cause::Finalizer,
            clean(
                removed()
                    .until(2100)
                    .add(2200, namespace("Terminating", &finalizer)),
            ),
        ),
        (
            Cause::NoReadinessProbe,
            availability(reset(2535, 2605).edit_pods(|_, facts| facts.readiness_probe = false)),
        ),
        (
            Cause::NoPreStop,
            availability(
                reset(2625, 2655)
                    .edit_pods(|_, facts| facts.pre_stop = false)
                    .add(2650, deleted(pod("web-1-a", "Terminating"))),
            ),
        ),
        (
            Cause::NoEndpoints,
            availability(
                reset(2700, 2730)
                    .add(2690, endpoints(3000, &[]))
                    .add(2735, endpoints(3000, &["web-2-a", "web-2-b"])),
            ),
        ),
        (Cause::ProgressDeadline, late()),
        (
            Cause::NodePortHeld,
            left(&["kube-root-ca.crt"], Some("other/web")),
        ),
        (Cause::Leftover, left(&["kube-root-ca.crt", "web"], None)),
    ];
    for (cause, verdict) in &rows {
        assert_eq!(verdict.cause, Some(*cause), "{verdict:#?}");
    }
    let named: BTreeSet<Cause> = rows.iter().map(|(cause, _)| *cause).collect();
    assert_eq!(
        named,
        BTreeSet::from(Cause::ALL),
        "each cause has its history"
    );
}

#[test]
fn every_cause_has_its_own_name_and_a_hint_in_both_languages() {
    let names: BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
    assert_eq!(names.len(), Cause::ALL.len());
    for cause in Cause::ALL {
        assert_eq!(cause.name().parse(), Ok(cause));
        assert_eq!(slip(&cause.hint()), None, "{}", cause.name());
        let json = serde_json::to_string(&cause).unwrap();
        assert_eq!(json, format!("\"{}\"", cause.name()), "the name in reports");
    }
}

#[test]
fn a_cause_that_does_not_exist_is_answered_with_those_that_do() {
    let error = "wrong-port".parse::<Cause>().unwrap_err();
    assert!(
        error.starts_with("no cause is named \"wrong-port\""),
        "{error}"
    );
    assert!(error.contains("wrong-target-port"), "{error}");
}
