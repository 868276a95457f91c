//! Replays recordings of a real Kubernetes 1.36.2 and compares what is deterministic in them.
//!
//! A recording in `tests/golden/traces-reduced` tells what the commands changed, and what a watcher
//! saw then: the versions of the deployment that differ in generation, revision or conditions; the
//! desired sizes of the `ReplicaSet`s in their order; the events, without the random parts of pod
//! names and without the prefix of combined ones, for chance decides upstream which are combined;
//! and what was left in the end. Pods become ready one after the other, as they did there.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet, ReplicaSetStatus};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::ResourceExt as _;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde::Deserialize;
use serde_json::{Value, from_value, json};

use super::lab::{Lab, REVISION, Seen};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    steps: Vec<Command>,
    deployments: Vec<Version>,
    sizes: Vec<(String, i32)>,
    scaling: Vec<String>,
    pod_events: BTreeMap<String, usize>,
    end: End,
}

#[derive(Deserialize)]
struct Command {
    kubectl: String,
    #[serde(rename = "do")]
    effect: Effect,
    /// Simulated seconds that passed afterwards.
    #[serde(default)]
    wait: u64,
}

/// What a command does to the API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Effect {
    Create(Value),
    Merge(Value),
    /// To a revision, or to the one before the present one.
    Undo(i64),
    Scale(i32),
    DeletePod(usize),
}

/// What a version of the deployment tells besides counts.
#[derive(Debug, PartialEq, Deserialize)]
struct Version {
    generation: i64,
    revision: Option<String>,
    conditions: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct End {
    deployment: DeploymentStatus,
    replica_sets: BTreeMap<String, Size>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Size {
    annotations: BTreeMap<String, String>,
    replicas: i32,
    status: ReplicaSetStatus,
}

async fn replay(recording: &str) {
    let recording: Recording = serde_json::from_str(recording).unwrap();
    let lab = Lab::start().await;
    for step in &recording.steps {
        step.effect.apply(&lab).await;
        lab.roll_out().await;
        lab.clock.sleep(Duration::from_secs(step.wait)).await;
    }
    let seen = lab.seen();
    assert_same(
        "versions of the deployment",
        &versions(&seen),
        &recording.deployments,
    );
    assert_same("sizes of the ReplicaSets", &sizes(&seen), &recording.sizes);
    let (scaling, pod_events) = told(&seen);
    assert_same("scaling events", &scaling, &recording.scaling);
    assert_eq!(pod_events, recording.pod_events);
    assert_eq!(end(&lab).await, recording.end);
    assert!(recording.steps.iter().all(|step| !step.kubectl.is_empty()));
}

/// Compares lists element by element, so that the first difference is what is shown.
#[track_caller]
fn assert_same<T: PartialEq + std::fmt::Debug>(what: &str, ours: &[T], recorded: &[T]) {
    for (place, (ours, recorded)) in ours.iter().zip(recorded).enumerate() {
        assert_eq!(ours, recorded, "{what}, number {place}");
    }
    let common = ours.len().min(recorded.len());
    assert_eq!(
        (&ours[common..], &recorded[common..]),
        (&[] as &[T], &[] as &[T]),
        "{what}, more than the other has"
    );
}

impl Effect {
    async fn apply(&self, lab: &Lab) {
        match self {
            Self::Create(object) => {
                lab.create::<Deployment>(object.clone()).await;
            }
            Self::Merge(patch) => lab.change(patch).await,
            Self::Undo(revision) => undo(lab, *revision).await,
            Self::Scale(replicas) => {
                let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
                lab.api::<Deployment>()
                    .patch_scale("web", &PatchParams::default(), &patch)
                    .await
                    .unwrap();
            }
            Self::DeletePod(count) => {
                for pod in lab.pods().await.iter().take(*count) {
                    let name = pod.name_any();
                    lab.api::<Pod>()
                        .delete(&name, &DeleteParams::default())
                        .await
                        .unwrap();
                }
            }
        }
    }
}

/// Does what `kubectl rollout undo` does: a JSON patch of the template and the annotations.
async fn undo(lab: &Lab, revision: i64) {
    let number = |set: &ReplicaSet| set.annotations()[REVISION].parse::<i64>().unwrap();
    let mut sets: Vec<ReplicaSet> = lab.list().await;
    sets.sort_by_key(number);
    let target = match revision {
        0 => &sets[sets.len() - 2],
        _ => sets.iter().find(|set| number(set) == revision).unwrap(),
    };
    let mut template = serde_json::to_value(&target.spec.as_ref().unwrap().template).unwrap();
    let labels = template["metadata"]["labels"].as_object_mut().unwrap();
    labels.remove("pod-template-hash");
    let is_copied = |key: &str| !key.starts_with("deployment.kubernetes.io/");
    let deployment = lab.deployment().await;
    let own = deployment
        .annotations()
        .iter()
        .filter(|(key, _)| !is_copied(key));
    let theirs = target
        .annotations()
        .iter()
        .filter(|(key, _)| is_copied(key));
    let annotations: BTreeMap<_, _> = own.chain(theirs).collect();
    let patch = json!([
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ]);
    let patch: Patch<()> = Patch::Json(from_value(patch).unwrap());
    lab.api::<Deployment>()
        .patch("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
}

fn versions(seen: &[Seen]) -> Vec<Version> {
    let mut versions: Vec<Version> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Deployment(deployment) => Some(version(deployment)),
            _ => None,
        })
        .collect();
    versions.dedup();
    versions
}

fn version(deployment: &Deployment) -> Version {
    let status = deployment.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default().into_iter();
    Version {
        generation: deployment.metadata.generation.unwrap(),
        revision: deployment.annotations().get(REVISION).cloned(),
        conditions: conditions
            .map(|condition| {
                format!(
                    "{}={} {}: {}",
                    condition.type_,
                    condition.status,
                    condition.reason.unwrap_or_default(),
                    condition.message.unwrap_or_default()
                )
            })
            .collect(),
    }
}

fn sizes(seen: &[Seen]) -> Vec<(String, i32)> {
    let mut last = BTreeMap::new();
    let mut sizes = Vec::new();
    for seen in seen {
        if let Seen::ReplicaSet(set) = seen {
            let size = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap();
            if last.insert(set.name_any(), size) != Some(size) {
                sizes.push((set.name_any(), size));
            }
        }
    }
    sizes
}

/// The messages of the deployment controller in order, and how often the `ReplicaSet` controller
/// told what.
fn told(seen: &[Seen]) -> (Vec<String>, BTreeMap<String, usize>) {
    let mut scaling = Vec::new();
    let mut pod_events = BTreeMap::new();
    for seen in seen {
        let Seen::Event(event) = seen else { continue };
        let message = event.message.clone().unwrap();
        let message = message.trim_start_matches("(combined from similar events): ");
        if event.involved_object.kind.as_deref() == Some("Deployment") {
            scaling.push(message.to_owned());
        } else {
            *pod_events.entry(pod_event(event, message)).or_default() += 1;
        }
    }
    (scaling, pod_events)
}

fn pod_event(event: &Event, message: &str) -> String {
    let about = &event.involved_object;
    let (message, _random) = message.rsplit_once('-').unwrap();
    format!(
        "{}/{} {} {}: {message}-*",
        about.kind.as_deref().unwrap(),
        about.name.as_deref().unwrap(),
        event.type_.as_deref().unwrap(),
        event.reason.as_deref().unwrap(),
    )
}

async fn end(lab: &Lab) -> End {
    let mut deployment = lab.deployment().await.status.unwrap();
    deployment.conditions = None;
    let replica_sets = lab.list::<ReplicaSet>().await.into_iter().map(|set| {
        let spec = set.spec.clone().unwrap();
        let size = Size {
            annotations: set.annotations().clone(),
            replicas: spec.replicas.unwrap(),
            status: set.status.clone().unwrap(),
        };
        (set.name_any(), size)
    });
    End {
        deployment,
        replica_sets: replica_sets.collect(),
    }
}

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/traces-reduced/",
            $name,
            ".json"
        ))
    };
}

#[tokio::test(start_paused = true)]
async fn a_rolling_update_with_undo_scale_and_restart_goes_as_recorded() {
    replay(recording!("rolling-update-and-undo")).await;
}

#[tokio::test(start_paused = true)]
async fn an_update_without_unavailable_pods_goes_as_recorded() {
    replay(recording!("zero-downtime")).await;
}

#[tokio::test(start_paused = true)]
async fn a_recreated_deployment_goes_as_recorded() {
    replay(recording!("recreate")).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_and_resumed_deployment_goes_as_recorded() {
    replay(recording!("pause-resume")).await;
}

#[tokio::test(start_paused = true)]
async fn an_update_of_five_with_the_default_strategy_goes_as_recorded() {
    replay(recording!("default-strategy-five")).await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_is_replaced_as_recorded() {
    replay(recording!("self-healing")).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_of_a_bad_image_times_out_and_is_undone_as_recorded() {
    replay(recording!("bad-image-and-deadline")).await;
}
