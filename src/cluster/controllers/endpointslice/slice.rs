//! What one slice looks like: whose it is, its labels, and when it last had reason to change.
//!
//! Source: `staging/src/k8s.io/endpointslice/utils.go`, `newEndpointSlice`, and
//! `staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{Resource as _, ResourceExt as _};

const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
pub(super) const CONTROLLER: &str = "endpointslice-controller.k8s.io";
const HEADLESS: &str = "service.kubernetes.io/headless";
pub(super) const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// Whether a slice is this controller's for a Service, and stays.
pub(super) fn belongs(slice: &EndpointSlice, service: &Service) -> bool {
    let label = |key: &str| slice.labels().get(key).map(String::as_str);
    label(SERVICE_NAME) == service.metadata.name.as_deref()
        && label(MANAGED_BY) == Some(CONTROLLER)
        && slice.metadata.deletion_timestamp.is_none()
}

pub(super) fn is_owned(slice: &EndpointSlice, service: &Service) -> bool {
    let owners = slice.owner_references();
    owners.iter().any(|owner| {
        owner.controller == Some(true) && Some(&owner.uid) == service.meta().uid.as_ref()
    })
}

/// A new slice without endpoints.
pub(super) fn empty(service: &Service, ports: Vec<EndpointPort>) -> EndpointSlice {
    let owner = service.controller_owner_ref(&()).map(|mut owner| {
        owner.block_owner_deletion = Some(true);
        owner
    });
    EndpointSlice {
        address_type: "IPv4".to_owned(),
        endpoints: Some(Vec::new()),
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", service.name_any())),
            namespace: service.namespace(),
            labels: Some(labels(service)),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        ports: Some(ports),
    }
}

/// The Service's own labels, and those by which a proxy finds its slices.
pub(super) fn labels(service: &Service) -> BTreeMap<String, String> {
    let mut labels = service.labels().clone();
    labels.remove(HEADLESS);
    labels.insert(SERVICE_NAME.to_owned(), service.name_any());
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
    let address = service
        .spec
        .as_ref()
        .and_then(|spec| spec.cluster_ip.as_deref());
    if matches!(address, None | Some("" | "None")) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels
}

/// The earliest of the changes that a plan answers, if a time is known for any of them.
///
/// Upstream remembers when each pod last became ready. Here the slices remember it: an endpoint
/// that is new to them or serves anew tells of a change that they have not seen.
pub(super) struct Earliest(pub(super) Option<Time>);

impl Earliest {
    pub(super) fn hear(&mut self, time: Option<Time>) {
        if let Some(time) = time
            && self.0.as_ref().is_none_or(|earliest| time < *earliest)
        {
            self.0 = Some(time);
        }
    }

    pub(super) fn note_on(&self, slice: &mut EndpointSlice) {
        let annotations = slice.annotations_mut();
        match &self.0 {
            Some(time) => annotations.insert(TRIGGER_TIME.to_owned(), time.0.to_string()),
            None => annotations.remove(TRIGGER_TIME),
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn labels_are_those_of_the_service_and_those_of_the_controller() {
        for (address, headless) in [("10.1.1.1", false), ("None", true), ("", true)] {
            let service: Service = from_value(json!({
                "metadata": {"name": "web", "labels": {"team": "a", HEADLESS: "mine"}},
                "spec": {"clusterIP": address},
            }))
            .unwrap();
            let mut expected = json!({"team": "a", SERVICE_NAME: "web", MANAGED_BY: CONTROLLER});
            if headless {
                expected[HEADLESS] = "".into();
            }
            assert_eq!(json!(labels(&service)), expected, "{address}");
        }
    }

    #[test]
    fn a_slice_belongs_by_its_labels_and_is_owned_by_uid() {
        let service: Service =
            from_value(json!({"metadata": {"name": "web", "namespace": "ns", "uid": "u"}}))
                .unwrap();
        let slice = empty(&service, Vec::new());
        assert!(belongs(&slice, &service) && is_owned(&slice, &service));
        let mut again = service.clone();
        again.metadata.uid = Some("v".to_owned());
        assert!(belongs(&slice, &again) && !is_owned(&slice, &again));
        let mut mirrored = slice.clone();
        mirrored
            .labels_mut()
            .insert(MANAGED_BY.to_owned(), "somebody".to_owned());
        assert!(!belongs(&mirrored, &service));
    }
}
