//! Running the programs that clusters are made with.
//!
//! Each has a process group of its own, which is killed as a whole when the program takes too long
//! or nobody waits for it any more: its children hold the pipes, and would go on.

use std::io::{self, BufRead as _, BufReader, PipeReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

/// The last lines of a program that an error repeats.
const LAST_LINES: usize = 12;

/// Takes the lines that a program prints while it works.
pub type Told = Arc<dyn Fn(&str) + Send + Sync>;

/// Why a program did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not installed.
    #[error("{name} is not on PATH; {install}")]
    Missing {
        /// The program.
        name: &'static str,
        /// How to get it.
        install: &'static str,
    },
    /// It could not be started, or lost sight of.
    #[error("could not run {command}")]
    Start {
        /// The program with its arguments.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// It failed.
    #[error("{command} ended with {}:\n{last}", code.map_or("a signal".to_owned(), |code| format!("exit code {code}")))]
    Failed {
        /// The program with its arguments.
        command: String,
        /// Its exit code; `None` after a signal.
        code: Option<i32>,
        /// The last lines that it printed.
        last: String,
    },
    /// It did not end in time.
    #[error("{command} was stopped after {} s; its last lines:\n{last}", limit.as_secs_f64())]
    Late {
        /// The program with its arguments.
        command: String,
        /// How long it had.
        limit: Duration,
        /// The last lines that it printed.
        last: String,
    },
}

/// A program that is installed.
#[derive(Clone)]
pub(crate) struct Tool {
    name: &'static str,
    path: PathBuf,
    told: Told,
}

impl Tool {
    /// Finds a program on `PATH`.
    ///
    /// # Errors
    /// [`ToolError::Missing`], with how to get it.
    pub(crate) fn find(
        name: &'static str,
        install: &'static str,
        told: Told,
    ) -> Result<Self, ToolError> {
        match which::which(name) {
            Ok(path) => Ok(Self { name, path, told }),
            Err(_) => Err(ToolError::Missing { name, install }),
        }
    }

    /// Runs the program and returns what it prints to its standard output. What it prints to its
    /// standard error is handed on as it comes. Dropping the future ends the program.
    ///
    /// # Errors
    /// It cannot be started, fails, or takes too long.
    pub(crate) async fn run(
        &self,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<String, ToolError> {
        let command = format!("{} {}", self.name, arguments.join(" "));
        let start = || -> io::Result<_> {
            let (lines, writer) = io::pipe()?;
            let handle = duct::cmd(&self.path, arguments)
                .stdin_null()
                .stdout_capture()
                .stderr_file(writer)
                .unchecked()
                .before_spawn(|command| {
                    group::lead(command);
                    Ok(())
                })
                .start()?;
            Ok((lines, handle))
        };
        let (lines, handle) = start().map_err(|source| ToolError::Start {
            command: command.clone(),
            source,
        })?;
        let group = group::Guard::of(handle.pids().first().copied());
        let told = self.told.clone();
        let reading = spawn_blocking(move || read(lines, &told));
        let waiting = spawn_blocking(move || handle.into_output());
        let ended = tokio::time::timeout(limit, waiting).await;
        drop(group);
        let last = reading.await.unwrap_or_default().join("\n");
        match ended {
            Ok(Ok(Ok(output))) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(Ok(Ok(output))) => Err(ToolError::Failed {
                command,
                code: output.status.code(),
                last,
            }),
            Ok(Ok(Err(source))) => Err(ToolError::Start { command, source }),
            Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(ToolError::Late {
                command,
                limit,
                last,
            }),
        }
    }
}

/// Hands lines on until there are no more; returns the last ones.
fn read(lines: PipeReader, told: &Told) -> Vec<String> {
    let mut last = Vec::new();
    // Bytes, because one line that is no UTF-8 must not end the reading: the writer would block.
    for line in BufReader::new(lines).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        told(&line);
        if last.len() == LAST_LINES {
            last.remove(0);
        }
        last.push(line);
    }
    last
}

/// A process group that ends with its guard.
#[cfg(unix)]
mod group {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;

    /// Makes a program the leader of a group of its own.
    pub(super) fn lead(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) struct Guard(Option<Pid>);

    impl Guard {
        pub(super) fn of(leader: Option<u32>) -> Self {
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

/// Where there are no process groups, a program ends by itself.
#[cfg(not(unix))]
mod group {
    use std::process::Command;

    pub(super) fn lead(_: &mut Command) {}

    pub(super) struct Guard;

    impl Guard {
        pub(super) fn of(_: Option<u32>) -> Self {
            Self
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn shell() -> (Tool, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told: Told = Arc::new({
            let lines = lines.clone();
            move |line: &str| lines.lock().unwrap().push(line.to_owned())
        });
        (Tool::find("sh", "", told).unwrap(), lines)
    }

    const SOON: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn what_it_prints_is_returned_and_what_it_tells_is_handed_on() {
        let (shell, lines) = shell();
        let script = "echo out; echo one >&2; printf 'two \\377' >&2";
        let printed = shell.run(&["-c", script], SOON).await.unwrap();
        assert_eq!(printed, "out\n");
        assert_eq!(*lines.lock().unwrap(), ["one", "two \u{fffd}"]);
    }

    #[tokio::test]
    async fn a_failure_names_the_program_its_code_and_its_last_lines() {
        let (shell, _) = shell();
        let failing = ["-c", "seq 20 >&2; exit 3"];
        let error = shell.run(&failing, SOON).await.unwrap_err().to_string();
        assert!(
            error.starts_with("sh -c seq 20 >&2; exit 3 ended with exit code 3:\n9\n10\n"),
            "{error}"
        );
        let missing = Tool::find("no-such-tool", "install it", Arc::new(|_| {}));
        let error = missing.err().unwrap().to_string();
        assert_eq!(error, "no-such-tool is not on PATH; install it");
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended() {
        let (shell, _) = shell();
        let limit = Duration::from_millis(50);
        let error = shell.run(&["-c", "sleep 600"], limit).await.unwrap_err();
        assert!(matches!(error, ToolError::Late { .. }), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_nobody_waits_for_is_ended_with_its_children() {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let told_to: Told = Arc::new(move |line: &str| {
            let _ = tell.send(line.to_owned());
        });
        let shell = Tool::find("sh", "", told_to).unwrap();
        // Its number tells whether the child is gone.
        let script = ["-c", "sleep 600 & echo $! >&2; wait"];
        let child = tokio::select! {
            ended = shell.run(&script, SOON) => panic!("{ended:?}"),
            child = told.recv() => child.unwrap(),
        };
        let end = std::time::Instant::now() + SOON;
        // The system takes a moment to end it; it may be a zombie until somebody asks for it.
        let is_there = || {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        while is_there() {
            assert!(std::time::Instant::now() < end, "{child} goes on");
            tokio::task::yield_now().await;
        }
    }
}
