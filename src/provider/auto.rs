//! Which tool to make a cluster with, where nobody says.

use std::sync::Arc;

use super::engine;
use super::made::{Maker, makers, tool_version};
use super::tool::ToolError;

/// What was found, and why.
pub struct Found {
    /// The tool; `None` where only the embedded cluster can run.
    pub maker: Option<Arc<dyn Maker>>,
    /// The reason, in one line.
    pub why: String,
}

/// Looks for the first tool that is new enough and whose engine answers.
pub async fn find() -> Found {
    let mut reasons = Vec::new();
    for maker in makers() {
        match able(&*maker).await {
            Ok(why) => {
                return Found {
                    maker: Some(maker),
                    why,
                };
            }
            Err(why) => reasons.push(why),
        }
    }
    Found {
        maker: None,
        why: reasons.join("; "),
    }
}

/// Why a tool can or cannot make a cluster here.
async fn able(maker: &dyn Maker) -> Result<String, String> {
    let name = maker.name();
    let version = tool_version(maker).await.map_err(|error| match error {
        ToolError::Missing { .. } => format!("{name} is not on PATH"),
        ToolError::TooOld { found, needed, .. } => {
            format!("{name} {found} is older than {needed}")
        }
        _ => format!("{name} does not tell its version"),
    })?;
    match engine::first_that_answers(maker.engines()).await {
        Ok(engine) => Ok(format!("{name} {version} and {} answer", engine.name)),
        Err(_) => Err(format!(
            "{name} is there, but none of its engines answers ({})",
            maker.engines().join(", ")
        )),
    }
}
