//! Removing what earlier runs left or kept.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, ResourceExt as _};
use tokio::time::timeout;

use super::kubeconfig::Kubeconfig;
use super::ledger::{Claim, Entry, Extent, Ledger, LedgerError};
use super::made::{Maker, Site, makers};
use super::progress::Progress;
use super::{ProviderError, RUN_LABEL};

/// How long a namespace may take to go.
const REMOVAL: Duration = Duration::from_secs(120);

/// Removes what a claim is on, and strikes it out. What cannot be removed stays in the ledger.
///
/// # Errors
/// [`ProviderError`], which says what is in the way.
pub async fn remove(claim: Claim, progress: &Progress) -> Result<(), ProviderError> {
    match (claim.entry().extent, maker(&claim.entry().provider)) {
        (Extent::Cluster, Some(maker)) => remove_cluster(maker, claim, progress).await,
        (Extent::Cluster, None) => {
            // An embedded cluster went with its process; its files are all that is left.
            if let Some(kubeconfig) = claim.kubeconfig() {
                // It may be in the folder, which goes as a whole, or gone.
                let _ = std::fs::remove_file(kubeconfig);
            }
            Ok(claim.release()?)
        }
        (Extent::Namespaces, _) => {
            remove_namespaces(&claim).await?;
            Ok(claim.release()?)
        }
    }
}

/// Has a tool remove a cluster of its own.
async fn remove_cluster(
    maker: Arc<dyn Maker>,
    claim: Claim,
    progress: &Progress,
) -> Result<(), ProviderError> {
    let Entry { provider, name, .. } = claim.entry().clone();
    let site = Site::of_claim(maker, claim, progress.clone());
    let site = site.map_err(|source| ProviderError::Tool {
        what: format!("remove the {provider} cluster {name}"),
        source,
    })?;
    if site.remove().await {
        return Ok(());
    }
    Err(ProviderError::StillThere { provider, name })
}

/// Strikes out what runs have made inside a cluster that is gone: it went with the cluster.
///
/// # Errors
/// The ledger cannot be read or written.
pub fn strike_out_inside(ledger: &Ledger, cluster: &Entry) -> Result<(), LedgerError> {
    let listed = ledger.list()?;
    let inside = listed.iter().filter(|one| one.entry.is_inside(cluster));
    for inside in inside {
        if let Some(claim) = ledger.take(inside)? {
            claim.release()?;
        }
    }
    Ok(())
}

/// The tool of a provider's name.
#[must_use]
pub fn maker(name: &str) -> Option<Arc<dyn Maker>> {
    makers().into_iter().find(|maker| maker.name() == name)
}

/// The namespaces that a run has made and not removed.
pub(super) async fn namespaces_of(
    namespaces: &Api<Namespace>,
    run: &str,
) -> kube::Result<Vec<Namespace>> {
    let ours = ListParams::default().labels(&format!("{RUN_LABEL}={run}"));
    Ok(namespaces.list(&ours).await?.items)
}

/// Deletes the namespaces that carry the run's label, and waits until they are gone.
async fn remove_namespaces(claim: &Claim) -> Result<(), ProviderError> {
    let entry = claim.entry();
    let kubeconfig = Kubeconfig {
        file: claim.kubeconfig(),
        context: Some(entry.context.clone()),
        ..Kubeconfig::default()
    };
    let client = kubeconfig.answer().await?.client;
    let namespaces: Api<Namespace> = Api::all(client);
    let failed = |what: &str, why: &dyn std::fmt::Display| ProviderError::Api {
        what: what.to_owned(),
        why: why.to_string(),
    };
    let listed = namespaces_of(&namespaces, &entry.run).await;
    let listed = listed.map_err(|error| failed("list namespaces", &error))?;
    let namespaces = &namespaces;
    let removing = listed.iter().map(|namespace| async move {
        let (name, uid) = (namespace.name_any(), namespace.uid().unwrap_or_default());
        let what = format!("delete namespace {name}");
        let deleted = namespaces.delete(&name, &DeleteParams::background()).await;
        deleted.map_err(|error| failed(&what, &error))?;
        let gone = conditions::is_deleted(&uid);
        let waited = timeout(REMOVAL, await_condition(namespaces.clone(), &name, gone)).await;
        match waited {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(&what, &error)),
            Err(_) => {
                let why = format!(
                    "it is still there after {} s; see: kubectl get namespace {name} -o yaml",
                    REMOVAL.as_secs()
                );
                Err(failed(&what, &why))
            }
        }
    });
    try_join_all(removing).await.map(drop)
}
