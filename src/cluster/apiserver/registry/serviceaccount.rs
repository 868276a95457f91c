//! ServiceAccounts. Source: `pkg/registry/core/serviceaccount/strategy.go`.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::{Kind, NameRule, Resource, Scope, Typed};
use crate::cluster::apiserver::table::{self, Printer};

pub(crate) static RESOURCE: Resource = Resource {
    group: "",
    version: "v1",
    kind: "ServiceAccount",
    collection: "serviceaccounts",
    plural: "serviceaccounts",
    singular: "serviceaccount",
    short_names: &["sa"],
    categories: &[],
    scope: Scope::Namespaced,
    subresources: &[],
    names: NameRule::Subdomain,
    returns_deleted: true,
    strategy: &Typed::<Rules>::new(),
};

struct Rules;

impl Kind for Rules {
    type Object = ServiceAccount;

    fn printer() -> &'static Printer {
        &table::DEFAULT
    }
}
