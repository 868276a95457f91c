//! When an update of a Deployment began, and when it was complete.

use crate::history::facts::{DeploymentFacts, ReplicaSetFacts};
use crate::history::record::{Change, Command};
use crate::history::state::Known;
use crate::history::{Stamp, State};

use super::timeline::Timeline;

/// A rollout that a command began.
#[derive(Debug, Clone)]
pub(super) struct Rollout<'r> {
    pub(super) command: &'r Command,
    /// The Deployment's uid.
    pub(super) uid: String,
    /// When the command was sent.
    pub(super) began: Stamp,
    /// The version of the Deployment that it led to.
    began_version: Option<u64>,
    /// When the Deployment was first seen as the command left it.
    pub(super) noticed: Option<Stamp>,
    /// When the Deployment was first seen complete with it.
    pub(super) completed: Option<Stamp>,
    /// The version of the Deployment then.
    completed_version: Option<u64>,
    /// When the Deployment exceeded its progress deadline.
    pub(super) deadline_exceeded: Option<Stamp>,
}

/// Whether the controller has seen the newest spec; before that its status tells of an older one.
fn is_observed(deployment: &DeploymentFacts) -> bool {
    deployment.observed_generation >= deployment.generation
}

/// kubectl's own rule: the controller has seen the change, all pods are of the new template, none
/// of an old one is left, and all are available. Source:
/// `staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go`.
fn is_complete(deployment: &DeploymentFacts) -> bool {
    is_observed(deployment)
        && deployment.updated >= deployment.replicas
        && deployment.total <= deployment.updated
        && deployment.available >= deployment.updated
}

fn is_too_late(deployment: &DeploymentFacts) -> bool {
    deployment.conditions.iter().any(|condition| {
        condition.name == "Progressing" && condition.reason == "ProgressDeadlineExceeded"
    })
}

/// The last rollout of a Deployment: that of the newest command that changed it, or of the newest
/// that named it at all.
pub(super) fn last<'r>(timeline: &Timeline<'r>, deployment: &str) -> Option<Rollout<'r>> {
    let touching = |changed_only: bool| {
        timeline.commands().rev().find_map(|(_, command)| {
            let touched = command.objects.iter().find(|object| {
                object.kind == "Deployment"
                    && object.name == deployment
                    && (object.changed || !changed_only)
            })?;
            Some((command, touched))
        })
    };
    let (command, touched) = touching(true).or_else(|| touching(false))?;
    let mut rollout = Rollout {
        command,
        uid: touched.uid.clone(),
        began: command.sent,
        began_version: version(&touched.resource_version),
        noticed: None,
        completed: None,
        completed_version: None,
        deadline_exceeded: None,
    };
    // An unchanged Deployment was complete before the command.
    let from = if touched.changed {
        command.sent
    } else {
        Stamp(0)
    };
    // A deadline that an earlier rollout exceeded stays in the status for a while.
    let mut is_stale = false;
    for (at, change, facts) in timeline.deployments(deployment) {
        if change.uid != touched.uid {
            continue;
        }
        if at < from || facts.generation < touched.generation {
            is_stale = is_too_late(facts);
            continue;
        }
        is_stale &= is_too_late(facts);
        rollout.noticed.get_or_insert(at);
        if is_complete(facts) && rollout.completed.is_none() {
            rollout.completed = Some(at);
            rollout.completed_version = version(&change.resource_version);
        }
        if is_observed(facts) && is_too_late(facts) && !is_stale {
            rollout.deadline_exceeded.get_or_insert(at);
        }
    }
    Some(rollout)
}

/// Each kind has a watch of its own, and after a lost connection one of them may be seconds behind
/// another, so the moment at which a change was told does not decide whether it was part of a
/// rollout; the versions of one cluster's objects do.
impl Rollout<'_> {
    /// Whether a change happened after the command.
    pub(super) fn had_begun(&self, at: Stamp, change: &Change) -> bool {
        let versions = version(&change.resource_version).zip(self.began_version);
        at > self.began && versions.is_none_or(|(own, began)| own >= began)
    }

    /// Whether a change had happened when the Deployment was complete.
    pub(super) fn had_seen(&self, at: Stamp, change: &Change) -> bool {
        let in_time = self.completed.is_none_or(|completed| at <= completed);
        let versions = version(&change.resource_version).zip(self.completed_version);
        in_time || versions.is_some_and(|(own, completed)| own <= completed)
    }

    /// The state that the command found.
    pub(super) fn state_before(&self, timeline: &Timeline<'_>) -> State {
        let mut state = State::default();
        let changes = timeline.changes();
        for (_, change) in changes.filter(|(at, change)| !self.had_begun(*at, change)) {
            state.fold(change);
        }
        state
    }
}

/// The version of an object as a number, which grows with every change of anything in the cluster.
/// Source: `staging/src/k8s.io/apimachinery/pkg/util/resourceversion`.
fn version(resource_version: &str) -> Option<u64> {
    resource_version.parse().ok()
}

/// The ReplicaSet of a Deployment's present template: name and facts.
pub(super) fn new_replicaset<'s>(
    state: &'s State,
    deployment: &str,
) -> Option<(&'s String, &'s Known<ReplicaSetFacts>)> {
    let known = state.deployments.get(deployment)?;
    let template = &known.facts.template.fingerprint;
    state
        .replicasets_of(&known.uid)
        .find(|(_, replicaset)| replicaset.facts.template.fingerprint == *template)
}
