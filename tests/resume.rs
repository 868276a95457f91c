//! A watch that breaks in the middle of a rollout, again and again, and an API server that is away
//! for the rest of one: the history loses no change and tells none twice, and the verdicts are those
//! of an unbroken one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::runtime::wait::await_condition;
use kube::{Client, ResourceExt as _};
use rollout_lab::cluster::Published;
use rollout_lab::criteria::Status;
use rollout_lab::history::criterion::{Criterion, Expected};
use rollout_lab::history::facts::Facts;
use rollout_lab::history::{Clock, Entry, History, Sink};
use rollout_lab::lab::{Farewell, Session};
use rollout_lab::provider::embedded::{Embedded, NODES};
use rollout_lab::provider::kubeconfig::{Existing, Kubeconfig};
use rollout_lab::provider::progress::Progress;
use rollout_lab::provider::{Cluster, Provider as _};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const LIMIT: Duration = Duration::from_secs(60);
const NAMESPACE: &str = "app-dev";

/// An object's name, its version, and whether that is its deletion.
type Told = (String, String, bool);

async fn mk_session(history: &History) -> (Arc<dyn Cluster>, Session) {
    let provider = Embedded {
        pace: 20.0,
        nodes: NODES,
        published: Published::default(),
    };
    let cluster = provider.start().await.unwrap();
    let session = mk_session_on(cluster.clone(), history).await;
    (cluster, session)
}

async fn mk_session_on(cluster: Arc<dyn Cluster>, history: &History) -> Session {
    let feature = Path::new(env!("CARGO_MANIFEST_DIR")).join("features/resume.feature");
    let mut session = Session::new(cluster, history.clone(), feature, "resume", LIMIT);
    session.create_namespace(NAMESPACE).await.unwrap();
    session
}

/// Applies the first version and waits until it runs.
async fn deploy(session: &mut Session) {
    for file in ["configmap", "service-nodeport", "deployment-v1"] {
        let file = format!("k8s/base/{file}.yaml");
        session.apply(&file).await.unwrap();
    }
    session.await_rollout(LIMIT).await.unwrap();
}

/// What an update must have kept to.
async fn judge(session: &Session) {
    let deployment = || "user-service".to_owned();
    for criterion in [
        Criterion::SingleActiveReplicaSet {
            deployment: deployment(),
        },
        Criterion::PodStates {
            deployment: deployment(),
        },
        Criterion::Envelope {
            deployment: deployment(),
            max_surge: 1,
            max_unavailable: 1,
        },
    ] {
        let verdict = session.ask(criterion, Expected::Holds, LIMIT).await;
        assert_eq!(verdict.status, Status::Pass, "{verdict:#?}");
    }
}

/// The history tells all that happened since a revision, once, and knows of no gap.
async fn expect_whole(history: &History, client: &Client, since: &str) {
    let records = history.records();
    let gaps = records.iter().filter(|r| matches!(r.entry, Entry::Gap(_)));
    assert_eq!(gaps.count(), 0, "the server still knew every place");
    let told = told(history);
    let happened = happened(client, since, told.last().unwrap()).await;
    assert_eq!(told, happened);
    let distinct: BTreeSet<&Told> = told.iter().collect();
    assert_eq!(distinct.len(), told.len());
}

/// The revision of the cluster before anything is in the namespace.
async fn revision(client: &Client) -> String {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let none_yet = pods.list(&ListParams::default()).await.unwrap();
    none_yet.metadata.resource_version.unwrap()
}

/// The changes of pods in a history.
fn told(history: &History) -> Vec<Told> {
    let records = history.records();
    let changes = records.iter().filter_map(|record| match &record.entry {
        Entry::Change(change) if matches!(change.facts, Facts::Pod(_)) => Some(change),
        _ => None,
    });
    changes
        .map(|change| {
            let gone = change.change == rollout_lab::history::record::ChangeKind::Deleted;
            (change.name.clone(), change.resource_version.clone(), gone)
        })
        .collect()
}

/// The changes of pods since a revision, as an unbroken watch tells them now.
async fn happened(client: &Client, since: &str, last: &Told) -> Vec<Told> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    let watch = pods.watch(&WatchParams::default(), since).await.unwrap();
    let mut found = Vec::new();
    let mut events = watch.boxed();
    while let Some(event) = events.try_next().await.unwrap() {
        let (pod, gone) = match event {
            WatchEvent::Added(pod) | WatchEvent::Modified(pod) => (pod, false),
            WatchEvent::Deleted(pod) => (pod, true),
            WatchEvent::Bookmark(_) | WatchEvent::Error(_) => continue,
        };
        found.push((pod.name_any(), pod.resource_version().unwrap(), gone));
        if found.last() == Some(last) {
            break;
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_breaks_again_and_again_loses_and_doubles_nothing() {
    let history = History::new(0, Clock::start(), Sink::none());
    let (cluster, mut session) = mk_session(&history).await;
    let since = revision(&cluster.client()).await;

    // Every third change breaks all connections.
    let mut news = history.news();
    let cutting = tokio::spawn({
        let cluster = cluster.clone();
        async move {
            let mut cuts = 0;
            loop {
                for _ in 0..3 {
                    let far = tokio::time::Instant::now() + LIMIT;
                    if !news.next(far).await {
                        return cuts;
                    }
                }
                cluster.cut_connections();
                cuts += 1;
                if cuts == 40 {
                    return cuts;
                }
            }
        }
    });
    deploy(&mut session).await;
    session.apply("k8s/base/deployment-v2.yaml").await.unwrap();
    session.await_rollout(LIMIT).await.unwrap();
    judge(&session).await;
    cutting.abort();
    expect_whole(&history, &cluster.client(), &since).await;
    session.finish(Farewell::Leave).await.unwrap();
    cluster.stop().await;
}

/// A way to an API server that can be cut and opened again, as a restart does it.
struct Gate {
    port: u16,
    server: SocketAddr,
    carrying: Option<JoinHandle<()>>,
}

impl Gate {
    async fn open(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let server = self.server;
        self.carrying = Some(tokio::spawn(async move {
            // Whatever is carried ends with this task.
            let mut carried = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                carried.spawn(async move {
                    let mut far = TcpStream::connect(server).await.unwrap();
                    // Either side may go at any time.
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        }));
    }

    async fn shut(&mut self) {
        if let Some(carrying) = self.carrying.take() {
            carrying.abort();
            let _ = carrying.await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_restarts_during_a_rollout_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let settings = rollout_lab::cluster::Settings {
        pace: 20.0,
        images: rollout_lab::provider::embedded::images(),
        listen: Some(0),
        ..rollout_lab::cluster::Settings::default()
    };
    let server = rollout_lab::cluster::Cluster::start(settings)
        .await
        .unwrap();
    server.write_kubeconfig(&kubeconfig).unwrap();
    let text = std::fs::read_to_string(&kubeconfig).unwrap();
    let (_, rest) = text.split_once("https://").unwrap();
    let address = rest.split(['/', '"', '\n']).next().unwrap();
    let mut gate = Gate {
        port: 0,
        server: address.parse().unwrap(),
        carrying: None,
    };
    gate.open().await;
    let through = format!("127.0.0.1:{}", gate.port);
    std::fs::write(&kubeconfig, text.replace(address, &through)).unwrap();

    let provider = Existing {
        kubeconfig: Kubeconfig {
            file: Some(kubeconfig),
            context: Some("rollout-lab".to_owned()),
            ..Kubeconfig::default()
        },
        noted: None,
        progress: Progress::none(),
    };
    let cluster = provider.start().await.unwrap();
    let history = History::new(0, Clock::start(), Sink::none());
    let mut session = mk_session_on(cluster.clone(), &history).await;
    let direct = server.client("test");
    let since = revision(&direct).await;
    deploy(&mut session).await;
    session.apply("k8s/base/deployment-v2.yaml").await.unwrap();
    gate.shut().await;
    // The update runs to its end while nobody can see it.
    let deployments: Api<Deployment> = Api::namespaced(direct.clone(), NAMESPACE);
    let updated = |deployment: Option<&Deployment>| {
        let status = deployment.and_then(|deployment| deployment.status.as_ref());
        status.is_some_and(|status| {
            status.observed_generation == Some(2)
                && status.updated_replicas == Some(3)
                && status.replicas == Some(3)
        })
    };
    let waiting = await_condition(deployments, "user-service", updated);
    tokio::time::timeout(LIMIT, waiting).await.unwrap().unwrap();
    gate.open().await;
    session.await_rollout(LIMIT).await.unwrap();
    judge(&session).await;
    expect_whole(&history, &direct, &since).await;
    session.finish(Farewell::Remove).await.unwrap();
    cluster.stop().await;
    server.stop().await;
    gate.shut().await;
}
