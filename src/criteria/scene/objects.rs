//! News of objects, as a watch tells them.

use std::collections::BTreeMap;

use super::{DEPLOYMENT, NAMESPACE, NODE_PORT};
use crate::history::Entry;
use crate::history::facts::{
    Condition, ContainerFacts, DeploymentFacts, EndpointFacts, EndpointSliceFacts, EventFacts,
    Facts, NamespaceFacts, PodFacts, ReplicaSetFacts, ServiceFacts, Template,
};
use crate::history::record::{Change, ChangeKind};

fn change(name: &str, change: ChangeKind, facts: Facts) -> Entry {
    Entry::Change(Change {
        change,
        name: name.to_owned(),
        uid: format!("uid-of-{name}"),
        resource_version: "1".to_owned(),
        inferred: false,
        facts,
    })
}

/// What was watched, as the last news of an object.
pub(in crate::criteria) fn deleted(entry: Entry) -> Entry {
    match entry {
        Entry::Change(change) => Entry::Change(Change {
            change: ChangeKind::Deleted,
            ..change
        }),
        other => other,
    }
}

fn template(version: u8) -> Template {
    let service = service_of(version);
    Template {
        fingerprint: format!("template-{version}"),
        images: BTreeMap::from([("app".to_owned(), format!("example/{service}:1.0.0"))]),
        version: Some(format!("{version}.0.0")),
        ..Template::default()
    }
}

pub(super) fn service_of(version: u8) -> &'static str {
    match version {
        1 => "user-service",
        _ => "payment-service",
    }
}

/// The Deployment of three replicas: updated, total and available pods.
pub(in crate::criteria) fn deployment_facts(
    version: u8,
    generation: i64,
    [updated, total, available]: [i64; 3],
) -> DeploymentFacts {
    DeploymentFacts {
        generation,
        observed_generation: generation,
        replicas: 3,
        strategy: Some((1, 1)),
        strategy_text: "1/1".to_owned(),
        revision: generation,
        total,
        updated,
        ready: available,
        available,
        conditions: Vec::new(),
        template: template(version),
    }
}

pub(in crate::criteria) fn deployment(facts: DeploymentFacts) -> Entry {
    change(DEPLOYMENT, ChangeKind::Modified, Facts::Deployment(facts))
}

/// The condition of a Deployment that made no progress in time.
pub(in crate::criteria) fn deadline_exceeded() -> Condition {
    Condition {
        name: "Progressing".to_owned(),
        status: "False".to_owned(),
        reason: "ProgressDeadlineExceeded".to_owned(),
        message: "ReplicaSet \"web-2\" has timed out progressing.".to_owned(),
    }
}

/// The ReplicaSet of a version: desired, actual and available pods.
pub(in crate::criteria) fn replicaset(
    version: u8,
    revision: i64,
    [desired, total, available]: [i64; 3],
) -> Entry {
    let facts = ReplicaSetFacts {
        owner: Some(format!("uid-of-{DEPLOYMENT}")),
        hash: version.to_string(),
        revision,
        replicas: desired,
        total,
        ready: available,
        available,
        template: template(version),
    };
    let name = format!("{DEPLOYMENT}-{version}");
    change(&name, ChangeKind::Modified, Facts::ReplicaSet(facts))
}

/// The pod of a name such as `web-2-a`, with the STATUS that kubectl prints.
pub(in crate::criteria) fn pod(name: &str, status: &str) -> Entry {
    let (replicaset, _) = name.rsplit_once('-').unwrap();
    let runs = matches!(status, "Running" | "Terminating");
    let container = ContainerFacts {
        name: "app".to_owned(),
        state: if runs { "running" } else { status }.to_owned(),
        running: runs,
        ready: runs,
        ports: vec![3000],
        ..ContainerFacts::default()
    };
    let facts = PodFacts {
        owner: Some(format!("uid-of-{replicaset}")),
        phase: if runs { "Running" } else { "Pending" }.to_owned(),
        status: status.to_owned(),
        ready: runs,
        terminating: status == "Terminating",
        node: (status != "Pending").then(|| "node-1".to_owned()),
        containers: vec![container],
        readiness_probe: true,
        pre_stop: true,
        ..PodFacts::default()
    };
    change(name, ChangeKind::Modified, Facts::Pod(facts))
}

pub(in crate::criteria) fn service() -> Entry {
    let facts = ServiceFacts {
        service_type: "NodePort".to_owned(),
        ports: vec![(80, "3000".to_owned(), NODE_PORT)],
        ..ServiceFacts::default()
    };
    change(DEPLOYMENT, ChangeKind::Added, Facts::Service(facts))
}

/// The Service's ready endpoints, by pod, on a port.
pub(in crate::criteria) fn endpoints(port: u16, pods: &[&str]) -> Entry {
    let endpoint = |pod: &&str| EndpointFacts {
        pod: (*pod).to_owned(),
        ready: true,
        serving: true,
        ..EndpointFacts::default()
    };
    let facts = EndpointSliceFacts {
        service: DEPLOYMENT.to_owned(),
        ports: vec![port],
        endpoints: pods.iter().map(endpoint).collect(),
    };
    change(
        "web-abcde",
        ChangeKind::Modified,
        Facts::EndpointSlice(facts),
    )
}

/// A namespace with what holds it, as conditions with their messages.
pub(in crate::criteria) fn namespace(phase: &str, held: &[(&str, &str)]) -> Entry {
    let condition = |(name, message): &(&str, &str)| Condition {
        name: (*name).to_owned(),
        status: "True".to_owned(),
        reason: "Held".to_owned(),
        message: (*message).to_owned(),
    };
    let facts = NamespaceFacts {
        phase: phase.to_owned(),
        conditions: held.iter().map(condition).collect(),
    };
    change(NAMESPACE, ChangeKind::Modified, Facts::Namespace(facts))
}

pub(in crate::criteria) fn warning(about: &str, reason: &str, message: &str) -> Entry {
    let facts = EventFacts {
        event_type: "Warning".to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        about: about.to_owned(),
        count: 1,
    };
    change(reason, ChangeKind::Added, Facts::Event(facts))
}
