//! The program through its own door: what it prints, how it ends, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[cfg(unix)]
mod app;
mod bad_input;
mod clusters;
mod images;
mod program;
mod signals;
