//! What one scenario owns: its cluster, its namespace, its history and its traffic.

mod error;
mod waiting;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{from_value, json};

pub use self::error::SessionError;
use super::apply::{apply, finalizers, release};
use super::manifest::{self, Manifest};
use super::undo::undo;
use super::{inventory, judge};
use crate::criteria::Verdict;
use crate::history::criterion::{Asked, Criterion, Expected};
use crate::history::record::{Command, Touched, Verb, When};
use crate::history::{Entry, History, Stamp};
use crate::observer::Observer;
use crate::prober::{Flow, Prober};
use crate::provider::{Cluster, RUN_LABEL};

/// How long a namespace may take to go when a scenario ends without having deleted it.
const REMOVAL: Duration = Duration::from_secs(120);

/// What becomes of the namespace of a session that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// It is removed.
    Remove,
    /// It is left: its cluster goes with it, or somebody wants to look at it.
    Leave,
}

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
            resource_version: created.resource_version().unwrap_or_default(),
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

    /// Lets traffic flow to a node port until it is stopped or the scenario ends.
    ///
    /// # Errors
    /// Traffic flows already, there is no way to the node port, or the system has no thread left.
    pub async fn start_traffic(
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
            ..Flow::to(self.cluster.node_port(port).await?)
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
        let asked = Asked {
            criterion,
            expected,
        };
        self.wait(&asked, limit).await;
        judge::ask(&self.history, asked).await
    }

    /// Ends the session: no traffic, and no namespace unless that is left for somebody else.
    ///
    /// # Errors
    /// The namespace could not be removed; the text says how to do it by hand.
    pub async fn finish(&mut self, namespace: Farewell) -> Result<(), SessionError> {
        self.stop_traffic().await;
        if namespace == Farewell::Remove
            && let Some(name) = self.namespace.clone()
        {
            self.delete_namespace().await?;
            for manifest in std::mem::take(&mut self.held) {
                release(&self.client, &name, &manifest)
                    .await
                    .map_err(SessionError::api(format!("release what {name} holds")))?;
            }
            self.await_removal(REMOVAL).await?;
            if self.namespace.is_some() {
                return Err(SessionError::Late {
                    what: format!("the removal of namespace {name}"),
                    limit: REMOVAL,
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

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("namespace", &self.namespace)
            .field("deployment", &self.deployment)
            .finish_non_exhaustive()
    }
}
