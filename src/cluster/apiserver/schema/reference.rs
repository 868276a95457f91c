//! References from one object to another.

use super::Struct;
use super::field::text;

pub(super) static OBJECT_REFERENCE: Struct = Struct::atomic(&[
    text(1, "kind"),
    text(2, "namespace"),
    text(3, "name"),
    text(4, "uid"),
    text(5, "apiVersion"),
    text(6, "resourceVersion"),
    text(7, "fieldPath"),
]);

pub(super) static LOCAL_OBJECT_REFERENCE: Struct = Struct::atomic(&[text(1, "name")]);

pub(super) static TYPED_LOCAL_OBJECT_REFERENCE: Struct = Struct::atomic(&[
    text(1, "apiGroup").pointer(),
    text(2, "kind").always(),
    text(3, "name").always(),
]);

pub(super) static TYPED_OBJECT_REFERENCE: Struct = Struct::of(&[
    text(1, "apiGroup").pointer(),
    text(2, "kind").always(),
    text(3, "name").always(),
    text(4, "namespace").pointer(),
]);
