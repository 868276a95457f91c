//! The looks that the doctor takes.

use std::sync::Arc;

use super::check::Found;
use crate::app::SampleService;
use crate::cli::ContextArgs;
use crate::cli::provider::{ProviderArgs, ledger};
use crate::cli::publish::Publish;
use crate::history::record::AccessKind;
use crate::images;
use crate::provider::embedded::NODE_PORT;
use crate::provider::engine::{self, Engine};
use crate::provider::ledger::{Listed, State};
use crate::provider::made::{Maker, Needs, tool_version};
use crate::provider::port;
use crate::provider::tool::{Tool, ToolError};
use crate::provider::version::{Version, version_in};

/// The tutorials' commands are those of this kubectl and newer.
const KUBECTL: Version = Version(1, 27);
/// Bytes of a mebibyte.
const MEBIBYTE: u64 = 1 << 20;

pub(super) fn processors() -> Found {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    if count >= 2 {
        return Found::Good(count.to_string());
    }
    Found::bad(
        count.to_string(),
        "with one processor requests may be sent late; the reports count them",
    )
}

pub(super) fn node_port(publish: &Publish) -> Found {
    let Some(local) = publish.address_of(NODE_PORT) else {
        return Found::Good("not published".to_owned());
    };
    match port::expect_free(local, NODE_PORT) {
        Ok(()) => Found::Good(format!("{local} is free")),
        Err(error) => Found::bad("not free", error.to_string()),
    }
}

pub(super) async fn cluster(context: &ContextArgs) -> Found {
    match context.provider().look().await {
        Ok((found, access)) => Found::Good(match access.kind {
            AccessKind::ApiForward => {
                format!("{found}; no node is reached, so requests go through the API")
            }
            _ => format!("{found}; requests go to {}", access.address),
        }),
        Err(error) => Found::bad("not reached", error.to_string()),
    }
}

pub(super) async fn kubectl() -> Found {
    let advice = "install it to type the tutorials' commands; labs run without it";
    let found = async {
        let tool = Tool::find("kubectl", advice, Arc::new(|_| {}))?;
        tool.ask(&["version", "--client"]).await
    };
    match found.await {
        Ok(text) => match version_in(&text) {
            Some((found, version)) if version >= KUBECTL => new_enough(&found, KUBECTL),
            Some((found, _)) => Found::bad(found, format!("too old: install {KUBECTL} or newer")),
            None => Found::bad(
                format!("no version in \"{}\"", text.trim()),
                format!("install {KUBECTL} or newer"),
            ),
        },
        Err(error) => not_good(error),
    }
}

pub(super) async fn tool(maker: &dyn Maker) -> Found {
    match tool_version(maker).await {
        Ok(found) => new_enough(&found, maker.oldest()),
        Err(error) => not_good(error),
    }
}

fn new_enough(found: &str, needed: Version) -> Found {
    Found::Good(format!("{found} ({needed} or newer is needed)"))
}

fn not_good(error: ToolError) -> Found {
    match error {
        ToolError::Missing { install, .. } => Found::bad("not found", install),
        ToolError::TooOld { found, needed, .. } => {
            Found::bad(found, format!("too old: install {needed} or newer"))
        }
        error => Found::bad("does not say its version", error.to_string()),
    }
}

/// Whether an engine has room for a cluster.
pub(super) enum Room {
    /// Not for one node.
    TooSmall(Found),
    /// For one at least.
    Enough(Found),
}

/// The engine, and whether it has room for a cluster.
pub(super) async fn engine(maker: &dyn Maker, needs: Needs) -> (Found, Option<Room>) {
    let names = maker.engines();
    match engine::first_that_answers(names).await {
        Ok(engine) => {
            let room = room(&engine, needs);
            (Found::Good(format!("{} answers", engine.name)), room)
        }
        Err(seen) if seen.is_empty() => {
            let none = match names {
                [only] => format!("no {only}"),
                _ => format!("none of {}", names.join(", ")),
            };
            (Found::bad(none, "install one and start it"), None)
        }
        Err(seen) => {
            let seen: Vec<String> = seen.iter().map(ToString::to_string).collect();
            let seen = seen.join("\n");
            // What is known of the failure says what to do already.
            let advice = if seen.contains("\nnext: ") {
                "then ask the doctor again"
            } else {
                "start it, and see that this user may use it"
            };
            (Found::bad(seen, advice), None)
        }
    }
}

/// Whether an engine has the processors and the memory that a cluster needs, where it tells. It has
/// to have room for one node, or that is refused; several may have less than their limits add up to.
fn room(engine: &Engine, needs: Needs) -> Option<Room> {
    let (processors, memory) = engine.size?;
    let memory = memory / MEBIBYTE;
    let seen = format!("{processors} processors and {memory} MiB");
    let Needs {
        nodes, node_memory, ..
    } = needs;
    if processors < needs.processors || memory < node_memory {
        let wanted = format!("{} processors and {node_memory} MiB", needs.processors);
        return Some(Room::TooSmall(Found::bad(
            format!("{seen}, but one node needs {wanted}"),
            "give the engine more, or ask for a smaller cluster",
        )));
    }
    let all = needs.memory();
    Some(Room::Enough(if memory < all {
        Found::bad(
            format!("{seen}, while {nodes} nodes may use {all} MiB"),
            "pods may be killed for want of memory; ask for fewer nodes with --nodes, or give the \
             engine more",
        )
    } else {
        Found::Good(format!("{seen}; {nodes} nodes may use {all} MiB"))
    }))
}

/// Whether the labs' images can be pulled, as far as that can be tried from here: the nodes pull by
/// ways of their own.
pub(super) async fn pulled_images() -> Found {
    let Ok(docker) = Tool::find("docker", "", Arc::new(|_| {})) else {
        let text = "the nodes pull them when pods start, which is not tried without docker";
        return Found::Good(text.to_owned());
    };
    let names = [SampleService::User, SampleService::Payment].map(SampleService::image);
    let ask = |image| {
        let docker = &docker;
        async move { docker.ask(&["manifest", "inspect", image]).await }
    };
    let found = names.map(ask);
    match futures::future::try_join_all(found).await {
        Ok(_) => Found::Good(format!("{} can be pulled", names.join(" and "))),
        Err(error) => {
            let seen = match error {
                // What is advised where a cluster is made is of no use here.
                ToolError::Failed { command, last, .. } => format!("{command}:\n{last}"),
                error => error.to_string(),
            };
            let advice = "go online, or leave --images pull out, so that they are loaded; nodes \
                          with a mirror of their own need neither";
            Found::bad(seen, advice)
        }
    }
}

/// Whether there are images of the labs to load into the cluster.
pub(super) fn loaded_images(args: &ProviderArgs) -> Found {
    match args.images.that_is_there() {
        Ok(Some(path)) => return Found::Good(format!("loaded from {}", path.display())),
        Ok(None) => {}
        Err(error) => return Found::bad("no archive", error.to_string()),
    }
    let program = std::env::current_exe().map_err(anyhow::Error::new);
    match program.and_then(|program| Ok(images::check(&program)?)) {
        Ok(()) => Found::Good("made from this program and loaded".to_owned()),
        Err(error) => Found::bad(
            "there are none to load",
            format!("{error}; or let the nodes pull them: --images pull"),
        ),
    }
}

/// What earlier runs left or kept; `None` where that is not known.
pub(super) fn leftovers() -> Option<Found> {
    let listed = ledger().ok()?.list().ok()?;
    let of = |state| {
        let of_state = listed.iter().filter(move |listed| listed.state == state);
        of_state.map(name).collect::<Vec<_>>()
    };
    let (left, kept) = (of(State::Left), of(State::Kept));
    if !left.is_empty() {
        return Some(Found::bad(
            left.join(", "),
            "left by runs that were killed; remove it with: rollout-lab clean",
        ));
    }
    Some(Found::Good(if kept.is_empty() {
        "none".to_owned()
    } else {
        format!("none; kept on purpose: {}", kept.join(", "))
    }))
}

fn name(listed: &Listed) -> String {
    format!("{} ({})", listed.entry.name, listed.entry.provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_needs_room_for_one_node_and_had_better_have_it_for_all() {
        let needs = Needs {
            nodes: 3,
            processors: 2,
            node_memory: 8192,
        };
        let room = |size| {
            let engine = Engine {
                name: "docker",
                size,
            };
            match room(&engine, needs)? {
                Room::TooSmall(Found::Bad { seen, .. }) => Some(("too small", seen)),
                Room::Enough(Found::Bad { seen, .. }) => Some(("tight", seen)),
                Room::TooSmall(Found::Good(seen)) | Room::Enough(Found::Good(seen)) => {
                    Some(("enough", seen))
                }
            }
        };
        let small = "4 processors and 4096 MiB, but one node needs 2 processors and 8192 MiB";
        let tight = "4 processors and 16384 MiB, while 3 nodes may use 24576 MiB";
        let large = "4 processors and 32768 MiB; 3 nodes may use 24576 MiB";
        for (gibibytes, verdict, seen) in [
            (4, "too small", small),
            (16, "tight", tight),
            (32, "enough", large),
        ] {
            let found = room(Some((4, gibibytes << 30))).unwrap();
            assert_eq!(found, (verdict, seen.to_owned()));
        }
        assert_eq!(room(Some((1, 32 << 30))).unwrap().0, "too small");
        assert_eq!(room(None), None);
    }
}
