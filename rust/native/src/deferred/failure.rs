//! Failures, made as `Failure(exception)` makes them, where that is as it was written.

use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::held::Held;
use super::results::is_failure;
use crate::names;

/// The version of the class `Failure` at which it made them in its own way; 0 if that is not known.
static PLAIN: Held<u32> = Held::new(0);

/// Makes a failure of the exception `value`.
pub(super) fn new_failure<'py>(
    class: &Bound<'py, PyType>,
    value: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    if is_plain(class)? && value.is_instance_of::<PyBaseException>() && !is_failure(&value)? {
        let args = PyTuple::new(py, [&value])?;
        let failure = new_exception(class, &args)?;
        fill(&failure, &value)?;
        return Ok(failure);
    }
    class.call1((value,))
}

/// Whether `Failure` makes failures in its own way: `startDebugMode` gives it another one.
#[expect(unsafe_code, reason = "reading a class's version")]
#[inline]
fn is_plain(class: &Bound<'_, PyType>) -> PyResult<bool> {
    // SAFETY: the class is alive.  Whoever changes it or one of its bases makes this number another one, or zero.
    let version = unsafe { (*class.as_type_ptr()).tp_version_tag };
    if version != 0 && version == PLAIN.get(class.py()) {
        return Ok(true);
    }
    look_again(class)
}

#[expect(unsafe_code, reason = "as above")]
#[cold]
fn look_again(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let base = py.get_type::<PyBaseException>();
    let plain = class
        .getattr(names::init(py))?
        .is(names::plain_failure_init(py)?)
        && class
            .getattr(names::new(py))?
            .is(&base.getattr(names::new(py))?);
    if plain {
        // SAFETY: as above.  The lookups have given the class a number, if there are any left.
        PLAIN.set(py, unsafe { (*class.as_type_ptr()).tp_version_tag });
    }
    Ok(plain)
}

/// Does what `BaseException.__new__` does.
#[expect(unsafe_code, reason = "pyo3 calls classes whole only")]
fn new_exception<'py>(
    class: &Bound<'py, PyType>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    let base = py.get_type::<PyBaseException>();
    // SAFETY: the class is alive for ever.
    let Some(new) = (unsafe { (*base.as_type_ptr()).tp_new }) else {
        return class.call1(args);
    };
    // SAFETY: the class is one of exceptions, which nothing is added to but a dictionary.
    let failure = unsafe { new(class.as_type_ptr(), args.as_ptr(), std::ptr::null_mut()) };
    // SAFETY: it is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, failure) }
}

/// Does what `Failure.__init__` does.
#[expect(unsafe_code, reason = "the dictionary of an object")]
fn fill(failure: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = failure.py();
    let globals = names::failure_globals(py)?;
    let count = match globals.get_item(names::count(py))? {
        Some(count) => count.add(1)?,
        None => 1_u8.into_pyobject(py)?.into_any(),
    };
    globals.set_item(names::count(py), &count)?;
    // SAFETY: the object is alive.
    let fields = unsafe { ffi::PyObject_GenericGetDict(failure.as_ptr(), std::ptr::null_mut()) };
    // SAFETY: it is a new reference, or null with an exception set.
    let fields = unsafe { Bound::from_owned_ptr_or_err(py, fields) }?.cast_into::<PyDict>()?;
    fields.set_item(names::count(py), count)?;
    fields.set_item(names::kind(py), value.get_type())?;
    fields.set_item(names::value(py), value)?;
    fields.set_item(names::tb(py), value.getattr(names::traceback(py))?)
}
