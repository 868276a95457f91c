//! Container engines: whether one answers, and how large a machine it has.

use std::sync::Arc;

use super::tool::{Tool, ToolError};

/// An engine that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// The name of its program.
    pub name: &'static str,
    /// The processors and the bytes of memory that its containers can have, where it tells.
    pub size: Option<(u64, u64)>,
}

/// Looks for the first of some engines that answers.
///
/// # Errors
/// What those say that are installed; nothing, where none is.
pub async fn first_that_answers(names: &[&'static str]) -> Result<Engine, Vec<ToolError>> {
    let mut seen = Vec::new();
    for &name in names {
        match ask(name).await {
            Ok(engine) => return Ok(engine),
            Err(ToolError::Missing { .. }) => {}
            Err(error) => seen.push(error),
        }
    }
    Err(seen)
}

async fn ask(name: &'static str) -> Result<Engine, ToolError> {
    let fields = if name == "podman" {
        "{{.Host.CPUs}} {{.Host.MemTotal}}"
    } else {
        "{{.NCPU}} {{.MemTotal}}"
    };
    let tool = Tool::find(name, "", Arc::new(|_| {}))?;
    let printed = tool.ask(&["info", "--format", fields]).await?;
    Ok(Engine {
        name,
        size: size_in(&printed),
    })
}

fn size_in(printed: &str) -> Option<(u64, u64)> {
    let (processors, memory) = printed.trim().split_once(' ')?;
    Some((processors.parse().ok()?, memory.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_numbers_or_not_told() {
        assert_eq!(size_in("8 16384000000\n"), Some((8, 16_384_000_000)));
        for text in ["", "8", "<no value> <no value>", "many GB"] {
            assert_eq!(size_in(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_no_failure_of_its_own() {
        let none = first_that_answers(&["no-such-engine"]).await;
        assert!(none.unwrap_err().is_empty());
    }
}
