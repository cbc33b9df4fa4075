//! The dictionary of an object that is made where another one was.
//!
//! CPython 3.11 finds a method quickly on objects that have a dictionary, or can have none; on those that have none yet it looks the
//! method up each time.  So memory that is kept for the next Deferred keeps an empty dictionary with it: one of its own, with which all
//! that Python does with an object's dictionary goes on as ever.  Later versions find methods quickly where there is none yet.

use pyo3::ffi;
#[cfg(not(Py_3_12))]
use pyo3::prelude::*;

#[cfg(not(Py_3_12))]
use super::held::Held;

/// Where in memory the keys of dictionaries are that nothing was ever put into.
#[cfg(not(Py_3_12))]
static NO_KEYS: Held<usize> = Held::new(0);

/// Looks at a new dictionary for where its keys are.
#[cfg(not(Py_3_12))]
pub(super) fn learn(py: Python<'_>) {
    let new = pyo3::types::PyDict::new(py);
    NO_KEYS.set(py, keys_of(new.as_ptr()));
}

#[cfg(not(Py_3_12))]
#[expect(unsafe_code, reason = "reading a field of a dictionary")]
fn keys_of(dict: *mut ffi::PyObject) -> usize {
    // SAFETY: the callers have made sure that it is a dictionary.
    unsafe { (*dict.cast::<ffi::PyDictObject>()).ma_keys }.addr()
}

/// Whether nothing is in the dictionary of an object; without one, nothing is.
///
/// # Safety
///
/// `dict` is null, or a dictionary that is alive.
#[expect(unsafe_code, reason = "reading a field of a dictionary")]
#[inline]
pub(super) unsafe fn is_empty(dict: *mut ffi::PyObject) -> bool {
    // SAFETY: as the caller says.
    dict.is_null() || unsafe { (*dict.cast::<ffi::PyDictObject>()).ma_used } == 0
}

/// Gives an object that is being made a dictionary, unless it has one, or there is no memory for it: it does without, then.
///
/// # Safety
///
/// `place` is the object's place for it.
#[cfg(not(Py_3_12))]
#[expect(unsafe_code, reason = "writing a field of an object")]
#[inline]
pub(super) unsafe fn furnish(place: *mut *mut ffi::PyObject) {
    // SAFETY: as the caller says.
    if !unsafe { place.read() }.is_null() {
        return;
    }
    // SAFETY: the interpreter is ours, as an object is being made.
    let new = unsafe { ffi::PyDict_New() };
    if new.is_null() {
        // SAFETY: as above.
        unsafe { ffi::PyErr_Clear() };
    }
    // SAFETY: as the caller says.
    unsafe { place.write(new) };
}

/// Lets go of the dictionary of an object that has ended, unless it is as good as new, and may stay for the `next` one.
///
/// # Safety
///
/// `place` is the object's place for it: null, or with a share of a dictionary.
#[cfg(not(Py_GIL_DISABLED))]
#[cfg_attr(Py_3_12, expect(unused_variables, reason = "none is kept"))]
#[expect(unsafe_code, reason = "a field of an object")]
#[inline]
pub(super) unsafe fn leave(place: *mut *mut ffi::PyObject, next: bool) {
    #[cfg(not(Py_3_12))]
    if next {
        // SAFETY: as the caller says.
        let dict = unsafe { place.read() };
        // SAFETY: as the caller says.
        if dict.is_null() || unsafe { is_new(dict) } {
            return;
        }
    }
    // SAFETY: as the caller says.
    unsafe { ffi::Py_CLEAR(place) };
}

/// Whether nothing was ever put into `dict`, and nobody else has it.
///
/// # Safety
///
/// It is a dictionary that is alive.
#[cfg(not(Py_3_12))]
#[expect(unsafe_code, reason = "fields of a dictionary")]
#[inline]
unsafe fn is_new(dict: *mut ffi::PyObject) -> bool {
    // SAFETY: as the caller says.
    let shares = unsafe { ffi::Py_REFCNT(dict) };
    // SAFETY: as the caller says.
    let exact = unsafe { ffi::PyDict_CheckExact(dict) } != 0;
    // SAFETY: whoever ends an object has the interpreter.
    let py = unsafe { Python::assume_attached() };
    shares == 1 && exact && keys_of(dict) == NO_KEYS.get(py)
}
