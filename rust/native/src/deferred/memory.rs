//! Objects made where others were, without the detours that classes take which know less of themselves.
//!
//! CPython 3.11 and 3.12 give each object that may have a dictionary one when it is made; few Deferreds ever use it.

#[cfg(not(Py_GIL_DISABLED))]
use std::ffi::c_void;

use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;

#[cfg(not(Py_GIL_DISABLED))]
use super::dictionary;
use super::held::Held;

/// So much memory is kept for the objects of a class: as much as a burst of them takes.
#[cfg(not(Py_GIL_DISABLED))]
const SPARE: usize = 128;

/// Memory of an object that is gone.
struct Memory(*mut ffi::PyObject);

#[expect(unsafe_code, reason = "nobody else knows the address")]
// SAFETY: it is memory, with nothing in it.
unsafe impl Send for Memory {}

/// What is known of a class whose objects are made here.
pub(super) struct Maker {
    spares: Held<Vec<Memory>>,
    /// Where in an object the value is that Rust knows; 0 if that is not known.
    offset: Held<usize>,
    /// Where its dictionary is; 0 if it has none.
    dictionary: Held<usize>,
}

impl Maker {
    pub(super) const fn new() -> Self {
        Self {
            spares: Held::new(Vec::new()),
            offset: Held::new(0),
            dictionary: Held::new(0),
        }
    }

    /// Looks at `sample` for where its value is.  `slots` is how many pointers follow: to a dictionary, and to weak references.
    ///
    /// Where the value and these are not all there is, this returns false, and objects go on being made as pyo3 makes them.
    #[cfg_attr(
        Py_GIL_DISABLED,
        expect(dead_code, reason = "that interpreter keeps memory itself")
    )]
    #[expect(unsafe_code, reason = "reading a class's size")]
    pub(super) fn learn<T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync>(
        &self,
        sample: &Bound<'_, T>,
        slots: usize,
    ) -> bool {
        let start = sample.as_ptr().addr();
        let offset = std::ptr::from_ref(sample.get()).addr() - start;
        let size = offset + size_of::<T>() + slots * size_of::<*mut ffi::PyObject>();
        // SAFETY: an object's class is alive as long as the object.
        let full = unsafe { (*T::type_object_raw(sample.py())).tp_basicsize };
        let known = full.unsigned_abs() == size;
        if known {
            self.offset.set(sample.py(), offset);
            if slots > 0 {
                self.dictionary.set(sample.py(), offset + size_of::<T>());
            }
            #[cfg(not(any(Py_3_12, Py_GIL_DISABLED)))]
            dictionary::learn(sample.py());
        }
        known
    }

    /// Makes an object with `value`.
    #[cfg(not(Py_GIL_DISABLED))]
    #[expect(unsafe_code, reason = "what the interpreter does for its own classes")]
    #[inline]
    pub(super) fn make<'py, T>(&self, py: Python<'py>, value: T) -> PyResult<Bound<'py, T>>
    where
        T: PyClass + Into<pyo3::PyClassInitializer<T>>,
    {
        let offset = self.offset.get(py);
        if offset == 0 {
            return Bound::new(py, value);
        }
        let class = T::type_object_raw(py);
        let object = match self.spares.pop(py) {
            Some(Memory(memory)) => {
                // SAFETY: it is an object of this class again, which it takes a share of.
                unsafe { ffi::PyObject_Init(memory, class) };
                // SAFETY: it is that large, and not told to the collector, which `free` has got it from.
                unsafe { fill(memory, offset, value) };
                #[cfg(not(Py_3_12))]
                if let offset @ 1.. = self.dictionary.get(py) {
                    // SAFETY: it is in the object.
                    let place = unsafe { memory.byte_add(offset) };
                    // SAFETY: it is that of the dictionary.
                    unsafe { dictionary::furnish(place.cast()) };
                }
                // SAFETY: it has the header for that.
                unsafe { ffi::PyObject_GC_Track(memory.cast()) };
                // SAFETY: it is an object of this class now.
                let object = unsafe { Bound::from_owned_ptr(py, memory) };
                // SAFETY: as above.
                return Ok(unsafe { object.cast_into_unchecked() });
            }
            // SAFETY: it has no items.
            None => unsafe { ffi::PyType_GenericAlloc(class, 0) },
        };
        // SAFETY: it is a new reference, or null with an exception set.
        let object = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
        // SAFETY: the memory is that of an object of this class.
        unsafe { fill(object.as_ptr(), offset, value) };
        // SAFETY: it is an object of this class now.
        Ok(unsafe { object.cast_into_unchecked() })
    }

    /// Makes an object with `value`.
    #[cfg(Py_GIL_DISABLED)]
    pub(super) fn make<'py, T>(&self, py: Python<'py>, value: T) -> PyResult<Bound<'py, T>>
    where
        T: PyClass + Into<pyo3::PyClassInitializer<T>>,
    {
        Bound::new(py, value)
    }

    /// Keeps `memory`, of an object that has ended, or gives it back.
    ///
    /// # Safety
    ///
    /// It is that of an object of this class, not of a subclass.
    #[cfg(not(Py_GIL_DISABLED))]
    #[expect(unsafe_code, reason = "what the interpreter does for its own classes")]
    #[inline]
    pub(super) unsafe fn free(&self, memory: *mut c_void) {
        // SAFETY: the interpreter calls its slots when it is ours.
        let py = unsafe { Python::assume_attached() };
        let kept = self.spares.push_up_to(py, SPARE, Memory(memory.cast()));
        if kept.is_err() {
            if let offset @ 1.. = self.dictionary.get(py) {
                // SAFETY: it is in the object.
                let place = unsafe { memory.byte_add(offset) };
                // SAFETY: it is that of the dictionary, which `end` may have left.
                unsafe { dictionary::leave(place.cast(), false) };
            }
            // SAFETY: what this slot does in other classes.
            unsafe { ffi::PyObject_GC_Del(memory) };
        }
    }
}

/// Puts `value` where it belongs in `object`.
///
/// # Safety
///
/// The object is as large as those that `learn` has found to have their value at `offset`, and after it pointers only: to what
/// belongs to the object, or null.
#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "what pyo3 does, too")]
#[inline]
unsafe fn fill<T>(object: *mut ffi::PyObject, offset: usize, value: T) {
    // SAFETY: as the caller says.
    let place = unsafe { object.byte_add(offset) };
    // SAFETY: as the caller says; nothing is there.
    unsafe { place.cast::<T>().write(value) };
}

/// The end of an object: what tp_dealloc does.
///
/// # Safety
///
/// `object` has no owner any more, and is of `T`'s class or a subclass; `maker` is that of `T`, and has learned.
#[cfg(not(Py_GIL_DISABLED))]
#[expect(unsafe_code, reason = "what the interpreter does for its own classes")]
#[inline]
pub(super) unsafe fn end<T: PyClass>(
    maker: &Maker,
    object: *mut ffi::PyObject,
    slots: usize,
    release: impl FnOnce(&mut T, Python<'_>),
) {
    // SAFETY: the interpreter calls its slots when it is ours.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: it is one of those that the collector is told of.
    unsafe { ffi::PyObject_GC_UnTrack(object.cast()) };
    let offset = maker.offset.get(py);
    // SAFETY: it is in the object.
    let place = unsafe { object.byte_add(offset) }.cast::<T>();
    // SAFETY: the pointers come after it.
    let pointers = unsafe { place.add(1) }.cast::<*mut ffi::PyObject>();
    if slots == 2 {
        // SAFETY: the second one is that to the weak references.
        let weak = unsafe { pointers.add(1) };
        // SAFETY: it is in the object.
        if !unsafe { weak.read() }.is_null() {
            // SAFETY: the object is whole.
            unsafe { ffi::PyObject_ClearWeakRefs(object) };
        }
    }
    // SAFETY: nobody else has the object.
    release(unsafe { &mut *place }, py); // after which there is nothing in it that would have to be dropped
    // SAFETY: the object has a class, which it holds a share of.
    let class = unsafe { ffi::Py_TYPE(object) };
    let ours = std::ptr::eq(class, T::type_object_raw(py));
    if slots == 2 {
        // SAFETY: it is null or holds a share of a dictionary.
        unsafe { dictionary::leave(pointers, ours) };
    }
    if ours {
        // SAFETY: its class is this one.
        unsafe { maker.free(object.cast()) };
    // SAFETY: the class is alive.
    } else if let Some(free) = unsafe { (*class).tp_free } {
        // SAFETY: it is what the class does with the memory of its objects.
        unsafe { free(object.cast()) };
    }
    // SAFETY: the object's own share.
    unsafe { ffi::Py_DECREF(class.cast()) };
}
