//! The archive as its readers find it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use object::elf;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::images::archive::Digest;

/// The smallest file that is a 64-bit Linux program to who reads its headers: one segment, which
/// names a loader where there is one.
pub(super) fn mk_elf(machine: u16, loader: Option<&str>) -> Vec<u8> {
    const HEADER: u16 = 64;
    const SEGMENT: u16 = 56;
    let mut path = loader.unwrap_or_default().as_bytes().to_vec();
    path.push(0);
    let kind = if loader.is_some() {
        elf::PT_INTERP
    } else {
        elf::PT_LOAD
    };
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    let word = |bytes: &mut Vec<u8>, value: u64, size: usize| {
        bytes.extend(&value.to_le_bytes()[..size]);
    };
    // The file: type, machine, version, entry, segments at, sections at, flags, then sizes and
    // counts of header, segments and sections.
    for (value, size) in [
        (elf::ET_EXEC.into(), 2),
        (machine.into(), 2),
        (1, 4),
        (0x40, 8),
        (HEADER.into(), 8),
        (0, 8),
        (0, 4),
        (HEADER.into(), 2),
        (SEGMENT.into(), 2),
        (1, 2),
        (0, 2),
        (0, 2),
        (0, 2),
    ] {
        word(&mut bytes, value, size);
    }
    // The segment: type, flags, place in the file, two addresses, two sizes, alignment.
    for (value, size) in [
        (kind.into(), 4),
        (4, 4),
        (u64::from(HEADER + SEGMENT), 8),
        (0, 8),
        (0, 8),
        (path.len() as u64, 8),
        (path.len() as u64, 8),
        (1, 8),
    ] {
        word(&mut bytes, value, size);
    }
    bytes.extend(path);
    bytes
}

/// A folder with a binary in it.
struct Place {
    folder: TempDir,
    binary: PathBuf,
}

impl Place {
    fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("program");
        std::fs::write(&binary, bytes).unwrap();
        Self { folder, binary }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// Builds with a small static program, and unpacks.
fn mk_archive() -> (Built, BTreeMap<String, Vec<u8>>) {
    let place = Place::of(&mk_elf(elf::EM_X86_64, None));
    let built = build(&place.binary, &place.path("images.tar")).unwrap();
    let bytes = std::fs::read(&built.path).unwrap();
    assert_eq!(built.size, bytes.len() as u64);
    (built, unpack(&bytes))
}

/// The files of a tar, none of which says when or by whom it was made.
fn unpack(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut paths = Vec::new();
    for entry in tar::Archive::new(bytes).entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        let traces = [header.mtime(), header.uid(), header.gid()];
        assert_eq!(traces.map(Result::unwrap), [0, 0, 0]);
        let mode = header.mode().unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(mode, if is_run(&path) { 0o755 } else { 0o644 }, "{path}");
        paths.push(path.clone());
        files.insert(path, content);
    }
    assert!(paths.is_sorted(), "{paths:?}");
    files
}

/// Whether a path is a program or a folder.
fn is_run(path: &str) -> bool {
    path == "rollout-lab" || path.ends_with('/')
}

fn document(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap()
}

/// The path of the blob that a descriptor describes, after a look at its size.
#[track_caller]
fn blob(files: &BTreeMap<String, Vec<u8>>, descriptor: &Value) -> String {
    let digest = descriptor["digest"].as_str().unwrap();
    let path = digest.replace("sha256:", "blobs/sha256/");
    assert_eq!(descriptor["size"], files[&path].len(), "{path}");
    path
}

#[test]
fn every_blob_is_what_its_name_says_and_none_is_there_for_nothing() {
    let (_, files) = mk_archive();
    let blobs: Vec<&String> = files.keys().filter(|path| path.contains('/')).collect();
    for path in &blobs {
        assert_eq!(&&Digest::of(&files[*path]).path(), path);
    }
    // One layer, and a configuration and a manifest for each image.
    assert_eq!(blobs.len(), 1 + 2 * 2);
    let others: Vec<&String> = files.keys().filter(|path| !path.contains('/')).collect();
    assert_eq!(others, ["index.json", "manifest.json", "oci-layout"]);
    let layout = document(&files, "oci-layout");
    assert_eq!(layout, json!({"imageLayoutVersion": "1.0.0"}));
}

#[test]
fn both_sorts_of_readers_find_the_same_images() {
    let (built, files) = mk_archive();
    let index = document(&files, "index.json");
    let docker = document(&files, "manifest.json");
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(docker.as_array().unwrap().len(), 2);
    for (number, name) in ["user-service", "payment-service"].iter().enumerate() {
        let image = format!("mogumogusityau/{name}:1.0.0");
        let full = format!("docker.io/{image}");
        let descriptor = &index["manifests"][number];
        assert_eq!(
            descriptor["annotations"],
            json!({
                "io.containerd.image.name": full,
                "org.opencontainers.image.ref.name": "1.0.0",
            })
        );
        assert_eq!(
            descriptor["platform"],
            json!({"architecture": "amd64", "os": "linux"})
        );
        let manifest = document(&files, &blob(&files, descriptor));
        let config = blob(&files, &manifest["config"]);
        let layer = blob(&files, &manifest["layers"][0]);
        assert_eq!(
            docker[number],
            json!({"Config": config, "RepoTags": [full], "Layers": [layer]})
        );
        let said = &built.images[number];
        assert_eq!(
            (said.name, said.platform.as_str()),
            (&*image, "linux/amd64")
        );
        assert_eq!(said.id.replace("sha256:", "blobs/sha256/"), config);
    }
}

#[test]
fn an_image_starts_its_service_without_root_and_tells_what_it_is() {
    let (_, files) = mk_archive();
    for (number, (name, on_sigterm)) in [("user-service", "ignore"), ("payment-service", "end")]
        .into_iter()
        .enumerate()
    {
        let docker = document(&files, "manifest.json");
        let config = document(&files, docker[number]["Config"].as_str().unwrap());
        assert_eq!(
            (&config["architecture"], &config["os"]),
            (&json!("amd64"), &json!("linux"))
        );
        let on_sigterm = format!("ON_SIGTERM={on_sigterm}");
        assert_eq!(
            config["config"],
            json!({
                "User": "65532:65532",
                "Entrypoint": ["/rollout-lab", "app", name],
                "Env": ["BOOT_SECONDS=0.4", "HOST=0.0.0.0", on_sigterm, "PORT=3000"],
                "ExposedPorts": {"3000/tcp": {}},
                "WorkingDir": "/",
                "Labels": {
                    "org.opencontainers.image.title": name,
                    "org.opencontainers.image.description":
                        format!("{name}, a sample service of rollout labs"),
                    "org.opencontainers.image.version": "1.0.0",
                    "org.opencontainers.image.licenses": "Apache-2.0",
                },
            })
        );
    }
}

#[test]
fn the_layer_is_the_binary_and_the_name_of_its_user() {
    let (built, files) = mk_archive();
    let docker = document(&files, "manifest.json");
    assert_eq!(docker[0]["Layers"], docker[1]["Layers"], "it is shared");
    let packed = &files[docker[0]["Layers"][0].as_str().unwrap()];
    let mut layer = Vec::new();
    GzDecoder::new(packed.as_slice())
        .read_to_end(&mut layer)
        .unwrap();
    let config = document(&files, docker[0]["Config"].as_str().unwrap());
    assert_eq!(
        config["rootfs"]["diff_ids"],
        json!([Digest::of(&layer).to_string()])
    );
    let content = unpack(&layer);
    let paths: Vec<&String> = content.keys().collect();
    assert_eq!(paths, ["etc/", "etc/passwd", "rollout-lab"]);
    assert_eq!(content["rollout-lab"], mk_elf(elf::EM_X86_64, None));
    assert!(String::from_utf8_lossy(&content["etc/passwd"]).contains("nonroot:x:65532:65532:"));
    let size: usize = content.values().map(Vec::len).sum();
    assert_eq!(built.images[0].size, size as u64);
}

#[test]
fn the_same_binary_gives_the_same_bytes() {
    let bytes = || {
        let place = Place::of(&mk_elf(elf::EM_AARCH64, None));
        let built = build(&place.binary, &place.path("images.tar")).unwrap();
        std::fs::read(built.path).unwrap()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_binary_that_cannot_be_used_is_named_with_what_to_do_and_nothing_is_written() {
    let loader = "/lib64/ld-linux-x86-64.so.2";
    for (bytes, why) in [
        (
            mk_elf(elf::EM_X86_64, Some(loader)),
            "is dynamically linked: it needs /lib64/ld-linux-x86-64.so.2",
        ),
        (b"#!/bin/sh".to_vec(), "is no Linux program (it is not ELF)"),
    ] {
        let place = Place::of(&bytes);
        let error = build(&place.binary, &place.path("images.tar")).unwrap_err();
        let said = error.to_string();
        for text in [
            place.binary.to_str().unwrap(),
            why,
            "scripts/build-images.sh",
            "--binary FILE",
        ] {
            assert!(said.contains(text), "{text}: {said}");
        }
        assert_eq!(place.names(), ["program"]);
    }
    let place = Place::of(b"");
    let error = build(&place.path("nowhere"), &place.path("images.tar")).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn an_archive_that_cannot_be_written_is_named_and_leaves_nothing() {
    let place = Place::of(&mk_elf(elf::EM_X86_64, None));
    std::fs::create_dir_all(place.path("taken/by/others")).unwrap();
    for output in ["nowhere/images.tar", "program/images.tar", "taken"] {
        let output = place.path(output);
        let error = build(&place.binary, &output).unwrap_err();
        let said = error.to_string();
        let expected = format!("could not write {}", output.display());
        assert!(said.starts_with(&expected), "{said}");
        assert_eq!(place.names(), ["program", "taken"]);
    }
}

#[test]
fn an_archive_that_was_there_is_replaced_as_a_whole() {
    let place = Place::of(&mk_elf(elf::EM_X86_64, None));
    let output = place.path("images.tar");
    std::fs::write(&output, "what was there").unwrap();
    let small = Place::of(b"no program");
    build(&small.binary, &output).unwrap_err();
    assert_eq!(std::fs::read(&output).unwrap(), b"what was there");
    build(&place.binary, &output).unwrap();
    assert!(std::fs::read(&output).unwrap().len() > 1000);
    assert_eq!(place.names(), ["images.tar", "program"]);
}

#[test]
fn the_labs_manifests_name_these_images() {
    let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s/base");
    let named: Vec<String> = ["deployment-v1.yaml", "deployment-v2.yaml"]
        .iter()
        .map(|file| std::fs::read_to_string(base.join(file)).unwrap())
        .flat_map(|text| {
            let images = text.lines().filter_map(|line| line.split_once("image: "));
            images
                .map(|(_, image)| image.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let (built, _) = mk_archive();
    let built: Vec<&str> = built.images.iter().map(|image| image.name).collect();
    assert_eq!(named, built);
}
