//! A machine with tools on it, of which each test has its own.

use std::fs::Permissions;
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::Value;

use crate::engine::Engine;
use crate::processes::{MARK, await_none_of, end_those_of};
use crate::program::{Ended, Place, Running};

/// What the stand-ins need of the system. Nothing else of this machine is on their `PATH`, or its
/// own kind and docker would be.
const SYSTEM: [&str; 11] = [
    "cat", "cp", "grep", "kill", "ls", "mkdir", "mkfifo", "rm", "sed", "setsid", "sleep",
];
/// What the engine tells of its machine: processors and bytes.
const ROOM: &str = "8 16777216000";

/// A lab that is done in a moment, and needs the node port. Its pods end as soon as they are asked.
const FEATURE: &str = "\
Feature: F
  Scenario: S
    Given a cluster with at least 1 ready nodes
    And the namespace \"app-dev\"
    And these files are applied and rolled out within 60 seconds:
      | ROOT/k8s/base/configmap.yaml        |
      | ROOT/k8s/base/service-nodeport.yaml |
      | ROOT/k8s/base/deployment-v2.yaml    |
    Then only \"payment-service\" \"2.0.0\" answers on node port 30000
";

/// A tool that is on this machine.
#[derive(Clone, Copy)]
pub(crate) struct Real {
    /// Lists its clusters.
    pub(crate) list: fn() -> Vec<String>,
}

/// A lab that only asks for a namespace.
const GLANCE: &str = "\
Feature: G
  Scenario: S
    Given a cluster with at least 1 ready nodes
    And the namespace \"app-dev\"
";

/// A machine of its own, with a home, a `PATH` and an address.
pub(crate) struct Machine {
    pub(crate) place: Place,
    pub(crate) engine: Engine,
    /// Where node ports are published, which no other test does.
    pub(crate) address: Ipv4Addr,
    /// What says where a cluster has its images from.
    images: Vec<String>,
    /// The tool of this machine itself that is typed to, with the clusters that it has besides.
    real: Option<(Real, Vec<String>)>,
}

impl Machine {
    /// Installs some tools.
    pub(crate) fn with(tools: &[&str]) -> Self {
        /// Each machine of this process has another.
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let place = Place::new();
        for folder in ["bin", "home", "clusters"] {
            std::fs::create_dir(place.path(folder)).unwrap();
        }
        for program in SYSTEM {
            let found = which::which(program).unwrap();
            symlink(found, place.path("bin").join(program)).unwrap();
        }
        let standins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers/standins");
        for file in tools.iter().chain(&["common.sh"]) {
            symlink(standins.join(file), place.path("bin").join(file)).unwrap();
        }
        place.file("room", ROOM);
        place.file("images.tar", "");
        let feature = FEATURE.replace("ROOT", env!("CARGO_MANIFEST_DIR"));
        place.file("f.feature", &feature);
        place.file("glance.feature", GLANCE);
        let engine = Engine::start(&place.path(""));
        // The clusters' own addresses are in other blocks than 127.0.0.0/16.
        let block = u8::try_from(std::process::id() % 254).unwrap() + 1;
        let address = Ipv4Addr::new(127, 0, block, NEXT.fetch_add(1, Ordering::Relaxed));
        let archive = place.path("images.tar");
        let images = ["--image-archive", archive.to_str().unwrap()];
        let machine = Self {
            images: images.map(str::to_owned).into(),
            place,
            engine,
            address,
            real: None,
        };
        machine.goes_wrong("");
        machine
    }

    /// The tools of this machine itself, with images from where they are said to be.
    pub(crate) fn real(tool: Real, images: Vec<String>) -> Self {
        let mut machine = Self::with(&[]);
        machine.images = images;
        machine.real = Some((tool, (tool.list)()));
        machine
    }

    /// Installs a script as a program.
    pub(crate) fn install(&self, name: &str, body: &str) {
        let script = self
            .place
            .file(&format!("bin/{name}"), &format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(script, Permissions::from_mode(0o755)).unwrap();
    }

    /// Says what is to go wrong from now on, in words of the stand-ins.
    pub(crate) fn goes_wrong(&self, words: &str) {
        self.place.file("wrong", &format!("{words}\n"));
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.place.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command.env(MARK, self.folder());
        if self.real.is_some() {
            return command;
        }
        let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli/kind");
        command
            .env("PATH", self.place.path("bin"))
            .env("HOME", self.place.path("home"))
            .env("STANDIN_LAB", env!("CARGO_BIN_EXE_rollout-lab"))
            .env("STANDIN_RECORDINGS", recordings);
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments))
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// The arguments that choose a cluster of a tool, with its images and its address.
    fn of<'a>(&self, tool: &'a str, command: &[&'a str]) -> Vec<String> {
        let mut arguments: Vec<String> = command.iter().map(ToString::to_string).collect();
        arguments.extend(["--provider", tool].map(str::to_owned));
        arguments.extend_from_slice(&self.images);
        arguments.extend(["--publish".to_owned(), self.address.to_string()]);
        if command[0] == "run" {
            arguments.extend(["--report-dir".to_owned(), self.path("reports")]);
        }
        arguments
    }

    /// Types a command about a cluster of a tool.
    pub(crate) fn type_of(&self, tool: &str, command: &[&str]) -> Ended {
        self.start_of(tool, command).end()
    }

    pub(crate) fn start_of(&self, tool: &str, command: &[&str]) -> Running {
        let arguments = self.of(tool, command);
        self.start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs the small lab on a cluster of a tool.
    pub(crate) fn run_lab(&self, tool: &str, more: &[&str]) -> Ended {
        let feature = self.path("f.feature");
        self.type_of(tool, &[&["run", &feature], more].concat())
    }

    /// Runs what takes a moment on a cluster of a tool.
    pub(crate) fn run_glance(&self, tool: &str, more: &[&str]) -> Ended {
        let feature = self.path("glance.feature");
        self.type_of(tool, &[&["run", &feature], more].concat())
    }

    /// What was typed to the tools, with the paths and ids of this test left out.
    pub(crate) fn typed(&self) -> Vec<String> {
        let typed = std::fs::read_to_string(self.place.path("argv")).unwrap_or_default();
        let folder = self.folder().display().to_string();
        let is_path = |word: &&str| word.starts_with(&folder);
        let name = |word: &str| match word.split_once("rollout-lab-") {
            Some((before, _)) if !word.contains('/') => format!("{before}rollout-lab-ID"),
            _ => word.to_owned(),
        };
        let redact = |line: &str| {
            let words = line
                .split(' ')
                .map(|word| match Some(word).filter(is_path) {
                    Some(path) => path.rsplit('/').next().unwrap().to_owned(),
                    None => name(word).replace(&self.address.to_string(), "ADDRESS"),
                });
            words.collect::<Vec<_>>().join(" ")
        };
        typed.lines().map(redact).collect()
    }

    /// The clusters that a tool has.
    pub(crate) fn clusters(&self, tool: &str) -> Vec<String> {
        if let Some((real, before)) = &self.real {
            let mut names = (real.list)();
            names.retain(|name| !before.contains(name));
            return names;
        }
        names_in(&self.place.path("clusters").join(tool))
    }

    /// What the ledger lists.
    pub(crate) fn ledger(&self) -> Vec<String> {
        names_in(&self.place.path("state/rollout-lab"))
    }

    pub(crate) fn report(&self) -> Value {
        let report = std::fs::read(self.place.path("reports/report.json")).unwrap();
        serde_json::from_slice(&report).unwrap()
    }

    /// By which way requests reached the node port, in the report.
    pub(crate) fn access(&self) -> String {
        let access = &self.report()["scenarios"][0]["cluster"]["access"]["kind"];
        access.as_str().unwrap_or_default().to_owned()
    }

    /// Nothing is there that was made here: no cluster of the tool, no entry, no temporary file, no
    /// process; and the user's own kubeconfig was never touched.
    #[track_caller]
    pub(crate) fn expect_nothing_left(&self, tool: &str) {
        let none: [&str; 0] = [];
        assert_eq!(self.clusters(tool), none, "the list of {tool}");
        assert_eq!(self.ledger(), none, "the ledger");
        assert_eq!(self.place.leftovers(), none, "temporary files");
        assert_eq!(names_in(&self.place.path("home")), none, "the home");
        await_none_of(&self.folder());
    }

    /// What marks the processes of this machine.
    pub(crate) fn folder(&self) -> PathBuf {
        let folder = self.place.path("");
        // Without the slash that an empty name leaves at its end.
        folder.components().collect()
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A test that fails in the middle ends what its tools started.
impl Drop for Machine {
    fn drop(&mut self) {
        end_those_of(&self.folder());
    }
}

impl Ended {
    /// How it ended, and what it said among the rest.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        let said = format!("{}{}", self.stdout, self.stderr);
        for text in texts {
            assert!(said.contains(text), "\"{text}\" is not in:\n{said}");
        }
    }
}
