//! Parts of files that a stream sends.

#![cfg(unix)]

use std::fs::File;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use torsion_reactor::{FilePart, Wrote};

use super::PyStream;
use crate::descriptor;
use crate::error;
use crate::upcall;

impl PyStream {
    /// Queues a part of the file with the descriptor `number`, of which a duplicate is kept until it is sent.
    pub(super) fn put_file(
        slf: &Bound<'_, Self>,
        number: i32,
        offset: u64,
        count: usize,
    ) -> PyResult<()> {
        let this = slf.get();
        let state = this.shared.enter()?;
        let file = File::from(descriptor::duplicate(number)?);
        let status = file.metadata().map_err(|problem| error::system(&problem))?;
        if !status.is_file() {
            return Err(PyValueError::new_err(format!(
                "descriptor {number} is no regular file; write() what is read from it"
            )));
        }
        // A diverted stream is secured above: what is not written through the filter would be sent in the clear.
        let wrote = if this.is_diverted() {
            None
        } else {
            state.write_file(this.token, FilePart::new(file, offset, count))
        };
        drop(state);
        match wrote {
            None => Err(PyRuntimeError::new_err(
                "a file cannot be sent over a connection that is secured; write() what is read from it",
            )),
            Some(Wrote::Full) => {
                upcall::pause(slf);
                Ok(())
            }
            Some(Wrote::Queued | Wrote::Ignored) => Ok(()),
        }
    }
}
