//! Running the programs that clusters are made with.
//!
//! `ask` wants what a program prints, `work` wants it to do something that takes its time, `serve`
//! wants it to go on. Each has a process group of its own, which is killed as a whole when the
//! program takes too long or nobody waits for it any more: its children hold the pipes, and would go
//! on.

mod error;
mod group;

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader, PipeReader};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

pub use self::error::ToolError;

/// The last lines of a program that an error repeats.
const LAST_LINES: usize = 12;
/// How much of an unreadable answer an error repeats.
const EXCERPT: usize = 200;
/// How long a program may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the lines that a program prints while it works.
pub(crate) type Told = Arc<dyn Fn(&str) + Send + Sync>;

/// A program that is installed.
#[derive(Clone)]
pub(crate) struct Tool {
    name: &'static str,
    path: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    told: Told,
}

/// A program that goes on; it ends with this.
pub(crate) struct Serving {
    _group: group::Guard,
}

/// A program that was started.
struct Started {
    /// What was typed, for an error.
    command: String,
    /// What it tells.
    lines: PipeReader,
    handle: duct::Handle,
    group: group::Guard,
}

/// Where the standard output of a program goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Returned,
    Told,
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
            Ok(path) => Ok(Self {
                name,
                path,
                environment: Vec::new(),
                told,
            }),
            Err(_) => Err(ToolError::Missing { name, install }),
        }
    }

    /// The same program with a variable of its environment set.
    pub(crate) fn with(mut self, variable: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    /// A program that is somewhere else.
    #[cfg(test)]
    pub(crate) fn at(name: &'static str, path: PathBuf) -> Self {
        Self {
            name,
            path,
            environment: Vec::new(),
            told: Arc::new(|_| {}),
        }
    }

    /// Runs the program and returns what it prints to its standard output; what it prints to its
    /// standard error is told. Dropping the future ends the program.
    ///
    /// # Errors
    /// It cannot be started, fails, or takes longer than a minute.
    pub(crate) async fn ask(&self, arguments: &[impl AsRef<str>]) -> Result<String, ToolError> {
        self.run(arguments, PATIENCE, Output::Returned).await
    }

    /// Runs the program and tells everything that it prints, as it comes. Dropping the future ends
    /// the program.
    ///
    /// # Errors
    /// It cannot be started, fails, or takes too long.
    pub(crate) async fn work(
        &self,
        arguments: &[impl AsRef<str>],
        limit: Duration,
    ) -> Result<(), ToolError> {
        self.run(arguments, limit, Output::Told).await.map(drop)
    }

    async fn run(
        &self,
        arguments: &[impl AsRef<str>],
        limit: Duration,
        output: Output,
    ) -> Result<String, ToolError> {
        let Started {
            command,
            lines,
            handle,
            group,
        } = self.start(arguments, output)?;
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
                printed: String::from_utf8_lossy(&output.stdout).into_owned(),
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

    /// Starts a program that goes on, and returns its first line that is wanted.
    ///
    /// # Errors
    /// It cannot be started, ends without such a line, or takes too long to print it.
    pub(crate) async fn serve(
        &self,
        arguments: &[impl AsRef<str>],
        limit: Duration,
        is_wanted: fn(&str) -> bool,
    ) -> Result<(String, Serving), ToolError> {
        let Started {
            command,
            lines,
            handle,
            group,
        } = self.start(arguments, Output::Told)?;
        let (found, wanted) = oneshot::channel();
        let told = self.told.clone();
        let reading = spawn_blocking(move || {
            let found = Mutex::new(Some(found));
            let tell: Told = Arc::new(move |line: &str| {
                told(line);
                if is_wanted(line)
                    && let Ok(mut found) = found.lock()
                    && let Some(found) = found.take()
                {
                    // Nobody may wait for it any more.
                    let _ = found.send(line.to_owned());
                }
            });
            let last = read(lines, &tell);
            // What has ended is asked for its end, or it would stay as a zombie.
            let ended = handle.into_output();
            (
                last.join("\n"),
                ended.ok().and_then(|output| output.status.code()),
            )
        });
        match tokio::time::timeout(limit, wanted).await {
            Ok(Ok(line)) => Ok((line, Serving { _group: group })),
            Ok(Err(_)) => {
                let (last, code) = reading.await.unwrap_or_default();
                Err(ToolError::Failed {
                    command,
                    code,
                    last,
                    printed: String::new(),
                })
            }
            Err(_) => {
                drop(group);
                let (last, _) = reading.await.unwrap_or_default();
                Err(ToolError::Late {
                    command,
                    limit,
                    last,
                })
            }
        }
    }

    /// Starts the program as the leader of a group of its own.
    fn start(&self, arguments: &[impl AsRef<str>], output: Output) -> Result<Started, ToolError> {
        let command = self.command(arguments);
        let start = || -> io::Result<_> {
            let (lines, writer) = io::pipe()?;
            let program = self.program(arguments);
            let program = match output {
                Output::Returned => program.stdout_capture(),
                Output::Told => program.stdout_file(writer.try_clone()?),
            };
            Ok((lines, program.stderr_file(writer).start()?))
        };
        match start() {
            Ok((lines, handle)) => Ok(Started {
                command,
                lines,
                group: group::Guard::of(handle.pids().first().copied()),
                handle,
            }),
            Err(source) => Err(ToolError::Start { command, source }),
        }
    }

    /// The same program, with what it prints told to somebody else.
    pub(crate) fn telling(mut self, told: Told) -> Self {
        self.told = told;
        self
    }

    /// The error that an answer cannot be read.
    pub(crate) fn unreadable(
        &self,
        arguments: &[impl AsRef<str>],
        why: &str,
        printed: &str,
    ) -> ToolError {
        ToolError::Unreadable {
            command: self.command(arguments),
            why: why.to_owned(),
            printed: printed.chars().take(EXCERPT).collect(),
        }
    }

    /// What is typed, for an error.
    pub(crate) fn command(&self, arguments: &[impl AsRef<str>]) -> String {
        let words = std::iter::once(self.name).chain(arguments.iter().map(AsRef::as_ref));
        words.collect::<Vec<_>>().join(" ")
    }

    fn program(&self, arguments: &[impl AsRef<str>]) -> duct::Expression {
        let arguments = arguments.iter().map(AsRef::as_ref);
        let program = duct::cmd(&self.path, arguments)
            .stdin_null()
            .unchecked()
            .before_spawn(|command| {
                group::lead(command);
                Ok(())
            });
        let environment = self.environment.iter();
        environment.fold(program, |program, (variable, value)| {
            program.env(variable, value)
        })
    }
}

/// Hands lines on until there are no more; returns the last ones.
fn read(lines: PipeReader, told: &Told) -> Vec<String> {
    let mut last = Vec::new();
    // Bytes, because one line that is no UTF-8 must not end the reading: the writer would block.
    for line in BufReader::new(lines).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        // Some print colours wherever they print.
        let line = console::strip_ansi_codes(line.trim_end()).into_owned();
        told(&line);
        if last.len() == LAST_LINES {
            last.remove(0);
        }
        last.push(line);
    }
    last
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
