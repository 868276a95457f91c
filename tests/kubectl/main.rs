//! A stock kubectl against the embedded cluster: what people type must be answered as a real
//! cluster answers it.
//!
//! The answers of any kubectl since 1.20 are compared after [`redact`]ion, which also takes out what
//! kubectl itself words differently from version to version. `ROLLOUT_LAB_KUBECTL` names another
//! binary than the first of the `PATH`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod cluster;
mod golden;
mod kubectl;
mod recorded;
mod redact;
#[path = "../required/mod.rs"]
mod required;
mod tutorial;
