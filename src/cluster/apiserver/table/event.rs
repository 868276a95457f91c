//! Columns of Events.

use serde_json::Value;

use super::{Column, Printer, age, name_cell};

pub(crate) static PRINTER: Printer = Printer {
    columns: &[
        Column::text("Last Seen"),
        Column::text("Type"),
        Column::text("Reason"),
        Column::text("Object"),
        Column::wide("Subobject"),
        Column::wide("Source"),
        Column::text("Message"),
        Column::wide("First Seen"),
        Column::wide_number("Count"),
        Column::WIDE_NAME,
    ],
    cells: |event, now| {
        let series = &event["series"];
        // Events of the newer form carry one time, and a series when they repeat.
        let first = given(&event["firstTimestamp"]).unwrap_or(&event["eventTime"]);
        let last = given(&series["lastObservedTime"])
            .or(given(&event["lastTimestamp"]))
            .unwrap_or(first);
        let count = series["count"].as_i64().or(event["count"].as_i64());
        vec![
            age::since(last, now).into(),
            event["type"].clone(),
            event["reason"].clone(),
            object(&event["involvedObject"]).into(),
            event["involvedObject"]["fieldPath"]
                .as_str()
                .unwrap_or_default()
                .into(),
            source(event).into(),
            event["message"].as_str().unwrap_or_default().trim().into(),
            age::since(first, now).into(),
            count.filter(|count| *count > 0).unwrap_or(1).into(),
            name_cell(event),
        ]
    },
};

fn given(value: &Value) -> Option<&Value> {
    Some(value).filter(|value| value.is_string())
}

/// `pod/web-1`.
fn object(about: &Value) -> String {
    let kind = about["kind"].as_str().unwrap_or_default().to_lowercase();
    match about["name"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => format!("{kind}/{name}"),
        None => kind,
    }
}

/// Who saw it, and where.
fn source(event: &Value) -> String {
    let text = |old: &Value, new: &Value| -> String {
        let old = old.as_str().filter(|text| !text.is_empty());
        old.or(new.as_str()).unwrap_or_default().to_owned()
    };
    let component = text(&event["source"]["component"], &event["reportingComponent"]);
    let instance = text(&event["source"]["host"], &event["reportingInstance"]);
    if instance.is_empty() {
        component
    } else {
        format!("{component}, {instance}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_of_both_forms_are_shown_alike() {
        let now = "2026-01-01T00:01:00Z".parse().unwrap();
        let about = json!({"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"});
        for (event, cells) in [
            (
                json!({
                    "metadata": {"name": "p.1"}, "type": "Normal", "reason": "Pulled",
                    "message": "done\n", "involvedObject": about, "count": 3,
                    "source": {"component": "kubelet", "host": "n1"},
                    "firstTimestamp": "2026-01-01T00:00:10Z",
                    "lastTimestamp": "2026-01-01T00:00:50Z",
                }),
                json!([
                    "10s",
                    "Normal",
                    "Pulled",
                    "pod/p",
                    "spec.containers{c}",
                    "kubelet, n1",
                    "done",
                    "50s",
                    3,
                    "p.1",
                ]),
            ),
            (
                json!({
                    "metadata": {"name": "p.2"}, "type": "Normal", "reason": "Scheduled",
                    "message": "m", "involvedObject": {"kind": "Pod", "name": "p"},
                    "eventTime": "2026-01-01T00:00:10.000000Z", "source": {},
                    "reportingComponent": "default-scheduler", "reportingInstance": "h",
                    "firstTimestamp": null, "lastTimestamp": null,
                }),
                json!([
                    "50s",
                    "Normal",
                    "Scheduled",
                    "pod/p",
                    "",
                    "default-scheduler, h",
                    "m",
                    "50s",
                    1,
                    "p.2",
                ]),
            ),
        ] {
            assert_eq!(Value::from((PRINTER.cells)(&event, now)), cells);
        }
    }
}
