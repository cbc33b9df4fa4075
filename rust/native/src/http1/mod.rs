//! `torsion-http1` for Python: `HTTPReader` and `HTTPWriter`, one of each for a connection, and `HTTPHead`, what a message begins with.
//!
//! What is wrong is raised as ValueError, with its words and, where a peer is to blame, the status to answer with:
//! `torsion.wire.http1` turns that into the errors that all codecs have.

mod answer;
mod body;
mod current;
mod head;
mod reader;
mod receiver;
mod serve;
mod writer;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

pub(crate) use answer::PyHttpAnswer;
pub(crate) use head::PyHttpHead;
pub(crate) use reader::PyHttpReader;
pub(crate) use receiver::PyHttpReceiver;
pub(crate) use writer::PyHttpWriter;

/// What the peer did wrong.
fn wrong(error: torsion_http1::Error) -> PyErr {
    PyValueError::new_err((error.words(), error.status()))
}

/// What this side wants and may not.
fn refused(refused: torsion_http1::Refused) -> PyErr {
    PyValueError::new_err(refused.words())
}

/// Field lines, as Python has them.
type Pairs<'py> = Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>;

/// Field lines, as the crate reads them.
fn pairs<'a>(fields: &'a Pairs<'_>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    fields
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
}
