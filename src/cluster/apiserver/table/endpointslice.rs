//! Columns of EndpointSlices.

use serde_json::Value;

use super::{Column, Printer, age_cell, name_cell};

/// How many ports and addresses a cell names.
const SHOWN: usize = 3;

pub(crate) static PRINTER: Printer = Printer {
    columns: &[
        Column::NAME,
        Column::text("AddressType"),
        Column::text("Ports"),
        Column::text("Endpoints"),
        Column::AGE,
    ],
    cells: |slice, now| {
        let ports = slice["ports"].as_array().into_iter().flatten();
        let ports = ports.map(|port| match (&port["port"], &port["name"]) {
            (Value::Number(number), _) => number.to_string(),
            (_, Value::String(name)) => name.clone(),
            _ => "*".to_owned(),
        });
        let endpoints = slice["endpoints"].as_array().into_iter().flatten();
        let addresses = endpoints.flat_map(|endpoint| {
            let addresses = endpoint["addresses"].as_array().into_iter().flatten();
            addresses.filter_map(|address| address.as_str().map(str::to_owned))
        });
        vec![
            name_cell(slice),
            slice["addressType"].clone(),
            first_few(ports),
            first_few(addresses),
            age_cell(slice, now),
        ]
    },
};

/// `a,b,c + 2 more...`, or `<unset>` for nothing.
fn first_few(items: impl Iterator<Item = String>) -> Value {
    let items: Vec<String> = items.collect();
    let shown = items[..items.len().min(SHOWN)].join(",");
    if items.len() > SHOWN {
        return format!("{shown} + {} more...", items.len() - SHOWN).into();
    }
    if shown.is_empty() {
        return "<unset>".into();
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_names_three_items_and_counts_the_rest() {
        let cell = |count: usize| first_few((0..count).map(|number| number.to_string()));
        assert_eq!(cell(0), "<unset>");
        assert_eq!(cell(3), "0,1,2");
        assert_eq!(cell(5), "0,1,2 + 2 more...");
    }
}
