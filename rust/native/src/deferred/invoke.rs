//! Calls of callbacks.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::results::flags_of;

/// As many arguments, the result included, are passed on without a tuple for them.
const FEW: usize = 6;

/// Calls `function` with `result` and what else there is.
#[inline]
pub(super) fn call<'py>(
    function: &Bound<'py, PyAny>,
    result: Bound<'py, PyAny>,
    args: Option<Py<PyTuple>>,
    keywords: Option<Py<PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    if args.is_none() && keywords.is_none() {
        return call_with_one(function, &result);
    }
    call_with(function, result, args, keywords)
}

#[expect(
    unsafe_code,
    reason = "the way through pyo3 has three more calls in it"
)]
#[inline]
fn call_with_one<'py>(
    function: &Bound<'py, PyAny>,
    result: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // The first place is the callee's, which may put itself there.
    let mut all = [std::ptr::null_mut(), result.as_ptr()];
    let count = 1 | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
    let args = all[1..].as_mut_ptr();
    let none = std::ptr::null_mut();
    let got = match vectorcall_of(function) {
        // SAFETY: there is one argument, which the caller holds, and a place before it, as the flag says.
        Some(vectorcall) => unsafe { vectorcall(function.as_ptr(), args, count, none) },
        // SAFETY: as above.
        None => unsafe { ffi::PyObject_VectorcallDict(function.as_ptr(), args, count, none) },
    };
    // SAFETY: it is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), got) }
}

/// How `function` is called, where it has a way of its own: what `PyVectorcall_Function` does, which is a call away.
#[expect(unsafe_code, reason = "reading fields of a class and of an object")]
#[inline]
fn vectorcall_of(function: &Bound<'_, PyAny>) -> Option<ffi::vectorcallfunc> {
    if flags_of(function) & ffi::Py_TPFLAGS_HAVE_VECTORCALL == 0 {
        return None;
    }
    // SAFETY: an object's class is alive as long as the object.
    let offset = unsafe { (*function.get_type_ptr()).tp_vectorcall_offset };
    // SAFETY: the flag says that there is such a pointer in the object.
    let place = unsafe { function.as_ptr().byte_offset(offset) };
    // SAFETY: as above; it may be null, which is `None`.
    unsafe { place.cast::<Option<ffi::vectorcallfunc>>().read() }
}

fn call_with<'py>(
    function: &Bound<'py, PyAny>,
    result: Bound<'py, PyAny>,
    args: Option<Py<PyTuple>>,
    keywords: Option<Py<PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let args = args.map(|args| args.into_bound(py));
    let keywords = keywords.map(|keywords| keywords.into_bound(py));
    let further = args.as_ref().map_or(0, PyTupleMethods::len);
    if further >= FEW {
        let mut all = Vec::with_capacity(further + 1);
        all.push(result);
        all.extend(args.iter().flatten());
        return function.call(PyTuple::new(py, all)?, keywords.as_ref());
    }
    // The first place is the callee's, which may put itself there.
    let mut all = [std::ptr::null_mut::<ffi::PyObject>(); FEW + 1];
    all[1] = result.as_ptr();
    for (index, place) in all.iter_mut().skip(2).take(further).enumerate() {
        if let Some(args) = &args {
            *place = args.get_borrowed_item(index)?.as_ptr();
        }
    }
    vectorcall(function, &mut all, further + 1, keywords.as_ref())
}

#[expect(unsafe_code, reason = "a call with arguments that are in no tuple")]
fn vectorcall<'py>(
    function: &Bound<'py, PyAny>,
    all: &mut [*mut ffi::PyObject; FEW + 1],
    count: usize,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let keywords = keywords.map_or(std::ptr::null_mut(), |keywords| keywords.as_ptr());
    let count = count | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
    let args = all[1..].as_mut_ptr();
    // SAFETY: `call_with` holds the objects in `count` places of `all` after the first, and the first is there as the flag says.
    let got = unsafe { ffi::PyObject_VectorcallDict(function.as_ptr(), args, count, keywords) };
    // SAFETY: it is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), got) }
}
