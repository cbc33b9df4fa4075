//! How a server answers requests like most: without a body, of HTTP/1.1, asking nothing of the connection.
//!
//! Each is made, given to `process`, and if it has been answered by then, the next one is read.  What is not like most is left to
//! Python (`torsion/web/http/channel.py`), which does the same for every request if there is no Rust.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::current::{self, Current};
use super::{PyHttpHead, PyHttpReader};
use crate::names;

/// Answers requests until there is none that is complete, or one that is not like most, which is returned; or True is, once
/// a request is not answered yet, or none is to be read.
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
        let Some(event) = reader.get().step(py)? else {
            return Ok(None);
        };
        let Ok(head) = event.cast_exact::<PyHttpHead>() else {
            return Ok(Some(event));
        };
        if !head.get().is_plain(py) {
            return Ok(Some(event));
        }
        let Some((method, target)) = head.get().asked(py) else {
            return Ok(Some(event));
        };
        reader.get().step(py)?; // the end of a message that is a head and no more
        let request = make.call1((factory,))?;
        request.setattr(names::channel(py), channel)?;
        request.setattr(names::head(py), head)?;
        request.setattr(names::few(py), PyDict::new(py))?;
        request.setattr(names::method(py), method)?;
        request.setattr(names::path(py), path(py, &target))?;
        request.setattr(names::uri(py), target)?;
        request.setattr(names::client_protocol(py), &version)?;
        requests.append(&request)?;
        let before = current::enter(Current {
            request: request.clone().unbind(),
            channel: channel.clone().unbind(),
            transport: transport.clone().unbind(),
            factory: told.clone().map(Bound::unbind),
            answered: false,
        });
        let done = request.call_method0(names::process(py));
        if current::leave(before) {
            requests.del_slice(0, requests.len())?;
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
            return Ok(Some(true.into_pyobject(py)?.to_owned().into_any()));
        }
    }
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
