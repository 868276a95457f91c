//! From Kubernetes objects to facts, a file for each kind. All are pure.

pub(super) mod deployment;
pub(super) mod endpointslice;
pub(super) mod event;
pub(super) mod namespace;
pub(super) mod pod;
pub(super) mod replicaset;
pub(super) mod service;
mod template;
