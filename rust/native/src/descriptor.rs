//! Descriptors that Python names by their numbers.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use pyo3::prelude::*;

use crate::error;

/// A duplicate of the descriptor `number`, which Python keeps; programs that are started do not get it.
#[expect(
    unsafe_code,
    reason = "only Python can know whose a descriptor's number is"
)]
pub(crate) fn duplicate(number: i32) -> PyResult<OwnedFd> {
    if number < 0 {
        return Err(error::closed("descriptor"));
    }
    // SAFETY: used for this one call alone, which refuses a number that is not open.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    descriptor
        .try_clone_to_owned()
        .map_err(|problem| error::system(&problem))
}

/// Takes the descriptor `number` over from Python; whether it was Python's to give is Python's affair.
#[expect(
    unsafe_code,
    reason = "only Python can know whose a descriptor's number is"
)]
pub(crate) fn take(number: i32) -> PyResult<OwnedFd> {
    if number < 0 {
        return Err(error::closed("descriptor"));
    }
    // SAFETY: closed by nobody through this, and asked for nothing but whether it is open.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(number) });
    file.metadata().map_err(|problem| error::system(&problem))?;
    // SAFETY: it is open, and the caller gives it up.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Leaves the descriptor to Python after all.
pub(crate) fn give_back(descriptor: OwnedFd) {
    let _ = descriptor.into_raw_fd();
}
