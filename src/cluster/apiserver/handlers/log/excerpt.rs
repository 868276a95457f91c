//! The part of a log that was asked for, as text.
//!
//! Source: `ReadLogs` of `staging/src/k8s.io/cri-client/pkg/logs/logs.go`.

use std::fmt::Write as _;

use bytes::Bytes;
use jiff::Timestamp;

use crate::cluster::apiserver::options::LogOptions;

/// What is still to be taken of a log.
pub(super) struct Excerpt {
    /// How many of the newest lines to begin with; all after that.
    tail: Option<usize>,
    since: Option<Timestamp>,
    timestamps: bool,
    /// How many bytes may still come.
    left: Option<usize>,
}

impl Excerpt {
    pub(super) fn new(options: &LogOptions, now: Timestamp) -> Self {
        Self {
            tail: options.tail(),
            since: options.since(now),
            timestamps: options.timestamps,
            left: options.limit(),
        }
    }

    /// The text of the lines that are wanted. The first call gets what was there, later ones what
    /// came.
    pub(super) fn take(&mut self, lines: &[(Timestamp, String)]) -> Bytes {
        let skip = self
            .tail
            .take()
            .map_or(0, |tail| lines.len().saturating_sub(tail));
        let mut text = String::new();
        for (time, line) in &lines[skip..] {
            if self.since.is_some_and(|since| *time < since) {
                continue;
            }
            if self.timestamps {
                // Writing to a String cannot fail.
                let _ = write!(text, "{time:.9} ");
            }
            text.push_str(line);
            text.push('\n');
        }
        let mut bytes = Bytes::from(text);
        if let Some(left) = &mut self.left {
            bytes.truncate(*left);
            *left -= bytes.len();
        }
        bytes
    }

    /// Whether nothing more may come.
    pub(super) fn is_full(&self) -> bool {
        self.left == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::apiserver::options::Options;

    fn mk_lines(range: std::ops::Range<i64>) -> Vec<(Timestamp, String)> {
        range
            .map(|second| {
                let time = Timestamp::new(1_700_000_000 + second, 5).unwrap();
                (time, format!("line {second}"))
            })
            .collect()
    }

    fn mk_excerpt(query: &str) -> Excerpt {
        let options = Options::parse(query).unwrap().log;
        Excerpt::new(&options, Timestamp::new(1_700_000_003, 0).unwrap())
    }

    #[test]
    fn an_excerpt_is_the_end_of_the_log_and_all_that_follows() {
        for (query, at_first, then) in [
            ("", "line 0\nline 1\nline 2\n", "line 3\n"),
            ("tailLines=1", "line 2\n", "line 3\n"),
            ("tailLines=0", "", "line 3\n"),
            ("tailLines=9", "line 0\nline 1\nline 2\n", "line 3\n"),
            ("sinceSeconds=2", "line 1\nline 2\n", "line 3\n"),
            ("sinceSeconds=2&tailLines=3", "line 1\nline 2\n", "line 3\n"),
            ("limitBytes=10", "line 0\nlin", ""),
            ("limitBytes=24", "line 0\nline 1\nline 2\n", "lin"),
        ] {
            let mut excerpt = mk_excerpt(query);
            assert_eq!(excerpt.take(&mk_lines(0..3)), at_first, "{query}");
            assert_eq!(excerpt.take(&mk_lines(3..4)), then, "{query}");
            assert_eq!(excerpt.is_full(), query.starts_with("limitBytes"));
        }
    }

    #[test]
    fn a_time_stands_before_each_line_on_demand() {
        let mut excerpt = mk_excerpt("timestamps=true");
        assert_eq!(
            excerpt.take(&mk_lines(0..1)),
            "2023-11-14T22:13:20.000000005Z line 0\n"
        );
    }
}
