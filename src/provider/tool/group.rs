//! A process group that ends with its guard. Where there are none, a program ends by itself.

pub(super) use self::system::{Guard, lead};

#[cfg(unix)]
mod system {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;

    /// Makes a program the leader of a group of its own.
    pub(in crate::provider::tool) fn lead(command: &mut Command) {
        command.process_group(0);
    }

    pub(in crate::provider::tool) struct Guard(Option<Pid>);

    impl Guard {
        pub(in crate::provider::tool) fn of(leader: Option<u32>) -> Self {
            Self(
                leader
                    .and_then(|pid| i32::try_from(pid).ok())
                    .map(Pid::from_raw),
            )
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            if let Some(group) = self.0 {
                // There is nothing to end where all have ended by themselves.
                let _ = killpg(group, Signal::SIGKILL);
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::process::Command;

    pub(in crate::provider::tool) fn lead(_: &mut Command) {}

    pub(in crate::provider::tool) struct Guard;

    impl Guard {
        pub(in crate::provider::tool) fn of(_: Option<u32>) -> Self {
            Self
        }
    }
}
