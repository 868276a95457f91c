//! What a test drives and a machine may lack: `ROLLOUT_LAB_REQUIRE` says, in words with commas
//! between them, what must be there. A test that lacks anything else says so and passes.

use std::io::Write as _;

/// Whether `ROLLOUT_LAB_REQUIRE` has a word.
pub(crate) fn is_demanded(word: &str) -> bool {
    has(
        &std::env::var("ROLLOUT_LAB_REQUIRE").unwrap_or_default(),
        word,
    )
}

fn has(words: &str, word: &str) -> bool {
    words.split(',').any(|one| one.trim() == word)
}

/// What was found; otherwise the test says why it cannot run, which is a failure where it is
/// demanded.
#[track_caller]
pub(crate) fn or_not_run<T>(test: &str, is_demanded: bool, found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) => {
            assert!(!is_demanded, "{why}");
            // The harness shows nothing that a passing test prints; this it does not catch.
            let _ = writeln!(std::io::stderr(), "\nNOT RUN: {test}: {why}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_demanded_among_others_and_only_as_a_whole() {
        assert!(has("kubectl, engine", "engine"));
        assert!(has("engine", "engine"));
        assert!(!has("engines", "engine"));
        assert!(!has("", "engine"));
    }

    #[test]
    fn what_is_there_is_handed_on() {
        assert_eq!(or_not_run("a test", true, Ok(1)), Some(1));
    }

    #[test]
    #[should_panic(expected = "it is missing")]
    fn what_is_demanded_and_missing_fails() {
        or_not_run("a test", true, Err::<(), _>("it is missing".to_owned()));
    }
}
