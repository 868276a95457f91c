//! The API server: one `tower` service, the only door to the cluster's state.
//!
//! ```text
//! request ─► target + verb + options ─► handler ─► store (one transaction)
//!                 (pure)                   │
//!                              registry: the rules of the kind (pure)
//! answer  ◄─ plain · table · metadata ◄────┘
//! ```
//!
//! kubectl comes in through the TLS [`listener`]; controllers, scheduler and nodes call the same
//! service in process through [`ApiServer::client`]. What one of them may do is therefore exactly
//! what a remote client may do.

mod apply;
mod body;
mod discovery;
mod fields;
#[cfg(test)]
mod golden;
mod handlers;
mod in_process;
pub(crate) mod listener;
mod negotiate;
mod openapi;
mod options;
mod patch;
mod protobuf;
mod random_name;
mod registry;
mod reply;
mod request;
mod schema;
mod sessions;
pub(crate) mod settings;
mod table;
mod text;
mod version;

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use tower::Service;

pub(crate) use self::registry::{Scope, served};
use self::reply::ReplyBody;
pub(crate) use self::sessions::Sessions;
use self::settings::Settings;
use crate::cluster::logs::Logs;
use crate::cluster::network::Sockets;
use crate::cluster::object::refusal;
use crate::cluster::store::Store;

/// The largest body that is read, as etcd's limit makes it upstream.
const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// The API server of one cluster. Clones serve the same state.
#[derive(Clone)]
pub(crate) struct ApiServer {
    store: Store,
    /// What the nodes' containers print; the nodes write it.
    logs: Logs,
    settings: Settings,
    /// Where the pods listen; the nodes' containers write it.
    sockets: Sockets,
    sessions: Sessions,
}

impl ApiServer {
    pub(crate) fn new(store: Store, logs: Logs, settings: Settings) -> Self {
        Self {
            store,
            logs,
            settings,
            sockets: Sockets::new(true),
            sessions: Sessions::default(),
        }
    }

    /// The same with pods whose ports can be reached, in sessions that the cluster ends.
    pub(crate) fn reaching(self, sockets: Sockets, sessions: Sessions) -> Self {
        Self {
            sockets,
            sessions,
            ..self
        }
    }

    /// A client that calls this server in process. `component` is its `User-Agent`, by which
    /// field managers and audit know it.
    pub(crate) fn client(&self, component: &'static str) -> kube::Client {
        let server = self.clone();
        let agent = http::HeaderValue::from_static(component);
        let service = tower::service_fn(move |mut request: Request<kube::client::Body>| {
            request
                .headers_mut()
                .insert(http::header::USER_AGENT, agent.clone());
            let server = server.clone();
            async move {
                if request.headers().contains_key(http::header::UPGRADE) {
                    return in_process::send(server, request).await;
                }
                server.answer(request).await.map_err(|never| match never {})
            }
        });
        kube::Client::new(service, "default")
    }

    /// Ends every open watch, log stream and forwarded port, as a lost connection does.
    pub(crate) fn cut_streams(&self) {
        self.sessions.cut();
    }

    async fn answer<B>(self, request: Request<B>) -> Result<Response<ReplyBody>, Infallible>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let reply = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => handlers::handle(&self, &parts, &body.to_bytes()),
            Err(error) => Err(refusal::bad_request(format!("reading the body: {error}"))),
        };
        Ok(reply::respond(reply))
    }
}

impl<B> Service<Request<B>> for ApiServer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::StreamExt as _;
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
    use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
    use kube::runtime::{WatchStreamExt as _, watcher};
    use kube::{Api, Client, ResourceExt};
    use serde_json::{from_value, json};

    use super::*;

    /// A server with a namespace `ns`, its client, and the namespaced API of ConfigMaps.
    async fn mk_server() -> (ApiServer, Client, Api<ConfigMap>) {
        let server = ApiServer::new(Store::default(), Logs::default(), Settings::default());
        let client = server.client("test");
        let namespace: Namespace = from_value(json!({"metadata": {"name": "ns"}})).unwrap();
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap();
        let configmaps = Api::namespaced(client.clone(), "ns");
        (server, client, configmaps)
    }

    fn mk_configmap(name: &str, port: &str) -> ConfigMap {
        from_value(json!({"metadata": {"name": name}, "data": {"PORT": port}})).unwrap()
    }

    #[tokio::test]
    async fn objects_are_created_read_changed_and_deleted() {
        let (_server, _, configmaps) = mk_server().await;
        let post = PostParams::default();
        let created = configmaps
            .create(&post, &mk_configmap("a", "1"))
            .await
            .unwrap();
        assert!(created.uid().is_some() && created.resource_version().is_some());

        let taken = configmaps
            .create(&post, &mk_configmap("a", "1"))
            .await
            .unwrap_err();
        assert!(matches!(taken, kube::Error::Api(status) if status.is_already_exists()));

        let change = Patch::Merge(json!({"data": {"X": "y", "PORT": null}}));
        let changed = configmaps
            .patch("a", &PatchParams::default(), &change)
            .await
            .unwrap();
        assert_eq!(
            serde_json::to_value(&changed.data).unwrap(),
            json!({"X": "y"})
        );

        let stale = configmaps.replace("a", &post, &created).await.unwrap_err();
        assert!(matches!(stale, kube::Error::Api(status) if status.is_conflict()));

        let same = configmaps
            .patch("a", &PatchParams::default(), &change)
            .await
            .unwrap();
        assert_eq!(
            same.resource_version(),
            changed.resource_version(),
            "nothing changed"
        );

        configmaps
            .delete("a", &DeleteParams::default())
            .await
            .unwrap();
        assert!(configmaps.get_opt("a").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_watcher_sees_what_was_there_and_what_comes_and_survives_a_cut() {
        let (server, _, configmaps) = mk_server().await;
        let post = PostParams::default();
        configmaps
            .create(&post, &mk_configmap("a", "1"))
            .await
            .unwrap();
        let mut watch =
            pin!(watcher(configmaps.clone(), watcher::Config::default()).default_backoff());
        let mut seen = Vec::new();
        while seen.len() < 3 {
            match watch.next().await.unwrap() {
                Ok(watcher::Event::InitApply(object)) => seen.push(object.name_any()),
                Ok(watcher::Event::Apply(object)) => {
                    seen.push(object.name_any());
                    server.cut_streams();
                }
                Ok(watcher::Event::InitDone) => {
                    configmaps
                        .create(&post, &mk_configmap("b", "1"))
                        .await
                        .unwrap();
                }
                Ok(_) => {}
                Err(_) => {
                    configmaps
                        .create(&post, &mk_configmap("c", "1"))
                        .await
                        .unwrap();
                }
            }
        }
        assert_eq!(seen, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn lists_are_filtered_and_paged() {
        let (_server, _, configmaps) = mk_server().await;
        for name in ["a", "b", "c"] {
            configmaps
                .create(&PostParams::default(), &mk_configmap(name, "1"))
                .await
                .unwrap();
        }
        let first = configmaps
            .list(&ListParams::default().limit(2))
            .await
            .unwrap();
        let names = |list: &kube::api::ObjectList<ConfigMap>| {
            list.iter().map(ResourceExt::name_any).collect::<Vec<_>>()
        };
        assert_eq!(names(&first), ["a", "b"]);
        assert_eq!(first.metadata.remaining_item_count, Some(1));
        let token = first.metadata.continue_.unwrap();
        let rest = ListParams::default().limit(2).continue_token(&token);
        assert_eq!(names(&configmaps.list(&rest).await.unwrap()), ["c"]);
        let only = ListParams::default().fields("metadata.name=b");
        assert_eq!(names(&configmaps.list(&only).await.unwrap()), ["b"]);
    }

    #[tokio::test]
    async fn a_finalizer_keeps_an_object_until_it_is_removed() {
        let (_server, _, configmaps) = mk_server().await;
        let mut object = mk_configmap("a", "1");
        object.metadata.finalizers = Some(vec!["lab/hold".to_owned()]);
        configmaps
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
        let going = configmaps
            .delete("a", &DeleteParams::default())
            .await
            .unwrap();
        assert!(
            going
                .left()
                .is_some_and(|object| object.metadata.deletion_timestamp.is_some())
        );
        let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        configmaps
            .patch("a", &PatchParams::default(), &release)
            .await
            .unwrap();
        assert!(configmaps.get_opt("a").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn content_needs_a_namespace_that_stays() {
        let (_server, client, configmaps) = mk_server().await;
        let elsewhere: Api<ConfigMap> = Api::namespaced(client.clone(), "nowhere");
        let post = PostParams::default();
        let missing = elsewhere
            .create(&post, &mk_configmap("a", "1"))
            .await
            .unwrap_err();
        assert!(
            missing
                .to_string()
                .contains("namespaces \"nowhere\" not found")
        );
        let namespaces: Api<Namespace> = Api::all(client);
        namespaces
            .delete("ns", &DeleteParams::default())
            .await
            .unwrap();
        let late = configmaps
            .create(&post, &mk_configmap("a", "1"))
            .await
            .unwrap_err();
        assert!(late.to_string().contains("because it is being terminated"));
    }
}
