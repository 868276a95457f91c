//! The sample services as processes: when they listen, and what ends them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::program::{Ended, Place, Running};

/// A service on a port of its own.
struct Service {
    process: Running,
    port: u16,
}

impl Service {
    fn start(place: &Place, name: &str, env: &[(&str, &str)]) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let mut command = place.command(&["app", name]);
        command.env("PORT", port.to_string());
        command.envs(env.iter().copied());
        drop(free);
        Self {
            process: Running::of(command),
            port,
        }
    }

    fn await_greeting(&mut self) {
        self.process.await_line(" is running on ");
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        let question = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(question).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 200 OK")
    }
}

fn refuse(env: &[(&str, &str)]) -> Ended {
    let place = Place::new();
    let mut command = place.command(&["app", "user-service"]);
    command.envs(env.iter().copied());
    Running::of(command).end()
}

#[test]
fn a_service_listens_when_it_has_booted() {
    let place = Place::new();
    let begin = Instant::now();
    let mut service = Service::start(&place, "user-service", &[("BOOT_SECONDS", "1.5")]);
    assert!(!service.answers(), "it has not booted");
    service.await_greeting();
    assert!(begin.elapsed() >= Duration::from_millis(1500));
    assert!(service.answers());
}

#[test]
fn a_service_ends_on_a_sigterm_unless_it_is_to_ignore_it() {
    let place = Place::new();
    for name in ["user-service", "payment-service"] {
        let mut service = Service::start(&place, name, &[]);
        service.await_greeting();
        service.process.signal("TERM");
        assert_eq!(service.process.end().code, Some(143), "{name}");

        let mut service = Service::start(&place, name, &[("ON_SIGTERM", "ignore")]);
        service.await_greeting();
        service.process.signal("TERM");
        assert!(service.answers(), "{name} goes on");
        service.process.signal("INT");
        assert_eq!(service.process.end().code, Some(0), "{name}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_named() {
    for (name, value, text) in [
        ("BOOT_SECONDS", "soon", "expected a number of seconds"),
        ("BOOT_SECONDS", "-1", "expected a number of seconds"),
        ("ON_SIGTERM", "wait", "[possible values: end, ignore]"),
        ("PORT", "70000", "70000 is not in 0..=65535"),
    ] {
        let ended = refuse(&[(name, value)]);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        for text in [name, value, text] {
            assert!(ended.stderr.contains(text), "{text}: {ended:#?}");
        }
    }
}
