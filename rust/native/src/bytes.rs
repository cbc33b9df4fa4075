//! Bytes in, bytes out.
//!
//! In: exact `bytes` are kept by reference, since nobody can change them; every other buffer (`bytearray`, `memoryview`,
//! subclasses of `bytes`) is copied once.  Out: always exact `bytes`; small reads are copied from the engine's buffer,
//! large ones are received straight into the object that Python is given.

use std::mem::MaybeUninit;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Bytes to be written: a reference to a Python object, so a chunk must be dropped while attached to the interpreter.
#[derive(Debug)]
pub(crate) struct Chunk(Py<PyBytes>);

impl AsRef<[u8]> for Chunk {
    #[expect(
        unsafe_code,
        reason = "reading bytes without a token for the interpreter"
    )]
    fn as_ref(&self) -> &[u8] {
        let object = self.0.as_ptr();
        // SAFETY: `object` is an exact `bytes`, alive as long as `self` and immutable: the pointer is good for its size.
        let start = unsafe { ffi::PyBytes_AsString(object) };
        // SAFETY: as above; reading the size of an immutable object needs no token either.
        let size = unsafe { ffi::PyBytes_Size(object) };
        // SAFETY: as above; a `bytes` object holds `size` initialised bytes from `start` on.
        unsafe { std::slice::from_raw_parts(start.cast(), size.unsigned_abs()) }
    }
}

impl Chunk {
    /// Makes one chunk of two pieces.
    pub(crate) fn joined(py: Python<'_>, head: &[u8], tail: &[u8]) -> PyResult<Self> {
        join(py, head, tail).map(|bytes| Self(bytes.unbind()))
    }

    /// Takes what a user wants to have written.
    pub(crate) fn from_object(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = data.cast_exact::<PyBytes>() {
            return Ok(Self(bytes.clone().unbind()));
        }
        if data.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err(format!(
                "data to write must be bytes, not str ({}): encode it first, for example with .encode('utf-8')",
                shortened(data)
            )));
        }
        let buffer = PyBuffer::<u8>::get(data).map_err(|_| {
            PyTypeError::new_err(format!(
                "data to write must be bytes or another buffer of bytes, not {} ({})",
                data.get_type()
                    .name()
                    .map_or_else(|_| "this object".to_owned(), |name| name.to_string()),
                shortened(data)
            ))
        })?;
        let copy = buffer.to_vec(data.py())?;
        Ok(Self(PyBytes::new(data.py(), &copy).unbind()))
    }
}

/// `data` as exact `bytes`.
pub(crate) fn exact<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = data.cast_exact::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let copy = PyBuffer::<u8>::get(data)?.to_vec(data.py())?;
    Ok(PyBytes::new(data.py(), &copy))
}

/// Two pieces as one.
pub(crate) fn join<'py>(
    py: Python<'py>,
    head: &[u8],
    tail: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, head.len() + tail.len(), |bytes| {
        let (front, back) = bytes.split_at_mut(head.len());
        front.copy_from_slice(head);
        back.copy_from_slice(tail);
        Ok(())
    })
}

/// The start of an object's repr, for messages.
fn shortened(data: &Bound<'_, PyAny>) -> String {
    const LIMIT: usize = 40;
    let text = data
        .repr()
        .map_or_else(|_| "unprintable".to_owned(), |repr| repr.to_string());
    if text.chars().count() <= LIMIT {
        return text;
    }
    text.chars().take(LIMIT).chain("…".chars()).collect()
}

/// A `bytes` object in the making, whose memory is lent to the kernel.
#[derive(Debug)]
pub(crate) struct Lease {
    writer: *mut ffi::compat::PyBytesWriter,
    size: usize,
}

impl Lease {
    /// Allocates `size` bytes without clearing them; `None` when memory has run out.
    #[expect(unsafe_code, reason = "a bytes object that is not cleared first")]
    pub(crate) fn new(_py: Python<'_>, size: usize) -> Option<Self> {
        let wanted = isize::try_from(size).ok()?;
        // SAFETY: we are attached, as `_py` shows.
        let writer = unsafe { ffi::compat::PyBytesWriter_Create(wanted) };
        if writer.is_null() {
            // SAFETY: we are attached; the error (out of memory) is answered by copying instead.
            unsafe { ffi::PyErr_Clear() };
            return None;
        }
        Some(Self { writer, size })
    }

    /// Ends the lease: the first `filled` bytes become the object.
    #[expect(unsafe_code, reason = "the other end of `new`")]
    pub(crate) fn finish(self, py: Python<'_>, filled: usize) -> PyResult<Bound<'_, PyBytes>> {
        let writer = self.writer;
        let size = isize::try_from(filled.min(self.size)).unwrap_or(0);
        std::mem::forget(self);
        // SAFETY: we are attached; `writer` came from `Create` and is given up here; `filled` bytes of it were received.
        let object = unsafe { ffi::compat::PyBytesWriter_FinishWithSize(writer, size) };
        // SAFETY: `object` is a new reference, or null with an exception set.
        let bytes = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
        // SAFETY: the writer makes nothing but exact `bytes`.
        Ok(unsafe { bytes.cast_into_unchecked() })
    }
}

impl AsMut<[MaybeUninit<u8>]> for Lease {
    #[expect(unsafe_code, reason = "the writer's memory as a slice")]
    fn as_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: `writer` is live until `finish` or `drop`.
        let start = unsafe { ffi::compat::PyBytesWriter_GetData(self.writer) };
        // SAFETY: it holds `size` bytes, ours alone, and need not be initialised for this type.
        unsafe { std::slice::from_raw_parts_mut(start.cast(), self.size) }
    }
}

impl Drop for Lease {
    #[expect(unsafe_code, reason = "the lease was not used")]
    fn drop(&mut self) {
        // SAFETY: leases live within one read, during which we are attached; `writer` was not finished.
        unsafe { ffi::compat::PyBytesWriter_Discard(self.writer) };
    }
}
