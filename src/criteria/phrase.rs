//! A sentence in both languages of the labs.

use serde::{Deserialize, Serialize};

use crate::history::record::FailureClass;

/// The same sentence in English and in Japanese.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phrase {
    /// English.
    pub en: String,
    /// Japanese.
    pub ja: String,
}

/// The languages that reports are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

impl Phrase {
    /// A phrase of two sentences.
    pub fn new(en: impl Into<String>, ja: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            ja: ja.into(),
        }
    }

    /// A text that is the same in both languages: a name, a figure, a message of Kubernetes.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            ja: text.clone(),
            en: text,
        }
    }

    /// The way in which a request failed.
    pub(super) fn of_class(class: FailureClass) -> Self {
        let (en, ja) = match class {
            FailureClass::Refused => ("connection refused", "接続拒否"),
            FailureClass::Reset => ("connection broken", "接続の切断"),
            FailureClass::Timeout => ("no answer in time", "時間切れ"),
            FailureClass::NoRoute => ("no route", "経路なし"),
            FailureClass::Http => ("HTTP status other than 200", "200 以外の HTTP ステータス"),
            FailureClass::BadBody => ("unreadable body", "読めない本文"),
        };
        Self::new(en, ja)
    }

    /// The sentence in a language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Japanese => &self.ja,
        }
    }
}

impl Language {
    /// The language of a feature, by Gherkin's name for it.
    #[must_use]
    pub fn of_feature(name: &str) -> Self {
        if name == "ja" {
            Self::Japanese
        } else {
            Self::English
        }
    }
}
