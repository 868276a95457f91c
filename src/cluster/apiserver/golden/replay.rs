//! Replaying a recording and comparing what comes back.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, exchange, headers};
use crate::cluster::apiserver::ApiServer;

#[derive(Deserialize)]
pub(super) struct Recording {
    pub(super) steps: Vec<Step>,
}

#[derive(Deserialize)]
pub(super) struct Step {
    #[serde(default)]
    pub(super) note: Option<String>,
    pub(super) request: RecordedRequest,
    pub(super) response: RecordedResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordedRequest {
    method: String,
    pub(super) path: String,
    accept: Option<String>,
    pub(super) content_type: Option<String>,
    /// An object, or a text that is sent as it is.
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordedResponse {
    pub(super) status: u16,
    content_type: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    pub(super) body: Option<Value>,
    text: Option<String>,
    /// Of a document that is too long to be recorded, the keys of `paths`.
    #[serde(default)]
    pub(super) path_keys: Vec<String>,
}

impl Recording {
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }
}

impl Step {
    /// How failures name the step.
    pub(super) fn title(&self) -> String {
        let note = self.note.as_deref().unwrap_or_default();
        format!("{} {} {note}", self.request.method, self.request.path)
    }

    pub(super) async fn send(&self, server: &ApiServer, aliases: &Aliases) -> Answer {
        let RecordedRequest {
            method,
            path,
            accept,
            content_type,
            body,
        } = &self.request;
        let path = match aliases.of_text("<continue of the page before>") {
            Some(token) => path.replace("<continue of the page before>", token),
            None => path.clone(),
        };
        let body = match body {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(object) => aliases.translate(object).to_string(),
        };
        let headers = headers(accept.as_ref(), content_type.as_ref());
        let method = method.parse().unwrap();
        exchange(server, method, &path, &headers, body).await
    }

    /// What differs between the recorded answer and ours; `None` when nothing does.
    pub(super) fn difference(&self, answer: &Answer, aliases: &mut Aliases) -> Option<String> {
        let recorded = &self.response;
        let given = self.request.body.as_ref().map(Value::to_string);
        let status = answer.status.as_u16();
        if status != recorded.status {
            return Some(format!("status {status}: {}", answer.text));
        }
        if recorded
            .content_type
            .as_ref()
            .is_some_and(|kind| *kind != answer.content_type)
        {
            return Some(format!("content type {}", answer.content_type));
        }
        if recorded.warnings != answer.warnings {
            return Some(format!("warnings {:?}", answer.warnings));
        }
        if let Some(text) = &recorded.text {
            return (*text != answer.text).then(|| format!("text {:?}", answer.text));
        }
        let ours = answer.json();
        let theirs = recorded.body.clone().unwrap_or_default();
        aliases.learn(&theirs, &ours, &given.unwrap_or_default());
        let (theirs, ours) = (
            without_times(aliases.translate(&theirs)),
            without_times(ours),
        );
        (theirs != ours).then(|| format!("body\n  theirs {theirs}\n  ours   {ours}"))
    }
}

/// What each recorded random value is called here.
#[derive(Default)]
pub(super) struct Aliases {
    texts: BTreeMap<String, String>,
    numbers: BTreeMap<i64, i64>,
}

impl Aliases {
    fn of_text(&self, recorded: &str) -> Option<&str> {
        self.texts.get(recorded).map(String::as_str)
    }

    /// Learns the random values of an answer; what the client gave is not random.
    fn learn(&mut self, theirs: &Value, ours: &Value, given: &str) {
        match (theirs, ours) {
            (Value::Object(fields), Value::Object(_)) => {
                for (key, theirs) in fields {
                    let is_generated = key == "name" && fields.contains_key("generateName");
                    let is_random = matches!(
                        key.as_str(),
                        "uid" | "resourceVersion" | "clusterIP" | "continue"
                    );
                    match (theirs, &ours[key]) {
                        (Value::String(theirs), Value::String(ours))
                            if (is_generated || is_random) && !given.contains(theirs) =>
                        {
                            if key == "continue" {
                                let place = "<continue of the page before>".to_owned();
                                self.texts.insert(place, ours.clone());
                            }
                            self.texts.entry(theirs.clone()).or_insert(ours.clone());
                        }
                        (Value::Number(theirs), Value::Number(ours))
                            if key == "nodePort" && !given.contains(&theirs.to_string()) =>
                        {
                            let (theirs, ours) = (theirs.as_i64(), ours.as_i64());
                            self.numbers
                                .entry(theirs.unwrap_or_default())
                                .or_insert(ours.unwrap_or_default());
                        }
                        (theirs, ours) => self.learn(theirs, ours, given),
                    }
                }
            }
            (Value::Array(theirs), Value::Array(ours)) => {
                for (theirs, ours) in theirs.iter().zip(ours) {
                    self.learn(theirs, ours, given);
                }
            }
            _ => {}
        }
    }

    /// The recorded value with our random values in it.
    fn translate(&self, recorded: &Value) -> Value {
        match recorded {
            Value::String(text) => match self.texts.get(text) {
                Some(ours) => ours.as_str().into(),
                None => self.translate_message(text).into(),
            },
            Value::Number(number) => number
                .as_i64()
                .and_then(|number| self.numbers.get(&number))
                .map_or_else(|| recorded.clone(), |ours| Value::from(*ours)),
            Value::Array(items) => items.iter().map(|item| self.translate(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| (key.clone(), self.translate(value)))
                .collect(),
            other => other.clone(),
        }
    }

    /// Messages name objects by their uids.
    fn translate_message(&self, text: &str) -> String {
        let is_uid = |text: &str| text.len() == 36 && text.matches('-').count() == 4;
        let uids = self.texts.iter().filter(|(theirs, _)| is_uid(theirs));
        uids.fold(text.to_owned(), |text, (theirs, ours)| {
            text.replace(theirs, ours)
        })
    }
}

const TIMES: [&str; 2] = ["creationTimestamp", "deletionTimestamp"];

/// The body without times, which differ, and without `managedFields`, which the recordings here
/// leave out; those of `handlers/tests` have them.
fn without_times(mut body: Value) -> Value {
    fn remove(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("managedFields");
                for (key, value) in fields.iter_mut() {
                    if TIMES.contains(&key.as_str()) && value.is_string() {
                        *value = "<time>".into();
                    }
                    remove(value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(remove),
            _ => {}
        }
    }
    remove(&mut body);
    body
}
