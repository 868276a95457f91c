//! Columns of Services.

use serde_json::Value;

use super::{Column, NONE, Printer, age_cell, labels_cell, list_cell, name_cell};

pub(crate) static PRINTER: Printer = Printer {
    columns: &[
        Column::NAME,
        Column::text("Type"),
        Column::text("Cluster-IP"),
        Column::text("External-IP"),
        Column::text("Port(s)"),
        Column::AGE,
        Column::wide("Selector"),
    ],
    cells: |service, now| {
        let spec = &service["spec"];
        vec![
            name_cell(service),
            spec["type"].clone(),
            spec["clusterIPs"][0].as_str().unwrap_or(NONE).into(),
            external_address(service),
            list_cell(ports(spec).iter().map(String::as_str)),
            age_cell(service, now),
            labels_cell(&spec["selector"]),
        ]
    },
};

/// Where a Service is reached from outside of the cluster.
fn external_address(service: &Value) -> Value {
    let spec = &service["spec"];
    let external_ips = spec["externalIPs"].as_array().into_iter().flatten();
    let external_ips = external_ips.filter_map(Value::as_str);
    match spec["type"].as_str().unwrap_or_default() {
        "ClusterIP" | "NodePort" => list_cell(external_ips),
        "LoadBalancer" => {
            let ingress = &service["status"]["loadBalancer"]["ingress"];
            let ingress = ingress.as_array().into_iter().flatten();
            let given = ingress
                .filter_map(|ingress| ingress["ip"].as_str().or(ingress["hostname"].as_str()));
            let addresses: Vec<&str> = given.chain(external_ips).collect();
            if addresses.is_empty() {
                "<pending>".into()
            } else {
                addresses.join(",").into()
            }
        }
        "ExternalName" => spec["externalName"].clone(),
        _ => "<unknown>".into(),
    }
}

/// `80/TCP`, or `80:31080/TCP` with its node port.
fn ports(spec: &Value) -> Vec<String> {
    let ports = spec["ports"].as_array().into_iter().flatten();
    ports
        .map(|port| {
            let protocol = port["protocol"].as_str().unwrap_or_default();
            match port["nodePort"].as_i64().filter(|number| *number > 0) {
                Some(node_port) => format!("{}:{node_port}/{protocol}", port["port"]),
                None => format!("{}/{protocol}", port["port"]),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_shows_where_it_is_reached() {
        let port = json!([{"port": 80, "protocol": "TCP", "nodePort": 31080}]);
        let ip = json!(["10.96.0.9"]);
        for (spec, cells) in [
            (
                json!({"type": "NodePort", "clusterIPs": ip, "ports": port,
                    "selector": {"b": "2", "a": "1"}}),
                json!(["NodePort", "10.96.0.9", "<none>", "80:31080/TCP", "a=1,b=2"]),
            ),
            (
                json!({"type": "ClusterIP", "clusterIPs": ["None"], "externalIPs": ["1.2.3.4"],
                    "ports": [{"port": 1, "protocol": "UDP"}, {"port": 2, "protocol": "TCP"}]}),
                json!(["ClusterIP", "None", "1.2.3.4", "1/UDP,2/TCP", "<none>"]),
            ),
            (
                json!({"type": "LoadBalancer", "clusterIPs": ip, "ports": port}),
                json!([
                    "LoadBalancer",
                    "10.96.0.9",
                    "<pending>",
                    "80:31080/TCP",
                    "<none>"
                ]),
            ),
            (
                json!({"type": "ExternalName", "externalName": "example.com"}),
                json!(["ExternalName", "<none>", "example.com", "<none>", "<none>"]),
            ),
        ] {
            let service = json!({
                "metadata": {"name": "s", "creationTimestamp": "2026-01-01T00:00:00Z"},
                "spec": spec,
            });
            let now = "2026-01-01T00:00:06Z".parse().unwrap();
            let mut shown = (PRINTER.cells)(&service, now);
            assert_eq!(
                (shown.remove(0), shown.remove(4)),
                (json!("s"), json!("6s"))
            );
            assert_eq!(Value::from(shown), cells);
        }
    }
}
