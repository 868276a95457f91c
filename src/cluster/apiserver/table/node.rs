//! Columns of Nodes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Column, NONE, Printer, age_cell, list_cell, name_cell};

const ROLE_PREFIX: &str = "node-role.kubernetes.io/";
const ROLE: &str = "kubernetes.io/role";

pub(crate) static PRINTER: Printer = Printer {
    columns: &[
        Column::NAME,
        Column::text("Status"),
        Column::text("Roles"),
        Column::AGE,
        Column::text("Version"),
        Column::wide("Internal-IP"),
        Column::wide("External-IP"),
        Column::wide("OS-Image"),
        Column::wide("Kernel-Version"),
        Column::wide("Container-Runtime"),
    ],
    cells: |node, now| {
        let info = &node["status"]["nodeInfo"];
        vec![
            name_cell(node),
            status(node).into(),
            roles(node),
            age_cell(node, now),
            info["kubeletVersion"].clone(),
            address(node, "InternalIP").into(),
            address(node, "ExternalIP").into(),
            or_unknown(&info["osImage"]).into(),
            kernel(info).into(),
            or_unknown(&info["containerRuntimeVersion"]).into(),
        ]
    },
};

fn status(node: &Value) -> String {
    let conditions = node["status"]["conditions"].as_array();
    let ready = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Ready");
    let mut status = match ready {
        None => "Unknown",
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
    }
    .to_owned();
    if node["spec"]["unschedulable"] == true {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn roles(node: &Value) -> Value {
    let labels = node["metadata"]["labels"].as_object();
    let roles: BTreeSet<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix(ROLE_PREFIX) {
            Some(role) => Some(role),
            None if key == ROLE => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    list_cell(roles.into_iter())
}

fn address<'n>(node: &'n Value, kind: &str) -> &'n str {
    let addresses = node["status"]["addresses"].as_array();
    addresses
        .into_iter()
        .flatten()
        .find(|address| address["type"] == kind)
        .and_then(|address| address["address"].as_str())
        .unwrap_or(NONE)
}

fn or_unknown(text: &Value) -> &str {
    let text = text.as_str().unwrap_or_default();
    if text.is_empty() { "<unknown>" } else { text }
}

/// The kernel with the architecture that it runs on.
fn kernel(info: &Value) -> String {
    let version = or_unknown(&info["kernelVersion"]);
    match info["architecture"]
        .as_str()
        .filter(|text| !text.is_empty())
    {
        Some(architecture) => format!("{version} ({architecture})"),
        None => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_shows_whether_it_takes_pods() {
        for (conditions, unschedulable, shown) in [
            (json!([]), false, "Unknown"),
            (json!([{"type": "Ready", "status": "True"}]), false, "Ready"),
            (
                json!([{"type": "Ready", "status": "Unknown"}]),
                false,
                "NotReady",
            ),
            (
                json!([{"type": "Ready", "status": "True"}]),
                true,
                "Ready,SchedulingDisabled",
            ),
        ] {
            let node = json!({
                "spec": {"unschedulable": unschedulable},
                "status": {"conditions": conditions},
            });
            assert_eq!(status(&node), shown);
        }
    }

    #[test]
    fn a_node_shows_what_it_is() {
        let node = json!({
            "metadata": {"name": "n1", "creationTimestamp": "2026-01-01T00:00:00Z", "labels": {
                "node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "edge",
            }},
            "spec": {},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "127.1.0.1"}],
                "nodeInfo": {"kubeletVersion": "v1.36.2", "kernelVersion": "6.1",
                    "architecture": "amd64", "osImage": "", "containerRuntimeVersion": "x://1"},
            },
        });
        let now = "2026-01-01T00:00:06Z".parse().unwrap();
        assert_eq!(
            Value::from((PRINTER.cells)(&node, now)),
            json!([
                "n1",
                "Unknown",
                "control-plane,edge",
                "6s",
                "v1.36.2",
                "127.1.0.1",
                "<none>",
                "<unknown>",
                "6.1 (amd64)",
                "x://1",
            ])
        );
    }
}
