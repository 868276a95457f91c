use crate::criteria::cause::Cause;
use crate::criteria::scene::check::{Want, check};
use crate::criteria::scene::story::{DELETION, deployed, removed};
use crate::criteria::scene::{NAMESPACE, NODE_PORT, Scene, command, inventory, namespace, warning};
use crate::history::criterion::Criterion;
use crate::history::record::{Verb, When};
use crate::history::{Entry, Record};

fn is_inventory(record: &Record, wanted: When) -> bool {
    matches!(&record.entry, Entry::Inventory(inventory) if inventory.when == wanted)
}

/// The removal, with another inventory after it.
fn left(configmaps: &[&str], namespaces: &[&str], node_port_of: Option<&str>) -> Scene {
    removed()
        .without(|record| is_inventory(record, When::After))
        .add(
            3010,
            inventory(When::After, configmaps, namespaces, node_port_of),
        )
}

/// The removal, which does not come to its end.
fn held(by: &[(&str, &str)]) -> Scene {
    removed()
        .until(2100)
        .add(2200, namespace("Terminating", by))
}

fn criterion() -> Criterion {
    Criterion::Clean {
        namespace: NAMESPACE.to_owned(),
        node_port: NODE_PORT,
    }
}

const WANTED: &str = "namespace lab is gone, node port 30000 is free";

fn fail(object: &'static str, seen: &'static str, cause: Option<Cause>) -> Want {
    Want::Fail {
        object,
        seen,
        cause,
    }
}

#[test]
fn nothing_is_left_after_the_removal() {
    let rows = [
        (
            "all is as before",
            removed(),
            Want::Pass("the namespace is gone, the node port free, the same 1 objects as before"),
        ),
        (
            "an object of the scenario is left",
            left(&["kube-root-ca.crt", "web"], &[], None),
            fail(
                "ConfigMap/web",
                "left: ConfigMap/web; missing: -",
                Some(Cause::Leftover),
            ),
        ),
        (
            "an object of somebody else is missing",
            left(&[], &[], None),
            fail(
                "ConfigMap/kube-root-ca.crt",
                "left: -; missing: ConfigMap/kube-root-ca.crt",
                Some(Cause::Leftover),
            ),
        ),
        (
            "the node port is held",
            left(&["kube-root-ca.crt"], &[], Some("other/web")),
            fail(
                "service/other/web",
                "node port 30000 is held by other/web",
                Some(Cause::NodePortHeld),
            ),
        ),
        (
            "the namespace is there, though its watch told otherwise",
            left(&["kube-root-ca.crt"], &[NAMESPACE], None),
            fail("namespace/lab", "namespace lab is still there", None),
        ),
    ];
    check(&criterion(), WANTED, &rows);
}

#[test]
fn what_holds_the_namespace_is_named() {
    let content = ("NamespaceContentRemaining", "1 configmap is left");
    let finalizer = (
        "NamespaceFinalizersRemaining",
        "lab/hold in 1 resource instances",
    );
    let rows = [
        (
            "a finalizer keeps an object",
            held(&[content, finalizer]),
            fail(
                "namespace/lab",
                "namespace lab is still Terminating: lab/hold in 1 resource instances",
                Some(Cause::Finalizer),
            ),
        ),
        (
            "objects are left, without a finalizer",
            held(&[content]),
            fail(
                "namespace/lab",
                "is still Terminating: 1 configmap is left",
                None,
            ),
        ),
        (
            "nothing says why",
            held(&[]),
            fail("namespace/lab", "is still Terminating", None),
        ),
    ];
    check(&criterion(), WANTED, &rows);
}

#[test]
fn what_cannot_be_judged_is_unknown() {
    let rows = [
        (
            "nothing happened",
            Scene::default(),
            Want::Unknown("the namespace was not deleted"),
        ),
        (
            "nothing was deleted",
            deployed(),
            Want::Unknown("the namespace was not deleted"),
        ),
        (
            "another namespace was deleted",
            deployed().add(2000, command(Verb::DeleteNamespace, "other", 1990, None)),
            Want::Unknown("the namespace was not deleted"),
        ),
        (
            "no inventory before",
            removed().without(|record| is_inventory(record, When::Before)),
            Want::Unknown("the cluster was not inventoried"),
        ),
        (
            "no inventory after",
            removed().without(|record| is_inventory(record, When::After)),
            Want::Unknown("the cluster was not inventoried"),
        ),
        (
            "the inventory was taken too early",
            removed()
                .without(|record| is_inventory(record, When::After))
                .add(
                    DELETION - 1,
                    inventory(When::After, &["kube-root-ca.crt"], &[], None),
                ),
            Want::Unknown("the cluster was not inventoried"),
        ),
    ];
    check(&criterion(), WANTED, &rows);
}

#[test]
fn the_deletion_is_timed() {
    let took = removed().judge(&criterion()).figures["namespace_deletion_seconds"];
    assert!((took - 1.0).abs() < 1e-9, "{took}");
}

#[test]
fn conditions_and_warnings_explain_what_is_held() {
    let scene = held(&[("NamespaceContentRemaining", "1 configmap is left")])
        .add(1900, warning("Pod/web-1-a", "Unhealthy", "of another time"))
        .add(2150, warning("Namespace/lab", "FailedDelete", "held"));
    let verdict = scene.judge(&criterion());
    assert_eq!(verdict.evidence[0].text.en, "1 configmap is left");
    let told: Vec<&str> = verdict
        .events
        .iter()
        .map(|event| event.text.en.as_str())
        .collect();
    assert_eq!(told, ["Namespace/lab FailedDelete: held"]);
}
