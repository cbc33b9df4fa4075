//! How a server answers requests like most: with no body or a small one, of HTTP/1.1, asking nothing of the connection.
//!
//! Each is made, given to `process`, and if it has been answered by then, the next one is read.  What is not like most is left to
//! Python (`torsion/web/http/channel.py`), which does the same for every request if there is no Rust.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyType};

use super::body::{self, Found};
use super::current::{self, Current};
use super::{PyHttpHead, PyHttpReader};
use crate::names;

/// What is asked of a channel once, for all requests that came in one piece.
pub(super) struct Serving<'a, 'py> {
    pub(super) channel: &'a Bound<'py, PyAny>,
    pub(super) requests: Bound<'py, PyList>,
    pub(super) transport: Bound<'py, PyAny>,
    /// Makes the requests.
    pub(super) factory: Bound<'py, PyType>,
    /// Whether nothing of the program's runs between an answer and the end of `process`.
    pub(super) quiet: bool,
}

impl<'a, 'py> Serving<'a, 'py> {
    /// Asks a channel.
    pub(super) fn of(
        channel: &'a Bound<'py, PyAny>,
        factory: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let py = channel.py();
        Ok(Self {
            channel,
            requests: channel.getattr(names::requests(py))?.cast_into()?,
            transport: channel.getattr(names::transport(py))?,
            factory: factory.cast::<PyType>()?.clone(),
            quiet: channel.getattr(names::quiet(py))?.is_truthy()?,
        })
    }

    /// Answers requests until there is none that is complete, or one that is not like most, which is returned; or True is,
    /// once a request is not answered yet, none is to be read, or not here; or False, if a body is gathered.
    pub(super) fn serve(
        &self,
        reader: &Bound<'py, PyHttpReader>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = reader.py();
        let told = told(self.channel)?;
        loop {
            let (head, body) = match next(reader.get(), self.channel)? {
                Asked::Plainly(head, body) => (head, body),
                Asked::Otherwise(event) => return Ok(event),
            };
            let Some((method, target)) = head.get().asked(py) else {
                return Ok(Some(head.into_any()));
            };
            reader.get().step(py)?; // the end of the message
            let request = self.request(&head, method, target)?;
            self.process(&request, &head, body, told.as_ref())?;
            if !self.may_go_on()? || (reader.get().kept(py) > 0 && self.is_others_turn(reader)?) {
                return found(py, true);
            }
        }
    }

    /// Makes a request.
    fn request(
        &self,
        head: &Bound<'py, PyHttpHead>,
        method: Bound<'py, PyBytes>,
        target: Bound<'py, PyBytes>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = head.py();
        let request = make(&self.factory)?;
        request.setattr(names::channel(py), self.channel)?;
        request.setattr(names::head(py), head)?;
        request.setattr(names::few(py), PyDict::new(py))?;
        request.setattr(names::method(py), method)?;
        request.setattr(names::path(py), path(py, &target))?;
        request.setattr(names::uri(py), target)?;
        request.setattr(names::client_protocol(py), version(py))?;
        Ok(request)
    }

    /// Has a request processed.
    fn process(
        &self,
        request: &Bound<'py, PyAny>,
        head: &Bound<'py, PyHttpHead>,
        body: Option<Bound<'py, PyBytes>>,
        told: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = head.py();
        let content = body.map(|body| body::give(request, body)).transpose()?;
        let is_form = content.is_some() && head.get().may_be_form(py);
        self.requests.append(request)?;
        let before = current::enter(Current {
            request: request.clone().unbind(),
            channel: self.channel.clone().unbind(),
            transport: self.transport.clone().unbind(),
            factory: told.cloned().map(Bound::unbind),
            quiet: self.quiet && told.is_none(),
            answered: None,
        });
        let done = if is_form {
            self.channel
                .call_method1(names::process_form(py), (request,))
        } else {
            request.call_method0(names::process(py))
        };
        if let Some(sent) = current::leave(before) {
            self.requests.del_slice(0, self.requests.len())?;
            if let Some(content) = content {
                // One that the program still looks into, by a view of it, stays open as long as that.
                let _ = content.call_method0(names::close(py));
            }
            if sent.untold && is_kept(request) {
                current::note(request, self.channel, sent.length)?;
            }
        }
        if let Err(raised) = done {
            self.channel
                .call_method1(names::raised(py), (request, raised.value(py)))?;
        }
        Ok(())
    }

    /// Whether the next request is not to be answered at once, or not here: since a time-out was set for it, say.
    fn is_others_turn(&self, reader: &Bound<'py, PyHttpReader>) -> PyResult<bool> {
        let py = reader.py();
        Ok(reader.get().spent(py) || !self.channel.getattr(names::request_timeout(py))?.is_none())
    }

    /// Whether another request may be read.
    fn may_go_on(&self) -> PyResult<bool> {
        let py = self.channel.py();
        Ok(self.requests.is_empty()
            && !self.channel.getattr(names::closing(py))?.is_truthy()?
            && !self
                .channel
                .getattr(names::waiting_for_transport(py))?
                .is_truthy()?)
    }
}

/// Whether anybody else has a reference to a request.
#[cfg(not(Py_GIL_DISABLED))]
#[expect(
    unsafe_code,
    reason = "who has none cannot see what is not noted in it"
)]
fn is_kept(request: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the object is alive.
    unsafe { pyo3::ffi::Py_REFCNT(request.as_ptr()) > 1 }
}

/// Whether anybody else may have a reference to a request: without the interpreter's lock their number tells nothing.
#[cfg(Py_GIL_DISABLED)]
fn is_kept(_request: &Bound<'_, PyAny>) -> bool {
    true
}

/// Makes a request as `object.__new__` does.
fn make<'py>(factory: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = factory.py();
    let new = NEW.get_or_try_init(py, || {
        py.get_type::<PyAny>()
            .getattr(names::new(py))
            .map(Bound::unbind)
    })?;
    new.bind(py).call1((factory,))
}

fn version(py: Python<'_>) -> &Bound<'_, PyBytes> {
    static VERSION: PyOnceLock<Py<PyBytes>> = PyOnceLock::new();
    VERSION
        .get_or_init(py, || PyBytes::new(py, b"HTTP/1.1").unbind())
        .bind(py)
}

/// What comes next.
enum Asked<'py> {
    /// A request like most, and its body, if it has one.
    Plainly(Bound<'py, PyHttpHead>, Option<Bound<'py, PyBytes>>),
    /// What `serve` is to return.
    Otherwise(Option<Bound<'py, PyAny>>),
}

fn next<'py>(reader: &PyHttpReader, channel: &Bound<'py, PyAny>) -> PyResult<Asked<'py>> {
    let py = channel.py();
    if reader.is_gathering() {
        let Some((head, body)) = reader.gathered(py)? else {
            return Ok(Asked::Otherwise(found(py, false)?));
        };
        channel.call_method0(names::have_body(py))?;
        return Ok(Asked::Plainly(head, Some(body)));
    }
    let Some(event) = reader.step(py)? else {
        return Ok(Asked::Otherwise(None));
    };
    let Ok(head) = event.cast_exact::<PyHttpHead>() else {
        return Ok(Asked::Otherwise(Some(event)));
    };
    let body = match head.get().length_if_plain(py) {
        None => return Ok(Asked::Otherwise(Some(event))),
        Some(0) => None,
        Some(length) => match body::find(reader, channel, head, length)? {
            Found::Whole(body) => Some(body),
            Found::Part => return Ok(Asked::Otherwise(found(py, false)?)),
            Found::Unusual => return Ok(Asked::Otherwise(Some(event))),
        },
    };
    Ok(Asked::Plainly(head.clone(), body))
}

/// What to go on with, or what to wait for.
fn found(py: Python<'_>, go_on: bool) -> PyResult<Option<Bound<'_, PyAny>>> {
    Ok(Some(go_on.into_pyobject(py)?.to_owned().into_any()))
}

/// Who is to be told of answers.
fn told<'py>(channel: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = channel.py();
    let factory = channel.getattr(names::factory(py))?;
    if factory.is_none() || factory.getattr(names::silent(py))?.is_truthy()? {
        return Ok(None);
    }
    Ok(Some(factory))
}

/// The target without its query.
fn path<'py>(py: Python<'py>, target: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
    match memchr::memchr(b'?', target.as_bytes()) {
        Some(end) => PyBytes::new(py, &target.as_bytes()[..end]),
        None => target.clone(),
    }
}
