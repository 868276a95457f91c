//! `rollout-lab doctor`: what this machine has of what a lab needs.

mod check;
mod looks;

use clap::Args;

use self::check::{Check, Found};
use self::looks::Room;
use super::progress::progress;
use super::provider::{Chosen, ProviderArgs};
use super::{ContextArgs, Ended};
use crate::exit::Exit;
use crate::provider::embedded;
use crate::provider::made::Needs;

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    provider: ProviderArgs,
    #[command(flatten)]
    context: ContextArgs,
}

/// What was looked at so far.
#[derive(Default)]
struct Findings(Vec<Check>);

impl Findings {
    fn needed(&mut self, what: &str, found: Found) {
        self.add(what, true, found);
    }

    fn useful(&mut self, what: &str, found: Found) {
        self.add(what, false, found);
    }

    fn add(&mut self, what: &str, is_needed: bool, found: Found) {
        self.0.push(Check {
            what: what.to_owned(),
            is_needed,
            found,
        });
    }
}

pub(super) async fn doctor(args: DoctorArgs) -> Ended {
    let provider = &args.provider;
    let chosen = provider.choose(&args.context, &progress(false)).await?;
    let mut findings = Findings::default();
    findings.useful("processors", looks::processors());
    let name = match &chosen {
        Chosen::Embedded => {
            findings.needed("node port 30000", looks::node_port(&provider.publish));
            embedded::NAME
        }
        Chosen::Kubeconfig => {
            findings.needed("cluster", looks::cluster(&args.context).await);
            "kubeconfig"
        }
        Chosen::Made(maker) => {
            findings.needed(maker.name(), looks::tool(&**maker).await);
            let needs: Needs = maker.needs(&provider.size());
            let (engine, room) = looks::engine(&**maker, needs).await;
            findings.needed("container engine", engine);
            match room {
                Some(Room::TooSmall(found)) => findings.needed("room", found),
                Some(Room::Enough(found)) => findings.useful("room", found),
                None => {}
            }
            if maker.maps_ports() {
                findings.needed("node port 30000", looks::node_port(&provider.publish));
            }
            if provider.images.are_pulled() {
                findings.useful("images", looks::pulled_images().await);
            } else {
                findings.needed("images", looks::loaded_images(provider));
            }
            maker.name()
        }
    };
    findings.useful("kubectl", looks::kubectl().await);
    if let Some(found) = looks::leftovers() {
        findings.useful("leftovers", found);
    }
    for check in &findings.0 {
        println!("{check}");
    }
    if findings.0.iter().any(Check::is_in_the_way) {
        println!("\n--provider {name} cannot run here yet");
        return Ok(Exit::NoCluster);
    }
    println!("\n--provider {name} can run here");
    Ok(Exit::Held)
}
