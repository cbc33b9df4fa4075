//! Fields of an object that only whoever holds the interpreter changes.
//!
//! A value goes in and out whole, so nothing is ever borrowed while Python runs, and nothing has to be locked: that would
//! cost a callback as much as calling it does.

#[cfg(Py_GIL_DISABLED)]
mod place {
    //! Without the lock of the interpreter each field has its own.
    use std::sync::{Mutex, PoisonError, TryLockError};

    #[derive(Default)]
    pub(super) struct Place<T>(Mutex<T>);

    impl<T> Place<T> {
        pub(super) const fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        pub(super) fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
        }

        pub(super) fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
            look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }

        pub(super) fn try_with<R>(&self, look: impl FnOnce(&mut T) -> R) -> Option<R> {
            match self.0.try_lock() {
                Ok(mut value) => Some(look(&mut value)),
                Err(TryLockError::Poisoned(error)) => Some(look(&mut error.into_inner())),
                Err(TryLockError::WouldBlock) => None, // it is being exchanged: the collector comes again
            }
        }
    }
}

#[cfg(not(Py_GIL_DISABLED))]
mod place {
    //! The lock of the interpreter is all it takes.
    use std::cell::UnsafeCell;

    #[derive(Default)]
    pub(super) struct Place<T>(UnsafeCell<T>);

    #[expect(
        unsafe_code,
        reason = "the interpreter's lock is not one that Rust knows of"
    )]
    // SAFETY: `with` is called by the holder of the interpreter's lock only, as the tokens of `Held`'s methods show and as
    // the collector is; what it is given does not let others in.
    unsafe impl<T: Send> Sync for Place<T> {}

    impl<T> Place<T> {
        pub(super) const fn new(value: T) -> Self {
            Self(UnsafeCell::new(value))
        }

        pub(super) const fn get_mut(&mut self) -> &mut T {
            self.0.get_mut()
        }

        #[expect(unsafe_code, reason = "see above")]
        #[inline(always)]
        pub(super) fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
            // SAFETY: see above; and none of the functions that `Held` gives runs Python, drops an object or comes back here, so
            // there is no other reference.
            look(unsafe { &mut *self.0.get() })
        }

        #[inline(always)]
        pub(super) fn try_with<R>(&self, look: impl FnOnce(&mut T) -> R) -> Option<R> {
            Some(self.with(look))
        }
    }
}

use std::collections::VecDeque;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// A field.
#[derive(Default)]
pub(super) struct Held<T>(place::Place<T>);

impl<T> Held<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(place::Place::new(value))
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Puts `value` in and gives out what was there, whose end may run code.
    #[inline]
    pub(super) fn replace(&self, _: Python<'_>, value: T) -> T {
        self.0.with(|place| std::mem::replace(place, value))
    }

    #[inline]
    pub(super) fn get(&self, _: Python<'_>) -> T
    where
        T: Copy,
    {
        self.0.with(|place| *place)
    }

    /// Puts a plain value in.
    #[inline]
    pub(super) fn set(&self, _: Python<'_>, value: T)
    where
        T: Copy,
    {
        self.0.with(|place| *place = value);
    }
}

impl<T> Held<Option<T>> {
    #[inline]
    pub(super) fn take(&self, py: Python<'_>) -> Option<T> {
        self.replace(py, None)
    }
}

impl<T> Held<Option<Py<T>>> {
    #[inline]
    pub(super) fn bound<'py>(&self, py: Python<'py>) -> Option<Bound<'py, T>> {
        self.0
            .with(|place| place.as_ref().map(|object| object.bind(py).clone()))
    }

    /// Puts an object in, or none; the one that was there goes when the place is free again, since its end may run code.
    #[inline]
    pub(super) fn put(&self, value: Option<Bound<'_, T>>, py: Python<'_>) {
        if let Some(before) = self.replace(py, value.map(Bound::unbind)) {
            before.drop_ref(py);
        }
    }

    pub(super) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0
            .try_with(|place| visit.call(place.as_ref()))
            .unwrap_or(Ok(()))
    }
}

impl<T> Held<Vec<T>> {
    #[inline]
    pub(super) fn pop(&self, _: Python<'_>) -> Option<T> {
        self.0.with(Vec::pop)
    }

    /// Keeps `item`, unless there are `limit` of them.
    #[inline]
    pub(super) fn push_up_to(&self, _: Python<'_>, limit: usize, item: T) -> Result<(), T> {
        self.0.with(|place| {
            if place.len() >= limit {
                return Err(item);
            }
            place.push(item);
            Ok(())
        })
    }
}

impl<T> Held<VecDeque<T>> {
    #[inline]
    pub(super) fn pop_front(&self, _: Python<'_>) -> Option<T> {
        self.0.with(VecDeque::pop_front)
    }

    #[inline]
    pub(super) fn push_back(&self, _: Python<'_>, item: T) {
        self.0.with(|place| place.push_back(item));
    }

    /// The same, where there is room; else the item is given back.
    #[inline]
    pub(super) fn push_within_room(&self, _: Python<'_>, item: T) -> Result<(), T> {
        self.0.with(|place| {
            if place.len() == place.capacity() {
                return Err(item);
            }
            place.push_back(item);
            Ok(())
        })
    }

    #[inline]
    pub(super) fn is_empty(&self, _: Python<'_>) -> bool {
        self.0.with(|place| place.is_empty())
    }

    /// Whether there is room for another one without asking for memory.
    #[inline]
    pub(super) fn capacity(&self, _: Python<'_>) -> usize {
        self.0.with(|place| place.capacity())
    }

    /// Calls `look` with each item: it must not run Python.
    pub(super) fn each<E>(&self, look: impl FnMut(&T) -> Result<(), E>) -> Result<(), E> {
        self.0
            .try_with(|place| place.iter().try_for_each(look))
            .unwrap_or(Ok(()))
    }
}
