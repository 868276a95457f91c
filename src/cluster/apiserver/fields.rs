//! What only the text of a JSON document tells: in which order its fields stand, and which stand
//! there twice. Source: `sigs.k8s.io/json`.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// A field of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// `spec.containers[0].image`.
    pub(crate) path: String,
    /// Whether the same field stood there before.
    pub(crate) is_repeated: bool,
}

/// All fields of a document in their order; nothing for a text that is no JSON.
pub(crate) fn fields(text: &[u8]) -> Vec<Field> {
    let mut found = Vec::new();
    let walk = Walk {
        path: String::new(),
        found: &mut found,
    };
    let mut reader = serde_json::Deserializer::from_slice(text);
    match walk.deserialize(&mut reader) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

/// Goes through one value.
struct Walk<'a> {
    path: String,
    found: &'a mut Vec<Field>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            let path = if self.path.is_empty() {
                name.clone()
            } else {
                format!("{}.{name}", self.path)
            };
            self.found.push(Field {
                path: path.clone(),
                is_repeated: !seen.insert(name),
            });
            fields.next_value_seed(Walk {
                path,
                found: self.found,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let walk = Walk {
                path: format!("{}[{index}]", self.path),
                found: self.found,
            };
            if items.next_element_seed(walk)?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_their_order_and_twice_where_they_stand_twice() {
        let text = br#"{"b": {"c": [{"d": null, "d": "x"}]}, "a": 1, "a": 1.5}"#;
        let found: Vec<(String, bool)> = fields(text)
            .into_iter()
            .map(|field| (field.path, field.is_repeated))
            .collect();
        let expected = [
            ("b", false),
            ("b.c", false),
            ("b.c[0].d", false),
            ("b.c[0].d", true),
            ("a", false),
            ("a", true),
        ];
        assert_eq!(
            found,
            expected.map(|(path, repeated)| (path.to_owned(), repeated))
        );
        assert!(fields(b"{bad").is_empty());
    }
}
