//! A cluster of a tool's while something is made of it or it is taken away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum as _;

use super::LOADING;
use super::maker::Maker;
use crate::app::SampleService;
use crate::provider::ledger::{Claim, Entry, Extent};
use crate::provider::progress::Progress;
use crate::provider::tool::{Tool, ToolError};
use crate::provider::version::version_in;
use crate::provider::{ProviderError, chain};

/// How long the removal of a cluster may take.
const REMOVAL: Duration = Duration::from_secs(3 * 60);

/// Finds the program of a tool. What it prints is handed on.
pub(super) fn find(maker: &dyn Maker, progress: &Progress) -> Result<Tool, ToolError> {
    let progress = progress.clone();
    let told = Arc::new(move |line: &str| progress.line(line));
    let tool = Tool::find(maker.name(), maker.install(), told)?;
    let environment = maker.environment().iter();
    Ok(environment.fold(tool, |tool, (variable, value)| tool.with(variable, value)))
}

/// The version of a tool, as it writes it, if that is new enough.
pub(super) async fn version(maker: &dyn Maker, tool: &Tool) -> Result<String, ToolError> {
    let printed = tool.ask(&["version"]).await?;
    let Some((found, version)) = version_in(&printed) else {
        return Err(tool.unreadable(&["version"], "there is no version in it", &printed));
    };
    if version < maker.oldest() {
        return Err(ToolError::TooOld {
            name: maker.name(),
            found,
            needed: maker.oldest(),
            install: maker.install(),
        });
    }
    Ok(found)
}

/// The names of the clusters that a tool has.
pub(super) async fn names(maker: &dyn Maker, tool: &Tool) -> Result<Vec<String>, ToolError> {
    read(tool, maker.list(), |printed| maker.names(printed)).await
}

/// What of a cluster does not run, where the tool tells.
pub(super) async fn stopped(
    maker: &dyn Maker,
    tool: &Tool,
    name: &str,
) -> Result<Option<String>, ToolError> {
    match maker.status(name) {
        Some(question) => read(tool, &question, |printed| maker.stopped(printed)).await,
        None => Ok(None),
    }
}

/// Asks and reads the answer. A tool may fail and answer all the same, such as that there is
/// nothing.
async fn read<T>(
    tool: &Tool,
    question: &[impl AsRef<str>],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, ToolError> {
    let (printed, failure) = match tool.ask(question).await {
        Ok(printed) => (printed, None),
        Err(ToolError::Failed {
            command,
            code,
            last,
            printed,
        }) if !printed.trim().is_empty() => {
            let failure = ToolError::Failed {
                command,
                code,
                last,
                printed: String::new(),
            };
            (printed, Some(failure))
        }
        Err(error) => return Err(error),
    };
    read(&printed).map_err(|why| {
        let unreadable = || tool.unreadable(question, &why, &printed);
        failure.unwrap_or_else(unreadable)
    })
}

/// A cluster with its place in the ledger.
pub(crate) struct Site {
    maker: Arc<dyn Maker>,
    tool: Tool,
    claim: Claim,
    progress: Progress,
}

impl Site {
    pub(super) fn new(
        maker: Arc<dyn Maker>,
        tool: &Tool,
        claim: Claim,
        progress: Progress,
    ) -> Self {
        let (hears, steps) = (progress.clone(), maker.clone());
        let told = Arc::new(move |line: &str| {
            if let Some(step) = steps.step(line) {
                hears.phase(step);
            }
            hears.line(line);
        });
        let kubeconfig = claim.folder().join("kubeconfig");
        let tool = tool.clone().telling(told).with("KUBECONFIG", kubeconfig);
        Self {
            maker,
            tool,
            claim,
            progress,
        }
    }

    /// A cluster that the ledger lists.
    ///
    /// # Errors
    /// The tool is not there any more.
    pub(crate) fn of_claim(
        maker: Arc<dyn Maker>,
        claim: Claim,
        progress: Progress,
    ) -> Result<Self, ToolError> {
        let tool = find(&*maker, &progress)?;
        Ok(Self::new(maker, &tool, claim, progress))
    }

    pub(super) fn tool(&self) -> &Tool {
        &self.tool
    }

    pub(super) fn entry(&self) -> &Entry {
        self.claim.entry()
    }

    pub(super) fn extent(&self) -> Extent {
        self.entry().extent
    }

    pub(super) fn folder(&self) -> &Path {
        self.claim.folder()
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    /// Has the kubeconfig written, if making the cluster did not do it.
    pub(super) async fn export(&self) -> Result<(), ToolError> {
        let kubeconfig = self.kubeconfig();
        if kubeconfig.exists() {
            return Ok(());
        }
        let arguments = self.maker.export(&self.entry().name, &kubeconfig);
        self.tool.ask(&arguments).await.map(drop)
    }

    /// Loads images, and makes sure that they are there where the tool would not tell.
    pub(super) async fn load(&self, archive: &Path) -> Result<(), ProviderError> {
        let Entry { provider, name, .. } = self.entry();
        let what = format!(
            "load {} into the {provider} cluster {name}",
            archive.display()
        );
        let failed = |source| ProviderError::Tool {
            what: what.clone(),
            source,
        };
        let arguments = self.maker.load(name, archive);
        self.tool.work(&arguments, LOADING).await.map_err(failed)?;
        if let Some(question) = self.maker.images(name) {
            let printed = self.tool.ask(&question).await.map_err(failed)?;
            if let Some(missing) = SampleService::value_variants()
                .iter()
                .map(|service| service.image())
                .find(|image| !printed.contains(image))
            {
                return Err(ProviderError::NotLoaded {
                    archive: archive.to_owned(),
                    provider: self.maker.name(),
                    name: name.clone(),
                    image: missing,
                    command: self.tool.command(&arguments),
                });
            }
        }
        Ok(())
    }

    /// Lets it stay.
    pub(super) fn keep(&mut self) -> Result<(), ProviderError> {
        Ok(self.claim.keep()?)
    }

    /// Removes what was made, and strikes it out once it is gone. What cannot be removed stays in
    /// the ledger, and is told.
    pub(crate) async fn remove(mut self) -> bool {
        let Entry { provider, name, .. } = self.entry().clone();
        if self.extent() == Extent::Cluster {
            if self.entry().kept
                && let Err(error) = self.claim.let_go()
            {
                self.progress.trouble(&chain(&error));
            }
            self.progress.phase(&format!("removing the cluster {name}"));
            if let Err(why) = self.delete(&name).await {
                self.progress.trouble(&format!(
                    "could not remove the {provider} cluster {name}: {why}\nwhen that is put right: \
                     rollout-lab clean"
                ));
                return false;
            }
        }
        match self.claim.release() {
            Ok(()) => true,
            Err(error) => {
                self.progress.trouble(&chain(&error));
                false
            }
        }
    }

    /// Deletes the cluster and sees that it is gone: some tools say that all is well when the engine
    /// does not answer.
    async fn delete(&self, name: &str) -> Result<(), String> {
        let arguments = self.maker.delete(name);
        let deleted = self.tool.work(&arguments, REMOVAL).await;
        deleted.map_err(|error| error.to_string())?;
        let left = names(&*self.maker, &self.tool).await;
        let left = left.map_err(|error| error.to_string())?;
        if left.iter().any(|other| other == name) {
            let command = self.tool.command(&arguments);
            return Err(format!("it is still there after {command}"));
        }
        Ok(())
    }
}
