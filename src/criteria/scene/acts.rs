//! What the lab does, and what comes of its requests.

use std::collections::BTreeMap;

use super::objects::service_of;
use super::{DEPLOYMENT, NODE_PORT, at};
use crate::history::Entry;
use crate::history::record::{
    Answer, Command, FailureClass, Gap, Inventory, Outcome, Touched, Traffic, TrafficEnded, Verb,
    When,
};

/// A command that left the Deployment at a generation; `None` where it did not touch it.
pub(in crate::criteria) fn command(
    verb: Verb,
    argument: &str,
    sent_ms: u64,
    generation: Option<i64>,
) -> Entry {
    let touched = generation.map(|generation| Touched {
        kind: "Deployment".to_owned(),
        name: DEPLOYMENT.to_owned(),
        uid: format!("uid-of-{DEPLOYMENT}"),
        generation,
        resource_version: sent_ms.to_string(),
        changed: true,
    });
    Entry::Command(Command {
        verb,
        argument: argument.to_owned(),
        sent: at(sent_ms),
        objects: touched.into_iter().collect(),
    })
}

pub(in crate::criteria) fn traffic(fresh_connections: bool) -> Entry {
    Entry::Traffic(Traffic {
        url: format!("http://127.0.0.1:{NODE_PORT}/"),
        rate: 100.0,
        fresh_connections,
        timeout: 1.0,
    })
}

pub(in crate::criteria) fn traffic_ended(unsent: u64) -> Entry {
    Entry::TrafficEnded(TrafficEnded {
        sent: 1,
        unsent,
        late: 0,
    })
}

/// An answer of a version, by a pod that tells its name or not.
pub(in crate::criteria) fn answered(version: u8, pod: Option<&str>) -> Outcome {
    Outcome::Answered(Answer {
        service: service_of(version).to_owned(),
        version: format!("{version}.0.0"),
        pod: pod.map(str::to_owned),
    })
}

pub(in crate::criteria) fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed {
        class,
        detail: "as told by the host".to_owned(),
    }
}

pub(in crate::criteria) fn gap(kind: &str) -> Entry {
    Entry::Gap(Gap {
        kind: kind.to_owned(),
        why: "too old resource version".to_owned(),
    })
}

/// What the cluster holds: names of ConfigMaps and namespaces, and who has the node port.
pub(in crate::criteria) fn inventory(
    when: When,
    configmaps: &[&str],
    namespaces: &[&str],
    node_port_of: Option<&str>,
) -> Entry {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Entry::Inventory(Inventory {
        when,
        objects: BTreeMap::from([
            ("ConfigMap".to_owned(), names(configmaps)),
            ("Namespace".to_owned(), names(namespaces)),
        ]),
        node_ports: node_port_of
            .map(|holder| (NODE_PORT, holder.to_owned()))
            .into_iter()
            .collect(),
    })
}
