//! What came of judging a criterion.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::phrase::{Language, Phrase};
use crate::history::Stamp;
use crate::history::criterion::{Asked, Expected};

/// How a criterion was judged. They merge by maximum: one failure fails the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It holds.
    Pass,
    /// It could not be judged.
    Unknown,
    /// It does not hold.
    Fail,
}

/// A judged criterion with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was asked.
    pub asked: Asked,
    /// When it was asked.
    pub at: Stamp,
    /// How it was judged.
    pub status: Status,
    /// What the criterion wants.
    pub wanted: Phrase,
    /// What was seen.
    pub seen: Phrase,
    /// The object that a failure is about.
    pub object: Option<String>,
    /// The likely cause of a failure.
    pub cause: Option<Cause>,
    /// Whether waiting longer is no use: nothing that comes will make it hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_final: bool,
    /// What was observed, and when.
    pub evidence: Vec<Evidence>,
    /// Events of Kubernetes that explain a failure.
    pub events: Vec<Evidence>,
    /// Measured figures; durations in seconds.
    pub figures: BTreeMap<String, f64>,
}

/// An observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// When it was made; `None` for what holds of a whole window.
    pub at: Option<Stamp>,
    /// What was observed.
    pub text: Phrase,
}

impl Verdict {
    /// Whether the verdict is what the sentence expects; a seeded fault must be found.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        match self.asked.expected {
            Expected::Holds => self.status == Status::Pass,
            Expected::Fails => self.status == Status::Fail,
        }
    }

    /// The verdict in a few lines: what was wanted, what was seen, and the details.
    #[must_use]
    pub fn explanation(&self, language: Language) -> String {
        let name = self.asked.criterion.name();
        let mut lines = vec![format!("{name}: {}", self.wanted.in_language(language))];
        let seen = Phrase::new("seen", "観測");
        lines.push(format!(
            "  {}: {}",
            seen.in_language(language),
            self.seen.in_language(language)
        ));
        let details = self.details(language).into_iter();
        lines.extend(details.map(|line| format!("  {line}")));
        lines.join("\n")
    }

    /// On which object it failed, the events that explain it, and what to do about it, a line each.
    #[must_use]
    pub fn details(&self, language: Language) -> Vec<String> {
        let line = |en: &str, ja: &str, text: &str| {
            let label = Phrase::new(en, ja);
            format!("{}: {text}", label.in_language(language))
        };
        let mut lines = Vec::new();
        if let Some(object) = &self.object {
            lines.push(line("object", "対象", object));
        }
        for event in &self.events {
            lines.push(line("event", "イベント", event.text.in_language(language)));
        }
        if let Some(cause) = self.cause {
            let hint = cause.hint();
            let text = format!("{} ({})", hint.in_language(language), cause.name());
            lines.push(line("hint", "ヒント", &text));
        }
        lines
    }

    /// How the verdict counts for the run: a fault that was found is a pass, one that was missed a
    /// failure.
    #[must_use]
    pub fn outcome(&self) -> Status {
        match (self.asked.expected, self.status) {
            (Expected::Fails, Status::Fail) => Status::Pass,
            (Expected::Fails, Status::Pass) => Status::Fail,
            (_, status) => status,
        }
    }
}

/// A verdict in the making: what a criterion's own file has found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) status: Status,
    pub(super) wanted: Phrase,
    pub(super) seen: Phrase,
    pub(super) object: Option<String>,
    pub(super) cause: Option<Cause>,
    pub(super) is_final: bool,
    pub(super) evidence: Vec<Evidence>,
    pub(super) events: Vec<Evidence>,
    pub(super) figures: BTreeMap<String, f64>,
}

impl Finding {
    /// Nothing is known yet about what is wanted.
    pub(super) fn new(wanted: Phrase) -> Self {
        Self {
            status: Status::Unknown,
            wanted,
            seen: Phrase::default(),
            object: None,
            cause: None,
            is_final: false,
            evidence: Vec::new(),
            events: Vec::new(),
            figures: BTreeMap::new(),
        }
    }

    pub(super) fn pass(mut self, seen: Phrase) -> Self {
        self.status = Status::Pass;
        self.seen = seen;
        self
    }

    pub(super) fn unknown(mut self, seen: Phrase) -> Self {
        self.status = Status::Unknown;
        self.seen = seen;
        self
    }

    pub(super) fn fail(mut self, object: impl Into<String>, seen: Phrase) -> Self {
        self.status = Status::Fail;
        self.object = Some(object.into());
        self.seen = seen;
        self
    }

    pub(super) fn because(mut self, cause: impl Into<Option<Cause>>) -> Self {
        self.cause = cause.into();
        self.is_final |= self.cause.is_some_and(Cause::is_hopeless);
        self
    }

    /// Nothing that comes will make it hold.
    pub(super) fn for_good(mut self) -> Self {
        self.is_final = true;
        self
    }

    pub(super) fn observe(&mut self, at: impl Into<Option<Stamp>>, text: Phrase) {
        self.evidence.push(Evidence {
            at: at.into(),
            text,
        });
    }

    pub(super) fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    /// A count as a figure.
    pub(super) fn count(&mut self, name: &str, count: usize) {
        // What no counter reaches is still a number.
        self.figure(name, f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    pub(super) fn explain(mut self, events: Vec<Evidence>) -> Self {
        self.events = events;
        self
    }

    pub(super) fn into_verdict(self, asked: Asked, at: Stamp) -> Verdict {
        Verdict {
            asked,
            at,
            status: self.status,
            wanted: self.wanted,
            seen: self.seen,
            object: self.object,
            cause: self.cause,
            is_final: self.is_final,
            evidence: self.evidence,
            events: self.events,
            figures: self.figures,
        }
    }
}

#[cfg(test)]
mod tests;
