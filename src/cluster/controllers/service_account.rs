//! Gives each namespace what its pods expect to find: the service account `default`, and
//! the ConfigMap `kube-root-ca.crt` with the cluster's CA.
//!
//! Source: `pkg/controller/serviceaccount/serviceaccounts_controller.go` and
//! `pkg/controller/certificates/rootcacertpublisher/publisher.go`, two controllers that do the
//! same with two objects.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::api::{ObjectMeta, PostParams};
use kube::runtime::watcher;
use kube::{Api, Client, Resource, ResourceExt as _};

use super::refused;
use super::runtime::{Action, Controller, Trigger, on_change};
use crate::cluster::store::Key;

const ACCOUNT: &str = "default";
const CONFIG_MAP: &str = "kube-root-ca.crt";
const CA_KEY: &str = "ca.crt";
const DESCRIPTION_KEY: &str = "kubernetes.io/description";
const DESCRIPTION: &str = "The CA of this cluster's API server, for clients inside the cluster.";

/// The service-account controller, and the publisher of the CA.
pub(crate) struct ServiceAccountController {
    client: Client,
    /// The CA's certificate in PEM.
    ca: String,
}

impl ServiceAccountController {
    pub(crate) fn new(client: Client, ca: String) -> Self {
        Self { client, ca }
    }

    async fn ensure_account(&self, namespace: &str) -> Result<(), kube::Error> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        if accounts.get_opt(ACCOUNT).await?.is_some() {
            return Ok(());
        }
        let account = ServiceAccount {
            metadata: named(ACCOUNT),
            ..ServiceAccount::default()
        };
        unless_in_vain(accounts.create(&PostParams::default(), &account).await)
    }

    async fn ensure_ca(&self, namespace: &str) -> Result<(), kube::Error> {
        let config_maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        let data = BTreeMap::from([(CA_KEY.to_owned(), self.ca.clone())]);
        let Some(mut found) = config_maps.get_opt(CONFIG_MAP).await? else {
            let mut new = ConfigMap {
                data: Some(data),
                metadata: named(CONFIG_MAP),
                ..ConfigMap::default()
            };
            describe(&mut new);
            return unless_in_vain(config_maps.create(&PostParams::default(), &new).await);
        };
        if found.data.as_ref() == Some(&data) && found.annotations().contains_key(DESCRIPTION_KEY) {
            return Ok(());
        }
        found.data = Some(data);
        describe(&mut found);
        let post = PostParams::default();
        config_maps
            .replace(CONFIG_MAP, &post, &found)
            .await
            .map(drop)
    }
}

impl Controller for ServiceAccountController {
    const NAME: &'static str = "service-account-controller";

    fn triggers(&self) -> Vec<Trigger> {
        let all = watcher::Config::default();
        let only = |name: &str| watcher::Config::default().fields(&format!("metadata.name={name}"));
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let accounts = Api::<ServiceAccount>::all(self.client.clone());
        let config_maps = Api::<ConfigMap>::all(self.client.clone());
        vec![
            on_change(namespaces, all, |namespace| vec![key(namespace.name_any())]),
            on_change(accounts, only(ACCOUNT), home),
            on_change(config_maps, only(CONFIG_MAP), home),
        ]
    }

    async fn reconcile(&self, key: &Key) -> Result<Action, kube::Error> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let stays = |namespace: Namespace| namespace.metadata.deletion_timestamp.is_none();
        if namespaces.get_opt(&key.name).await?.is_some_and(stays) {
            self.ensure_account(&key.name).await?;
            self.ensure_ca(&key.name).await?;
        }
        Ok(Action::Await)
    }
}

fn key(namespace: String) -> Key {
    Key::new("", namespace)
}

fn home<K: Resource>(object: &K) -> Vec<Key> {
    vec![key(object.namespace().unwrap_or_default())]
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}

fn describe(config_map: &mut ConfigMap) {
    let annotations = config_map.annotations_mut();
    annotations.insert(DESCRIPTION_KEY.to_owned(), DESCRIPTION.to_owned());
}

/// A create that failed because the object is there by now, or because nobody will want it, is
/// no failure.
fn unless_in_vain<K>(result: Result<K, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Err(error)
            if refused::is_already_exists(&error) || refused::is_namespace_terminating(&error) =>
        {
            Ok(())
        }
        result => result.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use kube::api::DeleteParams;
    use serde_json::json;

    use super::*;
    use crate::cluster::controllers::testbed::{Testbed, change, eventually};

    async fn mk_testbed() -> Testbed {
        let testbed = Testbed::new().await;
        let ca = "the CA".to_owned();
        testbed.run(ServiceAccountController::new(testbed.client.clone(), ca));
        testbed
    }

    fn is_published(config_maps: &[ConfigMap]) -> bool {
        config_maps.iter().any(|config_map| {
            config_map.name_any() == CONFIG_MAP
                && json!(config_map.data) == json!({CA_KEY: "the CA"})
                && config_map.annotations().contains_key(DESCRIPTION_KEY)
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_namespace_gets_its_account_and_the_ca_again_and_again() {
        let testbed = mk_testbed().await;
        let (accounts, config_maps) = (testbed.ns::<ServiceAccount>(), testbed.ns::<ConfigMap>());
        let first = eventually(&accounts, "the account", |accounts| accounts.len() == 1).await;
        assert_eq!(first[0].name_any(), ACCOUNT);
        eventually(&config_maps, "the CA", is_published).await;

        let now = DeleteParams::default();
        accounts.delete(ACCOUNT, &now).await.unwrap();
        eventually(&accounts, "a new account", |accounts| {
            accounts.len() == 1 && accounts[0].uid() != first[0].uid()
        })
        .await;
        config_maps.delete(CONFIG_MAP, &now).await.unwrap();
        eventually(&config_maps, "a new ConfigMap", is_published).await;
        change(
            &config_maps,
            CONFIG_MAP,
            json!({"data": {CA_KEY: "another", "x": "y"}}),
        )
        .await;
        eventually(&config_maps, "the right CA", is_published).await;
    }
}
