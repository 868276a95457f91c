//! Nothing is left of the scenario: the namespace is gone, the node port is free, and the cluster
//! holds what it held before.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::facts::{Facts, NamespaceFacts};
use crate::history::record::{Change, ChangeKind, Inventory, Verb, When};
use crate::history::{Entry, Stamp};

use super::cause::Cause;
use super::phrase::Phrase;
use super::timeline::Timeline;
use super::verdict::Finding;

pub(super) fn judge(timeline: &Timeline<'_>, namespace: &str, node_port: u16) -> Finding {
    let wanted = Phrase::new(
        format!(
            "namespace {namespace} is gone, node port {node_port} is free, and the cluster holds \
             what it held before"
        ),
        format!(
            "名前空間 {namespace} が消え、NodePort {node_port} が空き、クラスタの中身が元どおりになる"
        ),
    );
    let mut finding = Finding::new(wanted);
    let deletion = timeline.commands().rev().find(|(_, command)| {
        command.verb == Verb::DeleteNamespace && command.argument == namespace
    });
    let Some((_, deletion)) = deletion else {
        return finding.unknown(Phrase::new(
            "the namespace was not deleted",
            "名前空間が削除されていない",
        ));
    };
    if let Some(known) = timeline.state.namespaces.get(namespace) {
        return still_there(finding, timeline, namespace, &known.facts, deletion.sent);
    }
    let gone = timeline
        .changes()
        .rev()
        .find(|(_, change)| change.name == namespace && is_namespace_removal(change));
    if let Some((at, _)) = gone {
        let took = (at - deletion.sent).as_secs_f64();
        finding.figure("namespace_deletion_seconds", took);
        finding.observe(
            at,
            Phrase::new(
                format!("the namespace is gone after {took:.2} s"),
                format!("名前空間が {took:.2} 秒で消えた"),
            ),
        );
    }
    let before = inventory(timeline, When::Before, Stamp(0));
    let after = inventory(timeline, When::After, deletion.sent);
    let (Some(before), Some(after)) = (before, after) else {
        return finding.unknown(Phrase::new(
            "the cluster was not inventoried before the scenario and after the deletion",
            "シナリオの前と削除の後の棚卸しが揃っていない",
        ));
    };
    let namespaces = after.objects.get("Namespace");
    if namespaces.is_some_and(|names| names.iter().any(|name| name == namespace)) {
        let seen = Phrase::new(
            format!("namespace {namespace} is still there"),
            format!("名前空間 {namespace} がまだある"),
        );
        return finding.fail(format!("namespace/{namespace}"), seen);
    }
    compare(finding, before, after, node_port)
}

fn compare(finding: Finding, before: &Inventory, after: &Inventory, node_port: u16) -> Finding {
    if let Some(holder) = after.node_ports.get(&node_port) {
        let seen = Phrase::new(
            format!("node port {node_port} is held by {holder}"),
            format!("NodePort {node_port} を {holder} が使っている"),
        );
        return finding
            .fail(format!("service/{holder}"), seen)
            .because(Cause::NodePortHeld);
    }
    let (left, missing) = (difference(after, before), difference(before, after));
    if let Some(first) = left.iter().chain(&missing).next() {
        let seen = Phrase::new(
            format!("left: {}; missing: {}", list(&left), list(&missing)),
            format!("残り: {}、欠け: {}", list(&left), list(&missing)),
        );
        return finding.fail(first.clone(), seen).because(Cause::Leftover);
    }
    let count: usize = after.objects.values().map(Vec::len).sum();
    finding.pass(Phrase::new(
        format!("the namespace is gone, the node port free, the same {count} objects as before"),
        format!("名前空間は消え、NodePort は空き、オブジェクト {count} 個は元のまま"),
    ))
}

fn is_namespace_removal(change: &Change) -> bool {
    change.change == ChangeKind::Deleted && matches!(change.facts, Facts::Namespace(_))
}

fn still_there(
    mut finding: Finding,
    timeline: &Timeline<'_>,
    namespace: &str,
    facts: &NamespaceFacts,
    since: Stamp,
) -> Finding {
    let held = |name: &str| {
        facts
            .conditions
            .iter()
            .find(|held| held.name == name && held.status == "True")
    };
    let finalizer = held("NamespaceFinalizersRemaining");
    for condition in facts
        .conditions
        .iter()
        .filter(|condition| condition.status == "True")
    {
        finding.observe(None, Phrase::same(condition.message.clone()));
    }
    let why = finalizer.or_else(|| held("NamespaceContentRemaining"));
    let why = why
        .map(|condition| condition.message.clone())
        .unwrap_or_default();
    let phase = &facts.phase;
    let seen = Phrase::new(
        format!("namespace {namespace} is still {phase}: {why}"),
        format!("名前空間 {namespace} はまだ {phase}: {why}"),
    );
    let events = timeline.warnings_since(since, 3);
    finding
        .fail(format!("namespace/{namespace}"), seen)
        .because(finalizer.map(|_| Cause::Finalizer))
        .explain(events)
}

/// The newest inventory of its sort since a moment.
fn inventory<'r>(timeline: &Timeline<'r>, when: When, since: Stamp) -> Option<&'r Inventory> {
    timeline
        .records()
        .iter()
        .rev()
        .take_while(|record| record.at >= since)
        .find_map(|record| match &record.entry {
            Entry::Inventory(inventory) if inventory.when == when => Some(inventory),
            _ => None,
        })
}

/// What one inventory has and the other has not, as `kind/name`.
fn difference(one: &Inventory, other: &Inventory) -> Vec<String> {
    let flat = |inventory: &Inventory| -> BTreeSet<String> {
        let objects: &BTreeMap<String, Vec<String>> = &inventory.objects;
        objects
            .iter()
            .flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind}/{name}")))
            .collect()
    };
    flat(one).difference(&flat(other)).cloned().collect()
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "-".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests;
