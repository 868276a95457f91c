//! Where clusters come from, through the command line: every provider keeps the same promises.
//!
//! Scripts stand in for kind, k3d, minikube and docker; each prints what the tool prints, and
//! starts an embedded cluster where the tool starts containers. Where the tools themselves are on
//! this machine, the contract is held against them too.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod auto;
mod contract;
mod doctor;
mod engine;
mod failures;
mod foreign;
mod machine;
mod namespaces;
mod ownership;
mod processes;
#[path = "../cli/program.rs"]
mod program;
mod real;
