//! A lab harness that proves what Kubernetes rollouts do, with real traffic and evidence.
//!
//! ```text
//! feature file ─ run ─ steps ─ lab ──► provider ──► cluster (embedded) or a real one
//!                               │                       │            ▲
//!                               │ commands              │ watches    │ requests
//!                               ▼                       ▼            │
//!                             history ◄───────────── observer      prober ──► history
//!                               │
//!                               ├──► criteria ──► report   (pure: the same history, the same verdicts)
//!                               └──► view
//! ```
//!
//! * [`run`] sets the scene of each scenario, [`steps`] knows the sentences, [`lab`] is what they do.
//! * [`provider`] is where clusters come from; [`cluster`] is the embedded one and knows none of
//!   the rest; [`app`] is what its pods run, and [`images`] packs it for other clusters.
//! * [`observer`] and [`prober`] append what they see to the [`history`], on one clock.
//! * [`criteria`] turns a history into verdicts, [`report`] and [`view`] show them.
//! * [`cli`] puts the parts together; [`exit`] is what the exit code says.
//!
//! `tests/architecture.rs` holds the arrows between these modules.

pub mod app;
pub mod cli;
pub mod cluster;
pub mod criteria;
pub mod exit;
pub mod history;
pub mod images;
pub mod lab;
pub mod observer;
pub mod prober;
pub mod provider;
pub mod report;
pub mod run;
pub mod steps;
pub mod view;
