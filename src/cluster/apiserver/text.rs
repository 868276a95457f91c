//! The text of a body, JSON or YAML, and the words of Go's decoder for what is wrong with it,
//! which clients print and scripts look for.
//!
//! Source of the words: Go, `encoding/json/scanner.go`.

use serde_json::Value;
use serde_json::error::Category;

/// Reads JSON.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn json(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|error| explain(text, &error))
}

/// Reads YAML; JSON is YAML, too. Numbers with a leading zero are octal, as file modes are written.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn yaml(text: &[u8]) -> Result<Value, String> {
    if let Ok(value) = serde_json::from_slice(text) {
        return Ok(value);
    }
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    serde_saphyr::from_slice_with_options(text, options).map_err(|error| {
        error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    })
}

/// What Go says of a value of the wrong sort: `json: cannot unmarshal array into Go value of …`.
pub(crate) fn cannot_unmarshal(value: &Value, into: &str) -> String {
    let sort = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {sort} into Go value of type {into}")
}

/// Why a text is no JSON, as Go says it.
pub(crate) fn explain(text: &[u8], error: &serde_json::Error) -> String {
    if error.classify() == Category::Eof {
        return "unexpected end of JSON input".to_owned();
    }
    let lines = text.split(|byte| *byte == b'\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(|line| line.len() + 1)
        .sum();
    let position = (before + error.column()).saturating_sub(1);
    let found = text.get(position).copied().unwrap_or_default();
    let said = error.to_string();
    let what = said.split(" at line ").next().unwrap_or_default();
    let context = match what {
        "expected value" => "looking for beginning of value".to_owned(),
        "trailing comma" if found == b']' => "looking for beginning of value".to_owned(),
        "key must be a string" | "trailing comma" => {
            "looking for beginning of object key string".to_owned()
        }
        "expected `:`" => "after object key".to_owned(),
        "expected `,` or `}`" => "after object key:value pair".to_owned(),
        "expected `,` or `]`" => "after array element".to_owned(),
        "trailing characters" => "after top-level value".to_owned(),
        "invalid escape" => "in string escape code".to_owned(),
        "invalid number" => "in numeric literal".to_owned(),
        "expected ident" => in_literal(&text[..position]),
        _ if what.starts_with("control character") => "in string literal".to_owned(),
        _ => return said,
    };
    format!("invalid character {} {context}", quoted(found))
}

/// Which of `true`, `false` and `null` was begun before the wrong character, and what it lacks.
fn in_literal(before: &[u8]) -> String {
    let begun = ["true", "false", "null"].into_iter().find_map(|literal| {
        let length =
            (1..literal.len()).rfind(|end| before.ends_with(&literal.as_bytes()[..*end]))?;
        Some((literal, &literal[length..=length]))
    });
    let (literal, expected) = begun.unwrap_or_default();
    format!("in literal {literal} (expecting '{expected}')")
}

/// A byte as Go quotes it.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'\\' => "'\\\\'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b'\t' => "'\\t'".to_owned(),
        0..0x20 | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn broken_json_is_described_in_the_words_of_go() {
        for (text, said) in [
            (
                "{bad",
                "invalid character 'b' looking for beginning of object key string",
            ),
            (
                "{not json",
                "invalid character 'n' looking for beginning of object key string",
            ),
            (
                "{\"a\":1,}",
                "invalid character '}' looking for beginning of object key string",
            ),
            (
                "[1,]",
                "invalid character ']' looking for beginning of value",
            ),
            (
                "{\"a\":x}",
                "invalid character 'x' looking for beginning of value",
            ),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            (
                "{\"a\":1 \"b\"}",
                "invalid character '\"' after object key:value pair",
            ),
            (
                "{\"a\":\n1;}",
                "invalid character ';' after object key:value pair",
            ),
            ("[1 2]", "invalid character '2' after array element"),
            ("{} x", "invalid character 'x' after top-level value"),
            (
                "[nope]",
                "invalid character 'o' in literal null (expecting 'u')",
            ),
            (
                "{\"a\":tru}",
                "invalid character '}' in literal true (expecting 'e')",
            ),
            (
                "{\"a\":\"\\q\"}",
                "invalid character 'q' in string escape code",
            ),
            ("", "unexpected end of JSON input"),
            ("{\"a\":", "unexpected end of JSON input"),
        ] {
            assert_eq!(json(text.as_bytes()).unwrap_err(), said, "{text}");
        }
    }

    #[test]
    fn yaml_is_read_as_kubectl_reads_it() {
        for (text, value) in [
            ("a: 1\nb: [x, yes]", json!({"a": 1, "b": ["x", true]})),
            ("mode: 0644", json!({"mode": 420})),
            ("{\"mode\": \"0644\"}", json!({"mode": "0644"})),
        ] {
            assert_eq!(yaml(text.as_bytes()), Ok(value), "{text}");
        }
        assert!(yaml(b"a: [1").is_err());
    }
}
