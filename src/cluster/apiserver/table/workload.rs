//! Columns of Deployments and ReplicaSets.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector as Structured;
use serde::Deserialize as _;
use serde_json::Value;

use super::{Column, Printer, age_cell, list_cell, name_cell};
use crate::cluster::object::label_selector::LabelSelector;

pub(crate) static DEPLOYMENT: Printer = Printer {
    columns: &[
        Column::NAME,
        Column::text("Ready"),
        Column::number("Up-to-date"),
        Column::number("Available"),
        Column::AGE,
        Column::wide("Containers"),
        Column::wide("Images"),
        Column::wide("Selector"),
    ],
    cells: |deployment, now| {
        let ready = count(deployment, "status", "readyReplicas");
        let wanted = count(deployment, "spec", "replicas");
        let mut cells = vec![
            name_cell(deployment),
            format!("{ready}/{wanted}").into(),
            count(deployment, "status", "updatedReplicas").into(),
            count(deployment, "status", "availableReplicas").into(),
            age_cell(deployment, now),
        ];
        cells.extend(wide_cells(deployment));
        cells
    },
};

pub(crate) static REPLICA_SET: Printer = Printer {
    columns: &[
        Column::NAME,
        Column::number("Desired"),
        Column::number("Current"),
        Column::number("Ready"),
        Column::AGE,
        Column::wide("Containers"),
        Column::wide("Images"),
        Column::wide("Selector"),
    ],
    cells: |set, now| {
        let mut cells = vec![
            name_cell(set),
            count(set, "spec", "replicas").into(),
            count(set, "status", "replicas").into(),
            count(set, "status", "readyReplicas").into(),
            age_cell(set, now),
        ];
        cells.extend(wide_cells(set));
        cells
    },
};

fn count(object: &Value, part: &str, field: &str) -> i64 {
    object[part][field].as_i64().unwrap_or_default()
}

fn wide_cells(object: &Value) -> [Value; 3] {
    let containers = &object["spec"]["template"]["spec"]["containers"];
    let texts = |field: &'static str| {
        let containers = containers.as_array().into_iter().flatten();
        list_cell(containers.filter_map(move |container| container[field].as_str()))
    };
    let selector = Structured::deserialize(&object["spec"]["selector"]).unwrap_or_default();
    let selector = LabelSelector::from_structured(&selector).to_string();
    [texts("name"), texts("image"), selector.into()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mk_spec(replicas: i64) -> Value {
        json!({
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [
                {"name": "c", "image": "app:v1"}, {"name": "d", "image": "log:v2"},
            ]}},
        })
    }

    #[test]
    fn a_deployment_shows_how_many_are_ready_of_how_many_are_wanted() {
        let deployment = json!({
            "metadata": {"name": "web", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": mk_spec(3),
            "status": {"replicas": 4, "readyReplicas": 2, "updatedReplicas": 1,
                "availableReplicas": 2},
        });
        let now = "2026-01-01T00:00:06Z".parse().unwrap();
        assert_eq!(
            Value::from((DEPLOYMENT.cells)(&deployment, now)),
            json!(["web", "2/3", 1, 2, "6s", "c,d", "app:v1,log:v2", "app=web"])
        );
    }

    #[test]
    fn a_replica_set_shows_what_it_wants_has_and_has_ready() {
        let set = json!({
            "metadata": {"name": "web-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": mk_spec(2),
            "status": {"replicas": 1},
        });
        let now = "2026-01-01T00:00:06Z".parse().unwrap();
        assert_eq!(
            Value::from((REPLICA_SET.cells)(&set, now)),
            json!(["web-1", 2, 1, 0, "6s", "c,d", "app:v1,log:v2", "app=web"])
        );
    }
}
