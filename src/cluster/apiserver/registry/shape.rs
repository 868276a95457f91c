//! The shape in which objects are kept and served: what the Go encoder of upstream leaves out.
//!
//! Upstream's types tell "not given" from "empty" only where a field is a pointer. Everywhere else
//! an empty text, list or map, a zero or a `false` is not written. The fields below are those that
//! clients and controllers really write empty; empty structs always stay, because they say
//! something (`emptyDir: {}`).

use serde_json::Value;

/// Maps with keys of their users' choice; left out when they are empty.
const MAPS: [&str; 9] = [
    "labels",
    "annotations",
    "data",
    "binaryData",
    "nodeSelector",
    "matchLabels",
    "limits",
    "requests",
    "overhead",
];

/// Texts that are left out when they are empty.
const TEXTS: [&str; 40] = [
    "action",
    "clusterIP",
    "containerID",
    "continue",
    "dnsPolicy",
    "effect",
    "externalName",
    "externalTrafficPolicy",
    "fieldPath",
    "generateName",
    "host",
    "hostIP",
    "hostname",
    "imagePullPolicy",
    "loadBalancerIP",
    "medium",
    "message",
    "namespace",
    "nodeName",
    "nominatedNodeName",
    "phase",
    "podIP",
    "prefix",
    "priorityClassName",
    "protocol",
    "qosClass",
    "reason",
    "resourceVersion",
    "restartPolicy",
    "schedulerName",
    "scheme",
    "selfLink",
    "serviceAccount",
    "serviceAccountName",
    "sessionAffinity",
    "subPath",
    "subdomain",
    "terminationMessagePolicy",
    "value",
    "workingDir",
];

/// Numbers that are left out when they are zero.
const NUMBERS: [&str; 12] = [
    "availableReplicas",
    "count",
    "fullyLabeledReplicas",
    "healthCheckNodePort",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "observedGeneration",
    "readyReplicas",
    "unavailableReplicas",
    "updatedReplicas",
];

/// Flags that are left out when they are false.
const FLAGS: [&str; 10] = [
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "stdin",
    "stdinOnce",
    "tty",
    "unschedulable",
];

/// Leaves out what the Go encoder would not write, and the object's own `apiVersion` and `kind`.
pub(super) fn strip(object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    drop_empty(object);
}

fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.retain(|key, value| {
            let key = key.as_str();
            if MAPS.contains(&key) {
                return value.as_object().is_some_and(|map| !map.is_empty());
            }
            drop_empty(value);
            match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty(),
                Value::String(text) => !(text.is_empty() && TEXTS.contains(&key)),
                Value::Number(number) => number.as_i64() != Some(0) || !NUMBERS.contains(&key),
                Value::Bool(flag) => *flag || !FLAGS.contains(&key),
                Value::Object(_) => true,
            }
        }),
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

/// Leaves out what a type invented because its field is not optional, as `selector: {}` where the
/// client gave no selector. `plain` is the object before its defaults, which are no inventions.
pub(super) fn drop_invented(object: &mut Value, plain: &Value, given: &Value) {
    match (object, given) {
        (Value::Object(fields), Value::Object(given)) => {
            fields.retain(|key, value| match given.get(key) {
                None | Some(Value::Null) => plain.get(key) != Some(value),
                Some(given) => {
                    drop_invented(value, &plain[key], given);
                    true
                }
            });
        }
        (Value::Array(items), Value::Array(given)) => {
            for (index, (item, given)) in items.iter_mut().zip(given).enumerate() {
                drop_invented(item, &plain[index], given);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_empty_is_left_out_and_empty_structs_stay() {
        let mut object = json!({
            "kind": "Pod",
            "metadata": {"labels": {}, "finalizers": [], "annotations": {"a": ""}},
            "spec": {
                "securityContext": {},
                "hostNetwork": false,
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{"name": "", "env": [{"name": "A", "value": ""}]}],
                "terminationGracePeriodSeconds": 0,
            },
            "status": {"readyReplicas": 0, "reason": ""},
        });
        strip(&mut object);
        assert_eq!(
            object,
            json!({
                "metadata": {"annotations": {"a": ""}},
                "spec": {
                    "securityContext": {},
                    "volumes": [{"name": "v", "emptyDir": {}}],
                    "containers": [{"name": "", "env": [{"name": "A"}]}],
                    "terminationGracePeriodSeconds": 0,
                },
                "status": {},
            })
        );
    }

    #[test]
    fn what_the_client_did_not_give_is_not_made_up() {
        let plain = json!({"spec": {"selector": {}, "template": {"a": [{"b": "", "c": 1}]}}});
        let mut object = plain.clone();
        object["spec"]["replicas"] = json!(1);
        let given = json!({"spec": {"template": {"a": [{"c": 1}]}, "selector": null}});
        drop_invented(&mut object, &plain, &given);
        assert_eq!(
            object,
            json!({"spec": {"replicas": 1, "template": {"a": [{"c": 1}]}}})
        );
    }
}
