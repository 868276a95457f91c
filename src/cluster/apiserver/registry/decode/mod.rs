//! Reading JSON into the type of a kind, as the Go decoder of upstream does.
//!
//! Three things that a plain `serde_json::from_value` does not do: a wrong type is refused in Go's
//! words, with the Go struct that holds the field; fields that the type does not know are noted by
//! their path; and quantities are checked and put into canonical form while they are read.

mod broken;

use std::cell::RefCell;
use std::fmt;

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer as _, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::Value;

use self::broken::Broken;
use crate::cluster::object::Quantity;

/// Reads a value; returns it with the paths of the fields that its type does not know.
///
/// # Errors
/// The text of upstream's decoder.
pub(super) fn decode<T: DeserializeOwned>(value: &Value) -> Result<(T, Vec<String>), String> {
    let unknown = RefCell::new(Vec::new());
    let reader = Reader {
        value,
        place: &Place::Root,
        unknown: &unknown,
    };
    match T::deserialize(reader) {
        Ok(object) => Ok((object, unknown.into_inner())),
        Err(broken) => Err(broken.to_string()),
    }
}

/// Where the reader stands, for the paths of unknown fields.
enum Place<'a> {
    Root,
    Field(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Reads one value.
struct Reader<'a> {
    value: &'a Value,
    place: &'a Place<'a>,
    unknown: &'a RefCell<Vec<String>>,
}

impl Reader<'_> {
    fn is_null(&self) -> bool {
        self.value.is_null()
    }
}

/// Null leaves a Go value as it was made: zero, or empty.
macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
            let number = match self.value {
                Value::Null => Some(0),
                Value::Number(number) => number.as_i64(),
                other => return Err(Broken::mismatch::<$type>(other)),
            };
            match number.and_then(|number| <$type>::try_from(number).ok()) {
                Some(number) => visitor.$visit(number),
                None => Err(Broken::number::<$type>(self.value)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Broken;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => visitor.visit_i64(number),
                (None, Some(number)) => visitor.visit_f64(number),
                (None, None) => visitor.visit_str(&number.to_string()),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    numbers!(
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64
    );

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        match self.value {
            Value::Null => visitor.visit_bool(false),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            other => Err(Broken::mismatch::<bool>(other)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        match self.value {
            Value::Null => visitor.visit_str(""),
            Value::String(text) => visitor.visit_str(text),
            other => Err(Broken::mismatch::<V::Value>(other)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        if self.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Broken> {
        let text = |text: String| -> StringDeserializer<Broken> { text.into_deserializer() };
        match (name, self.value) {
            ("Quantity", Value::Null) => visitor.visit_newtype_struct(text("0".to_owned())),
            ("Quantity", value) => {
                let written = match value {
                    Value::String(text) => text.trim().to_owned(),
                    other => other.to_string(),
                };
                let quantity = Quantity::parse(&written).map_err(Broken::custom)?;
                visitor.visit_newtype_struct(text(quantity.to_string()))
            }
            ("Time" | "MicroTime", Value::String(written))
                if written.parse::<jiff::Timestamp>().is_err() =>
            {
                let layout = if name == "Time" {
                    "2006-01-02T15:04:05Z07:00"
                } else {
                    "2006-01-02T15:04:05.000000Z07:00"
                };
                Err(Broken::custom(format!(
                    "parsing time \"{written}\" as \"{layout}\": cannot parse \"{written}\" as \
                     \"2006\""
                )))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        let items = match self.value {
            Value::Null => [].iter(),
            Value::Array(items) => items.iter(),
            other => return Err(Broken::mismatch::<V::Value>(other)),
        };
        visitor.visit_seq(Items {
            left: items.enumerate(),
            place: self.place,
            unknown: self.unknown,
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.fields(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Broken> {
        self.fields(Some(name), visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Broken> {
        self.unknown.borrow_mut().push(self.place.to_string());
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct enum identifier
    }
}

impl Reader<'_> {
    fn fields<'de, V: Visitor<'de>>(
        self,
        holder: Option<&'static str>,
        visitor: V,
    ) -> Result<V::Value, Broken> {
        let none = serde_json::Map::new();
        let fields = match self.value {
            Value::Null => &none,
            Value::Object(fields) => fields,
            other => return Err(Broken::mismatch::<V::Value>(other)),
        };
        visitor.visit_map(Fields {
            left: fields.iter(),
            current: None,
            holder,
            place: self.place,
            unknown: self.unknown,
        })
    }
}

struct Items<'a> {
    left: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    place: &'a Place<'a>,
    unknown: &'a RefCell<Vec<String>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Broken;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Broken> {
        let Some((index, value)) = self.left.next() else {
            return Ok(None);
        };
        let reader = Reader {
            value,
            place: &Place::Index(self.place, index),
            unknown: self.unknown,
        };
        seed.deserialize(reader).map(Some)
    }
}

struct Fields<'a> {
    left: serde_json::map::Iter<'a>,
    current: Option<(&'a str, &'a Value)>,
    /// The struct; `None` for a map, whose keys Go does not name in its refusals.
    holder: Option<&'static str>,
    place: &'a Place<'a>,
    unknown: &'a RefCell<Vec<String>>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Broken;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Broken> {
        let Some((name, value)) = self.left.next() else {
            return Ok(None);
        };
        self.current = Some((name, value));
        let key: StrDeserializer<'_, Broken> = name.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Broken> {
        let (name, value) = self.current.take().unwrap_or(("", &Value::Null));
        let reader = Reader {
            value,
            place: &Place::Field(self.place, name),
            unknown: self.unknown,
        };
        seed.deserialize(reader)
            .map_err(|broken| match self.holder {
                Some(holder) => broken.inside(holder, name),
                None => broken,
            })
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_type_is_refused_in_the_words_of_go() {
        let deployment = |body: Value| decode::<Deployment>(&body).unwrap_err();
        let container = |field: &str, value: Value| {
            let body = json!({"spec": {"containers": [{field: value}]}});
            decode::<Pod>(&body).unwrap_err()
        };
        for (text, expected) in [
            (
                deployment(json!({"spec": {"replicas": "x"}})),
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas \
                 of type int32",
            ),
            (
                deployment(json!({"spec": {"replicas": 1.5}})),
                "json: cannot unmarshal number 1.5 into Go struct field \
                 DeploymentSpec.spec.replicas of type int32",
            ),
            (
                deployment(json!({"spec": {"replicas": 5_000_000_000_i64}})),
                "json: cannot unmarshal number 5000000000 into Go struct field \
                 DeploymentSpec.spec.replicas of type int32",
            ),
            (
                deployment(json!({"spec": 1})),
                "json: cannot unmarshal number into Go struct field Deployment.spec of type \
                 v1.DeploymentSpec",
            ),
            (
                deployment(json!({"metadata": {"labels": {"a": 1}}})),
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels \
                 of type string",
            ),
            (
                deployment(json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": true}}}})),
                "json: cannot unmarshal bool into Go struct field \
                 RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32",
            ),
            (
                container("image", json!(true)),
                "json: cannot unmarshal bool into Go struct field \
                 Container.spec.containers.image of type string",
            ),
            (
                container("ports", json!({})),
                "json: cannot unmarshal object into Go struct field \
                 Container.spec.containers.ports of type []v1.ContainerPort",
            ),
            (
                container("resources", json!({"limits": {"cpu": "lots"}})),
                "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
        ] {
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn unknown_fields_are_noted_by_their_paths() {
        let body = json!({
            "spec": {"replica": 2, "template": {"spec": {"containers": [{"imag": {"x": 1}}]}}},
        });
        let (_, unknown) = decode::<Deployment>(&body).unwrap();
        assert_eq!(
            unknown,
            ["spec.replica", "spec.template.spec.containers[0].imag"]
        );
    }

    #[test]
    fn quantities_become_canonical_and_may_be_numbers() {
        let body = json!({"spec": {"containers": [
            {"name": "c", "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi", "x/y": 2}}},
        ]}});
        let (pod, unknown) = decode::<Pod>(&body).unwrap();
        assert!(unknown.is_empty());
        let containers = pod.spec.unwrap().containers;
        let limits = containers[0].resources.clone().unwrap().limits.unwrap();
        let texts: Vec<&str> = limits
            .values()
            .map(|quantity| quantity.0.as_str())
            .collect();
        assert_eq!(texts, ["500m", "1Gi", "2"]);
    }

    #[test]
    fn null_is_nothing_given() {
        let body = json!({
            "metadata": {"creationTimestamp": null, "labels": null},
            "spec": {"replicas": null, "template": {"spec": {"containers": null}}},
        });
        let (deployment, _) = decode::<Deployment>(&body).unwrap();
        assert!(deployment.spec.unwrap().replicas.is_none());
    }
}
