//! The table of struct fields that drives the text: `fields.txt`, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

static TABLE: LazyLock<HashMap<&'static str, Vec<Field>>> =
    LazyLock::new(|| parse(include_str!("fields.txt")));

/// One field of a Go struct.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// The type as Go prints it: `*int64`, `[]v1.Container`, `v1.Protocol`.
    pub(super) kind: &'static str,
    pub(super) place: Place,
}

/// Where a field's value stands in the JSON object of its struct.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Key(String),
    /// The value is a struct whose keys stand among those of the outer one.
    Inline,
}

/// The fields of a struct type; `None` for every other type.
pub(super) fn of(kind: &str) -> Option<&'static [Field]> {
    TABLE.get(kind).map(Vec::as_slice)
}

fn parse(table: &'static str) -> HashMap<&'static str, Vec<Field>> {
    let mut types = HashMap::new();
    let mut current = "";
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with(' ') {
            let fields: &mut Vec<Field> = types.entry(current).or_default();
            fields.extend(line.split(',').filter_map(field));
        } else {
            current = line;
        }
    }
    types
}

fn field(text: &'static str) -> Option<Field> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let kind = words.next()?;
    let place = match words.next() {
        Some("-") => Place::Inline,
        Some(key) => Place::Key(key.to_owned()),
        None => Place::Key(json_key(name)),
    };
    Some(Field { name, kind, place })
}

/// Lower-cases the leading capitals but the last, which begins the next word: `HTTPGet` is
/// `httpGet`, `SELinuxOptions` is `seLinuxOptions`, `TTY` is `tty`, `Name` is `name`.
fn json_key(name: &str) -> String {
    let capitals = name.bytes().take_while(u8::is_ascii_uppercase).count();
    let lowered = if capitals == name.len() {
        capitals
    } else {
        capitals.saturating_sub(1).max(1)
    };
    name[..lowered].to_lowercase() + &name[lowered..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_from_names() {
        for (name, key) in [
            ("HTTPGet", "httpGet"),
            ("DNSPolicy", "dnsPolicy"),
            ("SELinuxOptions", "seLinuxOptions"),
            ("TTY", "tty"),
            ("Name", "name"),
            ("HostPID", "hostPID"),
            ("EnvFrom", "envFrom"),
        ] {
            assert_eq!(json_key(name), key);
        }
    }

    /// Types of texts that are not called `string`.
    const NAMED_TEXTS: [&str; 37] = [
        "types.UID",
        "v1.AppArmorProfileType",
        "v1.AzureDataDiskCachingMode",
        "v1.AzureDataDiskKind",
        "v1.Capability",
        "v1.ContainerRestartPolicy",
        "v1.ContainerRestartRuleAction",
        "v1.ContainerRestartRuleOnExitCodesOperator",
        "v1.DNSPolicy",
        "v1.HostPathType",
        "v1.LabelSelectorOperator",
        "v1.MountPropagationMode",
        "v1.NodeInclusionPolicy",
        "v1.NodeSelectorOperator",
        "v1.OSName",
        "v1.PersistentVolumeAccessMode",
        "v1.PersistentVolumeMode",
        "v1.PodConditionType",
        "v1.PodFSGroupChangePolicy",
        "v1.PodSELinuxChangePolicy",
        "v1.PreemptionPolicy",
        "v1.ProcMountType",
        "v1.Protocol",
        "v1.PullPolicy",
        "v1.RecursiveReadOnlyMode",
        "v1.ResourceName",
        "v1.ResourceResizeRestartPolicy",
        "v1.RestartPolicy",
        "v1.SeccompProfileType",
        "v1.Signal",
        "v1.StorageMedium",
        "v1.SupplementalGroupsPolicy",
        "v1.TaintEffect",
        "v1.TerminationMessagePolicy",
        "v1.TolerationOperator",
        "v1.URIScheme",
        "v1.UnsatisfiableConstraintAction",
    ];
    /// Types that the writer of the text knows.
    const KNOWN: [&str; 10] = [
        "bool",
        "int32",
        "int64",
        "intstr.IntOrString",
        "map[string]string",
        "resource.Quantity",
        "string",
        "v1.ManagedFieldsEntry",
        "v1.ResourceList",
        "v1.Time",
    ];

    #[test]
    fn every_type_that_is_not_known_otherwise_is_in_the_table() {
        for (kind, fields) in TABLE.iter() {
            assert!(!fields.is_empty(), "{kind}");
            for field in fields {
                let element = field.kind.trim_start_matches('*').trim_start_matches("[]");
                let in_table = of(element).is_some();
                assert!(
                    in_table || KNOWN.contains(&element) || NAMED_TEXTS.contains(&element),
                    "{kind}.{}: {element}",
                    field.name
                );
                assert!(
                    in_table || field.place != Place::Inline,
                    "{kind}.{}",
                    field.name
                );
            }
        }
    }
}
