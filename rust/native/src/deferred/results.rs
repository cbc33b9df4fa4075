//! What sort of thing a result is, and how an exception becomes one.

use std::ffi::c_ulong;
#[cfg(not(Py_3_12))]
use std::ptr::null_mut;

use pyo3::ffi;
use pyo3::prelude::*;

use super::PyDeferred;
use super::class;
use super::failure::new_failure;
use crate::names;

/// What becomes of a result depends on this.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Plain,
    /// The errbacks run.
    Failure,
    /// It is waited for.
    Deferred,
}

impl Sort {
    #[inline]
    pub(super) fn of(result: &Bound<'_, PyAny>) -> PyResult<Self> {
        let flags = flags_of(result);
        if flags & BUILTIN != 0 {
            return Ok(Self::Plain);
        }
        if flags & ffi::Py_TPFLAGS_BASE_EXC_SUBCLASS == 0 {
            return Ok(if result.is_instance_of::<PyDeferred>() {
                Self::Deferred
            } else {
                Self::Plain
            });
        }
        Ok(if is_failure(result)? {
            Self::Failure
        } else {
            Self::Plain
        })
    }
}

/// What no Deferred and no exception has: classes of theirs cannot be derived from these types, too.
const BUILTIN: c_ulong = ffi::Py_TPFLAGS_LONG_SUBCLASS
    | ffi::Py_TPFLAGS_LIST_SUBCLASS
    | ffi::Py_TPFLAGS_TUPLE_SUBCLASS
    | ffi::Py_TPFLAGS_BYTES_SUBCLASS
    | ffi::Py_TPFLAGS_UNICODE_SUBCLASS
    | ffi::Py_TPFLAGS_DICT_SUBCLASS;

/// What the interpreter notes of an object's class.
#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "pyo3 asks in other ways, which are slower")]
#[inline]
pub(super) fn flags_of(object: &Bound<'_, PyAny>) -> c_ulong {
    // SAFETY: an object's class is alive as long as the object.
    unsafe { (*object.get_type_ptr()).tp_flags }
}

/// What the interpreter notes of an object's class.
#[cfg(Py_GIL_DISABLED)]
#[expect(unsafe_code, reason = "pyo3 asks in other ways, which are slower")]
#[inline]
pub(super) fn flags_of(object: &Bound<'_, PyAny>) -> c_ulong {
    // SAFETY: an object's class is alive as long as the object.
    unsafe { ffi::PyType_GetFlags(object.get_type_ptr()) }
}

/// Whether `object` is nothing that anybody could wait for, as is quick to see.
#[inline]
pub(super) fn is_simple(object: &Bound<'_, PyAny>) -> bool {
    object.is_none() || flags_of(object) & BUILTIN != 0
}

/// Whether the end of `object` may be the end of others: the collector is told of all that may.
#[inline]
pub(super) fn holds_others(object: &Bound<'_, PyAny>) -> bool {
    flags_of(object) & ffi::Py_TPFLAGS_HAVE_GC != 0
}

/// Whether `result` makes errbacks run.
#[inline(always)]
pub(super) fn is_failure(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    if flags_of(result) & ffi::Py_TPFLAGS_BASE_EXC_SUBCLASS == 0 {
        return Ok(false); // failures are exceptions, as few other results are
    }
    is_one(result)
}

/// Whether `result`, an exception, is a failure.
#[inline(never)]
fn is_one(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    let failure = names::failure(result.py())?;
    Ok(result.get_type().is(failure) || result.is_instance(failure)?)
}

/// A failure of `error`, which `deferred` is to get.
pub(super) fn failure_of<'py>(
    error: PyErr,
    deferred: &Bound<'py, PyDeferred>,
) -> PyResult<Bound<'py, PyAny>> {
    let captures = class::debugs(deferred)?;
    failure_from(deferred.py(), error, captures)
}

/// A failure of `error`, with the variables of its frames if it `captures` them.
pub(super) fn failure_from(
    py: Python<'_>,
    error: PyErr,
    captures: bool,
) -> PyResult<Bound<'_, PyAny>> {
    let value = value_of(py, error);
    if captures {
        let none = py.None();
        names::failure(py)?.call1((value, &none, &none, true))
    } else {
        new_failure(names::failure(py)?, value)
    }
}

/// The exception that `error` is, with its traceback.
///
/// `PyErr::into_value` drops a reference in a way that may have to wait for pyo3's next call from Python, which keeps alive
/// all that the traceback leads to.
#[expect(unsafe_code, reason = "see above")]
pub(super) fn value_of(py: Python<'_>, error: PyErr) -> Bound<'_, PyAny> {
    error.restore(py);
    #[cfg(Py_3_12)]
    {
        // SAFETY: an exception is set, so it is a new reference to that.
        unsafe { Bound::from_owned_ptr(py, ffi::PyErr_GetRaisedException()) }
    }
    #[cfg(not(Py_3_12))]
    {
        let (mut class, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
        // SAFETY: there is room for three references.
        unsafe { ffi::PyErr_Fetch(&raw mut class, &raw mut value, &raw mut traceback) };
        // SAFETY: as above: an exception was set.
        unsafe {
            ffi::PyErr_NormalizeException(&raw mut class, &raw mut value, &raw mut traceback);
        };
        // SAFETY: a new reference, or null.
        let _class = unsafe { Bound::from_owned_ptr_or_opt(py, class) };
        // SAFETY: a new reference, or null.
        let traceback = unsafe { Bound::from_owned_ptr_or_opt(py, traceback) };
        // SAFETY: a new reference: there is a value now.
        let value = unsafe { Bound::from_owned_ptr(py, value) };
        if let Some(traceback) = traceback {
            // SAFETY: an exception and a traceback.
            unsafe { ffi::PyException_SetTraceback(value.as_ptr(), traceback.as_ptr()) };
        }
        value
    }
}
