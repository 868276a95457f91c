//! The query of a request: options of lists, watches, writes and logs.

mod log;

pub(crate) use self::log::LogOptions;
use crate::cluster::object::field_selector::FieldSelector;
use crate::cluster::object::label_selector::LabelSelector;
use crate::cluster::object::refusal::{self, FieldError, Refusal, Subject};

/// All query parameters that the server honours; unknown ones are ignored, as upstream does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
    /// The text as it was sent; read it with [`Options::revision`].
    resource_version: String,
    resource_version_match: String,
    pub(crate) limit: Option<usize>,
    pub(crate) continue_token: Option<String>,
    pub(crate) include_object: IncludeObject,
    pub(crate) propagation_policy: Option<String>,
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) watch: WatchOptions,
    pub(crate) write: WriteOptions,
    pub(crate) log: LogOptions,
    /// The ports to forward.
    pub(crate) ports: Vec<u16>,
}

/// How to watch, and whether to watch at all.
#[derive(Debug, Clone, Default)]
pub(crate) struct WatchOptions {
    pub(crate) asked: bool,
    pub(crate) bookmarks: bool,
    pub(crate) send_initial_events: Option<bool>,
    pub(crate) timeout_seconds: Option<u64>,
}

/// How to create, update, patch or delete.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) force: bool,
    pub(crate) field_manager: Option<String>,
    pub(crate) field_validation: FieldValidation,
}

/// What to do with fields that the schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// How much of the object a table row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum IncludeObject {
    None,
    #[default]
    Metadata,
    Object,
}

/// Which revision a list or watch may answer from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revision {
    /// Nothing said, or 0: the newest is fine.
    Any,
    NotOlderThan(u64),
    Exact(u64),
}

impl Options {
    /// Reads a query string.
    ///
    /// # Errors
    /// A 400 for unreadable selectors and numbers.
    pub(crate) fn parse(query: &str) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            match key.as_str() {
                "watch" => options.watch.asked = flag(&value),
                "labelSelector" => {
                    options.labels = LabelSelector::parse(&value).map_err(refusal::bad_request)?;
                }
                "fieldSelector" => {
                    options.fields = FieldSelector::parse(&value).map_err(refusal::bad_request)?;
                }
                "resourceVersion" => options.resource_version = value,
                "resourceVersionMatch" => options.resource_version_match = value,
                "limit" => options.limit = number(&key, &value)?.filter(|limit| *limit > 0),
                "continue" => options.continue_token = some(value),
                "timeoutSeconds" => options.watch.timeout_seconds = number(&key, &value)?,
                "allowWatchBookmarks" => options.watch.bookmarks = flag(&value),
                "sendInitialEvents" => options.watch.send_initial_events = Some(flag(&value)),
                "dryRun" => options.write.dry_run = dry_run(&value)?,
                "force" => options.write.force = flag(&value),
                "fieldManager" => options.write.field_manager = some(value),
                "fieldValidation" => {
                    options.write.field_validation = match value.as_str() {
                        "Strict" => FieldValidation::Strict,
                        "Ignore" => FieldValidation::Ignore,
                        _ => FieldValidation::Warn,
                    }
                }
                "includeObject" => {
                    options.include_object = match value.as_str() {
                        "None" => IncludeObject::None,
                        "Object" => IncludeObject::Object,
                        _ => IncludeObject::Metadata,
                    }
                }
                "propagationPolicy" => options.propagation_policy = some(value),
                "gracePeriodSeconds" => options.grace_period_seconds = number(&key, &value)?,
                "ports" => options.ports.extend(ports(&value)?),
                _ => options.log.take(&key, value)?,
            }
        }
        Ok(options)
    }

    /// The revision that a list or watch asks for.
    ///
    /// # Errors
    /// A 400 for a revision that is no number, a 422 for a match rule that does not fit.
    pub(crate) fn revision(&self) -> Result<Revision, Refusal> {
        let field = "resourceVersionMatch";
        let mut errors = Vec::new();
        let rule = self.resource_version_match.as_str();
        if self.watch.send_initial_events.is_some() && rule != "NotOlderThan" {
            errors.push(FieldError::forbidden(
                field,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        } else if !rule.is_empty() && self.watch.send_initial_events.is_none() {
            if self.resource_version.is_empty() {
                errors.push(FieldError::forbidden(
                    field,
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                ));
            }
            if !matches!(rule, "Exact" | "NotOlderThan") {
                errors.push(FieldError::not_supported(
                    field,
                    &rule.into(),
                    &["Exact", "NotOlderThan", ""],
                ));
            }
        }
        if !errors.is_empty() {
            let subject = Subject {
                group: "meta.k8s.io",
                kind: "ListOptions",
                name: "",
            };
            return Err(refusal::invalid(subject, &errors));
        }
        match (self.resource_version.as_str(), rule) {
            ("" | "0", _) => Ok(Revision::Any),
            (text, rule) => {
                let revision = text.parse().map_err(|_| {
                    refusal::bad_request(format!(
                        "invalid resource version: resourceVersion: Invalid value: \"{text}\": \
                         strconv.ParseUint: parsing \"{text}\": invalid syntax"
                    ))
                })?;
                Ok(if rule == "Exact" {
                    Revision::Exact(revision)
                } else {
                    Revision::NotOlderThan(revision)
                })
            }
        }
    }
}

fn flag(value: &str) -> bool {
    matches!(value, "1" | "true" | "True")
}

fn some(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn number<N: std::str::FromStr>(key: &str, value: &str) -> Result<Option<N>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| {
        refusal::bad_request(format!(
            "strconv.ParseInt: parsing \"{value}\": invalid syntax ({key})"
        ))
    })
}

/// Ports, separated by commas. Source: `Convert_Slice_string_To_Slice_int32` of
/// `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/conversion.go`.
fn ports(value: &str) -> Result<Vec<u16>, Refusal> {
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let why = if is_number {
            "value out of range"
        } else {
            "invalid syntax"
        };
        let refuse = || {
            refusal::bad_request(format!(
                "cannot convert to []int32: strconv.ParseUint: parsing \"{text}\": {why}"
            ))
        };
        text.parse().ok().filter(|_| is_number).ok_or_else(refuse)
    };
    value.split(',').map(number).collect()
}

fn dry_run(value: &str) -> Result<bool, Refusal> {
    match value {
        "" => Ok(false),
        "All" => Ok(true),
        other => {
            let subject = Subject {
                group: "meta.k8s.io",
                kind: "CreateOptions",
                name: "",
            };
            let given = serde_json::json!([other]);
            Err(refusal::invalid(
                subject,
                &[FieldError::not_supported("dryRun", &given, &["All"])],
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        let options =
            Options::parse("labelSelector=x+in+%281%2C2%29&watch=true&limit=500&dryRun=All")
                .unwrap();
        assert_eq!(options.labels.to_string(), "x in (1,2)");
        assert!(options.watch.asked && options.write.dry_run);
        assert_eq!(options.limit, Some(500));
    }

    #[test]
    fn ports_are_numbers_with_commas_or_one_by_one() {
        let ports = |query: &str| Options::parse(query).map(|options| options.ports);
        assert_eq!(ports("ports=80%2C1234&ports=0").unwrap(), [80, 1234, 0]);
        for (query, text, why) in [
            ("ports=http", "http", "invalid syntax"),
            ("ports=", "", "invalid syntax"),
            ("ports=%2B80", "+80", "invalid syntax"),
            ("ports=80,65536", "65536", "value out of range"),
        ] {
            let expected =
                format!("cannot convert to []int32: strconv.ParseUint: parsing \"{text}\": {why}");
            assert_eq!(ports(query).unwrap_err().message, expected);
        }
    }

    #[test]
    fn revisions_follow_the_match_rule() {
        let revision = |query: &str| Options::parse(query).unwrap().revision();
        assert_eq!(revision("").unwrap(), Revision::Any);
        assert_eq!(revision("resourceVersion=0").unwrap(), Revision::Any);
        assert_eq!(
            revision("resourceVersion=7").unwrap(),
            Revision::NotOlderThan(7)
        );
        assert_eq!(
            revision("resourceVersion=7&resourceVersionMatch=Exact").unwrap(),
            Revision::Exact(7)
        );
        assert_eq!(
            revision("sendInitialEvents=true").unwrap_err().message,
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: \
             sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        );
        assert_eq!(
            revision("resourceVersionMatch=Foo").unwrap_err().message,
            "ListOptions.meta.k8s.io \"\" is invalid: [resourceVersionMatch: Forbidden: \
             resourceVersionMatch is forbidden unless resourceVersion is provided, \
             resourceVersionMatch: Unsupported value: \"Foo\": supported values: \"Exact\", \
             \"NotOlderThan\", \"\"]"
        );
        assert_eq!(
            revision("resourceVersion=abc").unwrap_err().message,
            "invalid resource version: resourceVersion: Invalid value: \"abc\": \
             strconv.ParseUint: parsing \"abc\": invalid syntax"
        );
    }
}
