//! What a provider tells of itself while it takes its time.

use std::sync::Arc;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// A new part of the work has begun.
    Phase(&'a str),
    /// A program has printed a line.
    Line(&'a str),
    /// Something went wrong that does not end the work, and should not be missed.
    Trouble(&'a str),
}

/// Hears of the progress of long work. Clones hear the same.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(Said<'_>) + Send + Sync>);

impl Progress {
    /// Hands everything that is said to a function.
    pub fn to(listener: impl Fn(Said<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Listens to nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::to(|_| {})
    }

    /// Says that a new part of the work begins.
    pub(crate) fn phase(&self, what: &str) {
        (self.0)(Said::Phase(what));
    }

    /// Says what went wrong.
    pub(crate) fn trouble(&self, what: &str) {
        (self.0)(Said::Trouble(what));
    }

    /// Says what a program has printed.
    pub(crate) fn line(&self, line: &str) {
        (self.0)(Said::Line(line));
    }
}
