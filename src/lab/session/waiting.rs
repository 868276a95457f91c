//! What a session waits for between the verbs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::super::{inventory, judge};
use super::{Session, SessionError};
use crate::criteria::phrase::Language;
use crate::history::criterion::{Asked, Criterion, Expected};
use crate::history::record::{Outcome, Unreachable, When};
use crate::history::{Entry, Record, State};
use crate::provider::chain;

/// Answers in a row that show a path to be open, and how long they may take to come.
const IN_A_ROW: usize = 10;
const FIRST_ANSWERS: Duration = Duration::from_secs(30);
/// How long the API may take to say that it is there.
const API_PATIENCE: Duration = Duration::from_secs(10);

impl Session {
    /// Waits until the namespace is gone, then takes the inventory that must equal the first.
    ///
    /// # Errors
    /// The API does not answer a list.
    pub async fn await_removal(&mut self, limit: Duration) -> Result<(), SessionError> {
        let name = self.namespace()?;
        let gone = self
            .history
            .wait_for(limit, |state| {
                (!state.namespaces.contains_key(&name)).then_some(())
            })
            .await;
        if gone.is_some() {
            self.namespace = None;
            let after = inventory::take(&self.client, When::After)
                .await
                .map_err(SessionError::api("take an inventory"))?;
            self.history.append(Entry::Inventory(after));
        }
        Ok(())
    }

    /// Waits until the Deployment that was applied last is rolled out.
    ///
    /// # Errors
    /// It is not in time; the text is the verdict on it.
    pub async fn await_rollout(&self, limit: Duration) -> Result<(), SessionError> {
        let asked = Asked {
            criterion: Criterion::RolloutComplete {
                deployment: self.deployment()?,
            },
            expected: Expected::Holds,
        };
        self.wait(&asked, limit).await;
        let verdict = judge::judge_now(&self.history, asked).await;
        if verdict.is_as_expected() {
            return Ok(());
        }
        Err(SessionError::Late {
            what: "the rollout".to_owned(),
            limit,
            seen: verdict.explanation(Language::English),
        })
    }

    /// Waits until a verdict is decided. If it is not in time, the reason may be that nothing can be
    /// seen of the cluster, which is then noted.
    pub(super) async fn wait(&self, asked: &Asked, limit: Duration) {
        if judge::wait(&self.history, asked, limit.min(self.patience)).await {
            return;
        }
        let asking = timeout(API_PATIENCE, self.client.apiserver_version()).await;
        let why = match asking {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("no answer within {} s", API_PATIENCE.as_secs()),
        };
        self.history.append(Entry::Unreachable(Unreachable { why }));
    }

    /// Waits until some pods of a Deployment are ready, none of them restarted.
    ///
    /// # Errors
    /// They are not in time, or one was restarted.
    pub async fn await_ready_pods(
        &self,
        deployment: &str,
        count: usize,
        limit: Duration,
    ) -> Result<(), SessionError> {
        let ready = |state: &State| {
            let pods = ready_pods(state, deployment);
            (pods.len() == count).then_some(pods)
        };
        let Some(pods) = self.history.wait_for(limit, ready).await else {
            let seen = self
                .history
                .state(|state| ready_pods(state, deployment).len());
            return Err(SessionError::Late {
                what: format!("{count} ready pods of {deployment}"),
                limit,
                seen: format!("{seen} are ready"),
            });
        };
        match pods.into_iter().find(|(_, restarts)| *restarts > 0) {
            None => Ok(()),
            Some((pod, restarts)) => Err(SessionError::Differs {
                expected: "pods without a restart".to_owned(),
                seen: format!("{restarts} restarts of pod {pod}"),
            }),
        }
    }

    /// Waits until requests are answered ten times in a row.
    ///
    /// # Errors
    /// They are not within 30 s.
    pub async fn await_answers(&self) -> Result<(), SessionError> {
        let enough = || {
            self.history
                .read(|records| answers_in_a_row(records) >= IN_A_ROW)
                .then_some(())
        };
        let deadline = tokio::time::Instant::now() + FIRST_ANSWERS;
        if self.history.wait(deadline, enough).await.is_some() {
            return Ok(());
        }
        Err(SessionError::Late {
            what: format!("{IN_A_ROW} answers in a row"),
            limit: FIRST_ANSWERS,
            seen: self.history.read(last_failure),
        })
    }
}

/// The ready pods of a Deployment's present ReplicaSets, with their restarts.
fn ready_pods(state: &State, deployment: &str) -> Vec<(String, i64)> {
    let Some(known) = state.deployments.get(deployment) else {
        return Vec::new();
    };
    state
        .replicasets_of(&known.uid)
        .flat_map(|(_, replicaset)| state.pods_of(&replicaset.uid))
        .filter(|(_, pod)| pod.facts.ready && pod.facts.status == "Running")
        .map(|(name, pod)| (name.clone(), pod.facts.restarts))
        .collect()
}

/// Answers at the end of a history that no failure interrupts.
fn answers_in_a_row(records: &[Arc<Record>]) -> usize {
    records
        .iter()
        .rev()
        .filter_map(|record| match &record.entry {
            Entry::Sample(sample) => Some(&sample.outcome),
            _ => None,
        })
        .take_while(|outcome| matches!(outcome, Outcome::Answered(_)))
        .count()
}

fn last_failure(records: &[Arc<Record>]) -> String {
    let last = records.iter().rev().find_map(|record| match &record.entry {
        Entry::Sample(sample) => match &sample.outcome {
            Outcome::Failed { class, detail } => Some(format!("{class:?}: {detail}")),
            Outcome::Answered(_) => None,
        },
        _ => None,
    });
    last.map_or_else(
        || "no request was sent".to_owned(),
        |last| format!("the last failure: {last}"),
    )
}
