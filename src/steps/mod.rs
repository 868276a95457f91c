//! The sentences of feature files.
//!
//! One table holds them all: English, Japanese, what each means, and the one call into the lab
//! that it makes. The table is what matches a step, what `rollout-lab steps` prints, and what
//! suggests the nearest sentence for one that is not known. Both languages run the same function.

mod given;
mod sentence;
mod then;
mod when;
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use cucumber::step;
use futures::future::{FutureExt as _, LocalBoxFuture};
use gherkin::Step;
use regex::Regex;

pub use sentence::{Keyword, Run, Sentence, Words};
pub use world::{Scene, World};

use crate::history::Entry;
use crate::history::record::{Ending, Step as StepRecord};

/// All sentences, in the order in which a scenario uses them.
#[must_use]
pub fn sentences() -> &'static [Sentence] {
    static SENTENCES: LazyLock<Vec<Sentence>> =
        LazyLock::new(|| [given::sentences(), when::sentences(), then::sentences()].concat());
    &SENTENCES
}

/// Why a step failed, over as many lines as it needs.
#[derive(Debug)]
pub struct StepError(pub String);

impl<E: std::error::Error> From<E> for StepError {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self(text)
    }
}

/// The sentence that a step is, with its words.
#[must_use]
pub fn find(text: &str) -> Option<(&'static Sentence, Words)> {
    sentences()
        .iter()
        .find_map(|sentence| Some((sentence, sentence.read(text)?)))
}

/// The manifest files that a step names, in its sentence or in its table.
#[must_use]
pub fn manifests(step: &Step) -> Vec<String> {
    let Some((sentence, words)) = find(&step.value) else {
        return Vec::new();
    };
    let named = words.text("file");
    if !named.is_empty() {
        return vec![named.to_owned()];
    }
    let rows = step
        .table
        .iter()
        .filter(|_| sentence.lists_files())
        .flat_map(|table| &table.rows);
    rows.filter_map(|row| row.first().cloned()).collect()
}

/// The sentence that is most like an unknown step.
#[must_use]
pub fn nearest(text: &str) -> &'static str {
    let all = sentences()
        .iter()
        .flat_map(|sentence| [sentence.en, sentence.ja]);
    let likeness = |sentence: &&str| {
        let (sentence, text) = (
            sentence::without_words(sentence),
            sentence::without_words(text),
        );
        // Thousandths, because floats have no order.
        #[expect(clippy::cast_possible_truncation, reason = "a number from 0 to 1000")]
        let thousandths = (strsim::normalized_levenshtein(&sentence, &text) * 1000.0) as i64;
        thousandths
    };
    all.max_by_key(likeness).unwrap_or_default()
}

/// The step collection for cucumber: one step that takes every sentence of every keyword.
///
/// Matching, time limits, records and undefined steps are then in one place, and a sentence may
/// follow any keyword.
#[must_use]
pub fn collection() -> step::Collection<World> {
    static ANYTHING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^.*$").ok());
    match &*ANYTHING {
        Some(anything) => step::Collection::new()
            .given(None, anything.clone(), dispatch)
            .when(None, anything.clone(), dispatch)
            .then(None, anything.clone(), dispatch),
        None => step::Collection::new(),
    }
}

fn dispatch(world: &mut World, context: step::Context) -> LocalBoxFuture<'_, ()> {
    async move {
        if let Err(StepError(why)) = run(world, &context.step).await {
            // A panic is how cucumber is told of a failure; its text is in the history.
            std::panic::panic_any(why);
        }
    }
    .boxed_local()
}

/// Runs a step under the scenario's limits, and tells the history how it went.
async fn run(world: &mut World, step: &Step) -> Result<(), StepError> {
    let history = world.history()?;
    history.append(Entry::Step(StepRecord {
        keyword: step.keyword.trim().to_owned(),
        text: told(step),
        line: step.position.line,
    }));
    let (cancel, limit) = world.limits()?;
    let body = async {
        let Some((sentence, mut words)) = find(&step.value) else {
            return Err(StepError(unknown(&step.value)));
        };
        words.rows = step
            .table
            .clone()
            .map(|table| table.rows)
            .unwrap_or_default();
        (sentence.run)(world, &words).await
    };
    let guarded = AssertUnwindSafe(body).catch_unwind();
    let (ending, result) = tokio::select! {
        () = cancel.cancelled() => (Ending::Interrupted, Err(StepError("interrupted".to_owned()))),
        finished = tokio::time::timeout(limit, guarded) => {
            let result = match finished {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => Err(StepError(format!("panicked: {}", message(&*panic)))),
                Err(_) => Err(StepError(format!(
                    "the step took longer than its limit of {} s; --step-limit sets another",
                    limit.as_secs_f64()
                ))),
            };
            let ending = match &result {
                Ok(()) => Ending::Passed,
                Err(StepError(why)) => Ending::Failed { why: why.clone() },
            };
            (ending, result)
        }
    };
    history.append(Entry::StepEnded(ending));
    result
}

/// A step in one line, with what its table lists.
fn told(step: &Step) -> String {
    let rows = step.table.iter().flat_map(|table| &table.rows);
    let rows: Vec<String> = rows.map(|row| row.join(" ")).collect();
    if rows.is_empty() {
        return step.value.clone();
    }
    format!("{} {}", step.value, rows.join(", "))
}

/// What to say of a step that is no sentence.
#[must_use]
pub fn unknown(text: &str) -> String {
    format!(
        "no sentence reads \"{text}\"; the nearest is \"{}\" (rollout-lab steps lists all)",
        nearest(text)
    )
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_the_sentence_that_it_is_an_example_of() {
        for sentence in sentences() {
            for example in [sentence.example_en, sentence.example_ja] {
                let matching: Vec<&str> = sentences()
                    .iter()
                    .filter(|other| other.read(example).is_some())
                    .map(|other| other.en)
                    .collect();
                assert_eq!(matching, [sentence.en], "{example}");
            }
        }
    }

    #[test]
    fn both_languages_of_a_sentence_have_the_same_words() {
        for sentence in sentences() {
            let read = |example| {
                let mut words = sentence.read(example).unwrap().words;
                words.sort();
                words
            };
            assert_eq!(
                read(sentence.example_en),
                read(sentence.example_ja),
                "the examples of \"{}\" differ",
                sentence.en
            );
        }
    }

    #[test]
    fn an_unknown_step_is_led_to_the_nearest() {
        assert_eq!(nearest("I aply \"x.yaml\""), "I apply {file}");
        assert_eq!(nearest("\"x.yaml\" を適用"), "{file} を適用する");
    }
}
