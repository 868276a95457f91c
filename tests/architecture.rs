//! The house holds its shape: which module may know which.
//!
//! Arrows point one way. `history` and `cluster` know nothing else of the crate, and only
//! `provider/embedded` knows the cluster, besides the command line that starts one for people.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with those that it may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("app", &[]),
    ("cluster", &[]),
    ("criteria", &["history"]),
    ("exit", &[]),
    ("history", &[]),
    ("images", &["app"]),
    (
        "lab",
        &["criteria", "history", "observer", "prober", "provider"],
    ),
    ("observer", &["history"]),
    ("prober", &["history"]),
    ("provider", &["app", "cluster", "exit", "history"]),
    ("report", &["criteria", "exit", "history"]),
    ("run", &["history", "lab", "provider", "report", "steps"]),
    ("steps", &["criteria", "history", "lab", "provider"]),
    ("view", &["criteria", "history", "report"]),
];
/// The command line may know everything: it puts the parts together.
const FREE: [&str; 3] = ["cli", "lib", "main"];
/// The files that may know the embedded cluster.
const KNOW_THE_CLUSTER: [&str; 4] = [
    "provider/embedded.rs",
    "provider/error.rs",
    "provider/forward/tests/",
    "cli/",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The top modules that a text names behind `crate::`, comments left out.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    code.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

/// Every source file by its path below `src`, with the module that it belongs to.
fn modules() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(source()).unwrap().display().to_string();
            let module = name.split(['/', '.']).next().unwrap().to_owned();
            let imports = imports(&fs::read_to_string(&path).unwrap());
            (name, (module, imports))
        })
        .collect()
}

#[test]
fn imports_follow_the_arrows() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (file, (module, imports)) in modules() {
        if FREE.contains(&module.as_str()) {
            continue;
        }
        let Some(allowed) = arrows.get(module.as_str()) else {
            wrong.push(format!(
                "{file}: module {module} has no arrows in this test"
            ));
            continue;
        };
        for import in imports {
            if import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{file} imports {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_embedded_provider_and_the_command_line_know_the_cluster() {
    let strangers: Vec<String> = modules()
        .into_iter()
        .filter(|(_, (module, imports))| module != "cluster" && imports.contains("cluster"))
        .map(|(file, _)| file)
        .filter(|file| !KNOW_THE_CLUSTER.iter().any(|known| file.starts_with(known)))
        .collect();
    assert!(strangers.is_empty(), "{}", strangers.join("\n"));
}

#[test]
fn the_top_level_holds_nothing_that_does_not_belong_there() {
    const ALLOWED: [&str; 10] = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "benches",
        "features",
        "k8s",
        "scripts",
        "src",
        "tests",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let strangers: Vec<String> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        // `target` is what building makes.
        .filter(|name| !name.starts_with('.') && name != "target")
        .filter(|name| !ALLOWED.contains(&name.as_str()))
        .collect();
    assert!(strangers.is_empty(), "{}", strangers.join(", "));
}

#[test]
fn only_the_manifest_reader_knows_the_deprecated_yaml_crate() {
    let mut found = Vec::new();
    files(&source(), &mut found);
    let users: Vec<String> = found
        .iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains("serde_yaml"))
        .map(|path| path.strip_prefix(source()).unwrap().display().to_string())
        .collect();
    assert_eq!(users, ["lab/manifest.rs"]);
}

#[test]
fn an_import_is_found_wherever_it_stands() {
    let text = "use crate::history::Entry;\n// crate::cluster\nlet x = crate::cluster::VERSION;";
    let found = imports(text);
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["cluster", "history"]
    );
}
