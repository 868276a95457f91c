//! The sample services of the labs: what runs in the pods.
//!
//! They answer as the tutorial's originals do, with the same temperament: user-service ignores
//! SIGTERM, payment-service ends on it. `pod` is added, so that the spread of requests over pods
//! can be seen. The embedded cluster runs them as built-in images; `rollout-lab app` runs one as a
//! process.

mod routes;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ValueEnum as _;
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

    /// The image that the labs' manifests name, in which clusters find the service.
    #[must_use]
    pub fn image(self) -> &'static str {
        match self {
            Self::User => "mogumogusityau/user-service:1.0.0",
            Self::Payment => "mogumogusityau/payment-service:1.0.0",
        }
    }

    /// What the original does about a SIGTERM.
    ///
    /// That of user-service runs as process 1 without a handler, so the kernel drops the signal;
    /// payment-service is started through a package manager, which ends on it.
    #[must_use]
    pub fn temperament(self) -> OnSigterm {
        match self {
            Self::User => OnSigterm::Ignore,
            Self::Payment => OnSigterm::End,
        }
    }

    /// Whether the service ends when it gets a SIGTERM: as its settings say, or as the original.
    #[must_use]
    pub fn ends_on_sigterm(self, settings: &Settings) -> bool {
        settings.on_sigterm.unwrap_or(self.temperament()) == OnSigterm::End
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
    pub on_sigterm: Option<OnSigterm>,
}

/// What a service does about a SIGTERM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnSigterm {
    /// It ends at once.
    End,
    /// It goes on, until it is killed.
    Ignore,
}

impl OnSigterm {
    /// The value of `ON_SIGTERM` that says so.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Ignore => "ignore",
        }
    }
}

/// The port that a service listens on, where `PORT` does not say another.
pub const PORT: u16 = 3000;
/// How long a service boots, where `BOOT_SECONDS` does not say otherwise.
pub const BOOT: Duration = Duration::from_millis(400);

/// Reads `BOOT_SECONDS`.
///
/// # Errors
/// The text is no length of time.
pub fn boot_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, such as 0.4".to_owned())
}

impl Settings {
    /// Reads the environment of a pod.
    ///
    /// # Errors
    /// A value cannot be used; the text is what the service prints before it ends.
    pub fn from_env(env: &BTreeMap<String, String>, pod: &str) -> Result<Self, String> {
        let boot = match env.get("BOOT_SECONDS") {
            None => BOOT,
            Some(text) => boot_seconds(text)
                .map_err(|_| format!("BOOT_SECONDS is no number of seconds: \"{text}\""))?,
        };
        let on_sigterm = match env.get("ON_SIGTERM") {
            None => None,
            Some(text) => Some(OnSigterm::from_str(text, false).map_err(|_| {
                format!("ON_SIGTERM is neither \"end\" nor \"ignore\": \"{text}\"")
            })?),
        };
        let port = match env.get("PORT") {
            None => PORT,
            Some(text) => text
                .trim()
                .parse()
                .map_err(|_| format!("PORT is no port number: \"{text}\""))?,
        };
        Ok(Self {
            port,
            version: env
                .get("VERSION")
                .cloned()
                .unwrap_or_else(|| "1.0.0".to_owned()),
            pod: pod.to_owned(),
            boot,
            on_sigterm,
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
    fn a_value_is_written_as_it_is_read() {
        for value in OnSigterm::value_variants() {
            assert_eq!(OnSigterm::from_str(value.name(), false).as_ref(), Ok(value));
        }
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
