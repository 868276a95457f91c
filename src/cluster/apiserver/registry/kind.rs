//! The rules of a kind: decoding, defaults, validation, and what an update may change.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};

use super::decode::decode;
use super::metadata::{validate_metadata, validate_metadata_update};
use super::{Resource, shape};
use crate::cluster::apiserver::settings::Settings;
use crate::cluster::apiserver::table::Printer;
use crate::cluster::object::meta;
use crate::cluster::object::refusal::{self, FieldError, Refusal};
use crate::cluster::store::Transaction;

/// The rules of one kind, on its typed object. Every rule has a default that fits a kind that has
/// no such rule.
pub(crate) trait Kind: Send + Sync + 'static {
    type Object: Serialize + DeserializeOwned;

    /// Whether `spec` changes are counted in `metadata.generation`.
    const HAS_GENERATION: bool = false;

    /// Whether `status` is written through its own subresource only.
    const HAS_STATUS: bool = false;

    /// Whether a new object brings its status with it.
    const IS_BORN_WITH_STATUS: bool = false;

    /// Fills in what the client left out. Source: `pkg/apis/*/v1/defaults.go`.
    fn default(object: &mut Self::Object) {
        let _ = object;
    }

    /// What a new object looks like before its first status write.
    fn initialize(object: &mut Self::Object) {
        let _ = object;
    }

    /// Everything that is wrong with the object, in the order of upstream. `given` is what the
    /// client sent, which tells a missing struct from an empty one.
    fn validate(object: &Self::Object, given: &Value) -> Vec<FieldError> {
        let (_, _) = (object, given);
        Vec::new()
    }

    /// What an update may not change.
    fn validate_update(new: &Self::Object, old: &Self::Object) -> Vec<FieldError> {
        let (_, _) = (new, old);
        Vec::new()
    }

    /// What is wrong with a status.
    fn validate_status(new: &Self::Object, old: &Self::Object) -> Vec<FieldError> {
        let (_, _) = (new, old);
        Vec::new()
    }

    /// What an update through the main resource keeps from the old object besides its status.
    fn prepare_update(new: &mut Self::Object, old: &Self::Object) {
        let (_, _) = (new, old);
    }

    /// What a write of the status keeps from the old object besides its spec and its labels.
    fn prepare_status(new: &mut Self::Object, old: &Self::Object) {
        let (_, _) = (new, old);
    }

    /// Whether an update counts in `metadata.generation`: the parts that do, old and new.
    fn counts(new: &Value, old: &Value) -> bool {
        new["spec"] != old["spec"]
    }

    /// What is legal and still not advisable, for `Warning` headers. `old` is `None` on create.
    fn warnings(object: &Self::Object, old: Option<&Self::Object>) -> Vec<String> {
        let (_, _) = (object, old);
        Vec::new()
    }

    /// What needs other objects: allocation of addresses and ports, references. `old` is `None`
    /// on create. It runs before validation, as upstream's admission and allocators do.
    ///
    /// # Errors
    /// The refusal that the client gets.
    fn admit(
        object: &mut Self::Object,
        old: Option<&Self::Object>,
        admission: &mut Admission<'_, '_>,
    ) -> Result<(), Refusal> {
        let (_, _, _) = (object, old, admission);
        Ok(())
    }

    /// The last touch before the object is stored: what Go writes although it is empty.
    fn dress(object: &mut Value) {
        let _ = object;
    }

    /// Seconds between the request to delete and the removal; `None` removes at once.
    fn grace_period(object: &Self::Object, asked: Option<i64>) -> Option<i64> {
        let (_, _) = (object, asked);
        None
    }

    /// Fields besides name and namespace that field selectors may name.
    const FIELDS: &'static [&'static str] = &[];

    /// The value of such a field, by default what stands at its path.
    fn field(object: &Value, field: &str) -> String {
        at_path(object, field)
    }

    /// How `kubectl get` prints it.
    fn printer() -> &'static Printer;
}

/// What a write is admitted against: the other objects, under the lock.
pub(crate) struct Admission<'t, 's> {
    pub(crate) transaction: &'t Transaction<'s>,
    pub(crate) settings: &'t Settings,
    pub(crate) dry_run: bool,
    /// Texts for the `Warning` headers of the answer.
    pub(crate) warnings: Vec<String>,
}

/// A body that fits the kind's schema.
pub(crate) struct Decoded {
    /// The object as the kind's type writes it, with its defaults, without `apiVersion`, `kind`
    /// and empty fields.
    pub(crate) object: Value,
    /// Paths of fields that the type does not know.
    pub(crate) unknown: Vec<String>,
}

/// Which part of an object a write may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// The main resource: everything but the status.
    Main,
    /// The status subresource.
    Status,
}

/// A [`Kind`] with its type erased.
pub(crate) trait Strategy: Send + Sync {
    /// Reads a body and fills in what it leaves out, as upstream's decoder does: the defaults
    /// belong to who writes the object.
    ///
    /// # Errors
    /// A 400 that names the field of a wrong type.
    fn decode(&self, resource: &Resource, body: Value) -> Result<Decoded, Refusal>;

    /// Completes a new object: first status, generation, allocations.
    ///
    /// # Errors
    /// The refusal that the client gets.
    fn create(
        &self,
        resource: &Resource,
        object: Value,
        admission: &mut Admission<'_, '_>,
    ) -> Result<Value, Refusal>;

    /// Completes an update, keeping what this writer may not change.
    ///
    /// # Errors
    /// The refusal that the client gets.
    fn update(
        &self,
        resource: &Resource,
        writer: Writer,
        new: Value,
        old: &Value,
        admission: &mut Admission<'_, '_>,
    ) -> Result<Value, Refusal>;

    fn grace_period(&self, object: &Value, asked: Option<i64>) -> Option<i64>;

    /// Fields besides name and namespace that field selectors may name.
    fn fields(&self) -> &'static [&'static str];

    fn field(&self, object: &Value, field: &str) -> String;

    fn has_generation(&self) -> bool;

    /// Whether `status` is written through its own subresource only.
    fn has_status(&self) -> bool;

    fn printer(&self) -> &'static Printer;
}

/// The [`Strategy`] of a [`Kind`].
pub(crate) struct Typed<K>(PhantomData<fn() -> K>);

impl<K> Typed<K> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<K: Kind> Typed<K> {
    fn typed(resource: &Resource, object: &Value) -> Result<K::Object, Refusal> {
        K::Object::deserialize(object)
            .map_err(|error| refusal::internal(format!("reading a {}: {error}", resource.kind)))
    }

    fn untyped(resource: &Resource, object: &K::Object) -> Result<Value, Refusal> {
        let mut value = serde_json::to_value(object)
            .map_err(|error| refusal::internal(format!("encoding a {}: {error}", resource.kind)))?;
        shape::strip(&mut value);
        Ok(value)
    }
}

impl<K: Kind> Strategy for Typed<K> {
    fn decode(&self, resource: &Resource, mut body: Value) -> Result<Decoded, Refusal> {
        if let Some(fields) = body.as_object_mut() {
            fields.remove("apiVersion");
            fields.remove("kind");
            if K::HAS_STATUS {
                // What has a status has a spec, given or not.
                fields.entry("spec").or_insert_with(|| json!({}));
            }
        }
        let (mut object, unknown) =
            decode::<K::Object>(&body).map_err(|why| undecodable(resource, &why))?;
        let plain = Self::untyped(resource, &object)?;
        K::default(&mut object);
        let mut object = Self::untyped(resource, &object)?;
        shape::drop_invented(&mut object, &plain, &body);
        Ok(Decoded { object, unknown })
    }

    fn create(
        &self,
        resource: &Resource,
        mut object: Value,
        admission: &mut Admission<'_, '_>,
    ) -> Result<Value, Refusal> {
        if K::HAS_STATUS
            && !K::IS_BORN_WITH_STATUS
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        if K::HAS_GENERATION {
            meta::set(&mut object, "generation", 1);
        } else {
            meta::edit(&mut object).remove("generation");
        }
        let mut typed = Self::typed(resource, &object)?;
        K::admit(&mut typed, None, admission)?;
        K::initialize(&mut typed);
        let mut errors = validate_metadata(resource, &object);
        errors.extend(K::validate(&typed, &object));
        refuse_invalid(resource, &object, &errors)?;
        admission.warnings.extend(K::warnings(&typed, None));
        let mut object = Self::untyped(resource, &typed)?;
        K::dress(&mut object);
        Ok(object)
    }

    fn update(
        &self,
        resource: &Resource,
        writer: Writer,
        mut new: Value,
        old: &Value,
        admission: &mut Admission<'_, '_>,
    ) -> Result<Value, Refusal> {
        let typed_old = Self::typed(resource, old)?;
        match writer {
            Writer::Main if K::HAS_STATUS => carry(&mut new, old, "status"),
            Writer::Main => {}
            Writer::Status => {
                carry(&mut new, old, "spec");
                meta::carry(&mut new, old, "labels");
            }
        }
        let mut errors = validate_metadata_update(resource, &new, old);
        let mut typed = Self::typed(resource, &new)?;
        match writer {
            Writer::Main => {
                K::prepare_update(&mut typed, &typed_old);
                K::admit(&mut typed, Some(&typed_old), admission)?;
                errors.extend(K::validate(&typed, &new));
                errors.extend(K::validate_update(&typed, &typed_old));
            }
            Writer::Status => {
                K::prepare_status(&mut typed, &typed_old);
                errors.extend(K::validate_status(&typed, &typed_old));
            }
        }
        refuse_invalid(resource, &new, &errors)?;
        if writer == Writer::Main {
            let warnings = K::warnings(&typed, Some(&typed_old));
            admission.warnings.extend(warnings);
        }
        let mut new = Self::untyped(resource, &typed)?;
        K::dress(&mut new);
        meta::carry(&mut new, old, "generation");
        if K::HAS_GENERATION && writer == Writer::Main && K::counts(&new, old) {
            meta::set(&mut new, "generation", meta::generation(old) + 1);
        }
        Ok(new)
    }

    fn grace_period(&self, object: &Value, asked: Option<i64>) -> Option<i64> {
        let typed = K::Object::deserialize(object).ok()?;
        K::grace_period(&typed, asked)
    }

    fn fields(&self) -> &'static [&'static str] {
        K::FIELDS
    }

    fn field(&self, object: &Value, field: &str) -> String {
        if field.starts_with("metadata.") {
            at_path(object, field)
        } else {
            K::field(object, field)
        }
    }

    fn has_generation(&self) -> bool {
        K::HAS_GENERATION
    }

    fn has_status(&self) -> bool {
        K::HAS_STATUS
    }

    fn printer(&self) -> &'static Printer {
        K::printer()
    }
}

/// The text at a dotted path; flags and numbers as they print, nothing as the empty text.
pub(super) fn at_path(object: &Value, path: &str) -> String {
    let found = path
        .split('.')
        .try_fold(object, |value, segment| value.get(segment));
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Puts a value where the object has none.
pub(super) fn set_missing(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.entry(key).or_insert(value);
    }
}

fn carry(new: &mut Value, old: &Value, key: &str) {
    if let Some(fields) = new.as_object_mut() {
        match old.get(key) {
            Some(value) => fields.insert(key.to_owned(), value.clone()),
            None => fields.remove(key),
        };
    }
}

fn refuse_invalid(
    resource: &Resource,
    object: &Value,
    errors: &[FieldError],
) -> Result<(), Refusal> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(refusal::invalid(
        resource.kind_subject(meta::name(object)),
        errors,
    ))
}

fn undecodable(resource: &Resource, why: &str) -> Refusal {
    refusal::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}",
        kind = resource.kind,
        version = resource.version,
    ))
}
