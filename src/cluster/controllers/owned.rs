//! The trigger for objects that another object controls: a `ReplicaSet` wakes its `Deployment`, a
//! pod wakes its `ReplicaSet`.

use std::collections::HashMap;
use std::fmt::Debug;
use std::future::Future;

use futures::StreamExt as _;
use kube::runtime::watcher;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::runtime::{Trigger, controller_key, events};
use crate::cluster::store::Key;

/// Calls for the controller of each object that comes, changes or goes: the one that it has, and
/// the one that it had. An object without a controller calls for all owners that `matching` finds
/// for it.
pub(super) fn on_owned_change<K, F>(
    api: Api<K>,
    owner_kind: &'static str,
    matching: impl Fn(K) -> F + Send + 'static,
) -> Trigger
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
    F: Future<Output = Vec<Key>> + Send + 'static,
{
    let mut owners = Owners::default();
    events(api, watcher::Config::default())
        .map(move |event| {
            let keys = owners.see(owner_kind, &event);
            let orphan = match event {
                watcher::Event::Apply(object) | watcher::Event::InitApply(object)
                    if super::claim::controller(&object).is_none() =>
                {
                    Some(matching(object))
                }
                _ => None,
            };
            async move {
                let mut keys = keys;
                if let Some(matching) = orphan {
                    keys.extend(matching.await);
                }
                keys
            }
        })
        .then(|keys| keys)
        .boxed()
}

/// Who controlled each object when it was last seen, by the object's uid.
#[derive(Default)]
struct Owners {
    known: HashMap<String, Key>,
    /// Those that were known before the present listing and have not been listed yet.
    unlisted: HashMap<String, Key>,
}

impl Owners {
    /// The owners that an event concerns.
    fn see<K: Resource>(&mut self, kind: &str, event: &watcher::Event<K>) -> Vec<Key> {
        match event {
            watcher::Event::Init => {
                self.unlisted.extend(self.known.drain());
                Vec::new()
            }
            // What was not listed went while nobody watched.
            watcher::Event::InitDone => self.unlisted.drain().map(|(_, key)| key).collect(),
            watcher::Event::Apply(object) | watcher::Event::InitApply(object) => {
                self.set(object.uid(), controller_key(object, kind))
            }
            watcher::Event::Delete(object) => {
                let now = controller_key(object, kind);
                let mut keys = self.set(object.uid(), None);
                keys.extend(now.filter(|key| !keys.contains(key)));
                keys
            }
        }
    }

    fn set(&mut self, uid: Option<String>, now: Option<Key>) -> Vec<Key> {
        let uid = uid.unwrap_or_default();
        let before = self.unlisted.remove(&uid);
        let before = match &now {
            Some(key) => self.known.insert(uid, key.clone()).or(before),
            None => self.known.remove(&uid).or(before),
        };
        let before = before.filter(|key| Some(key) != now.as_ref());
        before.into_iter().chain(now).collect()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use kube::runtime::watcher::Event;
    use serde_json::{from_value, json};

    use super::*;

    fn mk_pod(uid: &str, owner: Option<&str>) -> Pod {
        let owners = owner.map(|name| {
            json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": "u",
                "controller": true}])
        });
        from_value(json!({
            "metadata": {"name": uid, "namespace": "ns", "uid": uid, "ownerReferences": owners},
        }))
        .unwrap()
    }

    fn see(owners: &mut Owners, event: &Event<Pod>) -> Vec<String> {
        let keys = owners.see("ReplicaSet", event);
        keys.into_iter().map(|key| key.name).collect()
    }

    #[test]
    fn a_new_owner_and_the_old_one_are_called_for() {
        let mut owners = Owners::default();
        let none: [&str; 0] = [];
        assert_eq!(
            see(&mut owners, &Event::Apply(mk_pod("p", Some("a")))),
            ["a"]
        );
        assert_eq!(
            see(&mut owners, &Event::Apply(mk_pod("p", Some("a")))),
            ["a"]
        );
        assert_eq!(
            see(&mut owners, &Event::Apply(mk_pod("p", Some("b")))),
            ["a", "b"]
        );
        assert_eq!(see(&mut owners, &Event::Apply(mk_pod("p", None))), ["b"]);
        assert_eq!(see(&mut owners, &Event::Apply(mk_pod("p", None))), none);
        assert_eq!(
            see(&mut owners, &Event::Delete(mk_pod("p", Some("c")))),
            ["c"]
        );
    }

    #[test]
    fn the_owner_of_what_went_unseen_is_called_for_after_the_next_listing() {
        let mut owners = Owners::default();
        for (uid, owner) in [("p", "a"), ("q", "b")] {
            see(&mut owners, &Event::Apply(mk_pod(uid, Some(owner))));
        }
        see(&mut owners, &Event::Init);
        assert_eq!(
            see(&mut owners, &Event::InitApply(mk_pod("q", Some("b")))),
            ["b"]
        );
        assert_eq!(see(&mut owners, &Event::InitDone), ["a"]);
    }
}
