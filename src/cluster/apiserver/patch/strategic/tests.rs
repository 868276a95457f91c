//! Patches as kubectl sends them, and ones that do not fit.

use serde_json::json;

use super::*;
use crate::cluster::apiserver::schema;

fn apply(object: Value, patch: Value) -> Result<Value, String> {
    let deployment = schema::find("apps", "v1", "Deployment");
    merge(deployment, object, &fields(patch)).map_err(|refusal| refusal.message)
}

fn mk_containers(containers: &Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": containers}}}})
}

#[test]
fn maps_merge_and_lists_merge_by_their_keys() {
    for (object, patch, expected) in [
        (
            json!({"metadata": {"labels": {"a": "1", "b": "2"}}}),
            json!({"metadata": {"labels": {"a": null, "c": "3"}}}),
            json!({"metadata": {"labels": {"b": "2", "c": "3"}}}),
        ),
        (
            json!({"spec": {"replicas": 1}}),
            json!({"spec": {"paused": true, "strategy": null}}),
            json!({"spec": {"replicas": 1, "paused": true}}),
        ),
        (
            mk_containers(&json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}])),
            mk_containers(&json!([{"name": "b", "image": "2"}])),
            mk_containers(&json!([{"name": "a", "image": "1"}, {"name": "b", "image": "2"}])),
        ),
        (
            mk_containers(&json!([{"name": "a", "command": ["x"], "env": [
                {"name": "A", "value": "1"}, {"name": "B", "value": "1"},
            ]}])),
            mk_containers(&json!([{"name": "a", "command": ["y", "z"], "env": [
                {"name": "B", "$patch": "delete"}, {"name": "A", "value": "2"},
            ]}])),
            mk_containers(&json!([
                {"name": "a", "command": ["y", "z"], "env": [{"name": "A", "value": "2"}]},
            ])),
        ),
        (
            mk_containers(&json!([{"name": "a", "ports": [{"containerPort": 80, "name": "x"}]}])),
            mk_containers(&json!([{"name": "a", "ports": [
                {"containerPort": 80, "hostPort": 8080}, {"containerPort": 81},
            ]}])),
            mk_containers(&json!([{"name": "a", "ports": [
                {"containerPort": 80, "name": "x", "hostPort": 8080}, {"containerPort": 81},
            ]}])),
        ),
        (
            mk_containers(&json!([{"name": "a"}])),
            mk_containers(&json!([{"$patch": "replace"}, {"name": "c"}])),
            mk_containers(&json!([{"name": "c"}])),
        ),
    ] {
        assert_eq!(apply(object, patch.clone()), Ok(expected), "{patch}");
    }
}

#[test]
fn items_take_the_order_of_the_directive_or_of_the_patch() {
    let mk_list = |names: &str| -> Value {
        names
            .chars()
            .map(|name| json!({"name": name.to_string()}))
            .collect()
    };
    for (old, new, order, expected) in [
        ("ab", "c", None, "cab"),
        ("ab", "c", Some("ac"), "acb"),
        ("ab", "c", Some("abc"), "abc"),
        ("abc", "", Some("cba"), "cba"),
        ("sab", "b", Some("ba"), "sba"),
        ("", "b", Some("b"), "b"),
    ] {
        let mut patch = mk_containers(&mk_list(new));
        let pod = &mut patch["spec"]["template"]["spec"];
        if new.is_empty() {
            pod.as_object_mut().unwrap().remove("containers");
        }
        if let Some(order) = order {
            pod["$setElementOrder/containers"] = mk_list(order);
        }
        assert_eq!(
            apply(mk_containers(&mk_list(old)), patch),
            Ok(mk_containers(&mk_list(expected))),
            "{old} + {new} in {order:?}"
        );
    }
}

#[test]
fn finalizers_are_a_set() {
    let mk_finalizers = |finalizers: Value| json!({"metadata": {"finalizers": finalizers}});
    let old = mk_finalizers(json!(["a", "b"]));
    assert_eq!(
        apply(old.clone(), mk_finalizers(json!(["b", "c"]))),
        Ok(mk_finalizers(json!(["a", "b", "c"])))
    );
    let delete = json!({"metadata": {
        "$deleteFromPrimitiveList/finalizers": ["a"],
        "$setElementOrder/finalizers": ["b"],
    }});
    assert_eq!(apply(old, delete), Ok(mk_finalizers(json!(["b"]))));
}

#[test]
fn directives_on_maps_replace_empty_and_retain() {
    let strategy = |strategy: Value| json!({"spec": {"strategy": strategy}});
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
    for (directive, expected) in [
        (
            json!({"$patch": "replace", "type": "Recreate"}),
            json!({"type": "Recreate"}),
        ),
        (json!({"$patch": "delete"}), json!({})),
        (
            json!({"$retainKeys": ["type"], "type": "Recreate"}),
            json!({"type": "Recreate"}),
        ),
    ] {
        assert_eq!(
            apply(strategy(rolling.clone()), strategy(directive.clone())),
            Ok(strategy(expected)),
            "{directive}"
        );
    }
}

#[test]
fn what_is_new_is_added_without_directives_and_nulls() {
    let patch = mk_containers(&json!([
        {"name": "c", "image": "i", "tty": null, "$setElementOrder/env": []},
        {"name": "gone", "$patch": "delete"},
    ]));
    assert_eq!(
        apply(json!({}), patch),
        Ok(mk_containers(&json!([{"name": "c", "image": "i"}])))
    );
}

#[test]
fn directives_that_do_not_fit_are_refused() {
    for (patch, said) in [
        (
            mk_containers(&json!([{"image": "x"}])),
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            json!({"spec": {"$patch": "explode"}}),
            "unknown patch type: explode in map: map[$patch:explode]",
        ),
        (
            json!({"spec": {"$retainKeys": ["type"], "replicas": 1}}),
            "invalid patch format of retainKeys",
        ),
        (
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": "a"}}),
            "invalid patch format of primitive list",
        ),
        (
            json!({"spec": {"template": {"spec": {
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [{"name": "b"}],
            }}}}),
            "The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder \
             list:\n[map[name:a]]\n",
        ),
    ] {
        let mut object = mk_containers(&json!([{"name": "a"}]));
        object["metadata"] = json!({});
        assert_eq!(
            apply(object, patch.clone()),
            Err(said.to_owned()),
            "{patch}"
        );
    }
}
