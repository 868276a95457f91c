//! A cluster in a process of its own, as a learner starts it.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use duct::ReaderHandle;
use tempfile::TempDir;

/// How much faster than real time the cluster runs.
const PACE: &str = "20";

/// A running cluster; it goes with its folder when this is dropped.
pub(crate) struct Cluster {
    program: ReaderHandle,
    folder: TempDir,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("config");
        let arguments = ["cluster", "up", "--publish", "none", "--pace", PACE];
        let arguments = arguments
            .iter()
            .map(OsString::from)
            .chain(["--kubeconfig".into(), kubeconfig.into()]);
        let program = duct::cmd(env!("CARGO_BIN_EXE_rollout-lab"), arguments)
            .env("TMPDIR", folder.path())
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .reader()
            .unwrap();
        let ready = BufReader::new(&program)
            .lines()
            .map(Result::unwrap)
            .any(|line| line.contains("Ctrl+C stops"));
        assert!(ready, "the cluster did not start");
        Self { program, folder }
    }

    /// The folder for the kubectl of this cluster.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("config")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended in a test that failed for it.
        let _ = self.program.kill();
    }
}
