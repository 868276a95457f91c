//! Label selectors in the three forms that the API has: query text, `matchLabels` with
//! `matchExpressions`, and the plain map of a Service.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/labels/selector.go`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector as Structured;
use serde_json::Value;

/// A conjunction of requirements. The empty selector matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl LabelSelector {
    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    ///
    /// # Errors
    /// The text that the API server answers with, naming what it found and what it expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens::new(text);
        let mut requirements = Vec::new();
        if tokens.peek() == Token::End {
            return Ok(Self(requirements));
        }
        loop {
            requirements.push(requirement(&mut tokens)?);
            match tokens.next() {
                Token::End => return Ok(Self(requirements)),
                Token::Comma => {}
                other => {
                    return Err(format!(
                        "found '{}', expected: ',' or 'end of string'",
                        other.text()
                    ));
                }
            }
        }
    }

    /// The selector of a controller's spec. Nothing given selects nothing and is `None`; a
    /// selector without requirements selects everything.
    pub(crate) fn from_structured(selector: &Structured) -> Self {
        let mut requirements: Vec<Requirement> = selector
            .match_labels
            .iter()
            .flatten()
            .map(|(key, value)| Requirement::In(key.clone(), vec![value.clone()]))
            .collect();
        for expression in selector.match_expressions.iter().flatten() {
            let key = expression.key.clone();
            let values = expression.values.clone().unwrap_or_default();
            requirements.push(match expression.operator.as_str() {
                "In" => Requirement::In(key, values),
                "NotIn" => Requirement::NotIn(key, values),
                "DoesNotExist" => Requirement::Absent(key),
                _ => Requirement::Exists(key),
            });
        }
        Self(requirements)
    }

    /// The selector of a Service.
    pub(crate) fn from_map(labels: &BTreeMap<String, String>) -> Self {
        Self(
            labels
                .iter()
                .map(|(key, value)| Requirement::In(key.clone(), vec![value.clone()]))
                .collect(),
        )
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        self.matches_by(|key| {
            labels
                .and_then(|labels| labels.get(key))
                .map(String::as_str)
        })
    }

    /// Whether the labels of a JSON object match.
    pub(crate) fn matches_object(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.matches_by(|key| labels.get(key).and_then(Value::as_str))
    }

    fn matches_by<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
            Requirement::In(key, values) => {
                label(key).is_some_and(|value| values.iter().any(|allowed| allowed == value))
            }
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|value| values.iter().all(|banned| banned != value))
            }
        })
    }
}

/// The query form, as `status.selector` of a Scale shows it.
impl std::fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, requirement) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match requirement {
                Requirement::Exists(key) => f.write_str(key)?,
                Requirement::Absent(key) => write!(f, "!{key}")?,
                Requirement::In(key, values) if values.len() == 1 => {
                    write!(f, "{key}={}", values[0])?;
                }
                Requirement::In(key, values) => write!(f, "{key} in ({})", values.join(","))?,
                Requirement::NotIn(key, values) => write!(f, "{key} notin ({})", values.join(","))?,
            }
        }
        Ok(())
    }
}

fn requirement(tokens: &mut Tokens<'_>) -> Result<Requirement, String> {
    let broken = |why: String| format!("unable to parse requirement: {why}");
    let absent = tokens.peek() == Token::Not;
    if absent {
        tokens.next();
    }
    let key = match tokens.next() {
        Token::Word(word) => word.to_owned(),
        other => {
            return Err(broken(format!(
                "found '{}', expected: identifier",
                other.text()
            )));
        }
    };
    if absent {
        return Ok(Requirement::Absent(key));
    }
    match tokens.peek() {
        Token::Comma | Token::End => Ok(Requirement::Exists(key)),
        Token::Equals => {
            tokens.next();
            Ok(Requirement::In(key, vec![tokens.value()]))
        }
        Token::NotEquals => {
            tokens.next();
            Ok(Requirement::NotIn(key, vec![tokens.value()]))
        }
        Token::Word("in") => {
            tokens.next();
            Ok(Requirement::In(key, value_set(tokens).map_err(broken)?))
        }
        Token::Word("notin") => {
            tokens.next();
            Ok(Requirement::NotIn(key, value_set(tokens).map_err(broken)?))
        }
        other => Err(broken(format!(
            "found '{}', expected: in, notin, =, ==, !=, gt, lt",
            other.text()
        ))),
    }
}

fn value_set(tokens: &mut Tokens<'_>) -> Result<Vec<String>, String> {
    match tokens.next() {
        Token::Open => {}
        other => return Err(format!("found '{}' expected: '('", other.text())),
    }
    let mut values = Vec::new();
    loop {
        values.push(tokens.value());
        match tokens.next() {
            Token::Close => {
                values.sort();
                return Ok(values);
            }
            Token::Comma => {}
            other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Equals,
    NotEquals,
    Not,
    Comma,
    Open,
    Close,
    End,
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(word) => word,
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::Not => "!",
            Self::Comma => ",",
            Self::Open => "(",
            Self::Close => ")",
            Self::End => "",
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn peek(&self) -> Token<'a> {
        self.split().0
    }

    fn next(&mut self) -> Token<'a> {
        let (token, rest) = self.split();
        self.rest = rest;
        token
    }

    /// A value may be empty: `a=` and `a in (,b)` are legal.
    fn value(&mut self) -> String {
        match self.peek() {
            Token::Word(word) => {
                self.next();
                word.to_owned()
            }
            _ => String::new(),
        }
    }

    fn split(&self) -> (Token<'a>, &'a str) {
        let text = self.rest.trim_start();
        for (symbol, token) in [
            ("==", Token::Equals),
            ("=", Token::Equals),
            ("!=", Token::NotEquals),
            ("!", Token::Not),
            (",", Token::Comma),
            ("(", Token::Open),
            (")", Token::Close),
        ] {
            if let Some(rest) = text.strip_prefix(symbol) {
                return (token, rest);
            }
        }
        if text.is_empty() {
            return (Token::End, text);
        }
        let end = text
            .find(|c: char| c.is_whitespace() || "=!,()".contains(c))
            .unwrap_or(text.len());
        (Token::Word(&text[..end]), &text[end..])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_operator_selects_as_the_api_documents_it() {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "empty": ""}}});
        for (text, matches) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app!=web", false),
            ("nope!=web", true),
            ("app in (web, api)", true),
            ("app in (api)", false),
            ("app notin (api)", true),
            ("nope notin (api)", true),
            ("app", true),
            ("nope", false),
            ("!nope", true),
            ("!app", false),
            ("empty=", true),
        ] {
            let selector = LabelSelector::parse(text).unwrap();
            assert_eq!(selector.matches_object(&object), matches, "{text}");
        }
    }

    #[test]
    fn a_broken_selector_names_what_was_found() {
        for (text, message) in [
            (
                "x notin",
                "unable to parse requirement: found '' expected: '('",
            ),
            (
                "a in b",
                "unable to parse requirement: found 'b' expected: '('",
            ),
        ] {
            assert_eq!(LabelSelector::parse(text).unwrap_err(), message);
        }
    }

    #[test]
    fn a_selector_prints_as_a_query() {
        for text in ["a=b", "a in (b,c),!d,e", "a notin (b)"] {
            assert_eq!(LabelSelector::parse(text).unwrap().to_string(), text);
        }
    }
}
