//! What a Deferred's class, or the Deferred itself, has altered of what is native.
//!
//! Hooks may be replaced in a subclass, in the class, or in an object.  Looking each of them up would cost a callback more
//! than calling it does, so the class is looked at again when its version has changed.

use pyo3::prelude::*;

use super::PyDeferred;
use super::dictionary;
use super::held::Held;
use crate::names;

/// What is known of the class itself, by its version.
#[derive(Clone, Copy, Default)]
struct Known {
    version: u32,
    debug: bool,
}

static KNOWN: Held<Known> = Held::new(Known {
    version: 0,
    debug: false,
});

/// How an object may be treated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It does what is written here, and nobody debugs.
    Plain,
    /// It has to be asked.
    Special,
}

impl Kind {
    /// Looks at `deferred`.
    #[expect(
        unsafe_code,
        reason = "asked for each result; asking for the dictionary would make one"
    )]
    #[inline]
    pub(super) fn of(deferred: &Bound<'_, PyDeferred>) -> Self {
        let py = deferred.py();
        let class = deferred.get_type_ptr();
        // SAFETY: an object's class is alive as long as the object.
        let offset = unsafe { (*class).tp_dictoffset };
        let Ok(offset @ 1..) = usize::try_from(offset) else {
            return Self::Special; // kept in some other way
        };
        // SAFETY: a positive offset is that of the pointer to the dictionary, within the object.
        let place = unsafe { deferred.as_ptr().byte_add(offset) };
        // SAFETY: it is aligned as pointers are, and nobody writes it while the interpreter is ours.
        let dict = unsafe { place.cast::<*mut pyo3::ffi::PyObject>().read() };
        // SAFETY: an object's dictionary is alive as long as the object has it.
        if unsafe { dictionary::is_empty(dict) } && class_is_plain(py, class) {
            Self::Plain
        } else {
            Self::Special
        }
    }
}

/// Whether objects of `class` do what is written here, and nobody debugs.
#[expect(unsafe_code, reason = "reading a class's version")]
#[inline]
pub(super) fn class_is_plain(py: Python<'_>, class: *mut pyo3::ffi::PyTypeObject) -> bool {
    let known = KNOWN.get(py);
    // SAFETY: the caller has got it from an object or as a class.  Whoever changes the class or one of its bases makes
    // this number another one, or zero; no two classes have the same.
    let version = unsafe { (*class).tp_version_tag };
    if version != 0 && version == known.version {
        return !known.debug;
    }
    std::ptr::eq(class, PyDeferred::type_object_ptr(py)) && look_again(py)
}

/// Whether the class is as it was made, `debug` aside, and that is false.
#[expect(unsafe_code, reason = "as above")]
#[cold]
fn look_again(py: Python<'_>) -> bool {
    let class = py.get_type::<PyDeferred>();
    let Ok(debug) = class
        .getattr(names::debug(py))
        .and_then(|debug| debug.is_truthy())
    else {
        return false;
    };
    for (name, original) in super::original::hooks(py) {
        match class.getattr(name) {
            Ok(now) if now.is(original) => (),
            _ => return false,
        }
    }
    // SAFETY: as above.  The lookups have given the class a number, if there are any left.
    let version = unsafe { (*class.as_type_ptr()).tp_version_tag };
    KNOWN.set(py, Known { version, debug });
    !debug
}

/// Whether `deferred` is being debugged.
#[inline]
pub(super) fn debugs(deferred: &Bound<'_, PyDeferred>) -> PyResult<bool> {
    match Kind::of(deferred) {
        Kind::Plain => Ok(false),
        Kind::Special => deferred.getattr(names::debug(deferred.py()))?.is_truthy(),
    }
}
