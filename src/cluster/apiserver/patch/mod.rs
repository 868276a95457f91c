//! Patches: three ways to say what should change. All are pure. The fourth way, server-side
//! apply, has a [module of its own](super::apply).
//!
//! Source: `staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go`.

mod go;
mod strategic;

use serde_json::{Map, Value};

use super::schema::Struct;
use super::text;
use crate::cluster::object::refusal::{self, FieldError, Refusal, Subject};

/// A patch, read.
pub(crate) enum Patch {
    /// RFC 6902: operations on paths. `kubectl rollout undo` sends it.
    Json(json_patch::Patch),
    /// RFC 7386: a partial object, null removes. `kubectl scale` and `annotate` send it.
    Merge(Map<String, Value>),
    /// A partial object that is merged by the schema. `kubectl apply`, `set` and `rollout` send it.
    Strategic(Map<String, Value>),
}

impl Patch {
    /// Reads a patch of the form that its media type names.
    ///
    /// # Errors
    /// A 415 for a form that is not known, a 400 for a body that cannot be read.
    pub(crate) fn parse(media_type: &str, body: &[u8]) -> Result<Self, Refusal> {
        match media_type {
            "application/json-patch+json" => {
                let operations = text::json(body).map_err(undecodable)?;
                if !operations.is_array() {
                    let why = text::cannot_unmarshal(&operations, "[]interface {}");
                    return Err(undecodable(why));
                }
                serde_json::from_value(operations)
                    .map(Self::Json)
                    .map_err(|error| undecodable(error.to_string()))
            }
            "application/merge-patch+json" => partial_object(body).map(Self::Merge),
            "application/strategic-merge-patch+json" => partial_object(body).map(Self::Strategic),
            _ => Err(refusal::unsupported_patch()),
        }
    }

    /// The object after the patch.
    ///
    /// # Errors
    /// A 422 where the patch does not fit the object.
    pub(crate) fn apply_to(
        &self,
        schema: &'static Struct,
        mut object: Value,
    ) -> Result<Value, Refusal> {
        match self {
            Self::Json(operations) => {
                json_patch::patch(&mut object, operations)
                    .map_err(|_| refusal::unprocessable_patch())?;
            }
            Self::Merge(changes) => {
                json_patch::merge(&mut object, &Value::Object(changes.clone()));
            }
            Self::Strategic(changes) => {
                object = strategic::merge(Some(schema), object, changes)?;
                if let Some(why) = go::misfit(schema, &object) {
                    return Err(self.unfit(&object, &why));
                }
            }
        }
        Ok(object)
    }

    /// The refusal of a patch whose result is no object of its kind.
    pub(crate) fn unfit(&self, result: &Value, why: &str) -> Refusal {
        let shown = match self {
            Self::Strategic(changes) => go::text(&Value::Object(changes.clone())),
            Self::Json(_) | Self::Merge(_) => result.to_string(),
        };
        let subject = Subject {
            group: "",
            kind: "",
            name: "",
        };
        refusal::invalid(subject, &[FieldError::invalid("patch", &shown.into(), why)])
    }
}

fn partial_object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match text::json(body).map_err(undecodable)? {
        Value::Object(fields) => Ok(fields),
        other => Err(undecodable(text::cannot_unmarshal(
            &other,
            "map[string]interface {}",
        ))),
    }
}

fn undecodable(why: String) -> Refusal {
    refusal::bad_request(format!("error decoding patch: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::apiserver::schema;

    #[test]
    fn a_patch_that_cannot_be_read_is_refused_in_the_words_of_upstream() {
        for (media_type, body, code, said) in [
            (
                "merge-patch",
                "{bad",
                400,
                "error decoding patch: invalid character 'b' looking for beginning of object key \
                 string",
            ),
            (
                "strategic-merge-patch",
                "[]",
                400,
                "error decoding patch: json: cannot unmarshal array into Go value of type \
                 map[string]interface {}",
            ),
            (
                "json-patch",
                "{}",
                400,
                "error decoding patch: json: cannot unmarshal object into Go value of type \
                 []interface {}",
            ),
            ("foo", "{}", 415, "415: Unsupported Media Type"),
        ] {
            let media_type = format!("application/{media_type}+json");
            let refusal = Patch::parse(&media_type, body.as_bytes()).err().unwrap();
            assert_eq!((refusal.code, refusal.message.as_str()), (code, said));
        }
    }

    #[test]
    fn a_patch_that_does_not_fit_the_object_is_unprocessable() {
        let deployment = schema::find("apps", "v1", "Deployment").unwrap();
        for (form, patch, said) in [
            (
                "strategic-merge-patch",
                json!({"spec": {"replicas": "x"}}),
                " \"\" is invalid: patch: Invalid value: \"map[spec:map[replicas:x]]\": \
                 unrecognized type: int32",
            ),
            (
                "json-patch",
                json!([{"op": "replace", "path": "/spec/nope/x", "value": 1}]),
                "the server rejected our request due to an error in our request",
            ),
            (
                "json-patch",
                json!([{"op": "test", "path": "/spec/replicas", "value": 9}]),
                "the server rejected our request due to an error in our request",
            ),
        ] {
            let media_type = format!("application/{form}+json");
            let patch = Patch::parse(&media_type, patch.to_string().as_bytes()).unwrap();
            let object = json!({"spec": {"replicas": 1}});
            let refusal = patch.apply_to(deployment, object).unwrap_err();
            assert_eq!((refusal.code, refusal.message.as_str()), (422, said));
        }
    }
}
