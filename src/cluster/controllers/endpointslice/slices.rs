//! Fits the endpoints of a Service into slices, with as few writes as can be.
//!
//! Source: `staging/src/k8s.io/endpointslice/reconciler.go`.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;

use super::endpoints::{Group, Wanted};
use super::slice::{Earliest, empty, is_owned, labels};

/// Source: `--max-endpoints-per-slice`.
const MAX_ENDPOINTS: usize = 100;

/// The writes that bring the slices of a Service to what they should be.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) create: Vec<EndpointSlice>,
    pub(super) update: Vec<EndpointSlice>,
    pub(super) delete: Vec<EndpointSlice>,
}

/// Plans the writes for a Service. `existing` are the slices that belong to it.
///
/// A slice that is not needed any longer is turned into one that is, so a Service that gets its
/// first endpoint keeps the name of its empty placeholder.
pub(super) fn plan(service: &Service, groups: Vec<Group>, existing: Vec<EndpointSlice>) -> Plan {
    let mut plan = Plan::default();
    let mut since = if existing.is_empty() {
        Earliest(service.metadata.creation_timestamp.clone())
    } else {
        Earliest(None)
    };
    let total = existing.len();
    let (owned, foreign): (Vec<_>, Vec<_>) = existing
        .into_iter()
        .partition(|slice| is_owned(slice, service));
    plan.delete = foreign;
    let mut unclaimed = owned;
    for group in groups {
        let (same_ports, rest) = unclaimed
            .into_iter()
            .partition(|slice| slice.ports.as_deref().unwrap_or_default() == group.ports);
        unclaimed = rest;
        plan_group(service, group, same_ports, &mut plan, &mut since);
    }
    plan.delete.extend(unclaimed);
    if plan.delete.len() == total && plan.create.is_empty() {
        add_placeholder(service, &mut plan);
    }
    recycle(service, &mut plan);
    if service.metadata.deletion_timestamp.is_some() {
        plan.create.clear();
    }
    for slice in plan.create.iter_mut().chain(&mut plan.update) {
        since.note_on(slice);
    }
    plan
}

/// Plans one set of ports: endpoints stay where they are, slices that change anyway are filled
/// first, then the slice with the least room to spare, then new ones.
fn plan_group(
    service: &Service,
    group: Group,
    existing: Vec<EndpointSlice>,
    plan: &mut Plan,
    since: &mut Earliest,
) {
    let labels = labels(service);
    let places: HashMap<Place, usize> = group
        .endpoints
        .iter()
        .enumerate()
        .map(|(index, wanted)| (place(&wanted.endpoint), index))
        .collect();
    let mut wanted: Vec<Option<Wanted>> = group.endpoints.into_iter().map(Some).collect();
    let mut changed = Vec::new();
    let mut unchanged = Vec::new();
    for mut slice in existing {
        let before = slice.endpoints.take().unwrap_or_default();
        let mut differs = false;
        let mut kept = Vec::with_capacity(before.len());
        for old in &before {
            let index = places.get(&place(old));
            let Some(wanted) = index.and_then(|index| wanted[*index].take()) else {
                differs = true;
                continue;
            };
            if serving(&wanted.endpoint) != serving(old) {
                since.hear(wanted.since);
            }
            differs |= wanted.endpoint != *old;
            kept.push(wanted.endpoint);
        }
        if kept.is_empty() && differs {
            slice.endpoints = Some(before);
            plan.delete.push(slice);
            continue;
        }
        slice.endpoints = Some(kept);
        if differs || slice.labels() != &labels {
            slice.metadata.labels = Some(labels.clone());
            changed.push(slice);
        } else {
            unchanged.push(slice);
        }
    }
    let mut left: Vec<Endpoint> = Vec::new();
    for wanted in wanted.into_iter().flatten() {
        since.hear(wanted.since);
        left.push(wanted.endpoint);
    }
    changed.sort_by_key(|slice| std::cmp::Reverse(size(slice)));
    for slice in &mut changed {
        fill(slice, &mut left);
    }
    plan.update.extend(changed);
    while !left.is_empty() {
        if let Some(index) = best_fit(&unchanged, left.len()) {
            let mut slice = unchanged.swap_remove(index);
            fill(&mut slice, &mut left);
            plan.update.push(slice);
        } else {
            let mut slice = empty(service, group.ports.clone());
            fill(&mut slice, &mut left);
            plan.create.push(slice);
        }
    }
}

/// A Service without endpoints has one empty slice.
fn add_placeholder(service: &Service, plan: &mut Plan) {
    let placeholder = empty(service, Vec::new());
    let is_there = |slice: &EndpointSlice| {
        size(slice) == 0
            && slice.ports.as_deref().unwrap_or_default().is_empty()
            && slice.labels() == placeholder.labels()
            && is_owned(slice, service)
    };
    match plan.delete.as_slice() {
        [only] if is_there(only) => plan.delete.clear(),
        _ => plan.create.push(placeholder),
    }
}

/// Turns pairs of a delete and a create into updates.
fn recycle(service: &Service, plan: &mut Plan) {
    for old in std::mem::take(&mut plan.delete) {
        if is_owned(&old, service)
            && let Some(new) = plan.create.pop()
        {
            plan.update.push(EndpointSlice {
                metadata: ObjectMeta {
                    labels: new.metadata.labels,
                    ..old.metadata
                },
                ..new
            });
        } else {
            plan.delete.push(old);
        }
    }
}

/// Puts endpoints into a slice up to its limit.
fn fill(slice: &mut EndpointSlice, left: &mut Vec<Endpoint>) {
    let room = MAX_ENDPOINTS.saturating_sub(size(slice)).min(left.len());
    let endpoints = slice.endpoints.get_or_insert_default();
    endpoints.extend(left.drain(..room));
}

/// The slice that a number of endpoints fills best, if one of them holds them all.
///
/// Example: for 20 endpoints and slices of 50, 80 and 90, it is the one of 80.
fn best_fit(slices: &[EndpointSlice], count: usize) -> Option<usize> {
    let fits = |slice: &&(usize, usize)| slice.1 + count <= MAX_ENDPOINTS;
    let sizes: Vec<(usize, usize)> = slices.iter().map(size).enumerate().collect();
    let best = sizes.iter().filter(fits).max_by_key(|(_, size)| *size)?;
    Some(best.0)
}

fn size(slice: &EndpointSlice) -> usize {
    slice.endpoints.as_ref().map_or(0, Vec::len)
}

fn serving(endpoint: &Endpoint) -> Option<bool> {
    endpoint.conditions.as_ref()?.serving
}

/// What makes two endpoints the same one: address, hostname and pod.
type Place = (Vec<String>, Option<String>, Option<String>);

fn place(endpoint: &Endpoint) -> Place {
    let pod = endpoint
        .target_ref
        .as_ref()
        .and_then(|target| target.name.clone());
    (endpoint.addresses.clone(), endpoint.hostname.clone(), pod)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::discovery::v1::EndpointPort;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use serde_json::{Value, from_value, json};

    use super::super::slice::TRIGGER_TIME;
    use super::*;

    fn mk_service(change: Value) -> Service {
        let mut whole = json!({
            "metadata": {
                "name": "web",
                "namespace": "ns",
                "uid": "svc",
                "creationTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {"clusterIP": "10.1.1.1"},
        });
        json_patch::merge(&mut whole, &change);
        from_value(whole).unwrap()
    }

    fn mk_endpoint(index: usize) -> Endpoint {
        Endpoint {
            addresses: vec![format!("10.0.{}.{}", index / 250, index % 250)],
            ..Endpoint::default()
        }
    }

    /// Endpoints on one port; all became ready at a second of the same minute.
    fn mk_group(port: i32, endpoints: impl IntoIterator<Item = usize>, second: u32) -> Group {
        let since: Time = from_value(json!(format!("2026-01-02T00:00:{second:02}Z"))).unwrap();
        Group {
            ports: mk_ports(port),
            endpoints: endpoints
                .into_iter()
                .map(|index| Wanted {
                    endpoint: mk_endpoint(index),
                    since: Some(since.clone()),
                })
                .collect(),
        }
    }

    fn mk_ports(port: i32) -> Vec<EndpointPort> {
        vec![EndpointPort {
            port: Some(port),
            ..EndpointPort::default()
        }]
    }

    /// A stored slice of the Service.
    fn mk_existing(
        name: &str,
        port: i32,
        endpoints: impl IntoIterator<Item = usize>,
    ) -> EndpointSlice {
        let mut slice = empty(&mk_service(json!({})), mk_ports(port));
        slice.metadata.name = Some(name.to_owned());
        slice.endpoints = Some(endpoints.into_iter().map(mk_endpoint).collect());
        slice
    }

    fn mk_placeholder(name: &str) -> EndpointSlice {
        let mut slice = empty(&mk_service(json!({})), Vec::new());
        slice.metadata.name = Some(name.to_owned());
        slice
    }

    /// The names and sizes of slices; new ones have no name.
    fn shape(slices: &[EndpointSlice]) -> Vec<(String, usize)> {
        slices
            .iter()
            .map(|slice| (slice.metadata.name.clone().unwrap_or_default(), size(slice)))
            .collect()
    }

    fn named(pairs: &[(&str, usize)]) -> Vec<(String, usize)> {
        pairs
            .iter()
            .map(|(name, size)| ((*name).to_owned(), *size))
            .collect()
    }

    /// Plans for a Service and compares what is created, updated and deleted.
    #[track_caller]
    fn check(groups: Vec<Group>, existing: Vec<EndpointSlice>, writes: [&[(&str, usize)]; 3]) {
        let plan = plan(&mk_service(json!({})), groups, existing);
        let planned = [plan.create, plan.update, plan.delete];
        assert_eq!(planned.map(|slices| shape(&slices)), writes.map(named));
    }

    #[test]
    fn a_service_without_endpoints_has_one_empty_slice() {
        check(vec![], vec![], [&[("", 0)], &[], &[]]);
        check(vec![], vec![mk_placeholder("a")], [&[], &[], &[]]);
    }

    #[test]
    fn a_slice_that_is_not_needed_any_longer_becomes_one_that_is() {
        let two = || vec![mk_group(80, 0..2, 0)];
        let existing = || vec![mk_existing("a", 80, 0..2)];
        check(two(), vec![mk_placeholder("a")], [&[], &[("a", 2)], &[]]);
        check(vec![], existing(), [&[], &[("a", 0)], &[]]);
        let other_port = vec![mk_group(90, 0..2, 0)];
        check(other_port, existing(), [&[], &[("a", 2)], &[]]);
    }

    #[test]
    fn slices_are_filled_with_as_few_writes_as_can_be() {
        // What is right is not written.
        check(
            vec![mk_group(80, 0..2, 0)],
            vec![mk_existing("a", 80, 0..2)],
            [&[], &[], &[]],
        );
        check(
            vec![mk_group(80, 0..250, 0)],
            vec![],
            [&[("", 100), ("", 100), ("", 50)], &[], &[]],
        );
        // The first loses an endpoint, so it is filled; one of the twelve new ones is left over.
        check(
            vec![mk_group(80, 1..122, 0)],
            vec![mk_existing("a", 80, 0..90), mk_existing("b", 80, 100..120)],
            [&[], &[("a", 100), ("b", 21)], &[]],
        );
        // None changes, so the one that becomes fullest is taken.
        check(
            vec![mk_group(80, 0..171, 0)],
            vec![
                mk_existing("a", 80, 0..10),
                mk_existing("b", 80, 10..70),
                mk_existing("c", 80, 70..170),
            ],
            [&[], &[("b", 61)], &[]],
        );
        // Full slices first, and the rest where it fits.
        check(
            vec![mk_group(80, 0..180, 0)],
            vec![mk_existing("a", 80, 0..50)],
            [&[("", 100)], &[("a", 80)], &[]],
        );
        // Ports have slices of their own.
        check(
            vec![mk_group(80, 0..2, 0), mk_group(90, 2..3, 0)],
            vec![mk_existing("a", 80, 0..3)],
            [&[("", 1)], &[("a", 2)], &[]],
        );
        // A slice that loses all its endpoints goes.
        check(
            vec![mk_group(80, 0..100, 0)],
            vec![mk_existing("a", 80, 0..100), mk_existing("b", 80, 100..120)],
            [&[], &[], &[("b", 20)]],
        );
    }

    #[test]
    fn kept_endpoints_keep_their_order_and_new_ones_follow() {
        let plan = plan(
            &mk_service(json!({})),
            vec![mk_group(80, [5, 1, 2, 3], 0)],
            vec![mk_existing("a", 80, [3, 2, 9])],
        );
        let expected: Vec<Endpoint> = [3, 2, 5, 1].into_iter().map(mk_endpoint).collect();
        assert_eq!(plan.update[0].endpoints, Some(expected));
    }

    #[test]
    fn the_annotation_tells_the_earliest_change_that_the_write_answers() {
        let trigger = |slice: &EndpointSlice| slice.annotations().get(TRIGGER_TIME).cloned();
        let service = mk_service(json!({}));

        let first = plan(&service, vec![mk_group(80, 0..1, 7)], vec![]);
        let created = Some("2026-01-01T00:00:00Z".to_owned());
        assert_eq!(trigger(&first.create[0]), created, "the Service is new");

        let existing = mk_existing("a", 80, 0..1);
        let mut group = mk_group(80, 0..1, 3);
        group.endpoints.extend(mk_group(80, 1..2, 9).endpoints);
        let more = plan(&service, vec![group], vec![existing.clone()]);
        let came = Some("2026-01-02T00:00:09Z".to_owned());
        assert_eq!(trigger(&more.update[0]), came, "the second pod came");

        let mut noted = mk_existing("a", 80, 0..2);
        noted
            .annotations_mut()
            .insert(TRIGGER_TIME.to_owned(), "then".to_owned());
        let fewer = plan(&service, vec![mk_group(80, 0..1, 3)], vec![noted]);
        assert_eq!(
            trigger(&fewer.update[0]),
            None,
            "a pod that goes has no such time"
        );
    }

    #[test]
    fn new_labels_of_the_service_are_written_even_if_no_endpoint_changes() {
        let relabelled = mk_service(json!({"metadata": {"labels": {"team": "b"}}}));
        let existing = vec![mk_existing("a", 80, 0..1)];
        let plan = plan(&relabelled, vec![mk_group(80, 0..1, 0)], existing);
        assert_eq!(plan.update[0].labels()["team"], "b");
    }

    #[test]
    fn a_service_that_goes_away_gets_no_new_slices() {
        let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        let plan = plan(&mk_service(going), vec![mk_group(80, 0..1, 0)], vec![]);
        assert_eq!(plan, Plan::default());
    }

    #[test]
    fn a_slice_that_another_service_of_the_name_left_is_replaced() {
        let mut stale = mk_existing("a", 80, 0..1);
        stale.metadata.owner_references.as_mut().unwrap()[0].uid = "old".to_owned();
        let plan = plan(
            &mk_service(json!({})),
            vec![mk_group(80, 0..1, 0)],
            vec![stale],
        );
        assert_eq!(shape(&plan.create), named(&[("", 1)]));
        assert_eq!(shape(&plan.delete), named(&[("a", 1)]));
    }
}
