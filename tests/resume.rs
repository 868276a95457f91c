//! A watch that breaks in the middle of a rollout, again and again: the history loses no change
//! and tells none twice, and the verdicts are those of an unbroken one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use kube::{Client, ResourceExt as _};
use rollout_lab::cluster::Published;
use rollout_lab::criteria::Status;
use rollout_lab::history::criterion::{Criterion, Expected};
use rollout_lab::history::facts::Facts;
use rollout_lab::history::{Clock, Entry, History, Sink};
use rollout_lab::lab::{Farewell, Session};
use rollout_lab::provider::embedded::{Embedded, NODES};
use rollout_lab::provider::{Cluster, Provider as _};

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
    let feature = Path::new(env!("CARGO_MANIFEST_DIR")).join("features/resume.feature");
    let mut session = Session::new(cluster.clone(), history.clone(), feature, "resume", LIMIT);
    session.create_namespace(NAMESPACE).await.unwrap();
    (cluster, session)
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
    let pods: Api<Pod> = Api::namespaced(cluster.client(), NAMESPACE);
    let none_yet = pods.list(&ListParams::default()).await.unwrap();
    let since = none_yet.metadata.resource_version.unwrap();

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
    for file in ["configmap", "service-nodeport", "deployment-v1"] {
        session
            .apply(&format!("k8s/base/{file}.yaml"))
            .await
            .unwrap();
    }
    session.await_rollout(LIMIT).await.unwrap();
    session.apply("k8s/base/deployment-v2.yaml").await.unwrap();
    session.await_rollout(LIMIT).await.unwrap();
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
    cutting.abort();
    let gaps = history.records();
    let gaps = gaps.iter().filter(|r| matches!(r.entry, Entry::Gap(_)));
    assert_eq!(gaps.count(), 0, "the server still knew every place");

    let told = told(&history);
    let happened = happened(&cluster.client(), &since, told.last().unwrap()).await;
    assert_eq!(told, happened);
    let distinct: BTreeSet<&Told> = told.iter().collect();
    assert_eq!(distinct.len(), told.len());
    session.finish(Farewell::Leave).await.unwrap();
    cluster.stop().await;
}
