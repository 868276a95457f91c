//! A field of the schema, and the words in which the tables write it.

use super::Struct;

/// A field of a [`Struct`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Its number in protobuf.
    pub(super) number: u32,
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
    /// What a key of a list counts as where it is left out.
    default: Option<&'static str>,
}

/// How many values a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    One(Type),
    List(Type, ListRule),
    Map(Type, MapRule),
    /// A message of its own in protobuf whose fields stand in the parent's JSON.
    Inline(&'static Struct),
}

/// What a single value is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type {
    Text,
    Bool,
    Int32,
    Int64,
    /// Base64 in JSON.
    Bytes,
    /// RFC 3339 in JSON, to the second.
    Time,
    /// RFC 3339 in JSON, to the microsecond.
    MicroTime,
    Quantity,
    IntOrText,
    /// A set of fields, JSON within protobuf.
    FieldsV1,
    Struct(&'static Struct),
}

/// How two versions of a list merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListRule {
    /// The new list replaces the old.
    Atomic,
    /// A set of values without order.
    Set,
    /// Items are one when these keys agree; a strategic patch looks at the first key only.
    Keyed(&'static [&'static str]),
    /// Keyed for server-side apply, replaced by a strategic patch.
    Owned(&'static [&'static str]),
    /// Keyed for a strategic patch, replaced by server-side apply.
    Merged(&'static str),
}

/// How server-side apply merges two versions of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapRule {
    Granular,
    Atomic,
}

/// What it means that a field is not there. It follows from the Go type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// A pointer: nothing and zero differ.
    Pointer,
    /// A value that is left out when it is zero.
    Value,
    /// Written even when it is zero, so it counts as present wherever its parent is.
    Always,
}

/// How server-side apply sees a place in an object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// One value, however large.
    Leaf,
    Struct(&'static Struct),
    Map(Type),
    Keyed(&'static [&'static str], Type),
    Set,
    /// Not in the table: an object is a map, everything else one value.
    Unknown,
}

impl Field {
    const fn new(number: u32, name: &'static str, shape: Shape) -> Self {
        Self {
            number,
            name,
            shape,
            presence: Presence::Value,
            default: None,
        }
    }

    const fn listed(self, rule: ListRule) -> Self {
        let shape = match self.shape {
            Shape::List(item, _) => Shape::List(item, rule),
            other => other,
        };
        Self { shape, ..self }
    }

    pub(super) const fn keyed(self, keys: &'static [&'static str]) -> Self {
        self.listed(ListRule::Keyed(keys))
    }

    pub(super) const fn owned_by(self, keys: &'static [&'static str]) -> Self {
        self.listed(ListRule::Owned(keys))
    }

    pub(super) const fn merged_by(self, key: &'static str) -> Self {
        self.listed(ListRule::Merged(key))
    }

    pub(super) const fn set(self) -> Self {
        self.listed(ListRule::Set)
    }

    pub(super) const fn atomic(self) -> Self {
        let shape = match self.shape {
            Shape::Map(value, _) => Shape::Map(value, MapRule::Atomic),
            other => other,
        };
        Self { shape, ..self }
    }

    pub(super) const fn pointer(self) -> Self {
        Self {
            presence: Presence::Pointer,
            ..self
        }
    }

    pub(super) const fn always(self) -> Self {
        Self {
            presence: Presence::Always,
            ..self
        }
    }

    pub(super) const fn defaults_to(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// The struct of a single value, of a list's items or of a map's values.
    pub(crate) fn inner(&self) -> Option<&'static Struct> {
        match self.shape {
            Shape::One(Type::Struct(inner))
            | Shape::List(Type::Struct(inner), _)
            | Shape::Map(Type::Struct(inner), _)
            | Shape::Inline(inner) => Some(inner),
            _ => None,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self.shape {
            Shape::One(value) => value.place(),
            Shape::List(item, ListRule::Keyed(keys) | ListRule::Owned(keys)) => {
                Place::Keyed(keys, item)
            }
            Shape::List(_, ListRule::Set) => Place::Set,
            Shape::List(_, ListRule::Atomic | ListRule::Merged(_))
            | Shape::Map(_, MapRule::Atomic) => Place::Leaf,
            Shape::Map(value, MapRule::Granular) => Place::Map(value),
            Shape::Inline(inner) => Place::Struct(inner),
        }
    }
}

impl Type {
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Struct(inner) if !inner.atomic => Place::Struct(inner),
            _ => Place::Leaf,
        }
    }

    /// What a key of a list of such items counts as where an item leaves it out.
    pub(crate) fn default_of(self, key: &str) -> Option<&'static str> {
        match self {
            Self::Struct(inner) => inner.field(key)?.default,
            _ => None,
        }
    }
}

const fn single(number: u32, name: &'static str, value: Type) -> Field {
    Field::new(number, name, Shape::One(value))
}

const fn several(number: u32, name: &'static str, item: Type) -> Field {
    Field::new(number, name, Shape::List(item, ListRule::Atomic))
}

const fn mapping(number: u32, name: &'static str, value: Type) -> Field {
    Field::new(number, name, Shape::Map(value, MapRule::Granular))
}

pub(super) const fn text(number: u32, name: &'static str) -> Field {
    single(number, name, Type::Text)
}

pub(super) const fn flag(number: u32, name: &'static str) -> Field {
    single(number, name, Type::Bool)
}

pub(super) const fn int32(number: u32, name: &'static str) -> Field {
    single(number, name, Type::Int32)
}

pub(super) const fn int64(number: u32, name: &'static str) -> Field {
    single(number, name, Type::Int64)
}

pub(super) const fn time(number: u32, name: &'static str) -> Field {
    single(number, name, Type::Time)
}

pub(super) const fn micro_time(number: u32, name: &'static str) -> Field {
    single(number, name, Type::MicroTime)
}

pub(super) const fn quantity(number: u32, name: &'static str) -> Field {
    single(number, name, Type::Quantity)
}

pub(super) const fn int_or_text(number: u32, name: &'static str) -> Field {
    single(number, name, Type::IntOrText)
}

pub(super) const fn fields_v1(number: u32, name: &'static str) -> Field {
    single(number, name, Type::FieldsV1)
}

/// A struct that may be absent.
pub(super) const fn one(number: u32, name: &'static str, inner: &'static Struct) -> Field {
    single(number, name, Type::Struct(inner)).pointer()
}

/// A struct that is part of its parent.
pub(super) const fn part(number: u32, name: &'static str, inner: &'static Struct) -> Field {
    single(number, name, Type::Struct(inner)).always()
}

pub(super) const fn inline(number: u32, inner: &'static Struct) -> Field {
    Field::new(number, "", Shape::Inline(inner))
}

pub(super) const fn list(number: u32, name: &'static str, item: &'static Struct) -> Field {
    several(number, name, Type::Struct(item))
}

pub(super) const fn texts(number: u32, name: &'static str) -> Field {
    several(number, name, Type::Text)
}

pub(super) const fn int32s(number: u32, name: &'static str) -> Field {
    several(number, name, Type::Int32)
}

pub(super) const fn int64s(number: u32, name: &'static str) -> Field {
    several(number, name, Type::Int64)
}

pub(super) const fn labels(number: u32, name: &'static str) -> Field {
    mapping(number, name, Type::Text)
}

pub(super) const fn bytes_map(number: u32, name: &'static str) -> Field {
    mapping(number, name, Type::Bytes)
}

pub(super) const fn quantities(number: u32, name: &'static str) -> Field {
    mapping(number, name, Type::Quantity)
}
