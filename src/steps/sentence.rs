//! A sentence: a pattern in two languages, and what it does.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use futures::future::LocalBoxFuture;
use regex::Regex;

use super::{StepError, World};
use crate::criteria::Cause;

/// What stands for each name in braces.
const WORDS: [(&str, &str); 15] = [
    ("namespace", TEXT),
    ("file", TEXT),
    ("deployment", TEXT),
    ("service", TEXT),
    ("version", TEXT),
    ("criterion", TEXT),
    ("cause", TEXT),
    ("port", COUNT),
    ("count", COUNT),
    ("surge", COUNT),
    ("unavailable", COUNT),
    ("revision", COUNT),
    ("rate", NUMBER),
    ("pace", NUMBER),
    ("seconds", NUMBER),
];
const TEXT: &str = r#"["「]([^"」]*)["」]"#;
const COUNT: &str = r"(\d+)";
const NUMBER: &str = r"(\d+(?:\.\d+)?)";

/// Where a sentence stands in a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// What holds before.
    Given,
    /// What is done.
    When,
    /// What must hold then.
    Then,
}

/// What a sentence does.
pub type Run = for<'a> fn(&'a mut World, &'a Words) -> LocalBoxFuture<'a, Result<(), StepError>>;

/// A sentence of the vocabulary.
#[derive(Clone, Copy)]
pub struct Sentence {
    /// Where it stands.
    pub keyword: Keyword,
    /// The English pattern.
    pub en: &'static str,
    /// The Japanese pattern.
    pub ja: &'static str,
    /// An English example.
    pub example_en: &'static str,
    /// A Japanese example, with the same words.
    pub example_ja: &'static str,
    /// What it means, in English.
    pub about_en: &'static str,
    /// What it means, in Japanese.
    pub about_ja: &'static str,
    /// What it does.
    pub run: Run,
}

impl Sentence {
    /// Whether a table of manifest files follows: such a sentence ends in a colon.
    #[must_use]
    pub fn lists_files(&self) -> bool {
        self.en.ends_with(':')
    }

    /// The words of a text that is this sentence in one of its languages.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Words> {
        [self.en, self.ja].into_iter().find_map(|pattern| {
            let (regex, names) = compiled(pattern)?;
            let captures = regex.captures(text)?;
            let words = names
                .into_iter()
                .zip(captures.iter().skip(1).flatten())
                .map(|(name, word)| (name, word.as_str().to_owned()))
                .collect();
            Some(Words {
                words,
                rows: Vec::new(),
            })
        })
    }
}

/// The words that a step has where its sentence has names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Names and words.
    pub words: Vec<(&'static str, String)>,
    /// The rows of the step's table.
    pub rows: Vec<Vec<String>>,
}

impl Words {
    /// The word of a name; empty where the sentence has no such name.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.words
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, word)| word.as_str())
            .unwrap_or_default()
    }

    /// The word of a name as a number.
    ///
    /// # Errors
    /// The number is too large for its type.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<N, StepError> {
        let word = self.text(name);
        word.parse()
            .map_err(|_| StepError(format!("{word} is out of range for {name}")))
    }

    /// The word of `cause`.
    ///
    /// # Errors
    /// There is no such cause.
    pub fn cause(&self) -> Result<Cause, StepError> {
        self.text("cause").parse().map_err(StepError)
    }
}

/// A pattern as a regular expression, with the names of its groups.
fn compiled(pattern: &'static str) -> Option<(Regex, Vec<&'static str>)> {
    type Compiled = HashMap<&'static str, Option<(Regex, Vec<&'static str>)>>;
    static CACHE: LazyLock<Mutex<Compiled>> = LazyLock::new(Mutex::default);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    cache
        .entry(pattern)
        .or_insert_with(|| compile(pattern))
        .clone()
}

fn compile(pattern: &'static str) -> Option<(Regex, Vec<&'static str>)> {
    let mut expression = String::from("^");
    let mut names = Vec::new();
    let mut rest = pattern;
    while let Some((literal, tail)) = rest.split_once('{') {
        let (name, after) = tail.split_once('}')?;
        let (name, word) = WORDS.iter().find(|(known, _)| *known == name)?;
        expression.push_str(&regex::escape(literal));
        expression.push_str(word);
        names.push(*name);
        rest = after;
    }
    expression.push_str(&regex::escape(rest));
    expression.push('$');
    Some((Regex::new(&expression).ok()?, names))
}

/// A text with all names, quoted words and numbers taken out, for comparing what is left.
pub(super) fn without_words(text: &str) -> String {
    static WORD: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"\{\w+\}|["「][^"」]*["」]|\d+(\.\d+)?"#).ok());
    match &*WORD {
        Some(word) => word.replace_all(text, "…").into_owned(),
        None => text.to_owned(),
    }
}
