//! Bodies of requests like most: small enough to be kept in memory, they are gathered here, and given to the request as a whole.
//!
//! Nobody sees a request before its body is complete, if nothing about it is unusual; so it is made then.  What is gathered is
//! kept as it came, and is made one `bytes` object at the end, which the file that the program reads shares.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{PyHttpHead, PyHttpReader};
use crate::names;

/// What came of looking for a body.
pub(super) enum Found<'py> {
    /// The whole of it.
    Whole(Bound<'py, PyBytes>),
    /// Not all of it yet: it is gathered.
    Part,
    /// One that is too large, or that somebody wants to have as it comes.
    Unusual,
}

/// Finds the body of `head`, which the reader gave last, of so many bytes.
pub(super) fn find<'py>(
    reader: &PyHttpReader,
    channel: &Bound<'py, PyAny>,
    head: &Bound<'py, PyHttpHead>,
    length: u64,
) -> PyResult<Found<'py>> {
    let py = channel.py();
    let most: u64 = channel.getattr(names::keeps(py))?.extract()?;
    let Some(length) = usize::try_from(length).ok().filter(|_| length <= most) else {
        return Ok(Found::Unusual);
    };
    let max = channel.getattr(names::max_body_size(py))?;
    if (!max.is_none() && max.lt(length)?) || wants_bodies(&channel.getattr(names::site(py))?)? {
        return Ok(Found::Unusual);
    }
    reader.gather(head, length);
    Ok(match reader.gathered(py)? {
        Some((_, body)) => Found::Whole(body),
        None => Found::Part,
    })
}

/// Whether a site has something to say of bodies before they are complete: asked each time, as it may be set at any time.
fn wants_bodies(site: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = site.py();
    if site.is_none() {
        return Ok(false);
    }
    if let Some(streams) = site.getattr_opt(names::streams_bodies(py))? {
        if streams.is_truthy()? {
            return Ok(true);
        }
    }
    let file = site.getattr_opt(names::get_content_file(py))?;
    Ok(file.is_some_and(|file| !file.is_none()))
}

/// Gives a request its body; returns the file, which is to be closed when it is answered.
pub(super) fn give<'py>(
    request: &Bound<'py, PyAny>,
    body: Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = request.py();
    request.setattr(names::length(py), body.as_bytes().len())?;
    let content = names::bytes_io(py)?.call1((body,))?;
    request.setattr(names::content(py), &content)?;
    Ok(content)
}
