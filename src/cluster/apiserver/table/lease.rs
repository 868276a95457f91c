//! Columns of Leases.

use super::{Column, Printer, age_cell, name_cell};

pub(crate) static PRINTER: Printer = Printer {
    columns: &[Column::NAME, Column::text("Holder"), Column::AGE],
    cells: |lease, now| {
        let holder = lease["spec"]["holderIdentity"].as_str();
        vec![
            name_cell(lease),
            holder.unwrap_or_default().into(),
            age_cell(lease, now),
        ]
    },
};
