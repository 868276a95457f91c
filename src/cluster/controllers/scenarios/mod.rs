//! Scenarios: both controllers at work on an API server, with as much of a node as they need.
//!
//! [`lab`] is the cluster, [`replay`] compares it with recordings of a real one, the other files
//! tell what recordings do not show.

mod lab;
mod ownership;
mod replay;
mod rollout;
