//! Bodies that kubectl sent, beside the JSON that the same command prints; and a body with what
//! those lack.

use serde_json::{Value, json};

use super::*;

/// Bodies of `kubectl create` 1.33 and what the same commands print with `--dry-run=client`.
macro_rules! recorded {
    ($($name:literal),*) => {
        [$((
            $name,
            include_str!(concat!("../../../../tests/golden/protobuf/", $name, ".hex")),
            include_str!(concat!("../../../../tests/golden/protobuf/", $name, ".json")),
        )),*]
    };
}

#[test]
fn bodies_of_kubectl_are_the_objects_that_it_prints() {
    for (name, hex, json) in recorded!(
        "namespace",
        "deployment",
        "service",
        "configmap",
        "autoscaler",
        "quota"
    ) {
        let expected: Value = serde_json::from_str(json).unwrap();
        assert_eq!(decode(&mk_bytes(hex)), Ok(expected), "{name}");
    }
}

/// The bytes that a recording spells in hexadecimal.
pub(in crate::cluster::apiserver) fn mk_bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|index| u8::from_str_radix(&digits[index..index + 2], 16).unwrap())
        .collect()
}

/// A field of a few bytes: a text, bytes or a message.
fn mk_field(number: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut bytes = mk_varint(u64::from(number) << 3 | 2);
    bytes.extend(mk_varint(content.len() as u64));
    bytes.extend(content);
    bytes
}

fn mk_number(number: u8, value: u64) -> Vec<u8> {
    [mk_varint(u64::from(number) << 3), mk_varint(value)].concat()
}

fn mk_varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

fn mk_entry(key: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    [mk_field(1, key), mk_field(2, value)].concat()
}

fn mk_body(api_version: &str, kind: &str, object: impl AsRef<[u8]>) -> Vec<u8> {
    let type_meta = [mk_field(1, api_version), mk_field(2, kind)].concat();
    [MAGIC.to_vec(), mk_field(1, type_meta), mk_field(2, object)].concat()
}

/// A Pod with one container, and what else its spec and metadata say.
fn mk_pod(
    container: impl AsRef<[u8]>,
    spec: impl AsRef<[u8]>,
    metadata: impl AsRef<[u8]>,
) -> Vec<u8> {
    let spec = [mk_field(2, container), spec.as_ref().to_vec()].concat();
    [mk_field(1, metadata), mk_field(2, spec), mk_field(3, "")].concat()
}

#[test]
fn containers_are_read() {
    let quantity = |text: &str| mk_field(1, text);
    let resources = [
        mk_field(1, mk_entry("memory", quantity("128Mi"))),
        mk_field(2, mk_entry("cpu", quantity("100m"))),
    ];
    let secret_key = [mk_field(1, mk_field(1, "s")), mk_field(2, "password")].concat();
    let env = [
        mk_field(7, [mk_field(1, "A"), mk_field(2, "1")].concat()),
        mk_field(
            7,
            [mk_field(1, "B"), mk_field(3, mk_field(4, secret_key))].concat(),
        ),
    ];
    let port = [mk_number(1, 1), mk_number(2, 0), mk_field(3, "http")].concat();
    let get = [mk_field(1, "/ready"), mk_field(2, port)].concat();
    let probe = [
        mk_field(1, mk_field(2, get)),
        mk_number(2, 0),
        mk_number(4, 5),
        mk_number(7, 0),
    ];
    let container = [
        mk_field(1, "c"),
        mk_field(3, "sleep"),
        mk_field(3, "5"),
        env.concat(),
        mk_field(8, resources.concat()),
        mk_field(11, probe.concat()),
        mk_number(16, 1),
        mk_number(17, 0),
    ];
    let pod = decode(&mk_body("v1", "Pod", mk_pod(container.concat(), "", ""))).unwrap();
    let secret = json!({"secretKeyRef": {"name": "s", "key": "password"}});
    assert_eq!(
        pod["spec"]["containers"],
        json!([{
            "name": "c",
            "command": ["sleep", "5"],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": secret}],
            "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "100m"}},
            "readinessProbe": {
                "httpGet": {"path": "/ready", "port": "http"},
                "periodSeconds": 5,
                "terminationGracePeriodSeconds": 0,
            },
            "stdin": true,
        }])
    );
}

#[test]
fn zero_counts_where_the_field_may_be_absent() {
    let security = [
        mk_number(3, 0),
        mk_field(4, [mk_varint(1000), mk_varint(2000)].concat()),
        mk_number(5, 3000),
    ];
    let spec = [
        mk_field(1, [mk_field(1, "v"), mk_field(2, mk_field(2, ""))].concat()),
        mk_number(4, 0),
        mk_number(5, (-1_i64).cast_unsigned()),
        mk_number(11, 0),
        mk_field(14, security.concat()),
        mk_field(99, "unknown"),
    ];
    let fields = mk_field(7, mk_field(1, "{\"f:spec\":{}}"));
    let time = [mk_number(1, 1_795_000_000), mk_number(2, 0)];
    let metadata = [
        mk_field(1, "p"),
        mk_number(7, 0),
        mk_field(8, ""),
        mk_field(9, time.concat()),
        mk_field(11, mk_entry("app", "")),
        mk_field(17, [mk_field(1, "m"), fields].concat()),
    ];
    let pod = mk_pod(mk_field(1, "c"), spec.concat(), metadata.concat());
    assert_eq!(
        decode(&mk_body("v1", "Pod", pod)),
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "p",
                "deletionTimestamp": "2026-11-18T11:06:40Z",
                "labels": {"app": ""},
                "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{"name": "c"}],
                "terminationGracePeriodSeconds": 0,
                "activeDeadlineSeconds": -1,
                "securityContext": {
                    "runAsNonRoot": false,
                    "supplementalGroups": [1000, 2000],
                    "fsGroup": 3000,
                },
            },
            "status": {},
        }))
    );
}

#[test]
fn micro_times_keep_their_fraction() {
    let time = [mk_number(1, 1_795_000_000), mk_number(2, 5_000_000)].concat();
    let spec = [mk_field(1, "me"), mk_number(2, 15), mk_field(4, time)].concat();
    assert_eq!(
        decode(&mk_body(
            "coordination.k8s.io/v1",
            "Lease",
            mk_field(2, spec)
        )),
        Ok(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "spec": {
                "holderIdentity": "me",
                "leaseDurationSeconds": 15,
                "renewTime": "2026-11-18T11:06:40.005000Z",
            },
        }))
    );
}

#[test]
fn options_of_a_delete_are_read_under_every_group() {
    let options = [
        mk_number(1, 0),
        mk_field(2, mk_field(1, "u")),
        mk_field(4, "Orphan"),
    ]
    .concat();
    assert_eq!(
        decode(&mk_body("apps/v1", "DeleteOptions", options)),
        Ok(json!({
            "apiVersion": "apps/v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": "u"},
            "propagationPolicy": "Orphan",
        }))
    );
}

#[test]
fn what_is_no_such_body_is_refused() {
    let text_as_number = mk_body("v1", "ConfigMap", mk_field(1, mk_number(1, 1)));
    let cut_short = &mk_body("v1", "ConfigMap", mk_field(1, "name"))[..20];
    for (body, fault) in [
        (
            &b"{}"[..],
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
        ),
        (cut_short, "unexpected EOF"),
        (&text_as_number, "proto: wrong wireType = 0 for field name"),
        (
            &mk_body("x/v1", "Thing", ""),
            "no kind \"Thing\" is registered for version \"x/v1\" in scheme \
             \"pkg/api/legacyscheme/scheme.go:30\"",
        ),
    ] {
        assert_eq!(decode(body), Err(fault.to_owned()));
    }
}
