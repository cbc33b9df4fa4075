//! A place for a Python object that may change hands.

use std::sync::{Mutex, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// A place for a Python object.  The lock is held for no longer than a reference is copied, and never while Python runs.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Py<PyAny>>>);

impl Slot {
    pub(crate) const fn new(object: Py<PyAny>) -> Self {
        Self(Mutex::new(Some(object)))
    }

    pub(crate) const fn empty() -> Self {
        Self(Mutex::new(None))
    }

    #[inline]
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|object| object.bind(py).clone())
    }

    /// Puts an object in; the one that was there goes when the lock is free again, since its end may run code.
    pub(crate) fn set(&self, object: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            object,
        )
    }

    pub(crate) fn clear(&self) {
        drop(self.set(None));
    }

    pub(crate) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock() {
            Ok(object) => visit.call(object.as_ref()),
            Err(_) => Ok(()), // it is being exchanged: the collector comes again
        }
    }
}
