//! `HTTPAnswer`: the half of a request that answers it, where the answer is whole at once and nothing about it is unusual.
//!
//! It has a twin in `torsion/web/http/_answer.py`, which does the same with more words.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::current;
use crate::stream::PyStream;
use crate::{bytes, names};

/// Bodies of up to so many bytes are copied behind their head, to leave in one piece: less than a second write costs.
const MOST_COPIED: usize = 16 * 1024;

/// The header Date of a second: it is made by Python, once in each.
static DATE: Mutex<Option<(u64, Py<PyBytes>)>> = Mutex::new(None);

/// The answering half.  It has no state and cannot be made by itself: it is one of the bases of a class of Python's.
#[pyclass(frozen, subclass, name = "HTTPAnswer", module = "torsion._native")]
pub(crate) struct PyHttpAnswer;

#[pymethods]
impl PyHttpAnswer {
    /// Give a header of the response this one value.
    #[pyo3(name = "setHeader")]
    fn set_header(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let few = slf.getattr(names::few(py))?;
        if let (Ok(few), Ok(_), Ok(bytes)) = (
            few.cast_exact::<PyDict>(),
            name.cast_exact::<PyBytes>(),
            value.cast_exact::<PyBytes>(),
        ) {
            if memchr::memchr2(b'\r', b'\n', bytes.as_bytes()).is_none() {
                if let Some(written) = names::written_headers(py)?.get_item(name)? {
                    return few.set_item(written, value);
                }
            }
        }
        slf.call_method1(names::set_header_anyway(py), (name, value))
            .map(drop)
    }

    /// Answer with *body* and finish, if nothing about that is unusual; returns whether it has.
    #[pyo3(name = "_answerAtOnce")]
    fn answer_at_once(slf: &Bound<'_, Self>, body: &Bound<'_, PyBytes>) -> PyResult<bool> {
        let py = slf.py();
        if let Some(answered) = current::answer(slf, body)? {
            return Ok(answered);
        }
        let channel = slf.getattr(names::channel(py))?;
        if channel.is_none() || !is_plain(slf)? || !is_usual(slf, &channel)? {
            return Ok(false);
        }
        let Some(head) = head(slf, body.as_bytes().len())? else {
            return Ok(false);
        };
        send(&channel.getattr(names::transport(py))?, &head, body)?;
        slf.setattr(names::started_writing(py), 1)?;
        slf.setattr(names::sent_length(py), body.as_bytes().len())?;
        let factory = channel.getattr(names::factory(py))?;
        if !factory.is_none() {
            factory.call_method1(names::log(py), (slf,))?;
        }
        slf.setattr(names::finished(py), 1)?;
        slf.call_method0(names::clean_up(py))?;
        Ok(true)
    }
}

/// Writes an answer.
pub(super) fn send(
    transport: &Bound<'_, PyAny>,
    head: &[u8],
    body: &Bound<'_, PyBytes>,
) -> PyResult<()> {
    let py = transport.py();
    if body.as_bytes().len() <= MOST_COPIED {
        if let Some(stream) = PyStream::unaltered(transport)? {
            if PyStream::write_pair(stream, head, body.as_bytes())? {
                return Ok(());
            }
        }
        let whole = bytes::join(py, head, body.as_bytes())?;
        transport.call_method1(names::write(py), (whole,))?;
    } else {
        let parts = PyList::new(py, [&PyBytes::new(py, head), body])?;
        transport.call_method1(names::write_sequence(py), (parts,))?;
    }
    Ok(())
}

/// Whether nothing has been asked of an answer but its status, a few headers and its body.
pub(super) fn is_plain(request: &Bound<'_, PyHttpAnswer>) -> PyResult<bool> {
    Ok(!request.getattr(names::unusual(request.py()))?.is_truthy()?)
}

/// Whether the request and its channel ask for nothing else either.
fn is_usual(request: &Bound<'_, PyHttpAnswer>, channel: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = request.py();
    let method = request.getattr(names::method(py))?;
    let version = request.getattr(names::client_protocol(py))?;
    let (Ok(method), Ok(version)) = (method.cast::<PyBytes>(), version.cast::<PyBytes>()) else {
        return Ok(false);
    };
    if method.as_bytes() == b"HEAD" || version.as_bytes() != b"HTTP/1.1" {
        return Ok(false);
    }
    channel
        .getattr_opt(names::usual(py))?
        .map_or(Ok(false), |usual| usual.is_truthy())
}

/// Makes the head of an answer whose body has `length` bytes; None if it is not for this to make.
pub(super) fn head(request: &Bound<'_, PyHttpAnswer>, length: usize) -> PyResult<Option<Vec<u8>>> {
    let py = request.py();
    let few = request.getattr(names::few(py))?;
    let Ok(few) = few.cast_exact::<PyDict>() else {
        return Ok(None);
    };
    let Ok(code) = request.getattr(names::code(py))?.extract::<u16>() else {
        return Ok(None); // which says what is wrong with it
    };
    if !matches!(code, 200..=999) || matches!(code, 204 | 304) {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(320);
    if code == 200 {
        out.extend_from_slice(b"HTTP/1.1 200 ");
    } else {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(code.to_string().as_bytes());
        out.push(b' ');
    }
    let reason = request.getattr(names::code_message(py))?;
    let Ok(reason) = reason.cast::<PyBytes>() else {
        return Ok(None);
    };
    if memchr::memchr2(b'\r', b'\n', reason.as_bytes()).is_some() {
        return Ok(None);
    }
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    let server = request.getattr(names::server_name(py))?;
    if let Ok(server) = server.cast::<PyBytes>() {
        line(&mut out, b"Server", server.as_bytes());
        line(&mut out, b"Date", date(py)?.as_bytes());
    }
    let mut typed = length == 0;
    for (name, value) in few {
        let (Ok(name), Ok(value)) = (name.cast::<PyBytes>(), value.cast::<PyBytes>()) else {
            return Ok(None);
        };
        match name.as_bytes() {
            b"Content-Length" => continue,
            b"Content-Type" => typed = true,
            b"Transfer-Encoding" | b"Connection" | b"Date" | b"Server" => return Ok(None),
            _ => {}
        }
        line(&mut out, name.as_bytes(), value.as_bytes());
    }
    if !typed {
        let kind = request.getattr(names::default_content_type(py))?;
        if let Ok(kind) = kind.cast::<PyBytes>() {
            line(&mut out, b"Content-Type", kind.as_bytes());
        }
    }
    line(&mut out, b"Content-Length", length.to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
    Ok(Some(out))
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The date of this second, as HTTP writes it.
#[expect(
    clippy::disallowed_methods,
    reason = "the date of a response is the calendar's: the Clock of timers has none"
)]
fn date(py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
    let second = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if let Some((known, date)) = &*DATE.lock().unwrap_or_else(PoisonError::into_inner) {
        if *known == second {
            return Ok(date.bind(py).clone());
        }
    }
    let made = names::http_date(py)?.call0()?.cast_into::<PyBytes>()?;
    *DATE.lock().unwrap_or_else(PoisonError::into_inner) = Some((second, made.clone().unbind()));
    Ok(made)
}
