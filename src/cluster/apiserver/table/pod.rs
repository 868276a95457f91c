//! Columns of Pods.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use serde::Deserialize as _;

use super::age::human;
use super::pod_status::PodSummary;
use super::{Column, Printer, age_cell, name_cell, or_none};

pub(crate) static PRINTER: Printer = Printer {
    columns: &[
        Column::NAME,
        Column::text("Ready"),
        Column::text("Status"),
        Column::text("Restarts"),
        Column::AGE,
        Column::wide("IP"),
        Column::wide("Node"),
        Column::wide("Nominated Node"),
        Column::wide("Readiness Gates"),
    ],
    cells: |pod, now| {
        let typed = Pod::deserialize(pod).unwrap_or_default();
        let summary = PodSummary::of(&typed);
        let status = &pod["status"];
        vec![
            name_cell(pod),
            format!("{}/{}", summary.ready, summary.total).into(),
            summary.status.clone().into(),
            restarts(&summary, now).into(),
            age_cell(pod, now),
            or_none(&status["podIPs"][0]["ip"]),
            or_none(&pod["spec"]["nodeName"]),
            or_none(&status["nominatedNodeName"]),
            gates(&typed).into(),
        ]
    },
};

/// `3 (5s ago)`, or `0`.
fn restarts(summary: &PodSummary, now: Timestamp) -> String {
    match summary.last_restart {
        Some(last) if summary.restarts > 0 => {
            let age = human(now.as_second() - last.as_second());
            format!("{} ({age} ago)", summary.restarts)
        }
        _ => summary.restarts.to_string(),
    }
}

/// How many of the readiness gates are open: `1/2`.
fn gates(pod: &Pod) -> String {
    let gates = pod
        .spec
        .iter()
        .flat_map(|spec| spec.readiness_gates.iter().flatten());
    let conditions = || {
        let status = pod.status.iter();
        status.flat_map(|status| status.conditions.iter().flatten())
    };
    let (mut open, mut total) = (0, 0);
    for gate in gates {
        total += 1;
        open +=
            usize::from(conditions().any(|condition| {
                condition.type_ == gate.condition_type && condition.status == "True"
            }));
    }
    if total == 0 {
        "<none>".to_owned()
    } else {
        format!("{open}/{total}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_pod_fills_all_columns() {
        let now = "2026-01-01T00:02:10Z".parse().unwrap();
        let pod = json!({
            "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"nodeName": "n1", "containers": [{"name": "c"}],
                "readinessGates": [{"conditionType": "x/y"}]},
            "status": {
                "phase": "Running",
                "podIPs": [{"ip": "10.0.0.7"}],
                "containerStatuses": [{"name": "c", "ready": true, "restartCount": 1,
                    "state": {"running": {}},
                    "lastState": {"terminated": {"exitCode": 1,
                        "finishedAt": "2026-01-01T00:02:05Z"}}}],
            },
        });
        let cells = (PRINTER.cells)(&pod, now);
        assert_eq!(cells.len(), PRINTER.columns.len());
        assert_eq!(
            Value::from(cells),
            json!([
                "p",
                "1/1",
                "Running",
                "1 (5s ago)",
                "2m10s",
                "10.0.0.7",
                "n1",
                "<none>",
                "0/1"
            ])
        );
    }
}
