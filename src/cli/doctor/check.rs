//! One thing that the doctor looks at.

use std::fmt;

use console::style;

/// One thing that was looked at.
pub(super) struct Check {
    pub(super) what: String,
    /// Whether the provider cannot do without it.
    pub(super) is_needed: bool,
    pub(super) found: Found,
}

/// What was found.
pub(super) enum Found {
    Good(String),
    Bad { seen: String, advice: String },
}

impl Found {
    pub(super) fn bad(seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Bad {
            seen: seen.into(),
            advice: advice.into(),
        }
    }
}

impl Check {
    pub(super) fn is_in_the_way(&self) -> bool {
        self.is_needed && matches!(self.found, Found::Bad { .. })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
