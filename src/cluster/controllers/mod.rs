//! The controllers: each watches some kinds, and writes until the state is what the specs say.
//!
//! A controller keeps no copy of the cluster. Each pass reads what it needs, decides in a pure
//! file, and writes; the API server is in the same process, so a read is always of the newest
//! state, and the bookkeeping that upstream needs against stale caches has no place here.

pub(crate) mod deployment;
pub(crate) mod endpointslice;
pub(crate) mod garbage_collector;
pub(crate) mod namespace;
pub(crate) mod recorder;
pub(crate) mod replicaset;
pub(crate) mod runtime;
pub(crate) mod service_account;

mod ages;
mod claim;
mod correlator;
mod owned;
mod queue;
mod refused;
mod template_hash;

#[cfg(test)]
mod scenarios;
#[cfg(test)]
pub(in crate::cluster) mod testbed;
