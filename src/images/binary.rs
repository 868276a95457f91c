//! Whether a binary can stand alone, and what it runs on.

use std::fmt;
use std::path::Path;

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, FileKind};

use super::ImageError;

/// A Linux program that needs no other file.
#[derive(Debug, Clone)]
pub(super) struct Binary {
    bytes: Vec<u8>,
    platform: Platform,
}

/// What a program runs on, in the words of image formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Platform {
    /// The architecture, as Go names it.
    pub(super) architecture: &'static str,
    /// Which of several that share a name.
    pub(super) variant: Option<&'static str>,
}

/// The operating system of every image.
pub(super) const OS: &str = "linux";

/// Why a binary cannot be used.
#[derive(Debug, PartialEq, Eq)]
enum Unusable {
    NotLinux(String),
    Dynamic(String),
}

impl Binary {
    /// Reads a binary and looks at its headers.
    ///
    /// # Errors
    /// It cannot be read, is no Linux program, or needs other files.
    pub(super) fn read(path: &Path) -> Result<Self, ImageError> {
        let bytes = std::fs::read(path).map_err(|source| ImageError::Read {
            path: path.to_owned(),
            source,
        })?;
        match look(&bytes) {
            Ok(platform) => Ok(Self { bytes, platform }),
            Err(Unusable::NotLinux(why)) => Err(ImageError::NotLinux {
                path: path.to_owned(),
                why,
            }),
            Err(Unusable::Dynamic(interpreter)) => Err(ImageError::Dynamic {
                path: path.to_owned(),
                interpreter,
            }),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn platform(&self) -> Platform {
        self.platform
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OS}/{}", self.architecture)?;
        match self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

fn look(bytes: &[u8]) -> Result<Platform, Unusable> {
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => look_at::<elf::FileHeader32<Endianness>>(bytes),
        Ok(FileKind::Elf64) => look_at::<elf::FileHeader64<Endianness>>(bytes),
        _ => Err(Unusable::NotLinux("it is not ELF".to_owned())),
    }
}

fn look_at<Header: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Platform, Unusable> {
    let broken = |error: object::Error| Unusable::NotLinux(format!("its ELF is broken: {error}"));
    let header = Header::parse(bytes).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    let system = header.e_ident().os_abi;
    if ![elf::ELFOSABI_SYSV, elf::ELFOSABI_LINUX].contains(&system) {
        return Err(Unusable::NotLinux(format!("it is for ELF system {system}")));
    }
    for segment in header.program_headers(endian, bytes).map_err(broken)? {
        if let Some(interpreter) = segment.interpreter(endian, bytes).map_err(broken)? {
            let interpreter = String::from_utf8_lossy(interpreter).into_owned();
            return Err(Unusable::Dynamic(interpreter));
        }
    }
    // A program without a loader may be of either type: at a fixed address, or at any. So may a
    // library, but that begins nowhere.
    let is_program = matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN)
        && header.e_entry(endian).into() != 0;
    if !is_program {
        return Err(Unusable::NotLinux(
            "it is a part of a program or a library".to_owned(),
        ));
    }
    let machine = header.e_machine(endian);
    platform(machine, header.is_class_64(), header.is_little_endian())
        .ok_or_else(|| Unusable::NotLinux(format!("no image is for ELF machine {machine}")))
}

/// The platform of an ELF machine (`go tool dist list`, and the variants of the OCI image index).
fn platform(machine: u16, is_64: bool, is_little: bool) -> Option<Platform> {
    let (architecture, variant) = match (machine, is_64, is_little) {
        (elf::EM_X86_64, true, true) => ("amd64", None),
        (elf::EM_AARCH64, true, true) => ("arm64", None),
        (elf::EM_ARM, false, true) => ("arm", Some("v7")),
        (elf::EM_386, false, true) => ("386", None),
        (elf::EM_RISCV, true, true) => ("riscv64", None),
        (elf::EM_PPC64, true, true) => ("ppc64le", None),
        (elf::EM_S390, true, false) => ("s390x", None),
        _ => return None,
    };
    Some(Platform {
        architecture,
        variant,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tests::mk_elf;

    #[test]
    fn a_static_program_is_usable_and_says_what_it_runs_on() {
        for (machine, said) in [
            (elf::EM_X86_64, "linux/amd64"),
            (elf::EM_AARCH64, "linux/arm64"),
            (elf::EM_RISCV, "linux/riscv64"),
        ] {
            let platform = look(&mk_elf(machine, None)).unwrap();
            assert_eq!(platform.to_string(), said);
        }
        let arm = platform(elf::EM_ARM, false, true).unwrap();
        assert_eq!(arm.to_string(), "linux/arm/v7");
    }

    #[test]
    fn a_program_that_needs_a_loader_is_refused() {
        let loader = "/lib64/ld-linux-x86-64.so.2";
        let unusable = look(&mk_elf(elf::EM_X86_64, Some(loader))).unwrap_err();
        assert_eq!(unusable, Unusable::Dynamic(loader.to_owned()));
    }

    #[test]
    fn what_is_no_linux_program_is_refused() {
        let good = mk_elf(elf::EM_X86_64, None);
        let change = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            bytes
        };
        for (bytes, why) in [
            (b"#!/bin/sh\n".to_vec(), "it is not ELF"),
            (Vec::new(), "it is not ELF"),
            (
                b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01".to_vec(),
                "it is not ELF",
            ),
            (good[..40].to_vec(), "its ELF is broken"),
            (good[..100].to_vec(), "its ELF is broken"),
            (change(7, 9), "it is for ELF system 9"),
            (change(16, 1), "it is a part of a program or a library"),
            (change(24, 0), "it is a part of a program or a library"),
            (change(18, 8), "no image is for ELF machine 8"),
        ] {
            let Err(Unusable::NotLinux(said)) = look(&bytes) else {
                panic!("{why}");
            };
            assert!(said.starts_with(why), "{said}");
        }
    }
}
