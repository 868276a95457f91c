//! What a URL and a method ask for.
//!
//! Source: `staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`.

use http::Method;

/// The target of a request, as the path spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A served resource: its collection, or one object of it.
    Resource(ResourcePath<'a>),
    /// Everything else: `/version`, `/healthz`, discovery, OpenAPI.
    Other(&'a str),
}

/// `/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME/SUBRESOURCE`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ResourcePath<'a> {
    /// Empty for the core group.
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    /// `None` for cluster-scoped resources and for all namespaces at once.
    pub(crate) namespace: Option<&'a str>,
    pub(crate) resource: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) subresource: Option<&'a str>,
}

/// What is to be done with the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

/// Takes a path apart.
pub(crate) fn target(path: &str) -> Target<'_> {
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let (group, version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Target::Other(path),
    };
    let (namespace, rest) = match rest {
        // The namespace itself and its subresources are cluster-scoped.
        ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => {
            (None, rest)
        }
        ["namespaces", namespace, rest @ ..] => (Some(*namespace), rest),
        _ => (None, rest),
    };
    let (resource, name, subresource) = match rest {
        [resource] => (*resource, None, None),
        [resource, name] => (*resource, Some(*name), None),
        [resource, name, subresource] => (*resource, Some(*name), Some(*subresource)),
        _ => return Target::Other(path),
    };
    Target::Resource(ResourcePath {
        group,
        version,
        namespace,
        resource,
        name,
        subresource,
    })
}

/// The verb of a request; `None` where the method means nothing on that target.
pub(crate) fn verb(method: &Method, path: &ResourcePath<'_>, watch: bool) -> Option<Verb> {
    match (method, path.name) {
        (&Method::GET, None) if watch => Some(Verb::Watch),
        (&Method::GET, None) => Some(Verb::List),
        (&Method::GET, Some(_)) => Some(Verb::Get),
        (&Method::POST, _) => Some(Verb::Create),
        (&Method::PUT, Some(_)) => Some(Verb::Update),
        (&Method::PATCH, Some(_)) => Some(Verb::Patch),
        (&Method::DELETE, Some(_)) => Some(Verb::Delete),
        (&Method::DELETE, None) => Some(Verb::DeleteCollection),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let core = ResourcePath {
            version: "v1",
            ..ResourcePath::default()
        };
        let apps = ResourcePath {
            group: "apps",
            ..core.clone()
        };
        for (path, expected) in [
            (
                "/api/v1/pods",
                ResourcePath {
                    resource: "pods",
                    ..core.clone()
                },
            ),
            (
                "/api/v1/namespaces/a/pods/p/log",
                ResourcePath {
                    namespace: Some("a"),
                    resource: "pods",
                    name: Some("p"),
                    subresource: Some("log"),
                    ..core.clone()
                },
            ),
            (
                "/api/v1/namespaces/a",
                ResourcePath {
                    resource: "namespaces",
                    name: Some("a"),
                    ..core.clone()
                },
            ),
            (
                "/api/v1/namespaces/a/finalize",
                ResourcePath {
                    resource: "namespaces",
                    name: Some("a"),
                    subresource: Some("finalize"),
                    ..core
                },
            ),
            (
                "/apis/apps/v1/namespaces/a/deployments",
                ResourcePath {
                    namespace: Some("a"),
                    resource: "deployments",
                    ..apps
                },
            ),
        ] {
            assert_eq!(target(path), Target::Resource(expected), "{path}");
        }
        for path in [
            "/version",
            "/api/v1",
            "/apis/apps/v1",
            "/apis",
            "/openapi/v3/api/v1",
        ] {
            assert_eq!(target(path), Target::Other(path));
        }
    }

    #[test]
    fn a_get_without_a_name_lists_or_watches() {
        let pods = ResourcePath {
            version: "v1",
            resource: "pods",
            ..ResourcePath::default()
        };
        let one = ResourcePath {
            name: Some("p"),
            ..pods.clone()
        };
        assert_eq!(verb(&Method::GET, &pods, false), Some(Verb::List));
        assert_eq!(verb(&Method::GET, &pods, true), Some(Verb::Watch));
        assert_eq!(verb(&Method::GET, &one, true), Some(Verb::Get));
        assert_eq!(verb(&Method::PUT, &pods, false), None);
    }
}
