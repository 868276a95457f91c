//! What is served: groups, versions, resources and their verbs, in the old form of one document
//! per group version and in the aggregated form of one document for all.
//!
//! Everything follows from [`RESOURCES`]. Source:
//! `staging/src/k8s.io/apiserver/pkg/endpoints/discovery`.

use serde_json::{Value, json};

use super::registry::{RESOURCES, Resource, Subresource};

/// The content type of the aggregated form, which clients look at to know what they got.
pub(crate) const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const ALL_VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// `GET /api`: the versions of the core group.
pub(crate) fn core_versions(server_address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": versions("").map(|version| version.version).collect::<Vec<_>>(),
        "serverAddressByClientCIDRs": [
            {"clientCIDR": "0.0.0.0/0", "serverAddress": server_address},
        ],
    })
}

/// `GET /apis`: the named groups.
pub(crate) fn groups() -> Value {
    let groups: Vec<Value> = group_names().into_iter().map(group_fields).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `GET /apis/GROUP`; `None` for a group that is not served.
pub(crate) fn group(name: &str) -> Option<Value> {
    let name = group_names().into_iter().find(|group| *group == name)?;
    let mut document = group_fields(name);
    document["kind"] = "APIGroup".into();
    document["apiVersion"] = "v1".into();
    Some(document)
}

/// `GET /api/v1` and `GET /apis/GROUP/VERSION`; `None` for what is not served.
pub(crate) fn resources(group: &str, version: &str) -> Option<Value> {
    let served: Vec<Value> = of_version(group, version)
        .flat_map(legacy_entries)
        .collect();
    if served.is_empty() {
        return None;
    }
    let mut document = json!({
        "kind": "APIResourceList",
        "groupVersion": api_version(group, version),
        "resources": served,
    });
    // The core group is older than the field.
    if !group.is_empty() {
        document["apiVersion"] = "v1".into();
    }
    Some(document)
}

/// `GET /api` in the aggregated form.
pub(crate) fn aggregated_core() -> Value {
    aggregated(&[""])
}

/// `GET /apis` in the aggregated form.
pub(crate) fn aggregated_groups() -> Value {
    aggregated(&group_names())
}

/// Every served group version.
pub(crate) fn group_versions() -> Vec<GroupVersion> {
    let names = group_names();
    std::iter::once("")
        .chain(names)
        .flat_map(versions)
        .collect()
}

/// A group with one of its versions; the group is empty for the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupVersion {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
}

/// The resources of a group version.
pub(crate) fn of_version<'a>(
    group: &'a str,
    version: &'a str,
) -> impl Iterator<Item = &'static Resource> + 'a {
    RESOURCES
        .iter()
        .copied()
        .filter(move |resource| resource.group == group && resource.version == version)
}

fn group_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for resource in RESOURCES {
        if !resource.group.is_empty() && !names.contains(&resource.group) {
            names.push(resource.group);
        }
    }
    names
}

/// The versions of a group, the preferred one first.
fn versions(group: &'static str) -> impl Iterator<Item = GroupVersion> {
    let mut versions: Vec<&'static str> = Vec::new();
    for resource in RESOURCES {
        if resource.group == group && !versions.contains(&resource.version) {
            versions.push(resource.version);
        }
    }
    versions
        .into_iter()
        .map(move |version| GroupVersion { group, version })
}

fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

fn group_fields(group: &'static str) -> Value {
    let versions: Vec<Value> = versions(group)
        .map(|version| {
            json!({
                "groupVersion": api_version(group, version.version),
                "version": version.version,
            })
        })
        .collect();
    json!({"name": group, "preferredVersion": versions.first(), "versions": versions})
}

fn verbs(resource: &Resource) -> Vec<&'static str> {
    // Namespaces go one by one.
    let skips_collection = resource.kind == "Namespace";
    ALL_VERBS
        .into_iter()
        .filter(|verb| !(skips_collection && *verb == "deletecollection"))
        .collect()
}

/// What a subresource reads and writes, and the verbs that it has.
struct SubresourceEntry {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    verbs: &'static [&'static str],
}

impl SubresourceEntry {
    fn of(resource: &Resource, subresource: Subresource) -> Self {
        let (group, version, kind): (_, _, &'static str) = match subresource {
            Subresource::Scale => ("autoscaling", "v1", "Scale"),
            Subresource::Eviction => ("policy", "v1", "Eviction"),
            Subresource::Binding => ("", "", "Binding"),
            Subresource::PortForward => ("", "", "PodPortForwardOptions"),
            Subresource::Status | Subresource::Finalize | Subresource::Log => {
                ("", "", resource.kind)
            }
        };
        let verbs: &[&str] = match subresource {
            Subresource::Status | Subresource::Scale => &["get", "patch", "update"],
            Subresource::Finalize => &["update"],
            Subresource::Log => &["get"],
            Subresource::PortForward => &["create", "get"],
            Subresource::Binding | Subresource::Eviction => &["create"],
        };
        Self {
            group,
            version,
            kind,
            verbs,
        }
    }
}

fn sorted_subresources(resource: &Resource) -> Vec<Subresource> {
    let mut subresources = resource.subresources.to_vec();
    subresources.sort_by_key(|subresource| subresource.name());
    subresources
}

/// A resource and its subresources as entries of the old form.
fn legacy_entries(resource: &'static Resource) -> Vec<Value> {
    let mut entry = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.is_namespaced(),
        "kind": resource.kind,
        "verbs": verbs(resource),
    });
    add_names(&mut entry, resource);
    let mut entries = vec![entry];
    for subresource in sorted_subresources(resource) {
        let SubresourceEntry {
            group,
            version,
            kind,
            verbs,
        } = SubresourceEntry::of(resource, subresource);
        let mut entry = json!({
            "name": format!("{}/{}", resource.plural, subresource.name()),
            "singularName": "",
            "namespaced": resource.is_namespaced(),
            "kind": kind,
            "verbs": verbs,
        });
        if !version.is_empty() {
            entry["group"] = group.into();
            entry["version"] = version.into();
        }
        entries.push(entry);
    }
    entries
}

fn add_names(entry: &mut Value, resource: &Resource) {
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
}

fn aggregated(groups: &[&'static str]) -> Value {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let versions: Vec<Value> = versions(group)
                .map(|version| {
                    let resources = of_version(group, version.version).map(aggregated_entry);
                    json!({
                        "version": version.version,
                        "resources": resources.collect::<Vec<_>>(),
                        "freshness": "Current",
                    })
                })
                .collect();
            let metadata = if group.is_empty() {
                json!({})
            } else {
                json!({"name": group})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    })
}

fn aggregated_entry(resource: &'static Resource) -> Value {
    let scope = if resource.is_namespaced() {
        "Namespaced"
    } else {
        "Cluster"
    };
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": scope,
        "singularResource": resource.singular,
        "verbs": verbs(resource),
    });
    add_names(&mut entry, resource);
    let subresources: Vec<Value> = sorted_subresources(resource)
        .into_iter()
        .map(|subresource| {
            let SubresourceEntry {
                group,
                version,
                kind,
                verbs,
            } = SubresourceEntry::of(resource, subresource);
            json!({
                "subresource": subresource.name(),
                "responseKind": {"group": group, "version": version, "kind": kind},
                "verbs": verbs,
            })
        })
        .collect();
    if !subresources.is_empty() {
        entry["subresources"] = subresources.into();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_served_is_found() {
        assert!(resources("apps", "v1").is_some() && resources("", "v1").is_some());
        assert!(resources("apps", "v2").is_none() && group("nosuch").is_none());
        let core = GroupVersion {
            group: "",
            version: "v1",
        };
        assert_eq!(group_versions()[0], core);
    }

    #[test]
    fn both_forms_name_the_same_resources() {
        let mut legacy = Vec::new();
        for version in group_versions() {
            let document = resources(version.group, version.version).unwrap();
            for entry in document["resources"].as_array().unwrap() {
                legacy.push(entry["name"].as_str().unwrap().to_owned());
            }
        }
        let mut aggregated = Vec::new();
        for document in [aggregated_core(), aggregated_groups()] {
            for group in document["items"].as_array().unwrap() {
                for entry in group["versions"][0]["resources"].as_array().unwrap() {
                    let name = entry["resource"].as_str().unwrap();
                    aggregated.push(name.to_owned());
                    for part in entry["subresources"].as_array().into_iter().flatten() {
                        let part = part["subresource"].as_str().unwrap();
                        aggregated.push(format!("{name}/{part}"));
                    }
                }
            }
        }
        assert_eq!(legacy, aggregated);
    }
}
