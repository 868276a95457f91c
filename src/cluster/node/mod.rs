//! The nodes: a kubelet each, which runs the containers of its pods as real servers.
//!
//! A container is a [`Program`] that was built into the cluster under the name of an image. To it
//! a signal, an exit code and a killed process are what they are to any process; nothing from a
//! manifest is ever executed on the host.

mod backoff;
mod container;
mod environment;
mod image;
mod kubelet;
mod probe;
mod program;
mod state;
mod status;
mod tally;
mod timing;
mod worker;

pub use image::Images;
pub use program::{Process, Program, Signals};

pub(crate) use kubelet::{Kubelet, KubeletSettings};
