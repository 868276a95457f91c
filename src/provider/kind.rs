//! kind: a cluster of containers, made for one run and removed with it.
//!
//! Its name holds the run's own id, so that nothing else is ever taken for it or deleted with it.
//! The node port of the labs is mapped to this machine, because the nodes' addresses cannot be
//! reached from everywhere.
//!
//! Source: kind 0.33, `kind create cluster --help` and <https://kind.sigs.k8s.io/docs/user/configuration>.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use http::Uri;
use kube::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::embedded::{NODE_PORT, url};
use super::kubeconfig::{Kubeconfig, Reached};
use super::tool::{Told, Tool, ToolError};
use super::{Cluster, Provider, ProviderError, port};
use crate::history::record::{self, Access, AccessKind};

/// How long kind may take to make a cluster: images of a gigabyte may have to come first.
const CREATION: Duration = Duration::from_secs(15 * 60);
/// How long kind waits for the control plane within that.
const READY: &str = "300s";
/// How long the removal of a cluster may take.
const REMOVAL: Duration = Duration::from_secs(3 * 60);
/// How to get kind.
pub const INSTALL: &str = "see https://kind.sigs.k8s.io/docs/user/quick-start/#installation, or run on \
                       the embedded cluster: --provider embedded";

/// What the names of clusters begin with that were made here.
pub const PREFIX: &str = "rollout-lab-";

/// Makes kind clusters.
pub struct Kind {
    /// The run's id, of lower-case letters and digits.
    id: String,
    /// Where this machine serves the labs' node port.
    published: SocketAddr,
    /// The node image; kind's own default where it is not given.
    node_image: Option<String>,
    told: Told,
    /// The cluster that a start was making when it was dropped.
    half_made: Mutex<Option<Made>>,
}

/// A cluster, whole or half made.
#[derive(Clone)]
struct Made {
    kind: Tool,
    name: String,
    folder: Arc<TempDir>,
}

impl Kind {
    /// Clusters for the run of an id. What kind prints goes to `told`.
    #[must_use]
    pub fn new(id: &str, published: SocketAddr, node_image: Option<String>, told: Told) -> Self {
        Self {
            id: id.to_owned(),
            published,
            node_image,
            told,
            half_made: Mutex::default(),
        }
    }

    async fn make(&self) -> Result<Running, ProviderError> {
        let name = format!("{PREFIX}{}", self.id);
        let failed = |source| ProviderError::Tool {
            what: format!("make the kind cluster {name}"),
            source,
        };
        let kind = Tool::find("kind", INSTALL, self.told.clone()).map_err(failed)?;
        let version = kind.run(&["version"], REMOVAL).await.map_err(failed)?;
        let folder = tempfile::tempdir().map_err(|source| ProviderError::Folder { source })?;
        let config = folder.path().join("kind.yaml");
        std::fs::write(&config, self.config().to_string())
            .map_err(|source| ProviderError::Folder { source })?;
        let made = Made {
            kind,
            name: name.clone(),
            folder: Arc::new(folder),
        };
        *self.half_made.lock().await = Some(made.clone());
        let created = self.create(&made, &config).await;
        if let Err(source) = created {
            self.abandon().await;
            return Err(failed(source));
        }
        let existing = Kubeconfig {
            file: Some(made.kubeconfig()),
            context: Some(format!("kind-{name}")),
            node_address: Some(self.published.ip().to_string()),
        };
        match existing.reach().await {
            Ok(reached) => {
                *self.half_made.lock().await = None;
                Ok(Running {
                    reached,
                    version: version.split(' ').take(2).collect::<Vec<_>>().join(" "),
                    published: self.published,
                    made,
                })
            }
            Err(error) => {
                self.abandon().await;
                Err(error)
            }
        }
    }

    async fn create(&self, made: &Made, config: &Path) -> Result<(), ToolError> {
        let (config, kubeconfig) = (text(config), text(&made.kubeconfig()));
        let mut arguments = vec!["create", "cluster", "--name", &made.name];
        arguments.extend(["--config", &config, "--kubeconfig", &kubeconfig]);
        arguments.extend(["--wait", READY]);
        if let Some(image) = &self.node_image {
            arguments.extend(["--image", image]);
        }
        made.kind.run(&arguments, CREATION).await.map(drop)
    }

    /// One control plane, two workers, and the node port on this machine. JSON is YAML.
    fn config(&self) -> Value {
        let labels = json!({"rollout-lab/run": self.id});
        let mapping = json!({
            "containerPort": NODE_PORT,
            "hostPort": self.published.port(),
            "listenAddress": self.published.ip(),
            "protocol": "TCP",
        });
        json!({
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "nodes": [
                {"role": "control-plane", "labels": labels, "extraPortMappings": [mapping]},
                {"role": "worker", "labels": labels},
                {"role": "worker", "labels": labels},
            ],
        })
    }
}

impl Provider for Kind {
    fn check(&self) -> Result<(), ProviderError> {
        port::expect_free(self.published, NODE_PORT)
    }

    fn start(&self) -> BoxFuture<'_, Result<Arc<dyn Cluster>, ProviderError>> {
        self.make()
            .map(|made| Ok(Arc::new(made?) as Arc<dyn Cluster>))
            .boxed()
    }

    /// Minutes are too long for a cluster of each scenario.
    fn is_disposable(&self) -> bool {
        false
    }

    fn abandon(&self) -> BoxFuture<'_, ()> {
        async {
            if let Some(made) = self.half_made.lock().await.take() {
                made.remove().await;
            }
        }
        .boxed()
    }
}

impl Made {
    fn kubeconfig(&self) -> std::path::PathBuf {
        self.folder.path().join("kubeconfig")
    }

    async fn remove(&self) {
        let kubeconfig = text(&self.kubeconfig());
        let arguments = ["delete", "cluster", "--name", &self.name, "--kubeconfig"];
        let arguments = [&arguments[..], &[&kubeconfig]].concat();
        if let Err(error) = self.kind.run(&arguments, REMOVAL).await {
            eprintln!(
                "could not remove the kind cluster: {error}\nremove it by hand: kind delete \
                 cluster --name {}",
                self.name
            );
        }
    }
}

/// A path as an argument; the folders of temporary files are named in UTF-8.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

struct Running {
    reached: Reached,
    /// `kind v0.33.0`, of what it prints as its version.
    version: String,
    published: SocketAddr,
    made: Made,
}

impl Cluster for Running {
    fn describe(&self) -> record::Cluster {
        record::Cluster {
            provider: self.version.clone(),
            access: Access {
                kind: AccessKind::MappedPort,
                address: self.published.to_string(),
            },
            ..self.reached.describe()
        }
    }

    fn client(&self) -> Client {
        self.reached.client()
    }

    fn node_port(&self, port: u16) -> Uri {
        // Only the labs' own node port is mapped; any other has no way in.
        let mapped = if port == NODE_PORT {
            self.published.port()
        } else {
            port
        };
        url(&self.published.ip().to_string(), mapped)
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        self.made.remove().boxed()
    }
}
