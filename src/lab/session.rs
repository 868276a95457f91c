//! What one scenario owns: its cluster, its namespace, its history and its traffic.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{from_value, json};

use super::apply::{ApplyError, apply, finalizers, release, words};
use super::manifest::{self, Manifest, ManifestError};
use super::undo::{UndoError, undo};
use super::{inventory, judge};
use crate::criteria::Verdict;
use crate::criteria::phrase::Language;
use crate::history::criterion::{Asked, Criterion, Expected};
use crate::history::record::{Command, Outcome, Touched, Verb, When};
use crate::history::{Entry, History, Record, Stamp, State};
use crate::observer::Observer;
use crate::prober::{Flow, Prober};
use crate::provider::Cluster;

/// The label that marks what a run has made, with the run's id.
pub const RUN_LABEL: &str = "rollout-lab/run";
/// How long a namespace may take to go when a scenario ends without having deleted it.
const FAREWELL: Duration = Duration::from_secs(120);

/// Answers in a row that show a path to be open, and how long they may take to come.
const IN_A_ROW: usize = 10;
const FIRST_ANSWERS: Duration = Duration::from_secs(30);

/// What a scenario owns.
pub struct Session {
    cluster: Arc<dyn Cluster>,
    client: Client,
    history: History,
    feature: PathBuf,
    run: String,
    observer: Option<Observer>,
    prober: Option<Prober>,
    namespace: Option<String>,
    deployment: Option<String>,
    /// How long any verdict may be waited for.
    patience: Duration,
    /// What was applied with a finalizer that nobody but this session will remove.
    held: Vec<Manifest>,
}

/// Why a verb of the lab did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No namespace was made yet.
    #[error("the scenario has no namespace yet; begin with: Given the namespace \"app-dev\"")]
    NoNamespace,
    /// Nothing was rolled out yet.
    #[error("the scenario has applied no Deployment yet")]
    NoDeployment,
    /// Traffic flows already.
    #[error("traffic flows already; a scenario has one flow at a time")]
    TrafficFlows,
    /// The system has no means left to send requests.
    #[error("could not start the flow of requests: {0}")]
    NoThread(std::io::Error),
    /// The namespace belongs to somebody else.
    #[error(
        "namespace {name} exists already and was not made by this run, so it is not touched; \
         delete it (kubectl delete namespace {name}) or change the feature"
    )]
    ForeignNamespace {
        /// The namespace.
        name: String,
    },
    /// The API said no.
    #[error("could not {what}: {why}")]
    Api {
        /// What was attempted, and on what.
        what: String,
        /// The answer of the API.
        why: String,
    },
    /// Something did not come to pass in time.
    #[error("{what} did not happen within {} s; {seen}", limit.as_secs_f64())]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        limit: Duration,
        /// What was seen instead.
        seen: String,
    },
    /// A fact is not as the sentence says.
    #[error("expected {expected}, saw {seen}")]
    Differs {
        /// What the sentence says.
        expected: String,
        /// What was seen.
        seen: String,
    },
    /// A file is no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A manifest was refused.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A rollout could not be undone.
    #[error(transparent)]
    Undo(#[from] UndoError),
}

impl SessionError {
    fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |error| Self::Api {
            what,
            why: words(&error),
        }
    }
}

impl Session {
    /// A session on a cluster, for a scenario of a feature file.
    ///
    /// No verdict is waited for longer than `patience`, whatever a sentence says: a verdict that
    /// comes late is worth more than a step that was cut off without any.
    pub fn new(
        cluster: Arc<dyn Cluster>,
        history: History,
        feature: PathBuf,
        run: &str,
        patience: Duration,
    ) -> Self {
        history.append(Entry::Cluster(cluster.describe()));
        Self {
            client: cluster.client(),
            cluster,
            history,
            feature,
            run: run.to_owned(),
            observer: None,
            prober: None,
            namespace: None,
            deployment: None,
            patience,
            held: Vec::new(),
        }
    }

    /// The scenario's history.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> &dyn Cluster {
        &*self.cluster
    }

    /// The Deployment that was applied last.
    ///
    /// # Errors
    /// [`SessionError::NoDeployment`].
    pub fn deployment(&self) -> Result<String, SessionError> {
        self.deployment.clone().ok_or(SessionError::NoDeployment)
    }

    /// The scenario's namespace.
    ///
    /// # Errors
    /// [`SessionError::NoNamespace`].
    pub fn namespace(&self) -> Result<String, SessionError> {
        self.namespace.clone().ok_or(SessionError::NoNamespace)
    }

    /// Slows simulated time down.
    pub fn limit_pace(&self, most: f64) {
        self.cluster.limit_pace(most);
        self.history.append(Entry::Cluster(self.cluster.describe()));
    }

    /// Makes the namespace, after an inventory, and begins to watch it.
    ///
    /// # Errors
    /// It exists and is not ours, or the API refuses.
    pub async fn create_namespace(&mut self, name: &str) -> Result<(), SessionError> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let what = format!("create namespace {name}");
        let existing = api.get_opt(name).await.map_err(SessionError::api(&what))?;
        if existing.is_some() {
            return Err(SessionError::ForeignNamespace {
                name: name.to_owned(),
            });
        }
        let before = inventory::take(&self.client, When::Before)
            .await
            .map_err(SessionError::api("take an inventory"))?;
        self.history.append(Entry::Inventory(before));
        self.observer = Some(Observer::start(&self.client, name, &self.history).await);
        let sent = self.history.clock().now();
        let namespace: Namespace = from_value(json!({
            "metadata": {"name": name, "labels": {RUN_LABEL: self.run}},
        }))
        .unwrap_or_default();
        let created = api
            .create(&PostParams::default(), &namespace)
            .await
            .map_err(SessionError::api(&what))?;
        self.namespace = Some(name.to_owned());
        let touched = Touched {
            kind: "Namespace".to_owned(),
            name: name.to_owned(),
            uid: created.uid().unwrap_or_default(),
            generation: 0,
            changed: true,
        };
        self.tell(Verb::CreateNamespace, name, sent, vec![touched]);
        Ok(())
    }

    /// Applies all objects of a file.
    ///
    /// # Errors
    /// The file is no manifest, or the API refuses an object.
    pub async fn apply(&mut self, file: &str) -> Result<(), SessionError> {
        let namespace = self.namespace()?;
        let path = manifest::find(file, &self.feature)?;
        let manifests = manifest::read(file, &path)?;
        let sent = self.history.clock().now();
        let mut objects = Vec::with_capacity(manifests.len());
        for manifest in manifests {
            objects.push(apply(&self.client, &namespace, &manifest).await?);
            if !finalizers(&manifest).is_empty() {
                self.held.push(manifest);
            }
        }
        let deployment = objects
            .iter()
            .rev()
            .find(|object| object.kind == "Deployment");
        if let Some(deployment) = deployment {
            self.deployment = Some(deployment.name.clone());
        }
        self.tell(Verb::Apply, file, sent, objects);
        Ok(())
    }

    /// Sets a Deployment back to a revision, or to the one before the last.
    ///
    /// # Errors
    /// There is no such revision, or the API refuses.
    pub async fn undo(&mut self, name: &str, revision: Option<i64>) -> Result<(), SessionError> {
        let namespace = self.namespace()?;
        let sent = self.history.clock().now();
        let touched = undo(&self.client, &namespace, name, revision).await?;
        self.deployment = Some(name.to_owned());
        let argument = revision.map_or_else(|| "the one before".to_owned(), |r| r.to_string());
        self.tell(Verb::Undo, &argument, sent, vec![touched]);
        Ok(())
    }

    /// Asks for the namespace to be deleted; it goes when all in it has gone.
    ///
    /// # Errors
    /// The API refuses.
    pub async fn delete_namespace(&mut self) -> Result<(), SessionError> {
        let name = self.namespace()?;
        let sent = self.history.clock().now();
        let api: Api<Namespace> = Api::all(self.client.clone());
        api.delete(&name, &DeleteParams::background())
            .await
            .map_err(SessionError::api(format!("delete namespace {name}")))?;
        self.tell(Verb::DeleteNamespace, &name, sent, Vec::new());
        Ok(())
    }

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
        let criterion = Criterion::RolloutComplete {
            deployment: self.deployment()?,
        };
        let verdict = judge::settle(&self.history, criterion, limit.min(self.patience)).await;
        if verdict.is_as_expected() {
            return Ok(());
        }
        Err(SessionError::Late {
            what: "the rollout".to_owned(),
            limit,
            seen: verdict.explanation(Language::English),
        })
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

    /// Lets traffic flow to a node port until it is stopped or the scenario ends.
    ///
    /// # Errors
    /// Traffic flows already, or the system has no thread left for it.
    pub fn start_traffic(
        &mut self,
        port: u16,
        rate: f64,
        fresh_connections: bool,
    ) -> Result<(), SessionError> {
        if self.prober.is_some() {
            return Err(SessionError::TrafficFlows);
        }
        let flow = Flow {
            rate,
            fresh_connections,
            ..Flow::to(self.cluster.node_port(port))
        };
        let prober = Prober::start(flow, self.history.clone()).map_err(SessionError::NoThread)?;
        self.prober = Some(prober);
        Ok(())
    }

    /// Whether requests flow.
    #[must_use]
    pub fn has_traffic(&self) -> bool {
        self.prober.is_some()
    }

    /// Ends the traffic and waits for the last answers.
    pub async fn stop_traffic(&mut self) {
        if let Some(prober) = self.prober.take() {
            prober.stop().await;
        }
    }

    /// Waits until a criterion is as expected or the limit has passed, and asks for the verdict.
    pub async fn ask(&self, criterion: Criterion, expected: Expected, limit: Duration) -> Verdict {
        judge::ask(
            &self.history,
            Asked {
                criterion,
                expected,
            },
            limit.min(self.patience),
        )
        .await
    }

    /// Ends the session: no traffic, and no namespace where the cluster outlives it.
    ///
    /// # Errors
    /// The namespace could not be removed; the text says how to do it by hand.
    pub async fn finish(&mut self, cluster_stays: bool) -> Result<(), SessionError> {
        self.stop_traffic().await;
        if cluster_stays && let Some(name) = self.namespace.clone() {
            self.delete_namespace().await?;
            for manifest in std::mem::take(&mut self.held) {
                release(&self.client, &name, &manifest)
                    .await
                    .map_err(SessionError::api(format!("release what {name} holds")))?;
            }
            self.await_removal(FAREWELL).await?;
            if self.namespace.is_some() {
                return Err(SessionError::Late {
                    what: format!("the removal of namespace {name}"),
                    limit: FAREWELL,
                    seen: format!("see: kubectl get namespace {name} -o yaml"),
                });
            }
        }
        self.observer = None;
        Ok(())
    }

    fn tell(&self, verb: Verb, argument: &str, sent: Stamp, objects: Vec<Touched>) {
        let command = Command {
            verb,
            argument: argument.to_owned(),
            sent,
            objects,
        };
        self.history.append(Entry::Command(command));
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

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("namespace", &self.namespace)
            .field("deployment", &self.deployment)
            .finish_non_exhaustive()
    }
}
