//! The options of `pods/NAME/log`.

use jiff::Timestamp;

use super::{flag, number, some};
use crate::cluster::object::refusal::{self, FieldError, Refusal, Subject};

/// Which part of which log, and whether to follow it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogOptions {
    pub(crate) container: Option<String>,
    pub(crate) follow: bool,
    pub(crate) previous: bool,
    pub(crate) timestamps: bool,
    tail_lines: Option<i64>,
    limit_bytes: Option<i64>,
    since_seconds: Option<i64>,
    since_time: Option<Timestamp>,
}

impl LogOptions {
    /// Takes a parameter of a query, if it is one of these options.
    ///
    /// # Errors
    /// A 400 for what is no number or no time.
    pub(super) fn take(&mut self, key: &str, value: String) -> Result<(), Refusal> {
        match key {
            "container" => self.container = some(value),
            "follow" => self.follow = flag(&value),
            "previous" => self.previous = flag(&value),
            "timestamps" => self.timestamps = flag(&value),
            "tailLines" => self.tail_lines = number(key, &value)?,
            "limitBytes" => self.limit_bytes = number(key, &value)?,
            "sinceSeconds" => self.since_seconds = number(key, &value)?,
            "sinceTime" => self.since_time = time(&value)?,
            _ => {}
        }
        Ok(())
    }

    /// Refuses what contradicts itself. Source: `ValidatePodLogOptions` of
    /// `pkg/apis/core/validation/validation.go`.
    ///
    /// # Errors
    /// A 422 that names each option at fault.
    pub(crate) fn check(&self, pod: &str) -> Result<(), Refusal> {
        let mut errors = Vec::new();
        let mut least = |field, given: Option<i64>, least, why| {
            if let Some(given) = given.filter(|given| *given < least) {
                errors.push(FieldError::invalid(field, &given.into(), why));
            }
        };
        let negative = "must be greater than or equal to 0";
        least("tailLines", self.tail_lines, 0, negative);
        least("limitBytes", self.limit_bytes, 1, "must be greater than 0");
        if self.since_time.is_none() {
            least(
                "sinceSeconds",
                self.since_seconds,
                1,
                "must be greater than 0",
            );
        } else if self.since_seconds.is_some() {
            errors.push(FieldError::forbidden(
                "",
                "at most one of `sinceTime` or `sinceSeconds` may be specified",
            ));
        }
        if errors.is_empty() {
            return Ok(());
        }
        let subject = Subject {
            group: "",
            kind: "PodLogOptions",
            name: pod,
        };
        Err(refusal::invalid(subject, &errors))
    }

    /// How many of the newest lines to begin with; all where nothing is said.
    pub(crate) fn tail(&self) -> Option<usize> {
        let lines = self.tail_lines?;
        usize::try_from(lines).ok()
    }

    /// After how many bytes to end.
    pub(crate) fn limit(&self) -> Option<usize> {
        let bytes = self.limit_bytes?;
        usize::try_from(bytes).ok()
    }

    /// The time before which lines are left out.
    pub(crate) fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let ago = || {
            now.checked_sub(jiff::SignedDuration::from_secs(self.since_seconds?))
                .ok()
        };
        self.since_time.or_else(ago)
    }
}

fn time(value: &str) -> Result<Option<Timestamp>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| {
        refusal::bad_request(format!(
            "parsing time \"{value}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{value}\" \
             as \"2006\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::apiserver::options::Options;

    fn parse(query: &str) -> Result<LogOptions, Refusal> {
        Options::parse(query).map(|options| options.log)
    }

    #[test]
    fn the_options_of_a_log_are_read() {
        let options = parse("container=app&follow=true&tailLines=0&limitBytes=9").unwrap();
        assert_eq!(options.container.as_deref(), Some("app"));
        assert!(options.follow && !options.previous && !options.timestamps);
        assert_eq!((options.tail(), options.limit()), (Some(0), Some(9)));
        options.check("p").unwrap();
    }

    #[test]
    fn lines_are_taken_from_a_time_or_for_some_seconds() {
        let now: Timestamp = "2026-11-21T12:00:10Z".parse().unwrap();
        let since = |query| {
            parse(query)
                .unwrap()
                .since(now)
                .map(|time| time.to_string())
        };
        assert_eq!(since(""), None);
        let expected = Some("2026-11-21T12:00:05Z".to_owned());
        assert_eq!(since("sinceSeconds=5"), expected);
        assert_eq!(since("sinceTime=2026-11-21T12%3A00%3A05Z"), expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (query, expected) in [
            (
                "tailLines=-1",
                "tailLines: Invalid value: -1: must be greater than or equal to 0",
            ),
            (
                "limitBytes=0",
                "limitBytes: Invalid value: 0: must be greater than 0",
            ),
            (
                "sinceSeconds=0",
                "sinceSeconds: Invalid value: 0: must be greater than 0",
            ),
            (
                "sinceSeconds=1&sinceTime=2026-11-21T12%3A00%3A05Z",
                ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
            ),
        ] {
            let refused = parse(query).unwrap().check("p").unwrap_err();
            let expected = format!("PodLogOptions \"p\" is invalid: {expected}");
            assert_eq!((refused.code, refused.message), (422, expected));
        }
        assert_eq!(parse("sinceTime=yesterday").unwrap_err().code, 400);
    }
}
