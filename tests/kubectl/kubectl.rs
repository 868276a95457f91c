//! Finding kubectl and typing commands.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use duct::Expression;

use crate::cluster::Cluster;
use crate::required;

/// The longest that a command waits for an answer; watches end by it at the latest.
const LIMIT: &str = "--request-timeout=40s";

/// A kubectl that talks to one cluster.
pub(crate) struct Kubectl<'c> {
    program: PathBuf,
    cluster: &'c Cluster,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The kubectl of this machine. Without one the test says so and cannot run, which is a failure
/// where `ROLLOUT_LAB_REQUIRE` demands it.
pub(crate) fn find(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("ROLLOUT_LAB_KUBECTL").filter(|name| !name.is_empty());
    let is_demanded = named.is_some() || required::is_demanded("kubectl");
    let found = find_by_name(&named.unwrap_or_else(|| "kubectl".into()));
    required::or_not_run(test, is_demanded, found)
}

fn find_by_name(name: &OsStr) -> Result<PathBuf, String> {
    which::which(name).map_err(|error| {
        format!(
            "kubectl (1.20 or newer) is missing: {}: {error}; get it from \
             https://kubernetes.io/docs/tasks/tools/ or from the system's packages \
             (kubernetes-client on Debian), or name the binary in ROLLOUT_LAB_KUBECTL",
            name.display()
        )
    })
}

impl<'c> Kubectl<'c> {
    pub(crate) fn new(program: PathBuf, cluster: &'c Cluster) -> Self {
        Self { program, cluster }
    }

    /// Types a command and waits for its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with_input(arguments, "")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Answer {
        let command = self.expression(arguments).stdin_bytes(input);
        let output = command.stdout_capture().stderr_capture().run().unwrap();
        Answer {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Types a command that goes on, and reads its lines until they are as wanted or it ends by
    /// itself. The `meanwhile` happens after the first line.
    pub(crate) fn follow(
        &self,
        arguments: &[&str],
        meanwhile: impl FnOnce(),
        enough: impl Fn(&[String]) -> bool,
    ) -> Vec<String> {
        let command = self.expression(arguments).stdin_null().stderr_null();
        let reader = command.reader().unwrap();
        let mut lines = BufReader::new(&reader).lines().map(Result::unwrap);
        let mut seen: Vec<String> = lines.next().into_iter().collect();
        meanwhile();
        while !enough(&seen) {
            match lines.next() {
                Some(line) => seen.push(line),
                None => break,
            }
        }
        reader.kill().unwrap();
        seen
    }

    fn expression(&self, arguments: &[&str]) -> Expression {
        let home = self.cluster.home();
        let arguments = arguments.iter().copied().chain([LIMIT]);
        duct::cmd(&self.program, arguments)
            .dir(env!("CARGO_MANIFEST_DIR"))
            .env("HOME", home)
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .env("KUBECACHEDIR", home.join("cache"))
            .env("TZ", "UTC")
            .unchecked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubectl_that_is_missing_is_named_with_where_to_get_it() {
        let why = find_by_name("no-such-kubectl".as_ref()).unwrap_err();
        for text in [
            "kubectl",
            "no-such-kubectl",
            "https://",
            "ROLLOUT_LAB_KUBECTL",
        ] {
            assert!(why.contains(text), "{why}");
        }
    }
}
