//! What is kept of a Kubernetes object: the facts that criteria and reports need.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The facts of an object, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "facts")]
pub enum Facts {
    /// A Deployment.
    Deployment(DeploymentFacts),
    /// A ReplicaSet.
    ReplicaSet(ReplicaSetFacts),
    /// A Pod.
    Pod(PodFacts),
    /// An EndpointSlice.
    EndpointSlice(EndpointSliceFacts),
    /// A Service.
    Service(ServiceFacts),
    /// A Namespace.
    Namespace(NamespaceFacts),
    /// An Event.
    Event(EventFacts),
}

/// What is kept of a Deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeploymentFacts {
    /// Counts changes of the spec.
    pub generation: i64,
    /// The generation that the controller has seen.
    pub observed_generation: i64,
    /// The desired number of pods.
    pub replicas: i64,
    /// The rolling strategy in pods: surge and unavailable; `None` for Recreate.
    pub strategy: Option<(i64, i64)>,
    /// The strategy as it is written, such as `1/1` or `25%/25%`.
    pub strategy_text: String,
    /// `deployment.kubernetes.io/revision`; 0 before the controller has written it.
    pub revision: i64,
    /// Pods in all.
    pub total: i64,
    /// Pods of the new template.
    pub updated: i64,
    /// Pods that are ready.
    pub ready: i64,
    /// Pods that have been ready for long enough.
    pub available: i64,
    /// Conditions, newest last.
    pub conditions: Vec<Condition>,
    /// The pod template.
    pub template: Template,
}

/// What is kept of a pod template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Template {
    /// The same for equal templates, whatever their `pod-template-hash` label says.
    pub fingerprint: String,
    /// The image of each container.
    pub images: BTreeMap<String, String>,
    /// The environment variable VERSION, where a container has it.
    pub version: Option<String>,
    /// Whether every container has a readiness probe.
    pub readiness_probe: bool,
    /// Whether every container has a preStop hook.
    pub pre_stop: bool,
}

/// A condition of a Deployment or Namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// What it is about.
    pub name: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

/// What is kept of a ReplicaSet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicaSetFacts {
    /// The uid of the Deployment that controls it.
    pub owner: Option<String>,
    /// The label `pod-template-hash`.
    pub hash: String,
    /// `deployment.kubernetes.io/revision`.
    pub revision: i64,
    /// The desired number of pods.
    pub replicas: i64,
    /// Pods in all.
    pub total: i64,
    /// Pods that are ready.
    pub ready: i64,
    /// Pods that are available.
    pub available: i64,
    /// Its pod template.
    pub template: Template,
}

/// What is kept of a Pod.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as the pod states it"
)]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PodFacts {
    /// The uid of the ReplicaSet that controls it.
    pub owner: Option<String>,
    /// The phase.
    pub phase: String,
    /// STATUS as kubectl prints it.
    pub status: String,
    /// Whether the condition Ready is true.
    pub ready: bool,
    /// Whether its deletion has been asked for.
    pub terminating: bool,
    /// The address.
    pub ip: Option<String>,
    /// The node.
    pub node: Option<String>,
    /// Restarts of all containers.
    pub restarts: i64,
    /// The containers.
    pub containers: Vec<ContainerFacts>,
    /// Whether every container has a readiness probe.
    pub readiness_probe: bool,
    /// Whether every container has a preStop hook.
    pub pre_stop: bool,
}

/// What is kept of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerFacts {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// `running`, or the reason why it waits or ended.
    pub state: String,
    /// The message to that reason.
    pub message: String,
    /// Whether it runs.
    pub running: bool,
    /// Whether it is ready.
    pub ready: bool,
    /// The exit code, of the last run where it waits.
    pub exit_code: Option<i32>,
    /// Ports that it declares.
    pub ports: Vec<u16>,
}

/// What is kept of an EndpointSlice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointSliceFacts {
    /// The Service that it belongs to.
    pub service: String,
    /// The ports that traffic goes to.
    pub ports: Vec<u16>,
    /// The endpoints.
    pub endpoints: Vec<EndpointFacts>,
}

/// What is kept of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointFacts {
    /// The pod behind it.
    pub pod: String,
    /// Its address.
    pub ip: String,
    /// Whether it gets new connections.
    pub ready: bool,
    /// Whether its pod is ready, terminating or not.
    pub serving: bool,
    /// Whether its pod is going.
    pub terminating: bool,
}

/// What is kept of a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceFacts {
    /// The type.
    pub service_type: String,
    /// Which pods it selects.
    pub selector: BTreeMap<String, String>,
    /// Port, target port and node port (0 for none) of each entry.
    pub ports: Vec<(u16, String, u16)>,
}

/// What is kept of a Namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NamespaceFacts {
    /// `Active` or `Terminating`.
    pub phase: String,
    /// What holds it, while it terminates.
    pub conditions: Vec<Condition>,
}

/// What is kept of an Event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventFacts {
    /// `Normal` or `Warning`.
    pub event_type: String,
    /// Why, in one word.
    pub reason: String,
    /// What, in a sentence.
    pub message: String,
    /// `Kind/name` of the object that it is about.
    pub about: String,
    /// How often it happened.
    pub count: i64,
}
