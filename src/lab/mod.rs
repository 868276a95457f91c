//! What a scenario owns, and the verbs that its steps call.
//!
//! * [`session`]: the scenario's cluster, namespace, history and traffic, and their end.
//! * [`manifest`]: files to objects (pure but for the reading). [`apply`]: objects to the cluster.
//! * [`undo`]: as `kubectl rollout undo` does it. [`judge`]: waiting for and asking criteria.
//! * [`inventory`]: what a cluster holds.

pub mod apply;
pub mod inventory;
pub mod judge;
pub mod manifest;
pub mod session;
pub mod undo;

pub use session::{Farewell, Session, SessionError};
