//! The processes of a test: all that were started with its folder in their environment.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The variable that marks them.
pub(crate) const MARK: &str = "STANDIN";
/// The longest that a test waits for processes to end.
const LIMIT: Duration = Duration::from_secs(30);

/// Those that run, as `pid program`. One that has ended has no environment.
pub(crate) fn processes_of(folder: &Path) -> Vec<String> {
    let mark = format!("{MARK}={}", folder.display());
    let is_marked = |pid: &str| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == mark.as_bytes())
    };
    let names = std::fs::read_dir("/proc").unwrap().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| is_marked(pid))
        .map(|pid| {
            let program = std::fs::read_to_string(format!("/proc/{pid}/comm"));
            format!("{pid} {}", program.unwrap_or_default().trim())
        })
        .collect()
}

/// Waits until none runs any more.
#[track_caller]
pub(crate) fn await_none_of(folder: &Path) {
    let end = Instant::now() + LIMIT;
    loop {
        let left = processes_of(folder);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "these go on: {left:?}");
        std::thread::yield_now();
    }
}

/// Ends those that run.
pub(crate) fn end_those_of(folder: &Path) {
    for process in processes_of(folder) {
        let pid = process.split(' ').next().unwrap_or_default();
        // It may just have ended by itself.
        let _ = Command::new("kill").args(["-KILL", pid]).output();
    }
}
