//! Columns of ConfigMaps.

use serde_json::Value;

use super::{Column, Printer, age_cell, name_cell};

pub(crate) static PRINTER: Printer = Printer {
    columns: &[Column::NAME, Column::number("Data"), Column::AGE],
    cells: |configmap, now| {
        let size = |key: &str| configmap[key].as_object().map_or(0, serde_json::Map::len);
        vec![
            name_cell(configmap),
            Value::from(size("data") + size("binaryData")),
            age_cell(configmap, now),
        ]
    },
};
