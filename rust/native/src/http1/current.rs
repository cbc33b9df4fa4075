//! The request whose `process` is being called in this thread, and what is known of its channel: an answer that comes before
//! `process` has returned, as most do, need not ask for it again.

use std::cell::RefCell;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::PyHttpAnswer;
use super::answer;
use crate::names;

/// A request that is being processed.
pub(super) struct Current {
    pub(super) request: Py<PyAny>,
    pub(super) channel: Py<PyAny>,
    pub(super) transport: Py<PyAny>,
    /// Who is told of the answer, if anybody is.
    pub(super) factory: Option<Py<PyAny>>,
    /// Whether nothing of the program's runs between the answer and the end of `process`: then the request need not know of it,
    /// unless somebody keeps it.
    pub(super) quiet: bool,
    /// What it has been answered with, if it has, and nobody but the reader has to know.
    pub(super) answered: Option<Sent>,
}

/// An answer that was sent.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    /// How many bytes the body has.
    pub(super) length: usize,
    /// Whether the request does not know yet.
    pub(super) untold: bool,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// Makes a request the current one; the one before is to be given back to [`leave`].
pub(super) fn enter(current: Current) -> Option<Current> {
    CURRENT.with_borrow_mut(|place| place.replace(current))
}

/// Makes the request before the current one again, and says what this one was answered with.
pub(super) fn leave(before: Option<Current>) -> Option<Sent> {
    let current = CURRENT.with_borrow_mut(|place| std::mem::replace(place, before));
    current.and_then(|current| current.answered) // what is dropped here may call Python: no borrow is held
}

/// Answers the current request, if `request` is that; None if it is not, or is not to be answered here.
pub(super) fn answer(
    request: &Bound<'_, PyHttpAnswer>,
    body: &Bound<'_, PyBytes>,
) -> PyResult<Option<bool>> {
    let py = request.py();
    let found = CURRENT.with_borrow(|place| match place {
        Some(current) if current.request.is(request) && current.answered.is_none() => Some((
            current.channel.clone_ref(py),
            current.transport.clone_ref(py),
            current
                .factory
                .as_ref()
                .map(|factory| factory.clone_ref(py)),
            current.quiet,
        )),
        _ => None,
    });
    let Some((channel, transport, factory, quiet)) = found else {
        return Ok(None);
    };
    if !answer::is_plain(request)? {
        return Ok(None);
    }
    if !request.getattr(names::channel(py))?.is(&channel) {
        return Ok(None); // the client has left, or it was taken away
    }
    let Some(head) = answer::head(request, body.as_bytes().len())? else {
        return Ok(Some(false));
    };
    answer::send(transport.bind(py), &head, body)?;
    let length = body.as_bytes().len();
    if !quiet {
        request.setattr(names::started_writing(py), 1)?;
        request.setattr(names::sent_length(py), length)?;
        if let Some(factory) = factory {
            factory.call_method1(py, names::log(py), (request,))?;
        }
        note(request, channel.bind(py), length)?;
    }
    CURRENT.with_borrow_mut(|place| {
        if let Some(current) = place {
            current.answered = current.request.is(request).then_some(Sent {
                length,
                untold: quiet,
            });
        }
    });
    Ok(Some(true))
}

/// Notes in a request that it was answered.
pub(super) fn note(
    request: &Bound<'_, PyAny>,
    channel: &Bound<'_, PyAny>,
    length: usize,
) -> PyResult<()> {
    let py = request.py();
    request.setattr(names::started_writing(py), 1)?;
    request.setattr(names::sent_length(py), length)?;
    request.setattr(names::finished(py), 1)?;
    request.setattr(names::past(py), channel)?;
    request.setattr(names::channel(py), py.None())
}
