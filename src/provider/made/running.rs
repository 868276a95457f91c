//! A cluster that a tool made, or that was there, while a run uses it.

use std::path::Path;

use futures::future::{BoxFuture, FutureExt as _};
use http::Uri;
use kube::Client;
use tokio::sync::Mutex;

use super::site::Site;
use crate::history::record;
use crate::provider::access::Way;
use crate::provider::kubeconfig::Answering;
use crate::provider::ledger::Extent;
use crate::provider::{Cluster, LoadsImages, ProviderError, RUN_LABEL};

pub(super) struct Running {
    pub(super) answering: Answering,
    pub(super) way: Way,
    /// The tool with its version: `kind v0.33.0`.
    pub(super) provider: String,
    /// Gone when it was removed or is kept.
    pub(super) site: Mutex<Option<Site>>,
}

impl Cluster for Running {
    fn describe(&self) -> record::Cluster {
        self.answering
            .describe(self.provider.clone(), self.way.access())
    }

    fn client(&self) -> Client {
        self.answering.client.clone()
    }

    fn node_port(&self, port: u16) -> BoxFuture<'_, Result<Uri, ProviderError>> {
        self.way.node_port(port).boxed()
    }

    fn images(&self) -> Option<&dyn LoadsImages> {
        Some(self)
    }

    fn keep(&self) -> BoxFuture<'_, Result<Vec<String>, ProviderError>> {
        async {
            self.way.close().await;
            let Some(mut site) = self.site.lock().await.take() else {
                return Ok(Vec::new());
            };
            site.keep()?;
            let entry = site.entry();
            let mut lines = vec![format!("export KUBECONFIG={}", site.kubeconfig().display())];
            match entry.extent {
                Extent::Cluster => lines.extend([
                    "kubectl get pods --all-namespaces".to_owned(),
                    format!("rollout-lab cluster down {}", entry.name),
                ]),
                Extent::Namespaces => lines.extend([
                    format!("kubectl get namespaces -l {RUN_LABEL}={}", entry.run),
                    "rollout-lab clean --kept".to_owned(),
                ]),
            }
            Ok(lines)
        }
        .boxed()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async {
            self.way.close().await;
            let site = self.site.lock().await.take();
            if let Some(site) = site {
                site.remove().await;
            }
        }
        .boxed()
    }
}

impl LoadsImages for Running {
    fn load<'a>(&'a self, archive: &'a Path) -> BoxFuture<'a, Result<(), ProviderError>> {
        async move {
            match &*self.site.lock().await {
                Some(site) => site.load(archive).await,
                None => Ok(()),
            }
        }
        .boxed()
    }
}
