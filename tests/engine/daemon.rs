//! A container engine for one test: started in a folder of its own, and gone with all its traces.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a daemon may take to start, and to end.
const LIMIT: Duration = Duration::from_secs(60);
/// No bridge, no rules: the engine must not touch the network of the machine.
const OPTIONS: [&str; 8] = [
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
    "--ip-forward=false",
    "--ip-masq=false",
    "--storage-driver=vfs",
    // Such a cgroup has a plain path, also where systemd runs.
    "--exec-opt=native.cgroupdriver=cgroupfs",
    "--log-level=warn",
];
/// What engines make outside of their folder, the inner first.
const TRACES: [&str; 7] = [
    "/run/containerd/s",
    "/run/containerd",
    "/run/docker/plugins",
    "/run/docker",
    "/opt/containerd/bin",
    "/opt/containerd/lib",
    "/opt/containerd",
];
const CGROUPS: &str = "/sys/fs/cgroup";

/// One at a time: they share the traces.
static ONE: Mutex<()> = Mutex::new(());

/// A daemon that answers.
pub(crate) struct Daemon {
    process: Child,
    log: Receiver<String>,
    programs: Programs,
    /// The traces that were not there before.
    traces: Vec<&'static str>,
    folder: TempDir,
    _one: MutexGuard<'static, ()>,
}

struct Programs {
    dockerd: PathBuf,
    docker: PathBuf,
    ctr: PathBuf,
}

impl Programs {
    fn find() -> Result<Self, String> {
        let find = |name: &str| {
            which::which(name).map_err(|error| {
                format!(
                    "{name} of a container engine is missing: {error}; install Docker (docker.io \
                     on Debian)"
                )
            })
        };
        Ok(Self {
            dockerd: find("dockerd")?,
            docker: find("docker")?,
            ctr: find("ctr")?,
        })
    }
}

impl Daemon {
    /// Starts a daemon, waits until it answers, and sees whether it can run containers here.
    pub(crate) fn start() -> Result<Self, String> {
        let programs = Programs::find()?;
        if std::fs::metadata("/proc/self").map_or(0, |me| me.uid()) != 0 {
            return Err("a container engine needs root, which this user is not".to_owned());
        }
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Sockets in it have paths of at most 107 characters.
        let folder = tempfile::Builder::new().prefix("rl-").tempdir_in("/tmp");
        let folder =
            folder.map_err(|error| format!("there is no folder for an engine: {error}"))?;
        let traces = TRACES.into_iter().filter(|path| !Path::new(path).exists());
        let traces = traces.collect();
        let place = folder.path();
        let (log, writer) = std::io::pipe().unwrap();
        let mut command = Command::new(&programs.dockerd);
        command
            .arg("--data-root")
            .arg(place.join("data"))
            .arg("--exec-root")
            .arg(place.join("exec"))
            .arg("--pidfile")
            .arg(place.join("pid"))
            .arg("--host")
            .arg(host(place))
            .arg(format!("--cgroup-parent=/{}", group(place)))
            .args(OPTIONS)
            // containerd writes its stacks there when it is asked for them.
            .env("TMPDIR", place)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().unwrap())
            .stderr(writer);
        let process = command.spawn().map_err(|error| error.to_string());
        // It has the daemon's end of the pipe, by which the daemon's end is known.
        drop(command);
        let daemon = Self {
            process: process?,
            log: follow(BufReader::new(log)),
            programs,
            traces,
            folder,
            _one: one,
        };
        daemon.await_answer()?;
        daemon.try_container()?;
        Ok(daemon)
    }

    /// Waits until the daemon listens: its socket is there, and `docker version` gets an answer.
    fn await_answer(&self) -> Result<(), String> {
        let end = Instant::now() + LIMIT;
        let mut said = Vec::new();
        let why = loop {
            // A look takes a while, so this is no busy loop; the log tells at once of an end.
            let answers = self.docker_command(&["version"]).output().unwrap();
            if answers.status.success() {
                return Ok(());
            }
            match self.log.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Timeout) if Instant::now() < end => {}
                Err(RecvTimeoutError::Timeout) => break "did not answer in time",
                Err(RecvTimeoutError::Disconnected) => break "ended",
            }
        };
        let last = said.len().saturating_sub(5);
        Err(format!(
            "dockerd cannot be used here: it {why}, and last it said:\n{}",
            said[last..].join("\n")
        ))
    }

    /// Whether the daemon can do more than answer: without privileges it starts, and fails at the
    /// first image or container. In an image with no file there is no program to start, so at best
    /// everything works until just that is found out.
    fn try_container(&self) -> Result<(), String> {
        let empty = self.folder().join("empty.tar");
        std::fs::write(&empty, [0; 1024]).unwrap();
        let empty = empty.to_str().unwrap();
        for (arguments, found_out) in [
            (&["import", empty, "empty"][..], "sha256:"),
            (
                &["run", "--rm", "--network", "host", "empty", "/program"],
                "exec: \"/program\"",
            ),
        ] {
            let output = self.docker_command(arguments).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            if !said.contains(found_out) {
                let command = arguments.join(" ");
                return Err(format!(
                    "dockerd cannot be used here: docker {command} says:\n{said}"
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a docker command and returns what it prints.
    #[track_caller]
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        succeed(self.docker_command(arguments))
    }

    /// A docker command that knows this daemon and no other.
    pub(crate) fn docker_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.programs.docker);
        command
            .arg("--host")
            .arg(host(self.folder()))
            .args(arguments)
            .env("HOME", self.folder())
            .env("DOCKER_CONFIG", self.folder().join("config"))
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DOCKER_API_VERSION")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of the containerd below the daemon, where Kubernetes has its images.
    #[track_caller]
    pub(crate) fn ctr(&self, arguments: &[&str], input: Option<&Path>) -> String {
        let mut command = Command::new(&self.programs.ctr);
        command
            .arg("--address")
            .arg(self.folder().join("exec/containerd/containerd.sock"))
            .args(["--namespace", "k8s.io"])
            .args(arguments)
            .stdin(input.map_or(Stdio::null(), |path| File::open(path).unwrap().into()));
        succeed(command)
    }

    /// Ends the daemon and its containerd.
    fn end(&mut self) {
        let containers = self.docker_command(&["ps", "--all", "--quiet"]).output();
        let containers = containers.map_or(Vec::new(), |output| output.stdout);
        let containers = String::from_utf8_lossy(&containers);
        let containers: Vec<&str> = containers.lines().collect();
        if !containers.is_empty() {
            let remove = [&["rm", "--force"], &containers[..]].concat();
            let _ = self.docker_command(&remove).output();
        }
        kill("TERM", self.process.id());
        // Both hold the log open while they live.
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            let Err(error) = self.log.recv_timeout(Duration::from_secs(1)) else {
                continue;
            };
            if error == RecvTimeoutError::Disconnected {
                break;
            }
        }
        if Instant::now() >= end {
            let _ = self.process.kill();
            let pid = self.folder().join("exec/containerd/containerd.pid");
            let pid = std::fs::read_to_string(pid).unwrap_or_default();
            if let Ok(pid) = pid.trim().parse() {
                kill("KILL", pid);
            }
        }
        let _ = self.process.wait();
    }

    fn unmount(&self) {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        // The last is mounted upon the first.
        for line in mounts.lines().rev() {
            let point = line.split(' ').nth(1).unwrap_or_default();
            if Path::new(point).starts_with(self.folder()) {
                let _ = Command::new("umount").args(["-n", "-l", point]).status();
            }
        }
    }

    /// Removes what the daemon made elsewhere; all of it is empty folders.
    fn remove_traces(&self) {
        let group = group(self.folder());
        let controllers = std::fs::read_dir(CGROUPS).into_iter().flatten().flatten();
        let controllers = controllers.map(|entry| entry.path());
        for parent in controllers.chain([PathBuf::from(CGROUPS)]) {
            let _ = std::fs::remove_dir(parent.join(&group));
        }
        for path in &self.traces {
            let _ = std::fs::remove_dir(path);
        }
    }
}

/// Whatever happened to the test.
impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
        self.unmount();
        self.remove_traces();
    }
}

fn host(folder: &Path) -> String {
    format!("unix://{}", folder.join("sock").display())
}

/// The cgroup of the containers, named as the folder is.
fn group(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    format!("rollout-lab-{}", name.display())
}

/// Reads lines in the background, so that their writer never waits.
fn follow(reader: BufReader<std::io::PipeReader>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

#[track_caller]
fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}:\n{stdout}{stderr}");
    stdout
}

fn kill(signal: &str, pid: u32) {
    let _ = Command::new("kill")
        .args(["-s", signal, &pid.to_string()])
        .status();
}
