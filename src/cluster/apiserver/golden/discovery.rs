//! The recording `discovery.json`: what is served must be described as upstream describes it.

use serde_json::Value;

use super::mk_server;
use super::recording;
use super::replay::{Aliases, Recording};

/// Fields that tell who serves and where.
const OWN: [&str; 6] = [
    "compiler",
    "gitCommit",
    "gitVersion",
    "goVersion",
    "platform",
    "serverAddress",
];

/// Groups of the recording that are not served at all.
const NOT_SERVED: [&str; 1] = ["/apis/autoscaling/v2"];

#[tokio::test]
async fn what_is_served_is_described_as_recorded() {
    let recording = Recording::read(recording!("discovery.json"));
    let server = mk_server([10, 96, 0, 0], 16);
    for step in &recording.steps {
        let answer = step.send(&server, &Aliases::default()).await;
        if NOT_SERVED.contains(&step.request.path.as_str()) {
            assert_eq!(answer.status.as_u16(), 404, "{}", step.title());
            continue;
        }
        let ours = answer.json();
        if !step.response.path_keys.is_empty() {
            let paths = ours["paths"].as_object().unwrap();
            assert!(
                paths
                    .keys()
                    .all(|path| step.response.path_keys.contains(path)),
                "{}: {paths:?}",
                step.title()
            );
            continue;
        }
        let Some(theirs) = step.response.body.clone() else {
            let difference = step.difference(&answer, &mut Aliases::default());
            assert_eq!(difference, None, "{}", step.title());
            continue;
        };
        assert_eq!(
            answer.status.as_u16(),
            step.response.status,
            "{}",
            step.title()
        );
        let theirs = served_of(&theirs, &ours);
        assert_eq!(without_own(theirs), without_own(ours), "{}", step.title());
    }
}

/// What the recording says of that which we serve too. Items of lists are known by their names.
fn served_of(theirs: &Value, ours: &Value) -> Value {
    match (theirs, ours) {
        (Value::Object(fields), Value::Object(_)) => fields
            .iter()
            .map(|(key, theirs)| (key.clone(), served_of(theirs, &ours[key])))
            .filter(|(key, theirs)| {
                // A list of which nothing is served is left out.
                *theirs != Value::Array(Vec::new()) || ours.get(key).is_some()
            })
            .collect(),
        (Value::Array(theirs), Value::Array(ours)) if theirs.iter().all(Value::is_object) => {
            let served = theirs.iter().filter_map(|theirs| {
                let ours = ours.iter().find(|ours| name_of(ours) == name_of(theirs))?;
                Some(served_of(theirs, ours))
            });
            served.collect()
        }
        (Value::Array(theirs), Value::Null) if theirs.iter().all(Value::is_object) => {
            Value::Array(Vec::new())
        }
        _ => theirs.clone(),
    }
}

fn name_of(item: &Value) -> Option<&str> {
    [
        "name",
        "resource",
        "subresource",
        "groupVersion",
        "version",
        "clientCIDR",
    ]
    .iter()
    .find_map(|key| item[key].as_str())
    .or_else(|| item["metadata"]["name"].as_str())
}

fn without_own(mut value: Value) -> Value {
    fn remove(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|key, _| !OWN.contains(&key.as_str()));
                fields.values_mut().for_each(remove);
            }
            Value::Array(items) => items.iter_mut().for_each(remove),
            _ => {}
        }
    }
    remove(&mut value);
    value
}
