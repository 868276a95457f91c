//! Which of the clusters that were made here is meant.

use anyhow::anyhow;
use clap::builder::TypedValueParser as _;
use clap::{Args, value_parser};

use crate::cli::Failure;
use crate::cli::provider::{ProviderName, ledger};
use crate::provider::ledger::{Extent, Listed};

/// What is said of the one that is meant.
#[derive(Debug, Args)]
pub(in crate::cli) struct Which {
    /// Name of the cluster [default: the only one that there is]
    pub(in crate::cli) name: Option<String>,
    /// Only clusters of this provider [default: of any]
    #[arg(long, value_parser = value_parser!(ProviderName).try_map(made_here))]
    pub(in crate::cli) provider: Option<ProviderName>,
}

impl Which {
    /// The clusters of its provider.
    pub(in crate::cli) fn of_provider(&self) -> Result<Vec<Listed>, Failure> {
        let listed = ledger()?.list();
        let mut listed = listed.map_err(Failure::failed)?;
        let provider = self.provider();
        listed.retain(|Listed { entry, .. }| {
            let is_of_provider = |name: &String| entry.provider == *name;
            entry.extent == Extent::Cluster && provider.as_ref().is_none_or(is_of_provider)
        });
        Ok(listed)
    }

    /// The one that is meant.
    pub(in crate::cli) fn one(&self) -> Result<Listed, Failure> {
        let all = self.of_provider()?;
        let names: Vec<String> = all.iter().map(told).collect();
        let names = names.join(", ");
        let is_meant = |listed: &Listed| {
            self.name
                .as_ref()
                .is_none_or(|name| listed.entry.name == *name)
        };
        let mut meant: Vec<Listed> = all.into_iter().filter(is_meant).collect();
        let error = match (meant.pop(), &self.name) {
            (Some(one), _) if meant.is_empty() => return Ok(one),
            (Some(_), Some(name)) => {
                anyhow!("there are several clusters {name}, so add --provider: {names}")
            }
            (Some(_), None) => anyhow!("there are several clusters, so name one: {names}"),
            (None, Some(name)) if !names.is_empty() => {
                anyhow!(
                    "no {} {name} was made here; there are: {names}",
                    self.what()
                )
            }
            (None, _) => anyhow!(
                "no {} was made here that is still there; make one with: {}",
                self.what(),
                self.way_to_make_one()
            ),
        };
        Err(Failure::usage(error))
    }

    /// The clusters that fit; an error where one is named that is not there.
    pub(super) fn all(&self) -> Result<Vec<Listed>, Failure> {
        match &self.name {
            Some(_) => Ok(vec![self.one()?]),
            None => self.of_provider(),
        }
    }

    /// What is looked for.
    pub(super) fn what(&self) -> String {
        let provider = self.provider();
        provider.map_or_else(|| "cluster".to_owned(), |name| format!("{name} cluster"))
    }

    /// The command that makes what was not found.
    pub(super) fn way_to_make_one(&self) -> String {
        let provider = self.provider().map(|name| format!(" --provider {name}"));
        format!("rollout-lab cluster up{}", provider.unwrap_or_default())
    }

    /// The word for its provider, if it is not any.
    fn provider(&self) -> Option<String> {
        let provider = self.provider.filter(|name| *name != ProviderName::Auto);
        provider.map(ProviderName::name)
    }
}

/// A context leads to a cluster that was there before.
fn made_here(provider: ProviderName) -> Result<ProviderName, &'static str> {
    match provider {
        ProviderName::Kubeconfig => Err("the cluster of a context was not made here"),
        provider => Ok(provider),
    }
}

/// A cluster among others.
fn told(listed: &Listed) -> String {
    format!("{} ({})", listed.entry.name, listed.entry.provider)
}
