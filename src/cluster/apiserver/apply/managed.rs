//! `metadata.managedFields`: who owns which fields.
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/managedfields.go`.

use serde_json::{Map, Value, json};

use super::compare::Changes;
use super::set::FieldSet;

const KEY: &str = "managedFields";

/// What a manager did: laid claim by applying, or wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who owns fields. An applier is the same through all versions of the API, an updater is not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manager<'a> {
    pub(super) name: &'a str,
    pub(super) operation: Operation,
    pub(super) api_version: &'a str,
    /// Empty for the object itself.
    pub(super) subresource: &'a str,
}

/// One entry of the list.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Everything but the fields.
    head: Map<String, Value>,
    pub(super) fields: FieldSet,
}

impl Entry {
    pub(super) fn text(&self, key: &str) -> &str {
        self.head
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(super) fn is_update(&self) -> bool {
        self.text("operation") == Operation::Update.name()
    }

    fn is_of(&self, manager: Manager<'_>) -> bool {
        self.text("manager") == manager.name
            && self.text("operation") == manager.operation.name()
            && self.text("subresource") == manager.subresource
            && (!self.is_update() || self.text("apiVersion") == manager.api_version)
    }

    /// The order of the list: appliers, then updaters, each by time and name.
    fn rank(&self) -> [&str; 5] {
        ["operation", "time", "manager", "apiVersion", "subresource"].map(|key| self.text(key))
    }
}

/// All entries of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Managed(Vec<Entry>);

impl Managed {
    /// The entries that an object carries; `None` where they are not readable.
    pub(super) fn of(object: &Value) -> Option<Self> {
        match &object["metadata"][KEY] {
            Value::Null => Some(Self::default()),
            list => Self::parse(list.clone()),
        }
    }

    /// Reads a list of entries; `None` where it is none.
    pub(super) fn parse(list: Value) -> Option<Self> {
        let Value::Array(list) = list else {
            return None;
        };
        let entry = |value| {
            let Value::Object(mut head) = value else {
                return None;
            };
            let fields = FieldSet::parse(head.remove("fieldsV1")?)?;
            Some(Entry { head, fields })
        };
        list.into_iter()
            .map(entry)
            .collect::<Option<Vec<Entry>>>()
            .map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Takes the fields of a write away from everyone.
    pub(super) fn give_up(&mut self, changes: &Changes) {
        for entry in &mut self.0 {
            entry.fields.remove(&changes.written);
            entry.fields.remove(&changes.removed);
        }
    }

    /// Takes out the entry of a manager.
    pub(super) fn take(&mut self, manager: Manager<'_>) -> Option<Entry> {
        let index = self.0.iter().position(|entry| entry.is_of(manager))?;
        Some(self.0.remove(index))
    }

    /// Adds fields to what a manager owns.
    pub(super) fn add(&mut self, manager: Manager<'_>, fields: FieldSet, time: &str) {
        let mut owned = self.take(manager).map(|entry| entry.fields);
        owned.get_or_insert_default().add(&fields);
        self.put(manager, owned.unwrap_or_default(), time);
    }

    /// Makes fields the ones that a manager owns, in place of an entry that was taken out.
    pub(super) fn put(&mut self, manager: Manager<'_>, fields: FieldSet, time: &str) {
        let mut head = Map::new();
        let mut set = |key: &str, value: &str| head.insert(key.to_owned(), value.into());
        set("manager", manager.name);
        set("operation", manager.operation.name());
        set("apiVersion", manager.api_version);
        set("time", time);
        set("fieldsType", "FieldsV1");
        if !manager.subresource.is_empty() {
            set("subresource", manager.subresource);
        }
        self.0.push(Entry { head, fields });
    }

    /// Writes the list into the object, without those who own nothing.
    pub(super) fn write(mut self, object: &mut Value) {
        self.0.retain(|entry| !entry.fields.is_empty());
        self.0.sort_by(|one, other| one.rank().cmp(&other.rank()));
        let list: Vec<Value> = self.0.into_iter().map(Entry::into_value).collect();
        if list.is_empty() {
            forget(object);
        } else {
            object["metadata"][KEY] = list.into();
        }
    }
}

impl Entry {
    fn into_value(self) -> Value {
        let mut entry = self.head;
        entry.insert("fieldsV1".to_owned(), self.fields.into_value());
        Value::Object(entry)
    }
}

/// Removes the list from an object; returns it.
pub(super) fn forget(object: &mut Value) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.remove(KEY)
}

/// Whether a client asks to forget all owners: a list of one empty entry.
pub(super) fn is_reset(list: &Value) -> bool {
    *list == json!([{}])
}

/// Makes the new version equal to the old one where they differ in nothing but the times of
/// `managedFields`, so that such a write is none. Source:
/// `staging/src/k8s.io/apiserver/pkg/endpoints/handlers/fieldmanager/equality.go`.
pub(crate) fn ignore_times(new: &mut Value, old: &Value) {
    let (list, known) = (&new["metadata"][KEY], &old["metadata"][KEY]);
    if list == known || timeless(list) != timeless(known) {
        return;
    }
    let known = known.clone();
    let list = std::mem::replace(&mut new["metadata"][KEY], known);
    if new != old {
        new["metadata"][KEY] = list;
    }
}

/// The entries of a list without their times.
fn timeless(list: &Value) -> Vec<Vec<(&String, &Value)>> {
    let entries = list.as_array().into_iter().flatten();
    entries
        .filter_map(Value::as_object)
        .map(|entry| entry.iter().filter(|(key, _)| *key != "time").collect())
        .collect()
}
