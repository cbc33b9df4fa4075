//! Ways around Python for those who write line by line.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;

use torsion_reactor::Wrote;

use super::PyStream;
use crate::bytes::Chunk;
use crate::names;
use crate::upcall;

impl PyStream {
    /// `transport`, if it is a stream without a divert whose class has left `write` and `disconnecting` as they are here.
    #[expect(
        unsafe_code,
        reason = "asked for each line; what the interpreter keeps for its own caches tells it in a tenth of the time"
    )]
    #[inline]
    pub(crate) fn unaltered<'a, 'py>(
        transport: &'a Bound<'py, PyAny>,
    ) -> PyResult<Option<&'a Bound<'py, Self>>> {
        let Ok(stream) = transport.cast::<Self>() else {
            return Ok(None);
        };
        if stream.get().is_diverted() {
            return Ok(None);
        }
        let class = transport.get_type_ptr();
        // SAFETY: an object's class is alive as long as the object, and the interpreter is ours.  Whoever changes the
        // class or one of its bases makes this number another one, or zero.
        let version = unsafe { (*class).tp_version_tag };
        if version != 0 && version == stream.get().unaltered.load(Ordering::Relaxed) {
            return Ok(Some(stream));
        }
        Self::look_for_alterations(stream).map(|altered| (!altered).then_some(stream))
    }

    #[expect(unsafe_code, reason = "as in `unaltered`")]
    #[cold]
    fn look_for_alterations(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        let (class, native) = (slf.get_type(), py.get_type::<Self>());
        for name in [names::write(py), names::disconnecting(py)] {
            if !class.getattr(name)?.is(&native.getattr(name)?) {
                return Ok(true);
            }
        }
        // SAFETY: as in `unaltered`.  The lookups above have given the class a number, if there are any left.
        let version = unsafe { (*class.as_type_ptr()).tp_version_tag };
        slf.get().unaltered.store(version, Ordering::Relaxed);
        Ok(false)
    }

    /// Whether the stream itself, not its class, was given a `write`.
    #[expect(
        unsafe_code,
        reason = "asked for each line, and nearly always there is no dictionary; asking for it would make one"
    )]
    #[inline]
    fn has_own_write(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        // SAFETY: an object's class is alive as long as the object.
        let offset = unsafe { (*slf.get_type_ptr()).tp_dictoffset };
        let Ok(offset @ 1..) = usize::try_from(offset) else {
            return Ok(true); // kept in some other way: the caller does without the shortcut
        };
        // SAFETY: a positive offset is that of the pointer to the dictionary, within the object.
        let place = unsafe { slf.as_ptr().byte_add(offset) };
        // SAFETY: it is aligned as pointers are, and nobody writes it while the interpreter is ours.
        let dict = unsafe { place.cast::<*mut pyo3::ffi::PyObject>().read() };
        // SAFETY: it is null or the object's own reference to a dictionary, which is taken a share of here.
        match unsafe { Bound::from_borrowed_ptr_or_opt(py, dict) } {
            None => Ok(false),
            Some(dict) => dict.contains(names::write(py)),
        }
    }

    /// Does what `write(head + tail)` does, or returns false: `write` is not the native one.
    #[inline]
    pub(crate) fn write_pair(slf: &Bound<'_, Self>, head: &[u8], tail: &[u8]) -> PyResult<bool> {
        if Self::has_own_write(slf)? {
            return Ok(false);
        }
        let this = slf.get();
        let wrote = {
            let state = this.shared.enter()?;
            match state.write_pair(this.token, head, tail) {
                Some(wrote) => wrote,
                None => state.write(this.token, Chunk::joined(slf.py(), head, tail)?),
            }
        };
        if matches!(wrote, Wrote::Full) {
            upcall::pause(slf);
        }
        Ok(true)
    }
}
