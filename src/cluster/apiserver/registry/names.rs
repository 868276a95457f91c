//! Which texts are names, keys and values, and what is wrong with those that are not.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go`.

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
                         characters, '-' or '.', and must start and end with an alphanumeric \
                         character (e.g. 'example.com', regex used for validation is \
                         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
                     characters or '-', and must start and end with an alphanumeric character \
                     (e.g. 'my-name',  or '123-abc', regex used for validation is \
                     '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_PART: &str = "name part must consist of alphanumeric characters, '-', '_' or \
                              '.', and must start and end with an alphanumeric character (e.g. \
                              'MyName',  or 'my.name',  or '123-abc', regex used for validation \
                              is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric \
                           characters, '-', '_' or '.', and must start and end with an \
                           alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', \
                           regex used for validation is \
                           '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or \
                          '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for \
                          validation is '[-._a-zA-Z0-9]+')";

/// Which names a kind allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// Up to 253 characters with dots.
    Subdomain,
    /// Up to 63 characters without dots.
    Label,
}

/// Why a text is no name by a rule; empty when it is one.
pub(super) fn broken_name(rule: NameRule, name: &str) -> Vec<String> {
    match rule {
        NameRule::Subdomain => broken_subdomain(name),
        NameRule::Label => broken_label(name),
    }
}

/// Why a text is no RFC 1123 subdomain; empty when it is one.
pub(crate) fn broken_subdomain(text: &str) -> Vec<String> {
    let mut broken = too_long(text, 253);
    if text.is_empty() || !text.split('.').all(is_dns_label) {
        broken.push(SUBDOMAIN.to_owned());
    }
    broken
}

/// Why a text is no RFC 1123 label; empty when it is one.
pub(crate) fn broken_label(text: &str) -> Vec<String> {
    let mut broken = too_long(text, 63);
    if !is_dns_label(text) {
        if text.contains('.') {
            broken.push("must not contain dots".to_owned());
        } else {
            broken.push(LABEL.to_owned());
        }
    }
    broken
}

/// Why a text is no key of a label or annotation; empty when it is one.
pub(crate) fn broken_qualified_name(text: &str) -> Vec<String> {
    let (prefix, name) = match text.split_once('/') {
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')",
                QUALIFIED_PART.trim_start_matches("name part ")
            )];
        }
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let mut broken = Vec::new();
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            broken.push("prefix part must be non-empty".to_owned());
        } else {
            broken.extend(
                broken_subdomain(prefix)
                    .into_iter()
                    .map(|why| format!("prefix part {why}")),
            );
        }
    }
    if name.is_empty() {
        broken.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        broken.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_qualified_part(name) {
        broken.push(QUALIFIED_PART.to_owned());
    }
    broken
}

/// Why a text is no value of a label; empty when it is one.
pub(crate) fn broken_label_value(text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if text.len() > 63 {
        broken.push("must be no more than 63 bytes".to_owned());
    }
    if !text.is_empty() && !is_qualified_part(text) {
        broken.push(LABEL_VALUE.to_owned());
    }
    broken
}

/// Why a text is no key in a ConfigMap or Secret; empty when it is one.
pub(crate) fn broken_config_key(text: &str) -> Vec<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let mut broken = too_long(text, 253);
    if text.is_empty() || !text.bytes().all(allowed) {
        broken.push(CONFIG_KEY.to_owned());
    } else if text == "." {
        broken.push("must not be '.'".to_owned());
    } else if text == ".." {
        broken.push("must not be '..'".to_owned());
    } else if text.starts_with("..") {
        broken.push("must not start with '..'".to_owned());
    }
    broken
}

fn too_long(text: &str, limit: usize) -> Vec<String> {
    if text.len() > limit {
        vec![format!("must be no more than {limit} characters")]
    } else {
        Vec::new()
    }
}

fn is_dns_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    is_framed(text, inner)
}

fn is_qualified_part(text: &str) -> bool {
    is_framed(text, |byte| {
        byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
    })
}

/// Whether all bytes are allowed and the first and last are alphanumeric.
fn is_framed(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.iter().copied().all(allowed) && edge(bytes.first()) && edge(bytes.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_the_rule_of_their_kind() {
        for (rule, name, good) in [
            (NameRule::Subdomain, "web.v1", true),
            (NameRule::Subdomain, "Web_1", false),
            (NameRule::Subdomain, "-web", false),
            (NameRule::Label, "web", true),
            (NameRule::Label, "web.v1", false),
        ] {
            assert_eq!(broken_name(rule, name).is_empty(), good, "{rule:?} {name}");
        }
        assert_eq!(broken_label("web.v1"), ["must not contain dots"]);
        assert_eq!(
            broken_label(&"a".repeat(64)),
            ["must be no more than 63 characters"]
        );
    }

    #[test]
    fn label_keys_may_have_a_subdomain_before_a_slash() {
        for (key, good) in [
            ("app", true),
            ("app.kubernetes.io/name", true),
            ("Bad Key", false),
            ("/name", false),
            ("prefix/", false),
            ("a/b/c", false),
        ] {
            assert_eq!(broken_qualified_name(key).is_empty(), good, "{key}");
        }
    }
}
