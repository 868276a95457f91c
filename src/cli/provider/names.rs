//! The words that choose a provider, a name or a version.

use clap::ValueEnum;

/// A provider by its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ProviderName {
    /// A cluster inside this process
    #[default]
    Embedded,
    /// A cluster of containers, made by kind
    Kind,
    /// k3s in containers, made by k3d
    K3d,
    /// A cluster made by minikube with its docker driver
    Minikube,
    /// An existing cluster, named by its context
    Kubeconfig,
    /// A named context, else what can be made here, else an embedded cluster; says which and why
    Auto,
}

impl ProviderName {
    /// The word that chooses it.
    pub(in crate::cli) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// A name that every tool takes.
pub(super) fn cluster_name(text: &str) -> Result<String, String> {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let ends = |c: Option<char>| c.is_some_and(|c| c != '-');
    let is_name = (2..=32).contains(&text.len())
        && text.chars().all(is_good)
        && ends(text.chars().next())
        && ends(text.chars().last());
    if is_name {
        return Ok(text.to_owned());
    }
    Err("expected 2 to 32 lower-case letters, digits and dashes, such as my-lab".to_owned())
}

/// A version of Kubernetes, with the `v` that it may be written without.
pub(super) fn kubernetes_version(text: &str) -> Result<String, String> {
    let version = text.strip_prefix('v').unwrap_or(text);
    let parts: Vec<&str> = version.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(is_number) {
        return Ok(format!("v{version}"));
    }
    Err("expected a version with three numbers, such as v1.36.2".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_checked_before_a_tool_sees_them() {
        for good in ["lab", "rollout-lab-0a1b2c3d", "a1"] {
            assert_eq!(cluster_name(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "a",
            "Lab",
            "-lab",
            "lab-",
            "a b",
            "--all",
            &"x".repeat(33),
        ] {
            assert!(cluster_name(bad).is_err(), "{bad}");
        }
        assert_eq!(kubernetes_version("1.36.2").as_deref(), Ok("v1.36.2"));
        assert_eq!(kubernetes_version("v1.36.2").as_deref(), Ok("v1.36.2"));
        for bad in ["1.36", "latest", "v1.36.2-k3s1", "1..2"] {
            assert!(kubernetes_version(bad).is_err(), "{bad}");
        }
    }
}
