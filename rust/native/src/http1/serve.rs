//! How a server answers requests like most: with no body or a small one, of HTTP/1.1, asking nothing of the connection.
//!
//! Each is made, given to `process`, and if it has been answered by then, the next one is read.  What is not like most is left to
//! Python (`torsion/web/http/channel.py`), which does the same for every request if there is no Rust.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::body::{self, Found};
use super::current::{self, Current};
use super::{PyHttpHead, PyHttpReader};
use crate::names;

/// Answers requests until there is none that is complete, or one that is not like most, which is returned; or True is, once
/// a request is not answered yet, or none is to be read; or False, if a body is gathered.
pub(super) fn serve<'py>(
    reader: &Bound<'py, PyHttpReader>,
    channel: &Bound<'py, PyAny>,
    factory: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = reader.py();
    let requests = channel.getattr(names::requests(py))?;
    let requests = requests.cast::<PyList>()?;
    let transport = channel.getattr(names::transport(py))?;
    let told = told(channel)?;
    let make = py.get_type::<PyAny>().getattr(names::new(py))?;
    let version = PyBytes::new(py, b"HTTP/1.1");
    loop {
        let (head, body) = match next(reader.get(), channel)? {
            Asked::Plainly(head, body) => (head, body),
            Asked::Otherwise(event) => return Ok(event),
        };
        let Some((method, target)) = head.get().asked(py) else {
            return Ok(Some(head.into_any()));
        };
        reader.get().step(py)?; // the end of the message
        let request = make.call1((factory,))?;
        request.setattr(names::channel(py), channel)?;
        request.setattr(names::head(py), &head)?;
        request.setattr(names::few(py), PyDict::new(py))?;
        request.setattr(names::method(py), method)?;
        request.setattr(names::path(py), path(py, &target))?;
        request.setattr(names::uri(py), &target)?;
        request.setattr(names::client_protocol(py), &version)?;
        let content = body.map(|body| body::give(&request, body)).transpose()?;
        let is_form = content.is_some() && head.get().may_be_form(py);
        requests.append(&request)?;
        let current = Current {
            request: request.clone().unbind(),
            channel: channel.clone().unbind(),
            transport: transport.clone().unbind(),
            factory: told.clone().map(Bound::unbind),
            answered: false,
        };
        let (done, answered) = process(channel, &request, current, is_form);
        if answered {
            requests.del_slice(0, requests.len())?;
            if let Some(content) = content {
                // One that the program still looks into, by a view of it, stays open as long as that.
                let _ = content.call_method0(names::close(py));
            }
        }
        if let Err(raised) = done {
            channel.call_method1(names::raised(py), (&request, raised.value(py)))?;
        }
        if !requests.is_empty()
            || channel.getattr(names::closing(py))?.is_truthy()?
            || channel
                .getattr(names::waiting_for_transport(py))?
                .is_truthy()?
        {
            return found(py, true);
        }
    }
}

/// Has a request processed; returns what came of that, and whether it was answered.
fn process<'py>(
    channel: &Bound<'py, PyAny>,
    request: &Bound<'py, PyAny>,
    current: Current,
    is_form: bool,
) -> (PyResult<Bound<'py, PyAny>>, bool) {
    let py = channel.py();
    let before = current::enter(current);
    let done = if is_form {
        channel.call_method1(names::process_form(py), (request,))
    } else {
        request.call_method0(names::process(py))
    };
    (done, current::leave(before))
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
