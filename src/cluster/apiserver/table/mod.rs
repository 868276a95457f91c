//! Tables: what `kubectl get` prints, computed on the server.
//!
//! A kind's columns and cells are in a file of their own, which exports one [`Printer`].
//! Source: `pkg/printers/internalversion/printers.go`.

pub(crate) mod age;
pub(crate) mod configmap;
pub(crate) mod endpointslice;
pub(crate) mod event;
pub(crate) mod lease;
pub(crate) mod namespace;
pub(crate) mod node;
pub(crate) mod pod;
pub(crate) mod pod_status;
pub(crate) mod service;
pub(crate) mod workload;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::options::IncludeObject;
use crate::cluster::store::Stored;

/// How the objects of one kind are printed.
pub(crate) struct Printer {
    pub(crate) columns: &'static [Column],
    /// The cells of one object, in the order of the columns.
    pub(crate) cells: fn(&Value, Timestamp) -> Vec<Value>,
}

pub(crate) struct Column {
    name: &'static str,
    kind: &'static str,
    format: &'static str,
    /// 0 is always shown, 1 only with `-o wide`.
    priority: i32,
}

impl Column {
    /// The object's name, which kubectl prefixes when it prints several kinds.
    pub(crate) const NAME: Self = Self {
        name: "Name",
        kind: "string",
        format: "name",
        priority: 0,
    };
    /// The name where it says little.
    pub(crate) const WIDE_NAME: Self = Self {
        priority: 1,
        ..Self::NAME
    };
    pub(crate) const AGE: Self = Self::text("Age");

    pub(crate) const fn text(name: &'static str) -> Self {
        Self {
            name,
            kind: "string",
            format: "",
            priority: 0,
        }
    }

    pub(crate) const fn number(name: &'static str) -> Self {
        Self {
            name,
            kind: "integer",
            format: "",
            priority: 0,
        }
    }

    /// A column that only `-o wide` shows.
    pub(crate) const fn wide(name: &'static str) -> Self {
        Self {
            name,
            kind: "string",
            format: "",
            priority: 1,
        }
    }

    /// A number that only `-o wide` shows.
    pub(crate) const fn wide_number(name: &'static str) -> Self {
        Self {
            name,
            kind: "integer",
            format: "",
            priority: 1,
        }
    }

    fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": format!("{} of the object", self.name),
            "priority": self.priority,
        })
    }
}

/// What a cell without content says.
pub(crate) const NONE: &str = "<none>";

/// Name and age: what every object has.
pub(crate) static DEFAULT: Printer = Printer {
    columns: &[Column::NAME, Column::AGE],
    cells: |object, now| vec![name_cell(object), age_cell(object, now)],
};

/// The table of some objects. `metadata` is the list's; watches leave the columns out after the
/// first event.
pub(crate) fn table<'a>(
    printer: &Printer,
    api_version: &str,
    kind: &str,
    objects: impl Iterator<Item = &'a Stored>,
    include: IncludeObject,
    metadata: Value,
    with_columns: bool,
) -> Value {
    // AGE is read by people, so it is told by the wall clock, whatever the pace.
    let now = crate::cluster::clock::timestamp();
    let rows: Vec<Value> = objects
        .map(|object| {
            let mut row = json!({ "cells": (printer.cells)(&object.value, now) });
            match include {
                IncludeObject::None => {}
                IncludeObject::Metadata => row["object"] = partial_metadata(&object.value),
                IncludeObject::Object => {
                    let mut whole = object.value.clone();
                    whole["apiVersion"] = api_version.into();
                    whole["kind"] = kind.into();
                    row["object"] = whole;
                }
            }
            row
        })
        .collect();
    let columns: Vec<Value> = if with_columns {
        printer.columns.iter().map(Column::definition).collect()
    } else {
        Vec::new()
    };
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

/// An object reduced to its metadata.
pub(crate) fn partial_metadata(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

pub(crate) fn name_cell(object: &Value) -> Value {
    object["metadata"]["name"].clone()
}

/// The cell of the Age column.
pub(crate) fn age_cell(object: &Value, now: Timestamp) -> Value {
    age::since(&object["metadata"]["creationTimestamp"], now).into()
}

/// A text, or `<none>` where there is none.
pub(crate) fn or_none(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_default();
    if text.is_empty() { NONE } else { text }.into()
}

/// `a,b`, or `<none>` for nothing.
pub(crate) fn list_cell<'a>(items: impl Iterator<Item = &'a str>) -> Value {
    let joined = items.collect::<Vec<_>>().join(",");
    or_none(&joined.into())
}

/// `a=1,b=2`, or `<none>` for no labels.
pub(crate) fn labels_cell(labels: &Value) -> Value {
    let labels = labels.as_object().into_iter().flatten();
    let pairs: Vec<String> = labels
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    list_cell(pairs.iter().map(String::as_str))
}
