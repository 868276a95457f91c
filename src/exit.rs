//! What the exit code says. A criterion that failed is not a cluster that did not start.

use std::process::ExitCode;

/// The outcomes of the program, each with a code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: every criterion holds.
    Held,
    /// 1: a criterion failed, or a step could not be carried out.
    Failed,
    /// 2: the command line, a feature file or a manifest is not usable.
    Usage,
    /// 3: the cluster could not be started or reached.
    NoCluster,
    /// 4: nothing failed, but a criterion could not be judged.
    Unknown,
    /// 130: interrupted.
    Interrupted,
    /// 143: a sample service was told to end, by a SIGTERM.
    Terminated,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoCluster => 3,
            Self::Unknown => 4,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
