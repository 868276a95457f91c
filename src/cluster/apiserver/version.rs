//! `GET /version`: which Kubernetes this behaves like.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/version/types.go`.

use serde_json::{Value, json};

/// The version whose behaviour is served, with a mark of who serves it.
pub(crate) const GIT_VERSION: &str = "v1.36.2+rollout-lab";

pub(crate) fn document() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": platform(),
    })
}

/// The operating system and the processor by the names that Go has for them.
fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}/{processor}")
}
