//! `rollout-lab images build`: what it prints, and what it refuses.

use std::path::{Path, PathBuf};

use crate::program::{Ended, Place, Running};

/// What a static Linux program begins with: 64 bits, x86-64, no segments.
fn mk_binary(place: &Place) -> PathBuf {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    (elf[16], elf[18], elf[20], elf[24]) = (2, 62, 1, 64);
    let path = place.path("program");
    std::fs::write(&path, elf).unwrap();
    path
}

fn build(place: &Place, binary: &Path, more: &[&str]) -> Ended {
    let mut command = place.command(&["images", "build", "--binary"]);
    command.arg(binary).args(more).current_dir(place.path(""));
    Running::of(command).end()
}

#[track_caller]
fn assert_refused(ended: &Ended, code: i32, texts: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    for text in texts {
        assert!(ended.stderr.contains(text), "{text}: {ended:#?}");
    }
}

#[test]
fn the_archive_is_written_where_it_is_wanted_and_its_images_are_listed() {
    let place = Place::new();
    let binary = mk_binary(&place);
    let ended = build(&place, &binary, &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for text in [
        "mogumogusityau/user-service:1.0.0  linux/amd64  0.1 MB  sha256:",
        "mogumogusityau/payment-service:1.0.0  linux/amd64  0.1 MB  sha256:",
        "target/rollout-lab/images.tar (0.1 MB)",
    ] {
        assert!(ended.stdout.contains(text), "{text}: {ended:#?}");
    }
    let ended = build(&place, &binary, &["--output", "elsewhere.tar"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let files = ["target/rollout-lab/images.tar", "elsewhere.tar"];
    let [usual, elsewhere] = files.map(|file| std::fs::read(place.path(file)).unwrap());
    assert!(usual == elsewhere, "the same binary gives the same archive");
}

#[test]
fn what_cannot_be_put_into_an_image_is_refused_with_what_to_do() {
    let place = Place::new();
    let script = place.file("script", "#!/bin/sh\n");
    let next = ["scripts/build-images.sh", "--binary FILE"];
    assert_refused(&build(&place, &script, &[]), 2, &next);
    let missing = build(&place, &place.path("nowhere"), &[]);
    assert_refused(&missing, 2, &["could not read the binary", "nowhere"]);
}

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    not(target_feature = "crt-static")
))]
#[test]
fn this_program_is_refused_because_it_needs_libraries() {
    let place = Place::new();
    let output = place.path("images.tar");
    let ended = place.run(&["images", "build", "--output", output.to_str().unwrap()]);
    let program = env!("CARGO_BIN_EXE_rollout-lab");
    let texts = [program, "is dynamically linked", "scripts/build-images.sh"];
    assert_refused(&ended, 2, &texts);
    assert!(!output.exists());
}

#[test]
fn an_archive_that_cannot_be_written_is_named() {
    let place = Place::new();
    let binary = mk_binary(&place);
    let ended = build(&place, &binary, &["--output", "nowhere/images.tar"]);
    let texts = ["could not write nowhere/images.tar", "because: "];
    assert_refused(&ended, 1, &texts);
}
