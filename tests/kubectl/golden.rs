//! Golden files that are ours to rewrite.

use std::path::{Path, PathBuf};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kubectl")
}

/// Compares a text with a golden file, or writes the file where `UPDATE_GOLDEN` is set.
#[track_caller]
pub(crate) fn assert_golden(name: &str, text: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| !value.is_empty()) {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_same(name, &golden, text);
}

/// Compares two texts line by line and shows where they part.
#[track_caller]
pub(crate) fn assert_same(what: &str, expected: &str, found: &str) {
    if expected == found {
        return;
    }
    let same = expected
        .lines()
        .zip(found.lines())
        .take_while(|(expected, found)| expected == found)
        .count();
    panic!(
        "{what} differs from line {} on (UPDATE_GOLDEN=1 rewrites what is ours)\n\
         --- expected\n{expected}\n--- found\n{found}",
        same + 1
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "what differs from line 2 on")]
    fn texts_that_differ_are_shown() {
        assert_same("what", "a\nb\n", "a\nc\n");
    }
}
