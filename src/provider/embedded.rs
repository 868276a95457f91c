//! The embedded cluster: nothing to install, ready in milliseconds.

use std::sync::Arc;

use clap::ValueEnum as _;
use futures::future::{BoxFuture, FutureExt as _};
use http::Uri;
use kube::Client;

use super::{Cluster, Provider, ProviderError, port};
use crate::app::{SampleService, Settings as AppSettings};
pub use crate::cluster::Published;
use crate::cluster::{self, Images, Process, Program};
use crate::exit::Exit;
use crate::history::record::{self, Access, AccessKind};

/// The word that chooses this provider.
pub const NAME: &str = "embedded";
/// The node port that the labs use, and that people reach.
pub const NODE_PORT: u16 = 30000;

/// Starts embedded clusters.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// How many times faster than real time the cluster runs.
    pub pace: f64,
    /// How many nodes each has.
    pub nodes: u8,
    /// Where node ports are served besides the nodes' own addresses.
    pub published: Published,
}

/// How many nodes an embedded cluster has, if nothing else is asked for.
pub const NODES: u8 = 3;

impl Provider for Embedded {
    fn check(&self) -> Result<(), ProviderError> {
        check_published(&self.published)
    }

    fn start(&self) -> BoxFuture<'_, Result<Arc<dyn Cluster>, ProviderError>> {
        async {
            self.check()?;
            let settings = cluster::Settings {
                pace: self.pace,
                nodes: self.nodes,
                images: images(),
                published: self.published.clone(),
                ..cluster::Settings::default()
            };
            let cluster = cluster::Cluster::start(settings)
                .await
                .map_err(ProviderError::Embedded)?;
            Ok(Arc::new(Running(cluster)) as Arc<dyn Cluster>)
        }
        .boxed()
    }

    fn is_disposable(&self) -> bool {
        true
    }
}

/// Whether the labs' node port can be published, which should be known before anything is started.
///
/// # Errors
/// [`ProviderError::PortTaken`], with who holds it and what to do.
pub fn check_published(published: &Published) -> Result<(), ProviderError> {
    let Some(address) = published.address else {
        return Ok(());
    };
    let local = *published.ports.get(&NODE_PORT).unwrap_or(&NODE_PORT);
    port::expect_free((address, local).into(), NODE_PORT)
}

struct Running(cluster::Cluster);

impl Cluster for Running {
    fn describe(&self) -> record::Cluster {
        record::Cluster {
            provider: NAME.to_owned(),
            server: "in process".to_owned(),
            version: cluster::VERSION.to_owned(),
            nodes: self.0.node_names(),
            pace: self.0.clock().pace(),
            access: Access {
                kind: AccessKind::EmbeddedProxy,
                address: self.0.node_address().to_string(),
            },
        }
    }

    fn client(&self) -> Client {
        self.0.client("rollout-lab")
    }

    fn node_port(&self, port: u16) -> BoxFuture<'_, Result<Uri, ProviderError>> {
        let url = url(&self.0.node_address().to_string(), port);
        std::future::ready(Ok(url)).boxed()
    }

    fn limit_pace(&self, most: f64) {
        let clock = self.0.clock();
        if clock.pace() > most {
            clock.set_pace(most);
        }
    }

    fn cut_connections(&self) {
        self.0.cut_connections();
    }

    fn keep(&self) -> BoxFuture<'_, Result<Vec<String>, ProviderError>> {
        std::future::ready(Err(ProviderError::EndsWithRun)).boxed()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        self.0.stop().boxed()
    }
}

/// The root of a server.
pub(super) fn url(host: &str, port: u16) -> Uri {
    let is_ipv6 = host.parse::<std::net::Ipv6Addr>().is_ok();
    let host = if is_ipv6 {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    Uri::builder()
        .scheme("http")
        .authority(format!("{host}:{port}"))
        .path_and_query("/")
        .build()
        .unwrap_or_default()
}

/// The images that the labs' manifests name.
#[must_use]
pub fn images() -> Images {
    SampleService::value_variants()
        .iter()
        .fold(Images::default(), |images, &service| {
            images.with(service.image(), Arc::new(Sample { service }))
        })
}

/// A sample service as the program of an image.
struct Sample {
    service: SampleService,
}

impl Program for Sample {
    fn run(&self, process: Process) -> BoxFuture<'static, i32> {
        run(self.service, process).boxed()
    }
}

async fn run(service: SampleService, process: Process) -> i32 {
    let settings = match AppSettings::from_env(&process.env, &process.hostname) {
        Ok(settings) => settings,
        Err(why) => {
            process.log.write(why);
            return 1;
        }
    };
    let mut signals = process.signals.clone();
    let serving = async {
        process.clock.sleep(settings.boot).await;
        let listener = match process.listen(settings.port).await {
            Ok(listener) => listener,
            Err(error) => {
                process
                    .log
                    .write(format!("cannot listen on port {}: {error}", settings.port));
                return 1;
            }
        };
        process.log.write(service.greeting(&settings));
        let (listener, _entry) = listener.into_parts();
        service.serve(listener, &settings).await;
        0
    };
    if !service.ends_on_sigterm(&settings) {
        return serving.await;
    }
    tokio::select! {
        code = serving => code,
        () = signals.terminated() => Exit::Terminated.code().into(),
    }
}
