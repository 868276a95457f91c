//! What an API object is, before anything is served: metadata, selectors, quantities, refusals.
//!
//! Every file here is pure. An object is a JSON value without `apiVersion` and `kind`; both follow
//! from the collection that holds it, and are written back when it leaves the server.

pub(crate) mod field_path;
pub(crate) mod field_selector;
pub(crate) mod int_or_percent;
pub(crate) mod label_selector;
pub(crate) mod meta;
pub(crate) mod quantity;
pub(crate) mod refusal;

pub(crate) use field_path::FieldPath;
pub(crate) use quantity::Quantity;
pub(crate) use refusal::{FieldError, Refusal};
