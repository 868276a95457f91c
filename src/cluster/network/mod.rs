//! How traffic reaches pods: addresses, the service proxy, and what lies between them.

pub(crate) mod addresses;
mod backends;
mod proxy;
pub(crate) mod sockets;

pub use proxy::Published;
pub use sockets::PodListener;

pub(crate) use addresses::Addresses;
pub(crate) use proxy::Proxy;
pub(crate) use sockets::Sockets;
