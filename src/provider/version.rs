//! The versions of programs, as they print them.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

/// Major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The first version in a text, as it is written and as numbers.
#[must_use]
pub fn version_in(text: &str) -> Option<(String, Version)> {
    static VERSION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"v(\d+)\.(\d+)(\.\d+)?").ok());
    let found = VERSION.as_ref()?.captures(text)?;
    let version = Version(found[1].parse().ok()?, found[2].parse().ok()?);
    Some((found[0].to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared_as_numbers() {
        const NEEDED: Version = Version(1, 27);
        for (text, found, is_new_enough) in [
            (
                "Client Version: v1.32.4\nKustomize Version: v5.5.0",
                "v1.32.4",
                true,
            ),
            ("kind v0.33.0 go1.27.2 linux/amd64", "v0.33.0", false),
            ("Client Version: v1.9.0", "v1.9.0", false),
            (
                "Client Version: version.Info{Major:\"1\", Minor:\"20\", GitVersion:\"v1.20.2\"}",
                "v1.20.2",
                false,
            ),
            (
                "minikube version: v1.36.0\ncommit: f8f52f5d",
                "v1.36.0",
                true,
            ),
            (
                "k3d version v5.8.3\nk3s version v1.31.5-k3s1 (default)",
                "v5.8.3",
                true,
            ),
            ("v2.0", "v2.0", true),
        ] {
            let (written, version) = version_in(text).unwrap();
            assert_eq!(
                (written.as_str(), version >= NEEDED),
                (found, is_new_enough)
            );
        }
        assert_eq!(version_in("no version"), None);
        assert_eq!(NEEDED.to_string(), "1.27");
    }
}
