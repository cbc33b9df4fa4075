//! Slots of the classes that pyo3 has no names for, and methods that are called too often for the way it calls them.

#[cfg(not(Py_GIL_DISABLED))]
use std::ffi::c_void;

use pyo3::ffi;
use pyo3::prelude::*;

use super::awaiter::{self, PyAwaiter};
#[cfg(not(Py_GIL_DISABLED))]
use super::memory;
use super::memory::Maker;
use super::{PyDeferred, fast, original};

pub(super) static DEFERREDS: Maker = Maker::new();
pub(super) static AWAITERS: Maker = Maker::new();

/// `Py_TPFLAGS_HAVE_AM_SEND`.
const AM_SEND: std::ffi::c_ulong = 1 << 21;

/// Fills the slots; to be called once, when the module is made.
#[expect(unsafe_code, reason = "the slots of a class are written by hand")]
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let class = PyDeferred::type_object_ptr(py);
    let waits = <PyAwaiter as pyo3::PyTypeInfo>::type_object_raw(py);
    fast::add_methods(&py.get_type::<PyDeferred>())?;
    fast::add_functions(module)?;
    original::remember(py)?;
    #[cfg(not(Py_GIL_DISABLED))]
    {
        let sample = Bound::new(py, PyDeferred::new(0, None, None))?;
        if DEFERREDS.learn(&sample, 2) {
            // SAFETY: the class is alive for ever, and nobody uses it yet.
            unsafe { (*class).tp_free = Some(free_deferred) };
            // SAFETY: as above.
            unsafe { (*class).tp_dealloc = Some(end_deferred) };
        }
        if AWAITERS.learn(&Bound::new(py, PyAwaiter::of(sample))?, 0) {
            // SAFETY: as above.
            unsafe { (*waits).tp_free = Some(free_awaiter) };
            // SAFETY: as above.
            unsafe { (*waits).tp_dealloc = Some(end_awaiter) };
        }
    }
    // SAFETY: as above.
    unsafe { (*class).tp_vectorcall = Some(fast::vectorcall) };
    // SAFETY: as above; classes that are made at run time have room for these slots.
    let slots = unsafe { (*waits).tp_as_async };
    // SAFETY: as above.
    unsafe { (*slots).am_send = Some(awaiter::am_send) };
    // SAFETY: as above.
    unsafe { can_be_sent_to(waits) };
    // SAFETY: as above.
    let slots = unsafe { (*class).tp_as_async };
    // SAFETY: as above.
    unsafe { (*slots).am_await = Some(fast::am_await) };
    // SAFETY: as above.
    unsafe { (*slots).am_send = Some(fast::am_send) };
    // SAFETY: as above.
    unsafe { (*class).tp_iternext = Some(fast::tp_iternext) };
    // SAFETY: as above.
    unsafe { can_be_sent_to(class) };
    Ok(())
}

/// Has the interpreter use the slot `am_send` of `class`.
///
/// # Safety
///
/// The class is alive.
#[expect(unsafe_code, reason = "a field of a class")]
unsafe fn can_be_sent_to(class: *mut ffi::PyTypeObject) {
    #[cfg(not(Py_GIL_DISABLED))]
    // SAFETY: as the caller says.
    unsafe {
        (*class).tp_flags |= AM_SEND;
    };
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: as the caller says.
    unsafe {
        (*class)
            .tp_flags
            .fetch_or(AM_SEND, std::sync::atomic::Ordering::Relaxed);
    };
}

#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "a slot")]
unsafe extern "C" fn free_deferred(memory: *mut c_void) {
    // SAFETY: it is an object of this class that has ended; subclasses have a slot of their own.
    unsafe { DEFERREDS.free(memory) };
}

#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "a slot")]
unsafe extern "C" fn free_awaiter(memory: *mut c_void) {
    // SAFETY: it is an object of this class that has ended.
    unsafe { AWAITERS.free(memory) };
}

#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "a slot")]
unsafe extern "C" fn end_deferred(object: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls it at an object's end, and `install` has put it here when the maker had learned.
    unsafe { memory::end::<PyDeferred>(&DEFERREDS, object, 2, PyDeferred::end) };
}

#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "a slot")]
unsafe extern "C" fn end_awaiter(object: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe { memory::end::<PyAwaiter>(&AWAITERS, object, 0, PyAwaiter::end) };
}
