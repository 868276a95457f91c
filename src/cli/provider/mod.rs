//! Which cluster, as it is said on the command line or by variables of the environment.

mod archive;
mod names;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tempfile::TempPath;
use tokio_util::sync::CancellationToken;

use self::archive::{Archive, ImageArgs};
pub(super) use self::names::ProviderName;
use self::names::{cluster_name, kubernetes_version};
use super::progress::progress;
use super::publish::Publish;
use super::{ContextArgs, Failure};
use crate::exit::Exit;
use crate::provider::embedded::{Embedded, NODE_PORT, NODES};
use crate::provider::kubeconfig::Existing;
use crate::provider::ledger::Ledger;
use crate::provider::made::{
    Existing as ExistingCluster, K3d, Kind, Made, Maker, Minikube, Size, Wanted,
};
use crate::provider::progress::Progress;
use crate::provider::{Cluster, Provider, ProviderError, auto};

/// Where the cluster comes from and what it is like.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which cluster")]
pub(crate) struct ProviderArgs {
    /// Where the cluster comes from
    #[arg(long, value_enum, default_value_t, env = "LAB_PROVIDER")]
    pub(super) provider: ProviderName,
    /// How many times faster than real time an embedded cluster runs [default: 20 for a run, 1 for
    /// one to work with]
    #[arg(long, env = "LAB_PACE", value_parser = super::run::positive)]
    pub(super) pace: Option<f64>,
    /// Where people reach node ports of a cluster made here: none, ADDRESS, ADDRESS:PORT=NODEPORT
    #[arg(long, default_value = "127.0.0.1")]
    pub(super) publish: Publish,
    /// How many nodes a cluster made here has, the one of the control plane included [default: 3;
    /// minikube: 2]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=20))]
    pub(super) nodes: Option<u8>,
    /// Version of Kubernetes, such as v1.36.2, for a cluster of kind, k3d or minikube
    #[arg(long, value_name = "VERSION", value_parser = kubernetes_version)]
    kubernetes_version: Option<String>,
    /// Image of the nodes, for a cluster of kind or k3d
    #[arg(long, value_name = "IMAGE", conflicts_with = "kubernetes_version")]
    node_image: Option<String>,
    /// A minikube cluster as large as the tutorials ask for: 3 nodes of 8 GB, cilium
    #[arg(long)]
    tutorial_size: bool,
    /// Name of a cluster of kind, k3d or minikube [default: one that no other has]
    #[arg(long, value_name = "NAME", value_parser = cluster_name)]
    pub(super) cluster: Option<String>,
    /// Use the cluster of that name if there is one; it stays
    #[arg(long, requires = "cluster")]
    reuse: bool,
    #[command(flatten)]
    pub(super) images: ImageArgs,
    /// Print what the tools print, too
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// What an argument names, once it is known which provider it is.
#[derive(Clone)]
pub(super) enum Chosen {
    Embedded,
    Made(Arc<dyn Maker>),
    Kubeconfig,
}

/// A provider that is ready to start.
pub struct Ready {
    /// The provider.
    pub provider: Arc<dyn Provider>,
    pub(super) chosen: Chosen,
    /// The archive that was made for this run goes with it.
    _archive: Option<TempPath>,
}

impl ProviderArgs {
    /// Finds out which provider is meant; `auto` looks around and says what it found.
    pub(super) async fn choose(
        &self,
        context: &ContextArgs,
        progress: &Progress,
    ) -> Result<Chosen, Failure> {
        let chosen = match self.provider {
            ProviderName::Embedded => Chosen::Embedded,
            ProviderName::Kubeconfig => Chosen::Kubeconfig,
            ProviderName::Auto => look_around(context, progress).await,
            ProviderName::Kind => Chosen::Made(Arc::new(Kind)),
            ProviderName::K3d => Chosen::Made(Arc::new(K3d)),
            ProviderName::Minikube => Chosen::Made(Arc::new(Minikube)),
        };
        self.check(&chosen, context).map_err(Failure::usage)?;
        Ok(chosen)
    }

    /// An option that would do nothing is a slip.
    fn check(&self, chosen: &Chosen, context: &ContextArgs) -> Result<(), anyhow::Error> {
        let is_made = matches!(chosen, Chosen::Made(_));
        let is_existing = matches!(chosen, Chosen::Kubeconfig);
        let is_auto = self.provider == ProviderName::Auto;
        let of_made = [
            ("--cluster", self.cluster.is_some()),
            ("--kubernetes-version", self.kubernetes_version.is_some()),
            ("--node-image", self.node_image.is_some()),
            ("--tutorial-size", self.tutorial_size),
            ("--image-archive", self.images.is_archive_named()),
        ];
        let of_existing = [
            ("--context", context.context.is_some()),
            ("--kubeconfig", context.kubeconfig.is_some()),
            ("--node-address", context.node_address.is_some()),
            ("--port-forward", context.port_forward),
        ];
        anyhow::ensure!(
            self.nodes.is_none() || !is_existing,
            "--nodes is for clusters that are made here; that of a context has those that it has"
        );
        anyhow::ensure!(
            self.pace.is_none() || is_auto || matches!(chosen, Chosen::Embedded),
            "--pace is for embedded clusters; a real one runs in real time"
        );
        let name = self.provider.name();
        for (option, _) in of_made.iter().filter(|(_, is_set)| *is_set && !is_made) {
            anyhow::ensure!(
                is_auto,
                "{option} is for clusters of kind, k3d and minikube; with --provider {name} it does \
                 nothing"
            );
        }
        for (option, _) in of_existing
            .iter()
            .filter(|(_, is_set)| *is_set && !is_existing)
        {
            anyhow::ensure!(
                is_auto,
                "{option} is for clusters that are there; add --provider kubeconfig"
            );
        }
        if let Chosen::Made(maker) = chosen {
            maker.check(&self.size()).map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }

    pub(super) fn size(&self) -> Size {
        Size {
            nodes: self.nodes,
            kubernetes_version: self.kubernetes_version.clone(),
            node_image: self.node_image.clone(),
            as_in_tutorial: self.tutorial_size,
        }
    }

    /// The provider for a run of an id. An embedded cluster runs at `pace` unless another is asked
    /// for; what takes its time is told.
    pub(super) async fn ready(
        &self,
        context: &ContextArgs,
        run: &str,
        pace: f64,
    ) -> Result<Ready, Failure> {
        let progress = progress(self.verbose);
        let chosen = self.choose(context, &progress).await?;
        let mut archive = Archive::default();
        let provider: Arc<dyn Provider> = match &chosen {
            Chosen::Embedded => Arc::new(Embedded {
                pace: self.pace.unwrap_or(pace),
                nodes: self.nodes.unwrap_or(NODES),
                published: self.publish.0.clone(),
            }),
            Chosen::Kubeconfig => Arc::new(Existing {
                kubeconfig: context.provider(),
                noted: Some((ledger()?, run.to_owned())),
                progress,
            }),
            Chosen::Made(maker) => {
                archive = self.images.archive(&progress)?;
                let wanted = self.wanted(run, archive.path.clone());
                Arc::new(Made::new(maker.clone(), wanted, ledger()?, progress))
            }
        };
        Ok(Ready {
            provider,
            chosen,
            _archive: archive.made,
        })
    }

    /// The cluster that is wanted for a run.
    pub(super) fn wanted(&self, run: &str, archive: Option<PathBuf>) -> Wanted {
        let published = self.publish.address_of(NODE_PORT);
        let name = self.cluster.clone();
        Wanted {
            name: name.unwrap_or_else(|| format!("rollout-lab-{run}")),
            run: run.to_owned(),
            published: published.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, NODE_PORT).into()),
            size: self.size(),
            archive,
            existing: if self.reuse {
                ExistingCluster::Used
            } else {
                ExistingCluster::Refused
            },
        }
    }

    /// Names the cluster, if it has no name yet.
    pub(super) fn cluster_is(&mut self, name: &str) {
        let is_made = !matches!(
            self.provider,
            ProviderName::Embedded | ProviderName::Kubeconfig
        );
        if is_made {
            self.cluster.get_or_insert_with(|| name.to_owned());
        }
    }
}

/// What `auto` finds, which it says.
async fn look_around(context: &ContextArgs, progress: &Progress) -> Chosen {
    if let Some(context) = &context.context {
        progress.phase(&format!(
            "auto: kubeconfig, because the context {context} is named"
        ));
        return Chosen::Kubeconfig;
    }
    let found = auto::find().await;
    if let Some(maker) = found.maker {
        progress.phase(&format!("auto: {}, because {}", maker.name(), found.why));
        return Chosen::Made(maker);
    }
    progress.phase(&format!("auto: embedded, because {}", found.why));
    Chosen::Embedded
}

impl Ready {
    /// Whether it is that of embedded clusters, of which each scenario gets its own.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.chosen, Chosen::Embedded)
    }
}

/// The provider that the variables of the environment name (`LAB_PROVIDER`, `LAB_CONTEXT`,
/// `LAB_PACE`, `LAB_IMAGES`, `LAB_IMAGE_ARCHIVE`), for a run of an id; without them embedded
/// clusters that publish nothing, at a pace.
///
/// # Errors
/// What a program should end with; why was told on standard error.
pub async fn provider_of_environment(run: &str, pace: f64) -> Result<Ready, Exit> {
    #[derive(clap::Parser)]
    struct Environment {
        #[command(flatten)]
        provider: ProviderArgs,
        #[command(flatten)]
        context: ContextArgs,
    }
    let nothing = ["rollout-lab", "--publish", "none"];
    let Environment { provider, context } = <Environment as clap::Parser>::try_parse_from(nothing)
        .map_err(|error| {
            eprintln!("{error}");
            Exit::Usage
        })?;
    let ready = provider.ready(&context, run, pace).await;
    ready.map_err(Failure::tell)
}

/// Starts the cluster of a provider, unless that is interrupted; then what was begun is removed.
pub(super) async fn start(
    provider: &dyn Provider,
    stop: &CancellationToken,
) -> Result<Arc<dyn Cluster>, ProviderError> {
    if let Some(started) = stop.run_until_cancelled(provider.start()).await {
        return started;
    }
    provider.abandon().await;
    Err(ProviderError::Interrupted)
}

/// The ledger of this user.
pub(super) fn ledger() -> Result<Ledger, Failure> {
    Ledger::of_user().map_err(Failure::failed)
}

/// Without a cluster a program ends by why there is none.
impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::new(exit_of(&error), error)
    }
}

/// What a program ends with that has no cluster. A context that is not there is a slip of the
/// command line, not of the cluster.
pub(super) fn exit_of(error: &ProviderError) -> Exit {
    match error {
        ProviderError::NoContext { .. }
        | ProviderError::UnknownContext { .. }
        | ProviderError::EndsWithRun
        | ProviderError::Kubeconfig { .. } => Exit::Usage,
        ProviderError::Interrupted => Exit::Interrupted,
        _ => Exit::NoCluster,
    }
}
