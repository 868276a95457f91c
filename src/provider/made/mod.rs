//! Clusters that a tool makes for a run, and removes after it.
//!
//! The tools differ in what is typed and in what they print; that is a [`Maker`]. What is done with
//! it is the same for all: a name is claimed in the ledger before anything is made, so that what a
//! killed run leaves can be found; a cluster of the same name is never touched; what could not be
//! made whole is removed.

mod k3d;
mod kind;
mod maker;
mod minikube;
mod nodes;
mod running;
mod site;
mod tunnel;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use tokio::sync::Mutex;

pub use self::k3d::K3d;
pub use self::kind::Kind;
pub use self::maker::{Maker, Needs, Order, Size};
pub use self::minikube::Minikube;
use self::running::Running;
pub(crate) use self::site::Site;
pub(super) use self::tunnel::Tunnel;
use super::access::Way;
use super::embedded::NODE_PORT;
use super::kubeconfig::{Answering, Kubeconfig};
use super::ledger::{Entry, Extent, Ledger};
use super::progress::Progress;
use super::tool::{Tool, ToolError};
use super::{Cluster, Provider, ProviderError, port};

/// How long a tool may take to make a cluster: images of a gigabyte may have to come first.
const CREATION: Duration = Duration::from_secs(20 * 60);
/// How long the nodes may take to be ready once the control plane is.
const READY: Duration = Duration::from_secs(5 * 60);
/// How long the loading of images may take.
const LOADING: Duration = Duration::from_secs(5 * 60);

/// The tools, in the order in which one is looked for.
#[must_use]
pub fn makers() -> [Arc<dyn Maker>; 3] {
    [Arc::new(Kind), Arc::new(K3d), Arc::new(Minikube)]
}

/// The version of a tool, as it writes it.
///
/// # Errors
/// It is not there, does not tell, or is too old.
pub async fn tool_version(maker: &dyn Maker) -> Result<String, ToolError> {
    let tool = site::find(maker, &Progress::none())?;
    site::version(maker, &tool).await
}

/// The cluster that is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// The id of the run that wants it.
    pub run: String,
    /// Where this machine is to serve the labs' node port.
    pub published: SocketAddr,
    /// What it is to be like.
    pub size: Size,
    /// The images to load; none where the nodes are to pull what the manifests name.
    pub archive: Option<PathBuf>,
    /// What to do about one that is there.
    pub existing: Existing,
}

/// What to do about a cluster that has the name of the one that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is not touched, and none is made.
    Refused,
    /// It is used, and stays.
    Used,
    /// It is used, and none is made if it is not there.
    Needed,
}

/// Makes clusters with a tool.
pub struct Made {
    maker: Arc<dyn Maker>,
    wanted: Wanted,
    ledger: Ledger,
    progress: Progress,
    /// What a start was making when it was dropped.
    unfinished: Mutex<Option<Site>>,
}

impl Made {
    /// A cluster that is wanted of a tool, noted in a ledger.
    #[must_use]
    pub fn new(maker: Arc<dyn Maker>, wanted: Wanted, ledger: Ledger, progress: Progress) -> Self {
        Self {
            maker,
            wanted,
            ledger,
            progress,
            unfinished: Mutex::default(),
        }
    }

    async fn make(&self) -> Result<Running, ProviderError> {
        let (wanted, provider) = (&self.wanted, self.maker.name());
        let tool =
            site::find(&*self.maker, &self.progress).map_err(|source| self.failed(source))?;
        let version = site::version(&*self.maker, &tool).await;
        let version = version.map_err(|source| self.failed(source))?;
        let exists = self.is_there(&tool).await?;
        let maps = self.maker.maps_ports();
        let (extent, published) = if exists {
            (Extent::Namespaces, self.published_before()?)
        } else {
            // Only now: where the cluster is there, its own engine holds the port.
            if maps {
                port::expect_free(wanted.published, NODE_PORT)?;
            }
            (Extent::Cluster, wanted.published)
        };
        let claim = self.ledger.claim(Entry {
            context: self.maker.context(&wanted.name),
            published: maps.then_some(published),
            ..Entry::new(provider, &wanted.name, extent, &wanted.run)
        })?;
        let site = Site::new(self.maker.clone(), &tool, claim, self.progress.clone());
        // From here on an interrupt has something to remove.
        let mut unfinished = self.unfinished.lock().await;
        let site = unfinished.insert(site);
        let filled = self.fill(site).await;
        let site = unfinished.take();
        drop(unfinished);
        match (filled, site) {
            (Ok((answering, way)), Some(site)) => Ok(Running {
                answering,
                way,
                provider: format!("{provider} {version}"),
                site: Mutex::new(Some(site)),
            }),
            (Ok(_), None) => Err(ProviderError::Interrupted),
            (Err(error), site) => {
                if let Some(site) = site {
                    site.remove().await;
                }
                Err(error)
            }
        }
    }

    /// Whether the cluster is there already, if it may be and runs then.
    async fn is_there(&self, tool: &Tool) -> Result<bool, ProviderError> {
        let (provider, name) = (self.maker.name(), self.wanted.name.clone());
        let names = site::names(&*self.maker, tool).await;
        let names = names.map_err(|source| self.failed(source))?;
        match (names.contains(&name), self.wanted.existing) {
            (false, Existing::Needed) => Err(ProviderError::NotThere {
                provider,
                name,
                names: names.join(", "),
            }),
            (false, _) => Ok(false),
            (true, Existing::Refused) => Err(ProviderError::Exists { provider, name }),
            (true, _) => {
                let stopped = site::stopped(&*self.maker, tool, &name).await;
                match stopped.map_err(|source| self.failed(source))? {
                    None => Ok(true),
                    Some(seen) => Err(ProviderError::Stopped {
                        provider,
                        name,
                        seen,
                    }),
                }
            }
        }
    }

    /// Where a cluster that is there already has its node port on this machine: where it was made
    /// to, if it was made here.
    fn published_before(&self) -> Result<SocketAddr, ProviderError> {
        let (wanted, listed) = (&self.wanted, self.ledger.list()?);
        let is_it = |entry: &Entry| {
            let is_cluster = entry.extent == Extent::Cluster;
            is_cluster && entry.provider == self.maker.name() && entry.name == wanted.name
        };
        let noted = listed.iter().find(|listed| is_it(&listed.entry));
        let published = noted.and_then(|listed| listed.entry.published);
        Ok(published.unwrap_or(wanted.published))
    }

    /// Makes the cluster of a site, if it is to be made, and finds the way in.
    async fn fill(&self, site: &Site) -> Result<(Answering, Way), ProviderError> {
        let wanted = &self.wanted;
        if site.extent() == Extent::Cluster {
            let order = Order {
                name: &wanted.name,
                published: wanted.published,
                size: &wanted.size,
                folder: site.folder(),
            };
            let arguments = self.maker.create(&order);
            let arguments = arguments.map_err(|source| ProviderError::Folder { source })?;
            self.progress.phase(&format!(
                "making the {} cluster {}",
                self.maker.name(),
                wanted.name
            ));
            let made = site.tool().work(&arguments, CREATION).await;
            made.map_err(|source| self.failed(source))?;
        }
        let exported = site.export().await;
        exported.map_err(|source| self.failed(source))?;
        let kubeconfig = Kubeconfig {
            file: Some(site.kubeconfig()),
            context: Some(self.maker.context(&wanted.name)),
            published: site.entry().published,
            ..Kubeconfig::default()
        };
        let mut answering = kubeconfig.answer().await?;
        if site.extent() == Extent::Cluster {
            let count = self.maker.needs(&wanted.size).nodes;
            self.progress.phase(&format!("waiting for {count} nodes"));
            nodes::await_ready(&answering.client, count, READY).await?;
            answering = kubeconfig.answer().await?;
            nodes::label(&answering.client, &answering.node_names(), &wanted.run).await?;
        }
        if let Some(archive) = &wanted.archive {
            self.progress.phase("loading the images of the labs");
            site.load(archive).await?;
        }
        let way = self.way(&kubeconfig, site, &answering).await?;
        Ok((answering, way))
    }

    /// The way to node ports: as for any cluster, but for a tool with tunnels of its own.
    async fn way(
        &self,
        kubeconfig: &Kubeconfig,
        site: &Site,
        answering: &Answering,
    ) -> Result<Way, ProviderError> {
        let way = kubeconfig.way(answering).await?;
        if matches!(way, Way::Forward { .. }) && !self.maker.maps_ports() {
            let client = answering.client.clone();
            let tunnel = Tunnel::new(site.tool().clone(), &self.wanted.name, client);
            return Ok(Way::Tunnel(Box::new(tunnel)));
        }
        Ok(way)
    }

    fn failed(&self, source: ToolError) -> ProviderError {
        ProviderError::Tool {
            what: format!(
                "make the {} cluster {}",
                self.maker.name(),
                self.wanted.name
            ),
            source,
        }
    }
}

impl Provider for Made {
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
            if let Some(site) = self.unfinished.lock().await.take() {
                site.remove().await;
            }
        }
        .boxed()
    }
}
