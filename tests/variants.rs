//! What an update loses depends on probe and preStop, in the order in which a real cluster
//! showed it: Kubernetes 1.36.2, kube-proxy in iptables mode, 200 requests a second, three
//! replicas, maxSurge 1, services that end on SIGTERM. Its figures stand beside the variants.
//!
//! In real time, since the order follows from the proxies' one sync a second.

#![expect(clippy::expect_used, reason = "a test that cannot go on should stop")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rollout_lab::cluster::Published;
use rollout_lab::provider::embedded::{Embedded, NODES};
use rollout_lab::report::Report;
use rollout_lab::run::features::{self, Choice};
use rollout_lab::run::{Keep, Plan, Ran, new_id, run};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Requests a second.
const RATE: u32 = 50;

/// A pair of manifests, and what it lost on the real cluster, per 3,000 requests.
struct Variant {
    name: &'static str,
    boot: f64,
    readiness_probe: bool,
    pre_stop: Option<u32>,
    max_unavailable: u32,
    lost_on_a_real_cluster: &'static str,
}

const VARIANTS: [Variant; 8] = [
    Variant {
        name: "as printed",
        boot: 0.0,
        readiness_probe: false,
        pre_stop: None,
        max_unavailable: 1,
        lost_on_a_real_cluster: "89 of 11,996",
    },
    Variant {
        name: "no probe",
        boot: 0.4,
        readiness_probe: false,
        pre_stop: None,
        max_unavailable: 1,
        lost_on_a_real_cluster: "90 of 3,000",
    },
    Variant {
        name: "readiness probe",
        boot: 0.4,
        readiness_probe: true,
        pre_stop: None,
        max_unavailable: 1,
        lost_on_a_real_cluster: "74 of 3,000",
    },
    Variant {
        name: "readiness probe, none unavailable",
        boot: 0.4,
        readiness_probe: true,
        pre_stop: None,
        max_unavailable: 0,
        lost_on_a_real_cluster: "106 of 3,000",
    },
    Variant {
        name: "preStop 3 s, none unavailable",
        boot: 0.4,
        readiness_probe: false,
        pre_stop: Some(3),
        max_unavailable: 0,
        lost_on_a_real_cluster: "48 of 3,000",
    },
    Variant {
        name: "both, preStop 1 s, none unavailable",
        boot: 0.4,
        readiness_probe: true,
        pre_stop: Some(1),
        max_unavailable: 0,
        lost_on_a_real_cluster: "6 of 5,000",
    },
    Variant {
        name: "both, preStop 3 s",
        boot: 0.4,
        readiness_probe: true,
        pre_stop: Some(3),
        max_unavailable: 1,
        lost_on_a_real_cluster: "0 during the update",
    },
    Variant {
        name: "both, preStop 3 s, none unavailable",
        boot: 0.4,
        readiness_probe: true,
        pre_stop: Some(3),
        max_unavailable: 0,
        lost_on_a_real_cluster: "0 of 5,000",
    },
];

/// How far a variant follows the advice: a readiness probe, and a preStop that outlasts a sync.
///
/// What one variant loses in one update has chance in it, since a pod may end just before a sync
/// or just after one; so the means of these groups are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protection {
    None,
    Part,
    Whole,
}

impl Variant {
    fn protection(&self) -> Protection {
        match self.pre_stop {
            None => Protection::None,
            Some(3..) if self.readiness_probe => Protection::Whole,
            Some(_) => Protection::Part,
        }
    }

    /// One version's manifest, made from the lab's own.
    fn manifest(&self, version: &str) -> Value {
        let text = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(format!("k8s/base/deployment-{version}.yaml")),
        )
        .expect("the lab's manifest");
        let mut manifest: Value = serde_yaml::from_str(&text).expect("YAML");
        manifest["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] =
            self.max_unavailable.into();
        let container = &mut manifest["spec"]["template"]["spec"]["containers"][0];
        let env = container["env"].as_array_mut().expect("variables");
        env.push(json!({"name": "BOOT_SECONDS", "value": self.boot.to_string()}));
        env.push(json!({"name": "ON_SIGTERM", "value": "end"}));
        if self.readiness_probe {
            container["readinessProbe"] =
                json!({"httpGet": {"path": "/", "port": 3000}, "periodSeconds": 1});
        }
        if let Some(seconds) = self.pre_stop {
            container["lifecycle"] = json!({"preStop": {"sleep": {"seconds": seconds}}});
        }
        manifest
    }
}

/// A feature with a scenario for each variant, and its manifests beside it.
fn write_lab(folder: &Path) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s/base");
    let mut feature = "Feature: variants\n".to_owned();
    for name in ["configmap.yaml", "service-nodeport.yaml"] {
        fs::copy(base.join(name), folder.join(name)).expect("copied");
    }
    for (number, variant) in VARIANTS.iter().enumerate() {
        for version in ["v1", "v2"] {
            let text = serde_yaml::to_string(&variant.manifest(version)).expect("YAML");
            fs::write(folder.join(format!("{number}-{version}.yaml")), text).expect("written");
        }
        let _ = write!(
            feature,
            r#"
  Scenario: {name}
    Given the namespace "app-dev"
    And these files are applied and rolled out within 60 seconds:
      | configmap.yaml        |
      | service-nodeport.yaml |
      | {number}-v1.yaml      |
    And requests flow to node port 30000 at {RATE} per second
    When I apply "{number}-v2.yaml"
    Then the rollout of "user-service" completes within 60 seconds
    And only "payment-service" "2.0.0" answers on node port 30000
    And the availability of "user-service" during the update is reported
"#,
            name = variant.name
        );
    }
    fs::write(folder.join("variants.feature"), feature).expect("written");
}

/// Requests and failures of each variant, in order.
fn losses(report: &Report) -> Vec<(f64, f64)> {
    let of_scenario = |name: &str| {
        let scenario = report
            .scenarios
            .iter()
            .find(|scenario| scenario.scenario.name == name)
            .unwrap_or_else(|| panic!("no scenario {name}"));
        let verdicts = scenario.steps.iter().flat_map(|step| &step.verdicts);
        let figures = verdicts
            .map(|verdict| &verdict.figures)
            .find(|figures| figures.contains_key("failed"))
            .unwrap_or_else(|| panic!("{name}: no availability; {scenario:#?}"));
        (figures["requests"], figures["failed"])
    };
    VARIANTS
        .iter()
        .map(|variant| of_scenario(variant.name))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn variants_lose_requests_in_the_order_of_a_real_cluster() {
    let folder = tempfile::tempdir().expect("a folder");
    write_lab(folder.path());
    let files = [folder.path().join("variants.feature")];
    let plan = Plan {
        id: new_id(),
        features: features::load(&files, &Choice::default()).expect("a feature"),
        provider: Arc::new(Embedded {
            pace: 1.0,
            nodes: NODES,
            published: Published::default(),
        }),
        report_dir: folder.path().join("reports"),
        concurrency: VARIANTS.len(),
        step_limit: Duration::from_secs(60),
        keep: Keep::Never,
    };
    let Ran { report, .. } = run(plan, CancellationToken::new(), drop)
        .await
        .expect("a report");
    let losses = losses(&report);
    for (variant, (requests, failed)) in VARIANTS.iter().zip(&losses) {
        println!(
            "{:36} {failed:4} of {requests} failed; on a real cluster {}",
            variant.name, variant.lost_on_a_real_cluster
        );
    }
    let mean = |protection: Protection| {
        let of_each = VARIANTS.iter().zip(&losses);
        let (variants, failed) = of_each
            .filter(|(variant, _)| variant.protection() == protection)
            .fold((0.0, 0.0), |(variants, sum), (_, (_, failed))| {
                (variants + 1.0, sum + failed)
            });
        failed / variants
    };
    let none = mean(Protection::None);
    let part = mean(Protection::Part);
    let whole = mean(Protection::Whole);
    println!("mean: {none:.1} without preStop, {part:.1} with a part of it, {whole:.1} with both");
    assert!(none > part, "{none} without preStop, {part} with a part");
    assert!(whole == 0.0, "{whole} with both");
}
