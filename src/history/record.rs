//! What a history can tell: one vocabulary for all who append and all who read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::criterion::Asked;
use super::facts::Facts;
use super::stamp::Stamp;

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it happened.
    pub at: Stamp,
    /// The scenario that it belongs to, counted from 0 in the order of the run.
    pub scenario: usize,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Entry {
    /// The run begins.
    Run(Run),
    /// A scenario begins.
    Scenario(Scenario),
    /// The cluster that the scenario runs on.
    Cluster(Cluster),
    /// A step begins.
    Step(Step),
    /// The step that began last has ended.
    StepEnded(Ending),
    /// The scenario has ended, its clean-up included.
    ScenarioEnded(Ending),
    /// The harness changed something in the cluster.
    Command(Command),
    /// A watch reported an object.
    Change(Change),
    /// A watch could not be resumed where it broke, so changes may be missing.
    Gap(Gap),
    /// The API did not answer when a verdict was due.
    Unreachable(Unreachable),
    /// Requests begin to flow.
    Traffic(Traffic),
    /// A request has ended, well or not.
    Sample(Sample),
    /// Requests no longer flow.
    TrafficEnded(TrafficEnded),
    /// What exists in the cluster.
    Inventory(Inventory),
    /// A criterion is to be judged on what has happened so far.
    Asked(Asked),
    /// Something worth knowing.
    Note(Note),
}

/// The head of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of the harness.
    pub version: String,
    /// Names what the run makes, so that it can be told from anything else.
    pub id: String,
    /// The wall-clock time at stamp 0, RFC 3339.
    pub started: String,
}

/// The head of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub name: String,
    /// The feature file, as it was given.
    pub file: String,
    /// The line of the scenario in the file.
    pub line: usize,
    /// Tags of scenario and feature, without `@`.
    pub tags: Vec<String>,
    /// The language of the feature, as Gherkin names it.
    pub language: String,
}

/// Which cluster it was: every figure is true of this one only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// `embedded`, the tool that made it with its version, or the context.
    pub provider: String,
    /// The address of the API server, or `in process`.
    pub server: String,
    /// The version that the server reports.
    pub version: String,
    /// Names of the nodes.
    pub nodes: Vec<String>,
    /// How many times faster than real time the cluster runs; 1 for a real one.
    pub pace: f64,
    /// How requests reach a node port, which decides what an outage means.
    pub access: Access,
}

/// How requests reach a node port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// By which way.
    pub kind: AccessKind,
    /// The address that they are sent to.
    pub address: String,
}

/// The ways to a node port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessKind {
    /// The proxy of the embedded cluster.
    EmbeddedProxy,
    /// The address of a node.
    NodeAddress,
    /// A port of this machine that an engine maps to a node.
    MappedPort,
    /// A port-forward through the API.
    ApiForward,
    /// A tunnel of the tool that made the cluster.
    Tunnel,
}

/// A step of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The keyword as it was written.
    pub keyword: String,
    /// The sentence, with what its table lists.
    pub text: String,
    /// Its line in the feature file.
    pub line: usize,
}

/// How a step or a scenario ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "kebab-case")]
pub enum Ending {
    /// As promised.
    Passed,
    /// Otherwise.
    Failed {
        /// Why, over as many lines as it needs.
        why: String,
    },
    /// The run was interrupted.
    Interrupted,
}

/// A change that the harness made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// What was done.
    pub verb: Verb,
    /// With what: a file, a revision, a namespace.
    pub argument: String,
    /// When it was sent; the record's own stamp is when the last answer came.
    pub sent: Stamp,
    /// The objects that it touched.
    pub objects: Vec<Touched>,
}

/// Kinds of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Objects were applied from a file.
    Apply,
    /// A Deployment was set back to an earlier revision.
    Undo,
    /// A Deployment was scaled.
    Scale,
    /// A namespace was created.
    CreateNamespace,
    /// A namespace was deleted.
    DeleteNamespace,
}

/// An object that a command touched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Touched {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its generation after the command; 0 for kinds that have none.
    pub generation: i64,
    /// The revision of the cluster at which it was last changed, the command included; empty in
    /// histories that do not tell it.
    #[serde(default)]
    pub resource_version: String,
    /// Whether the command changed anything.
    pub changed: bool,
}

/// An object as a watch reported it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What became of it.
    pub change: ChangeKind,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// The revision of the cluster at which it changed.
    pub resource_version: String,
    /// Whether this follows from a new list after a broken watch, instead of an event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// What is kept of it.
    #[serde(flatten)]
    pub facts: Facts,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new, or was there when the watch began.
    Added,
    /// It is different.
    Modified,
    /// It is gone; the facts are its last ones.
    Deleted,
}

/// A hole in what a watch has seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// The kind that was watched.
    pub kind: String,
    /// What went wrong.
    pub why: String,
}

/// The API does not answer, so nothing is seen of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreachable {
    /// What went wrong.
    pub why: String,
}

/// A flow of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Where they go.
    pub url: String,
    /// Requests a second.
    pub rate: f64,
    /// Whether each has a connection of its own.
    pub fresh_connections: bool,
    /// How long a request may take, in seconds.
    pub timeout: f64,
}

/// The end of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficEnded {
    /// Requests that were sent.
    pub sent: u64,
    /// Requests that were due and could not be sent.
    pub unsent: u64,
    /// Requests that were sent more than 5 ms after they were due.
    pub late: u64,
}

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its number in the flow, from 0.
    pub seq: u64,
    /// When it was to be sent.
    pub due: Stamp,
    /// When it was sent.
    pub sent: Stamp,
    /// The local port of its connection; 0 where there was none.
    pub port: u16,
    /// What became of it. The record's stamp is when that was known.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// A 200 with a readable body.
    Answered(Answer),
    /// Anything else.
    Failed {
        /// In which way.
        class: FailureClass,
        /// The error or the first part of the answer.
        detail: String,
    },
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `service` of the body.
    pub service: String,
    /// `version` of the body.
    pub version: String,
    /// `pod` of the body, where the service tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
}

/// The ways in which a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// Nothing listens.
    Refused,
    /// The connection broke, or ended before the answer did.
    Reset,
    /// No answer in time.
    Timeout,
    /// The address cannot be reached.
    NoRoute,
    /// A status other than 200.
    Http,
    /// A body that does not say who answers.
    BadBody,
}

/// What exists in a cluster: names by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Before or after the scenario.
    pub when: When,
    /// `NAMESPACE/NAME` or `NAME`, sorted, by kind.
    pub objects: BTreeMap<String, Vec<String>>,
    /// Node ports in use, with the Service that holds each.
    pub node_ports: BTreeMap<u16, String>,
}

/// When an inventory was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before the scenario made anything.
    Before,
    /// After its clean-up.
    After,
}

/// Something worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The text.
    pub text: String,
}
