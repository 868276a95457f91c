//! Ownership through sequences of writes, against what a real API server recorded.

use serde_json::{Value, json};

use super::*;
use crate::cluster::apiserver::schema;
use crate::cluster::object::Refusal;

/// `managedFields` as Kubernetes 1.36.2 wrote them, with the objects as they were at each write.
const RECORDED: &str = include_str!("../../../../tests/golden/apply/managed-fields.json");

const NOW: &str = "2026-11-21T05:00:00Z";
const LATER: &str = "2026-11-21T05:00:09Z";

fn mk_claim(manager: &str) -> Claim<'_> {
    Claim {
        schema: schema::find("apps", "v1", "Deployment").unwrap(),
        manager,
        api_version: "apps/v1".to_owned(),
        subresource: "",
        scope: Scope::AllButStatus,
        time: NOW.to_owned(),
    }
}

fn mk_deployment(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
}

/// A Deployment that `curl` created.
fn mk_live(spec: &Value) -> Value {
    let mut live = mk_deployment(spec);
    live["metadata"]["uid"] = "1".into();
    mk_claim("curl").update(None, &mut live);
    live
}

#[track_caller]
fn assert_owns(object: &Value, manager: &str, fields: &Value) {
    let list = object["metadata"]["managedFields"].as_array().unwrap();
    let entry = list.iter().find(|entry| entry["manager"] == manager);
    let owned = entry.map_or(&Value::Null, |entry| &entry["fieldsV1"]);
    assert_eq!(owned, fields, "what {manager} owns");
}

fn message(result: Result<Value, Refusal>) -> String {
    result.unwrap_err().message
}

#[test]
fn writes_are_recorded_as_a_real_server_records_them() {
    let cases: Vec<Value> = serde_json::from_str(RECORDED).unwrap();
    for case in &cases {
        let api_version = case["apiVersion"].as_str().unwrap();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let mut live: Option<Value> = None;
        for write in case["writes"].as_array().unwrap() {
            let text = |key: &str| write[key].as_str().unwrap_or_default();
            let claim = Claim {
                schema: schema::find(group, version, case["kind"].as_str().unwrap()).unwrap(),
                manager: text("manager"),
                api_version: api_version.to_owned(),
                subresource: text("subresource"),
                scope: match text("subresource") {
                    "status" => Scope::Status,
                    _ => Scope::AllButStatus,
                },
                time: text("time").to_owned(),
            };
            let mut new = write["object"].clone();
            claim.update(live.as_ref(), &mut new);
            live = Some(new);
        }
        let managed = &live.unwrap()["metadata"]["managedFields"];
        assert_eq!(*managed, case["managedFields"], "{}", case["note"]);
    }
}

#[test]
fn one_conflict_is_told_in_one_line_and_several_by_manager() {
    let containers = |image: &str| json!({"spec": {"containers": [{"name": "c", "image": image}]}});
    let live = mk_live(&json!({"replicas": 1, "template": containers("app:v1")}));
    let three = mk_deployment(&json!({"replicas": 3}));
    let refusal = mk_claim("m1")
        .apply(Some(&live), &three, false)
        .unwrap_err();
    assert_eq!((refusal.code, refusal.reason.as_str()), (409, "Conflict"));
    assert_eq!(
        refusal.message,
        "Apply failed with 1 conflict: conflict with \"curl\" using apps/v1: .spec.replicas"
    );
    let details = refusal.details.unwrap();
    assert_eq!(details.causes[0].reason, "FieldManagerConflict");
    assert_eq!(
        details.causes[0].message,
        "conflict with \"curl\" using apps/v1"
    );
    assert_eq!(details.causes[0].field, ".spec.replicas");

    let forced = mk_claim("m1").apply(Some(&live), &three, true).unwrap();
    let four = mk_deployment(&json!({"replicas": 4, "template": containers("x")}));
    assert_eq!(
        message(mk_claim("m2").apply(Some(&forced), &four, false)),
        "Apply failed with 2 conflicts: conflicts with \"curl\" using apps/v1:\n\
         - .spec.template.spec.containers[name=\"c\"].image\n\
         conflicts with \"m1\":\n\
         - .spec.replicas"
    );
}

#[test]
fn a_forced_apply_takes_fields_over() {
    let live = mk_live(&json!({"replicas": 1, "paused": true}));
    let forced = mk_claim("m1")
        .apply(Some(&live), &mk_deployment(&json!({"replicas": 3})), true)
        .unwrap();
    assert_eq!(forced["spec"], json!({"replicas": 3, "paused": true}));
    assert_owns(&forced, "m1", &json!({"f:spec": {"f:replicas": {}}}));
    assert_owns(&forced, "curl", &json!({"f:spec": {"f:paused": {}}}));
}

#[test]
fn equal_values_are_owned_together_and_stay_until_the_last_owner_leaves() {
    let replicas = mk_deployment(&json!({"replicas": 3}));
    let nothing = json!({"kind": "Deployment", "metadata": {"name": "web"}});
    let mut live = mk_claim("m1").apply(None, &replicas, false).unwrap();
    live = mk_claim("m2").apply(Some(&live), &replicas, false).unwrap();
    assert_owns(&live, "m1", &json!({"f:spec": {"f:replicas": {}}}));
    assert_owns(&live, "m2", &json!({"f:spec": {"f:replicas": {}}}));
    live = mk_claim("m1").apply(Some(&live), &nothing, false).unwrap();
    assert_eq!(live["spec"]["replicas"], 3);
    assert_owns(&live, "m1", &Value::Null);
    live = mk_claim("m2").apply(Some(&live), &nothing, false).unwrap();
    assert_eq!(live["spec"]["replicas"], Value::Null);
    assert_eq!(live["metadata"]["managedFields"], Value::Null);
}

#[test]
fn what_an_applier_leaves_out_goes_and_what_others_wrote_stays() {
    let wanted = |env: &Value| {
        let container = json!({"name": "c", "image": "i", "env": env});
        mk_deployment(&json!({"template": {"spec": {"containers": [container]}}}))
    };
    let both = wanted(&json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]));
    let mut live = mk_claim("m1").apply(None, &both, false).unwrap();
    live["metadata"]["uid"] = "1".into();
    let mut edited = live.clone();
    edited["spec"]["template"]["spec"]["containers"][0]["env"] = json!([
        {"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"},
    ]);
    mk_claim("curl").update(Some(&live), &mut edited);
    let one = wanted(&json!([{"name": "A", "value": "1"}]));
    let applied = mk_claim("m1").apply(Some(&edited), &one, false).unwrap();
    assert_eq!(
        applied["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{"name": "A", "value": "1"}, {"name": "C", "value": "3"}])
    );
}

#[test]
fn an_apply_that_changes_nothing_keeps_the_record_and_its_time() {
    let replicas = mk_deployment(&json!({"replicas": 3}));
    let live = mk_claim("m1").apply(None, &replicas, false).unwrap();
    let later = Claim {
        time: LATER.to_owned(),
        ..mk_claim("m1")
    };
    assert_eq!(later.apply(Some(&live), &replicas, false).unwrap(), live);
}

#[test]
fn a_write_that_changes_nothing_keeps_the_records() {
    let live = mk_live(&json!({"replicas": 1}));
    let mut new = live.clone();
    managed::forget(&mut new);
    let later = Claim {
        time: LATER.to_owned(),
        ..mk_claim("other")
    };
    later.update(Some(&live), &mut new);
    assert_eq!(new, live);
}

#[test]
fn a_write_takes_what_it_changes_from_all_others() {
    let live = mk_live(&json!({"replicas": 1, "paused": true}));
    let mut new = live.clone();
    new["spec"]["replicas"] = 2.into();
    new["spec"].as_object_mut().unwrap().remove("paused");
    let scale = Claim {
        subresource: "scale",
        time: LATER.to_owned(),
        ..mk_claim("kubectl")
    };
    scale.update(Some(&live), &mut new);
    assert_eq!(
        new["metadata"]["managedFields"],
        json!([{
            "manager": "kubectl",
            "operation": "Update",
            "apiVersion": "apps/v1",
            "time": LATER,
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
            "subresource": "scale",
        }])
    );
}

#[test]
fn what_was_there_before_the_first_apply_has_an_owner_of_its_own() {
    let mut live = mk_live(&json!({"replicas": 1}));
    managed::forget(&mut live);
    let mut edited = live.clone();
    edited["spec"]["replicas"] = 2.into();
    mk_claim("curl").update(Some(&live), &mut edited);
    assert_eq!(
        edited["metadata"]["managedFields"],
        Value::Null,
        "not recorded"
    );
    assert_eq!(
        message(mk_claim("m1").apply(Some(&live), &mk_deployment(&json!({"replicas": 3})), false)),
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using apps/v1: \
         .spec.replicas"
    );
}

#[test]
fn kubectl_may_apply_over_what_it_applied_on_the_client_side() {
    let applied = mk_deployment(&json!({"replicas": 1, "paused": true}));
    let mut live = applied.clone();
    live["metadata"]["annotations"] = json!({
        "kubectl.kubernetes.io/last-applied-configuration": applied.to_string(),
    });
    mk_claim("kubectl-client-side-apply").update(None, &mut live);
    let wanted = mk_deployment(&json!({"replicas": 2, "paused": true}));
    assert_eq!(
        message(mk_claim("other").apply(Some(&live), &wanted, false)),
        "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: \
         .spec.replicas"
    );
    let new = mk_claim("kubectl")
        .apply(Some(&live), &wanted, false)
        .unwrap();
    assert_eq!(new["spec"]["replicas"], 2);
    let annotation = "kubectl.kubernetes.io/last-applied-configuration";
    assert_eq!(
        new["metadata"]["annotations"][annotation],
        format!("{wanted}\n")
    );

    let mut scaled = live.clone();
    scaled["spec"]["replicas"] = 5.into();
    mk_claim("scaler").update(Some(&live), &mut scaled);
    assert_eq!(
        message(mk_claim("kubectl").apply(Some(&scaled), &wanted, false)),
        "Apply failed with 1 conflict: conflict with \"scaler\" using apps/v1: .spec.replicas"
    );
}

#[test]
fn clients_may_edit_and_reset_the_records_but_not_through_a_subresource() {
    let live = mk_live(&json!({"replicas": 1}));
    let mut edited = live.clone();
    edited["metadata"]["managedFields"][0]["manager"] = "renamed".into();
    let sent = edited.clone();
    mk_claim("curl").update(Some(&live), &mut edited);
    assert_eq!(edited, sent);

    let status = Claim {
        subresource: "status",
        scope: Scope::Status,
        ..mk_claim("curl")
    };
    status.update(Some(&live), &mut edited);
    assert_eq!(edited, live);

    let mut reset = live.clone();
    reset["metadata"]["managedFields"] = json!([{}]);
    mk_claim("curl").update(Some(&live), &mut reset);
    assert_eq!(reset["metadata"]["managedFields"], Value::Null);

    let mut broken = live.clone();
    broken["metadata"]["managedFields"] = json!([{"manager": "x"}]);
    mk_claim("curl").update(Some(&live), &mut broken);
    assert_eq!(broken, live);
}

#[test]
fn only_the_part_that_a_write_can_change_is_owned() {
    let mut object = mk_deployment(&json!({"replicas": 1}));
    object["status"] = json!({"replicas": 1});
    let main = mk_claim("m").apply(None, &object, false).unwrap();
    assert_owns(&main, "m", &json!({"f:spec": {"f:replicas": {}}}));
    let status = Claim {
        subresource: "status",
        scope: Scope::Status,
        ..mk_claim("s")
    };
    let both = status.apply(Some(&main), &object, false).unwrap();
    assert_owns(&both, "s", &json!({"f:status": {"f:replicas": {}}}));
    assert_owns(&both, "m", &json!({"f:spec": {"f:replicas": {}}}));
}

#[test]
fn a_configuration_that_cannot_be_merged_is_refused() {
    let check = |configuration: &Value, unknown: &str| {
        let refusal = mk_claim("m").check(configuration, &[unknown.to_owned()]);
        refusal.unwrap_err().message
    };
    let mut with_records = mk_deployment(&json!({}));
    with_records["metadata"]["managedFields"] = json!([]);
    assert_eq!(
        check(&with_records, ""),
        "metadata.managedFields must be nil"
    );
    let mut misspelt = mk_deployment(&json!({"replica": 1}));
    misspelt["metadata"]["namespace"] = "ns".into();
    assert_eq!(
        check(&misspelt, "spec.replica"),
        "failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): .spec.replica: \
         field not declared in schema"
    );
}

#[test]
fn times_alone_are_no_change() {
    let old = mk_live(&json!({"replicas": 1}));
    let mut new = old.clone();
    new["metadata"]["managedFields"][0]["time"] = LATER.into();
    let mut changed = new.clone();
    ignore_times(&mut new, &old);
    assert_eq!(new, old);
    changed["spec"]["replicas"] = 2.into();
    ignore_times(&mut changed, &old);
    assert_eq!(changed["metadata"]["managedFields"][0]["time"], LATER);
}
