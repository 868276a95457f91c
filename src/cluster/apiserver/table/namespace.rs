//! Columns of Namespaces.

use super::{Column, Printer, age_cell, name_cell};

pub(crate) static PRINTER: Printer = Printer {
    columns: &[Column::NAME, Column::text("Status"), Column::AGE],
    cells: |namespace, now| {
        vec![
            name_cell(namespace),
            namespace["status"]["phase"].clone(),
            age_cell(namespace, now),
        ]
    },
};
