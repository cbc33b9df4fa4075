//! What is being served: whose hook is on the stack.
//!
//! Stock Twisted's log events are labelled with that.  To label each call in Python costs more than the call itself, so it
//! is noted here, and looked up by whoever logs.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi::PyObject;
use pyo3::prelude::*;

/// The stream, or the owner of something else, whose hook was called last and has not returned.
#[derive(Default)]
pub(crate) struct Serving(AtomicPtr<PyObject>);

impl Serving {
    /// Notes that `served` is, until the answer is dropped.
    #[inline]
    pub(crate) fn note<'a, T>(&'a self, served: &'a Bound<'_, T>) -> Served<'a> {
        let before = self.0.swap(served.as_ptr(), Ordering::Relaxed);
        Served {
            serving: self,
            before,
        }
    }

    /// What is being served.  To be asked in the engine's own thread.
    #[expect(
        unsafe_code,
        reason = "a reference that is counted would cost each delivery more"
    )]
    pub(crate) fn now<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: `note` keeps its argument borrowed until this pointer is gone again, and this thread, the one that notes, is
        // within that time.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.0.load(Ordering::Relaxed)) }
    }
}

/// Something is being served for as long as this lives.
#[must_use]
pub(crate) struct Served<'a> {
    serving: &'a Serving,
    before: *mut PyObject,
}

impl Drop for Served<'_> {
    #[inline]
    fn drop(&mut self) {
        let before = std::mem::replace(&mut self.before, null_mut());
        self.serving.0.store(before, Ordering::Relaxed);
    }
}
