//! Node ports reached through a tunnel that the tool keeps open.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use k8s_openapi::api::core::v1::Service;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::Mutex;

use crate::provider::ProviderError;
use crate::provider::tool::{Serving, Tool};

/// How long the tool may take to open one: it waits for a pod of the Service.
const OPENING: Duration = Duration::from_secs(120);

/// Tunnels of minikube's to the Services of a cluster, one for each node port that is asked for.
pub(crate) struct Tunnel {
    tool: Tool,
    profile: String,
    client: Client,
    open: Mutex<BTreeMap<u16, (Uri, Serving)>>,
}

impl Tunnel {
    pub(super) fn new(tool: Tool, profile: &str, client: Client) -> Self {
        Self {
            tool,
            profile: profile.to_owned(),
            client,
            open: Mutex::default(),
        }
    }

    /// The URL of a node port's Service, which has to be there.
    ///
    /// # Errors
    /// There is no such Service, or the tool cannot open a tunnel to it.
    pub(crate) async fn open(&self, port: u16) -> Result<Uri, ProviderError> {
        let mut open = self.open.lock().await;
        if let Some((url, _)) = open.get(&port) {
            return Ok(url.clone());
        }
        let (namespace, name) = self.service(port).await?;
        let arguments = ["service", &name, "--namespace", &namespace, "--url"];
        let arguments = [&arguments[..], &["--profile", &self.profile]].concat();
        let is_url = |line: &str| line.starts_with("http://") && line.parse::<Uri>().is_ok();
        let failed = |source| ProviderError::Tool {
            what: format!("open a tunnel to the Service {name} of namespace {namespace}"),
            source,
        };
        let served = self.tool.serve(&arguments, OPENING, is_url).await;
        let (line, serving) = served.map_err(failed)?;
        let url: Uri = line.parse().unwrap_or_default();
        open.insert(port, (url.clone(), serving));
        Ok(url)
    }

    pub(crate) async fn close(&self) {
        self.open.lock().await.clear();
    }

    /// The namespace and the name of the Service that has a node port.
    fn service(&self, port: u16) -> BoxFuture<'_, Result<(String, String), ProviderError>> {
        Box::pin(async move {
            let services: Api<Service> = Api::all(self.client.clone());
            let services = services.list(&ListParams::default()).await;
            let services = services.map_err(|error| ProviderError::Api {
                what: "list the Services of the cluster".to_owned(),
                why: error.to_string(),
            })?;
            let has_port = |service: &&Service| {
                let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
                let mut ports = ports.into_iter().flatten();
                ports.any(|other| other.node_port == Some(i32::from(port)))
            };
            let service = services.iter().find(has_port);
            let service = service.ok_or(ProviderError::NoService { port })?;
            Ok((service.namespace().unwrap_or_default(), service.name_any()))
        })
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::api::core::v1::Namespace;
    use kube::api::PostParams;
    use serde_json::{from_value, json};

    use super::*;
    use crate::provider::embedded::{Embedded, NODE_PORT, Published};
    use crate::provider::{Cluster, Provider as _};

    /// Notes what is typed, prints a URL after a line of its own, and goes on.
    const STANDIN: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/providers/standins/minikube-service"
    );

    async fn mk_cluster() -> Arc<dyn Cluster> {
        let provider = Embedded {
            pace: 100.0,
            nodes: 1,
            published: Published::default(),
        };
        provider.start().await.unwrap()
    }

    async fn apply_service(client: &Client) {
        let namespace: Namespace = from_value(json!({"metadata": {"name": "app-dev"}})).unwrap();
        let namespaces: Api<Namespace> = Api::all(client.clone());
        let how = PostParams::default();
        namespaces.create(&how, &namespace).await.unwrap();
        let service: Service = from_value(json!({
            "metadata": {"name": "web"},
            "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": NODE_PORT}]},
        }))
        .unwrap();
        let services: Api<Service> = Api::namespaced(client.clone(), "app-dev");
        services.create(&how, &service).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_tunnel_is_opened_once_to_the_service_that_has_the_node_port() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = mk_cluster().await;
        let typed = folder.path().join("typed");
        let minikube = Tool::at("minikube", STANDIN.into()).with("STANDIN_TYPED", &typed);
        let tunnel = Tunnel::new(minikube, "lab", cluster.client());
        let none = tunnel.open(NODE_PORT).await.unwrap_err().to_string();
        assert!(
            none.starts_with("no Service has node port 30000 yet"),
            "{none}"
        );
        apply_service(&cluster.client()).await;
        for _ in 0..2 {
            let url = tunnel.open(NODE_PORT).await.unwrap();
            assert_eq!(url.to_string(), "http://127.0.0.1:40123/");
        }
        let typed = std::fs::read_to_string(&typed).unwrap();
        assert_eq!(
            typed,
            "service web --namespace app-dev --url --profile lab\n"
        );
        tunnel.close().await;
        cluster.stop().await;
    }
}
