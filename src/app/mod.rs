//! The sample services of the labs: what runs in the pods.
//!
//! They answer as the tutorial's originals do, with the same temperament: user-service ignores
//! SIGTERM, payment-service ends on it. `pod` is added, so that the spread of requests over pods
//! can be seen. The embedded cluster runs them as built-in images; `rollout-lab app` runs one as a
//! process.

mod routes;

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A sample service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SampleService {
    /// Version 1 of the lab.
    #[value(name = "user-service")]
    User,
    /// Version 2 of the lab.
    #[value(name = "payment-service")]
    Payment,
}

impl SampleService {
    /// The name that the service answers with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user-service",
            Self::Payment => "payment-service",
        }
    }

    /// Whether the service ends when it gets a SIGTERM: as its settings say, or as the original.
    ///
    /// The original of user-service runs as process 1 without a handler, so the kernel drops the
    /// signal; payment-service is started through a package manager, which ends on it.
    #[must_use]
    pub fn ends_on_sigterm(self, settings: &Settings) -> bool {
        settings.ends_on_sigterm.unwrap_or(self == Self::Payment)
    }

    /// The line that the service prints when it listens.
    #[must_use]
    pub fn greeting(self, settings: &Settings) -> String {
        match self {
            Self::User => format!(
                "🚀 user-service v{} is running on http://0.0.0.0:{}",
                settings.version, settings.port
            ),
            Self::Payment => format!(
                "payment-service v{} is running on port {}",
                settings.version, settings.port
            ),
        }
    }

    /// Answers requests until the future is dropped, and every connection with it: what is served
    /// dies at once, as a killed process does.
    pub async fn serve(self, listener: TcpListener, settings: &Settings) {
        let router = routes::router(self, settings);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // Out of file descriptors: the next one may succeed.
                    let Ok((stream, _)) = accepted else { continue };
                    // Without it an answer may wait for an acknowledgement.
                    let _ = stream.set_nodelay(true);
                    let service = TowerToHyperService::new(router.clone());
                    connections.spawn(
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                    );
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// What a service reads from its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `PORT`, 3000 by default.
    pub port: u16,
    /// `VERSION`, 1.0.0 by default.
    pub version: String,
    /// The name of the pod.
    pub pod: String,
    /// `BOOT_SECONDS`: from the start until the service listens. 0.4 s by default, which is about
    /// what the original's runtime takes to load.
    pub boot: Duration,
    /// `ON_SIGTERM`, `end` or `ignore`: what the service does about a SIGTERM, where it is not what
    /// the original does.
    pub ends_on_sigterm: Option<bool>,
}

const BOOT: Duration = Duration::from_millis(400);

impl Settings {
    /// Reads the environment of a pod.
    ///
    /// # Errors
    /// A value cannot be used; the text is what the service prints before it ends.
    pub fn from_env(env: &BTreeMap<String, String>, pod: &str) -> Result<Self, String> {
        let port = env.get("PORT").map_or("3000", String::as_str);
        let boot = match env.get("BOOT_SECONDS") {
            None => BOOT,
            Some(text) => text
                .trim()
                .parse()
                .ok()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| format!("BOOT_SECONDS is no number of seconds: \"{text}\""))?,
        };
        let ends_on_sigterm = match env.get("ON_SIGTERM").map(String::as_str) {
            None => None,
            Some("end") => Some(true),
            Some("ignore") => Some(false),
            Some(text) => {
                return Err(format!(
                    "ON_SIGTERM is neither \"end\" nor \"ignore\": \"{text}\""
                ));
            }
        };
        Ok(Self {
            port: port
                .trim()
                .parse()
                .map_err(|_| format!("PORT is no port number: \"{port}\""))?,
            version: env
                .get("VERSION")
                .cloned()
                .unwrap_or_else(|| "1.0.0".to_owned()),
            pod: pod.to_owned(),
            boot,
            ends_on_sigterm,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(env: &[(&str, &str)]) -> Result<Settings, String> {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::from_env(&env, "p")
    }

    #[test]
    fn the_environment_has_defaults() {
        let settings = settings(&[]).unwrap();
        assert_eq!((settings.port, settings.version.as_str()), (3000, "1.0.0"));
        assert_eq!(settings.boot, Duration::from_millis(400));
        assert!(!SampleService::User.ends_on_sigterm(&settings));
        assert!(SampleService::Payment.ends_on_sigterm(&settings));
    }

    #[test]
    fn the_temperament_can_be_set() {
        let settings = settings(&[("BOOT_SECONDS", "0"), ("ON_SIGTERM", "end")]).unwrap();
        assert_eq!(settings.boot, Duration::ZERO);
        assert!(SampleService::User.ends_on_sigterm(&settings));
    }

    #[test]
    fn a_bad_value_is_named() {
        for (name, value, error) in [
            ("PORT", "three", "PORT is no port number: \"three\""),
            (
                "BOOT_SECONDS",
                "-1",
                "BOOT_SECONDS is no number of seconds: \"-1\"",
            ),
            (
                "ON_SIGTERM",
                "wait",
                "ON_SIGTERM is neither \"end\" nor \"ignore\": \"wait\"",
            ),
        ] {
            assert_eq!(settings(&[(name, value)]).unwrap_err(), error);
        }
    }
}
