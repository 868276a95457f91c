//! `rollout-lab doctor`: what this machine has of what a lab needs.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use clap::Args;
use console::style;
use regex::Regex;

use super::publish::Publish;
use super::run::ProviderName;
use super::{ContextArgs, Ended};
use crate::exit::Exit;
use crate::provider::embedded::NODE_PORT;
use crate::provider::kind::{INSTALL, PREFIX};
use crate::provider::port;
use crate::provider::tool::{Tool, ToolError};

/// How long a program may take to say its version.
const LIMIT: Duration = Duration::from_secs(20);
/// The tutorials' commands are those of this kubectl and newer.
const KUBECTL: Version = Version(1, 27);
/// The oldest kind whose configuration has what a lab needs.
const KIND: Version = Version(0, 20);

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// The provider that is to work
    #[arg(long, value_enum, default_value_t)]
    provider: ProviderName,
    #[command(flatten)]
    context: ContextArgs,
    /// Where people will reach node ports: none, ADDRESS, ADDRESS:PORT=NODEPORT
    #[arg(long, default_value = "127.0.0.1")]
    publish: Publish,
}

/// Major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

/// One thing that was looked at.
struct Check {
    what: &'static str,
    /// Whether the provider cannot do without it.
    is_needed: bool,
    found: Found,
}

enum Found {
    Good(String),
    Bad { seen: String, advice: String },
}

impl Found {
    fn bad(seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Bad {
            seen: seen.into(),
            advice: advice.into(),
        }
    }
}

pub(super) async fn doctor(args: DoctorArgs) -> Ended {
    let provider = args.provider;
    let on_kind = provider == ProviderName::Kind;
    let mut checks = Vec::new();
    let mut check = |what, is_needed, found| {
        checks.push(Check {
            what,
            is_needed,
            found,
        });
    };
    check("processors", false, processors());
    if provider == ProviderName::Kubeconfig {
        check("cluster", true, cluster(&args.context).await);
    } else {
        check("node port 30000", true, node_port(&args.publish));
    }
    if on_kind {
        check("kind", true, kind().await);
        check("container engine", true, engine().await);
        if let Some(found) = leftovers().await {
            check("leftovers", false, found);
        }
    }
    check("kubectl", false, kubectl().await);
    for check in &checks {
        println!("{check}");
    }
    let missing = checks.iter().any(Check::is_in_the_way);
    let name = provider.name();
    if missing {
        println!("\n--provider {name} cannot run here yet");
        return Ok(Exit::NoCluster);
    }
    println!("\n--provider {name} can run here");
    Ok(Exit::Held)
}

impl Check {
    fn is_in_the_way(&self) -> bool {
        self.is_needed && matches!(self.found, Found::Bad { .. })
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = match (&self.found, self.is_needed) {
            (Found::Good(_), _) => style("✓").green(),
            (Found::Bad { .. }, true) => style("✗").red(),
            (Found::Bad { .. }, false) => style("•").yellow(),
        };
        let text = match &self.found {
            Found::Good(seen) => seen.clone(),
            Found::Bad { seen, advice } => format!("{seen}\n{advice}"),
        };
        write!(f, "{mark} {}: {}", self.what, text.replace('\n', "\n    "))
    }
}

fn processors() -> Found {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    if count >= 2 {
        return Found::Good(count.to_string());
    }
    Found::bad(
        count.to_string(),
        "with one processor requests may be sent late; the reports count them",
    )
}

fn node_port(publish: &Publish) -> Found {
    let Some(local) = publish.address_of(NODE_PORT) else {
        return Found::Good("not published".to_owned());
    };
    match port::expect_free(local, NODE_PORT) {
        Ok(()) => Found::Good(format!("{local} is free")),
        Err(error) => Found::bad("not free", error.to_string()),
    }
}

async fn cluster(context: &ContextArgs) -> Found {
    match context.provider().look().await {
        Ok(found) => Found::Good(found),
        Err(error) => Found::bad("not reached", error.to_string()),
    }
}

async fn kubectl() -> Found {
    let said = say(
        "kubectl",
        "install it to type the tutorials' commands; labs run without it",
        &["version", "--client"],
    );
    at_least(said.await, KUBECTL)
}

async fn kind() -> Found {
    at_least(say("kind", INSTALL, &["version"]).await, KIND)
}

/// kind works with any of them; the first that answers is good enough.
async fn engine() -> Found {
    let mut seen = Vec::new();
    for name in ["docker", "podman", "nerdctl"] {
        match say(name, "", &["info"]).await {
            Ok(_) => return Found::Good(format!("{name} answers")),
            Err(ToolError::Missing { .. }) => {}
            Err(error) => seen.push(error.to_string()),
        }
    }
    if seen.is_empty() {
        return Found::bad(
            "none of docker, podman, nerdctl",
            "install one and start it",
        );
    }
    Found::bad(
        seen.join("\n"),
        "start it, and see that this user may use it",
    )
}

/// Clusters of earlier runs that were killed before they could remove them; `None` where kind does
/// not tell.
async fn leftovers() -> Option<Found> {
    let clusters = say("kind", "", &["get", "clusters"]).await.ok()?;
    let ours: Vec<&str> = clusters
        .lines()
        .filter(|name| name.starts_with(PREFIX))
        .collect();
    if ours.is_empty() {
        return Some(Found::Good("none".to_owned()));
    }
    let commands = ours
        .iter()
        .map(|name| format!("kind delete cluster --name {name}"));
    Some(Found::bad(
        format!("kind clusters of earlier runs: {}", ours.join(", ")),
        format!(
            "unless such a run is going on: {}",
            commands.collect::<Vec<_>>().join("; ")
        ),
    ))
}

/// What a program prints.
async fn say(
    name: &'static str,
    install: &'static str,
    arguments: &[&str],
) -> Result<String, ToolError> {
    let quiet = Arc::new(|_: &str| {});
    Tool::find(name, install, quiet)?
        .run(arguments, LIMIT)
        .await
}

fn at_least(said: Result<String, ToolError>, needed: Version) -> Found {
    let Version(major, minor) = needed;
    match said {
        Ok(text) => match version_in(&text) {
            Some((found, version)) if version >= needed => {
                Found::Good(format!("{found} ({major}.{minor} or newer is needed)"))
            }
            Some((found, _)) => {
                Found::bad(found, format!("too old: install {major}.{minor} or newer"))
            }
            None => Found::bad(
                format!("no version in \"{}\"", text.trim()),
                format!("install {major}.{minor} or newer"),
            ),
        },
        Err(ToolError::Missing { install, .. }) => Found::bad("not found", install),
        Err(error) => Found::bad("does not say its version", error.to_string()),
    }
}

/// The first version in a text, as it is written and as numbers.
fn version_in(text: &str) -> Option<(String, Version)> {
    static VERSION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"v(\d+)\.(\d+)(\.\d+)?").ok());
    let found = VERSION.as_ref()?.captures(text)?;
    let version = Version(found[1].parse().ok()?, found[2].parse().ok()?);
    Some((found[0].to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared_as_numbers() {
        for (text, found, is_new_enough) in [
            (
                "Client Version: v1.32.4\nKustomize Version: v5.5.0",
                "v1.32.4",
                true,
            ),
            ("kind v0.33.0 go1.27.2 linux/amd64", "v0.33.0", false),
            ("Client Version: v1.9.0", "v1.9.0", false),
            (
                "Client Version: version.Info{Major:\"1\", Minor:\"20\", GitVersion:\"v1.20.2\"}",
                "v1.20.2",
                false,
            ),
            ("v2.0", "v2.0", true),
        ] {
            let (written, version) = version_in(text).unwrap();
            assert_eq!(
                (written.as_str(), version >= KUBECTL),
                (found, is_new_enough)
            );
        }
        assert_eq!(version_in("no version"), None);
    }
}
