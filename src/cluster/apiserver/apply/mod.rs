//! Who owns which fields of an object: server-side apply, and the records that every other write
//! keeps for it. All of it is pure.
//!
//! ```text
//! apply   configuration ─► check ─► owned ─┐
//!         live + configuration ─► merge ─► prune ─► compare ─► conflicts, or the new object
//! write   live + new object ─► compare ─► managed
//! ```
//!
//! Source: `staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal` and
//! `sigs.k8s.io/structured-merge-diff/v6/merge/update.go`.

mod check;
mod compare;
mod conflict;
mod element;
mod last_applied;
mod managed;
mod merge;
mod owned;
mod set;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use self::compare::{Changes, compare};
use self::conflict::Conflict;
pub(crate) use self::managed::ignore_times;
use self::managed::{Managed, Manager, Operation};
use self::set::FieldSet;
use super::schema::Struct;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, Refusal};

/// Who counts as the owner of what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// The media type of a configuration, which may be JSON, too.
pub(crate) const MEDIA_TYPE: &str = "application/apply-patch+yaml";

/// Who writes, and which part of the object.
pub(crate) struct Claim<'a> {
    pub(crate) schema: &'static Struct,
    pub(crate) manager: &'a str,
    pub(crate) api_version: String,
    /// Empty for the object itself.
    pub(crate) subresource: &'a str,
    pub(crate) scope: Scope,
    pub(crate) time: String,
}

/// The part of an object that a write can change; the rest of what it sends is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Whole,
    AllButStatus,
    Status,
}

impl Scope {
    fn trim(self, fields: &mut FieldSet) {
        match self {
            Self::Whole => {}
            Self::AllButStatus => fields.cut(&["f:status"]),
            Self::Status => {
                fields.cut(&["f:spec"]);
                fields.cut(&["f:metadata", "f:labels"]);
            }
        }
    }
}

impl Claim<'_> {
    /// Records a create or an update: what it changes is owned by who writes it. An object whose
    /// creation was not recorded stays without records.
    pub(crate) fn update(&self, live: Option<&Value>, new: &mut Value) {
        let given = managed::forget(new);
        let mut managed = self.known(live, given);
        if managed.is_empty() && live.is_some() {
            return;
        }
        let changes = self.compare(live.unwrap_or(&json!({})), new);
        managed.give_up(&changes);
        let mut written = changes.written;
        written.strip();
        if !written.is_empty() {
            managed.add(self.manager(Operation::Update), written, &self.time);
        }
        managed.write(new);
    }

    /// Whether a configuration can be applied. `unknown` names the fields that its kind does not
    /// have.
    ///
    /// # Errors
    /// The refusal that tells the first fault.
    pub(crate) fn check(&self, configuration: &Value, unknown: &[String]) -> Result<(), Refusal> {
        if !configuration["metadata"]["managedFields"].is_null() {
            return Err(refusal::bad_request("metadata.managedFields must be nil"));
        }
        check::check(self.schema, configuration, unknown)
            .map_err(|fault| refusal::unknown(self.untyped(configuration, &fault)))
    }

    /// Lays a configuration over the live object, or over nothing, and records who owns what.
    ///
    /// # Errors
    /// A 409 where other managers own fields with other values and `force` is not set.
    pub(crate) fn apply(
        &self,
        live: Option<&Value>,
        configuration: &Value,
        force: bool,
    ) -> Result<Value, Refusal> {
        let mut managed = self.appliers(live);
        let mut live = live.cloned().unwrap_or_else(|| json!({}));
        managed::forget(&mut live);

        let me = self.manager(Operation::Apply);
        let before = managed.take(me);
        let mut mine = owned::owned(self.schema, configuration);
        mine.strip();
        self.scope.trim(&mut mine);
        let mut object = merge::merge(self.schema, &live, configuration);
        if let Some(fields) = object.as_object_mut() {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
        if let Some(before) = &before {
            let others = managed.entries().iter().map(|entry| &entry.fields);
            let owners: Vec<&FieldSet> = others.chain([&mine]).collect();
            merge::prune(self.schema, &mut object, &before.fields, &owners);
        }
        let changes = self.compare(&live, &object);
        if !force {
            self.check_conflicts(&managed, &changes, &live)?;
        }
        managed.give_up(&changes);
        let is_same = changes.written.is_empty() && changes.removed.is_empty();
        let time = before
            .as_ref()
            .filter(|before| is_same && before.fields == mine)
            .map_or(self.time.as_str(), |before| before.text("time"));
        managed.put(me, mine, time);
        if self.manager == last_applied::MANAGER {
            last_applied::update(&mut object, configuration);
        }
        managed.write(&mut object);
        Ok(object)
    }

    /// The records that a write starts from. A client may edit them, or drop them all; one that
    /// does not know them, or breaks them, leaves them as they are.
    fn known(&self, live: Option<&Value>, given: Option<Value>) -> Managed {
        let is_reset = given.as_ref().is_some_and(managed::is_reset);
        if is_reset && self.subresource.is_empty() {
            return Managed::default();
        }
        given
            .filter(|_| self.subresource.is_empty())
            .and_then(Managed::parse)
            .filter(|managed| !managed.is_empty())
            .or_else(|| live.and_then(Managed::of))
            .unwrap_or_default()
    }

    /// The records that an apply starts from. What nobody owned belongs to an owner of its own.
    fn appliers(&self, live: Option<&Value>) -> Managed {
        let managed = live.and_then(Managed::of).unwrap_or_default();
        let Some(live) = live.filter(|_| managed.is_empty()) else {
            return managed;
        };
        let mut managed = managed;
        let mut there = self.compare(&json!({}), live).written;
        there.strip();
        let unknown = Manager {
            name: BEFORE_FIRST_APPLY,
            ..self.manager(Operation::Update)
        };
        managed.add(unknown, there, &self.time);
        managed
    }

    fn check_conflicts(
        &self,
        managed: &Managed,
        changes: &Changes,
        live: &Value,
    ) -> Result<(), Refusal> {
        let entries = managed.entries().iter();
        let mut conflicts: Vec<Conflict> = entries
            .filter_map(|entry| Conflict::with(entry, &changes.written))
            .collect();
        if !conflicts.is_empty() && self.manager == last_applied::MANAGER {
            let allowed = last_applied::unchanged(self.schema, live);
            for conflict in &mut conflicts {
                conflict.fields.remove(&allowed);
            }
            conflicts.retain(|conflict| !conflict.fields.is_empty());
        }
        if conflicts.is_empty() {
            return Ok(());
        }
        Err(conflict::refuse(conflicts))
    }

    fn compare(&self, old: &Value, new: &Value) -> Changes {
        let mut changes = compare(self.schema, old, new);
        self.scope.trim(&mut changes.written);
        self.scope.trim(&mut changes.removed);
        changes
    }

    fn manager(&self, operation: Operation) -> Manager<'_> {
        Manager {
            name: self.manager,
            operation,
            api_version: &self.api_version,
            subresource: self.subresource,
        }
    }

    /// The text of a configuration that does not fit the schema.
    fn untyped(&self, configuration: &Value, fault: &str) -> String {
        let (group, version) = self
            .api_version
            .split_once('/')
            .unwrap_or(("", &self.api_version));
        format!(
            "failed to create typed patch object ({}/{}; {group}/{version}, Kind={}): {fault}",
            meta::namespace(configuration),
            meta::name(configuration),
            configuration["kind"].as_str().unwrap_or_default(),
        )
    }
}
