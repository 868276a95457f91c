//! A container that serves on the loopback interface.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;

use serde_json::Value;

use crate::daemon::Daemon;

pub(crate) const VERSION: &str = "2.0.0";
pub(crate) const POD: &str = "pod-1";

/// A container of one of the images.
pub(crate) struct Container<'d> {
    daemon: &'d Daemon,
    id: String,
    port: u16,
}

impl<'d> Container<'d> {
    /// Starts a container and waits until it listens. It has no network but the machine's own, and
    /// nothing that it could write to.
    pub(crate) fn run(daemon: &'d Daemon, image: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let env = [
            "HOST=127.0.0.1".to_owned(),
            format!("PORT={port}"),
            format!("VERSION={VERSION}"),
            format!("HOSTNAME={POD}"),
        ];
        let mut arguments = vec!["run", "--detach", "--network", "host", "--read-only"];
        arguments.extend(env.iter().flat_map(|value| ["--env", value]));
        arguments.push(image);
        let id = daemon.docker(&arguments).trim().to_owned();
        let container = Self { daemon, id, port };
        container.await_greeting();
        container
    }

    #[track_caller]
    fn await_greeting(&self) {
        let mut logs = self
            .daemon
            .docker_command(&["logs", "--follow", &self.id])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(logs.stdout.take().unwrap()).lines();
        let greets = lines
            .map(Result::unwrap)
            .any(|line| line.contains(" is running on "));
        // It has usually not ended, as the container has not.
        let _ = logs.kill();
        logs.wait().unwrap();
        assert!(greets, "{} ended before it listened", self.id);
    }

    /// What the service answers at its root.
    pub(crate) fn ask(&self) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// The users that the kernel knows the process by: real, effective, saved, of files.
    pub(crate) fn users(&self) -> Vec<String> {
        let pid = self.inspect("{{.State.Pid}}");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        line.unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn signal(&self, name: &str) {
        self.daemon.docker(&["kill", "--signal", name, &self.id]);
    }

    /// Asks it to end, kills it after some seconds, and returns its exit code.
    pub(crate) fn stop(&self, patience: u32) -> i32 {
        self.daemon
            .docker(&["stop", "--time", &patience.to_string(), &self.id]);
        self.end()
    }

    /// Waits for the end and returns the exit code.
    pub(crate) fn end(&self) -> i32 {
        let code = self.daemon.docker(&["wait", &self.id]);
        code.trim().parse().unwrap()
    }

    fn inspect(&self, format: &str) -> String {
        let said = self
            .daemon
            .docker(&["inspect", "--format", format, &self.id]);
        said.trim().to_owned()
    }
}
