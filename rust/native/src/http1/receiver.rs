//! `HTTPReceiver`: the half of a server's channel that takes bytes, where they are requests like most and nothing else is going on.
//!
//! It has a twin in `torsion/web/http/_receiver.py`, which leaves everything to the channel.

use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyType};

use super::PyHttpReader;
use super::serve::Serving;
use crate::names;
use crate::timer::{PyTimer, seconds};

/// The receiving half.  It has no state and cannot be made by itself: it is one of the bases of a class of Python's.
#[pyclass(frozen, subclass, name = "HTTPReceiver", module = "torsion._native")]
pub(crate) struct PyHttpReceiver;

#[pymethods]
impl PyHttpReceiver {
    /// Take bytes from the client.
    #[pyo3(name = "dataReceived")]
    fn data_received(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let dict = attributes(slf.as_any())?;
        let Some((reader, serving)) = idle(slf.as_any(), &dict, data)? else {
            return slf.call_method1(names::take_data(py), (data,)).map(drop);
        };
        reader.get().receive(py, data)?;
        reader.get().renew();
        dict.set_item(names::reading(py), true)?;
        let found = serving.serve(&reader);
        dict.set_item(names::reading(py), false)?;
        let found = match found {
            Ok(None)
                if is_calm(&dict)? && serving.requests.is_empty() && reader.get().kept(py) == 0 =>
            {
                return put_off(slf.as_any(), &dict);
            }
            Ok(found) => found,
            Err(error) if error.is_instance_of::<PyValueError>(py) => {
                return slf.call_method0(names::read(py)).map(drop); // which comes upon it again
            }
            Err(error) => return Err(error),
        };
        slf.call_method1(names::read(py), (found,)).map(drop)
    }
}

/// What is needed to serve requests, if `channel` waits for one and there is nothing else to be heeded.
fn idle<'a, 'py>(
    channel: &'a Bound<'py, PyAny>,
    dict: &Bound<'py, PyDict>,
    data: &Bound<'py, PyAny>,
) -> PyResult<Option<(Bound<'py, PyHttpReader>, Serving<'a, 'py>)>> {
    let py = channel.py();
    if !data.is_exact_instance_of::<PyBytes>()
        || !is_calm(dict)?
        || is_set(dict, names::reading(py))?
        || !counted(dict)?
    {
        return Ok(None);
    }
    let (Some(reader), Some(requests), Some(transport), Some(factory)) = (
        dict.get_item(names::reader(py))?,
        dict.get_item(names::requests(py))?,
        dict.get_item(names::transport(py))?,
        dict.get_item(names::request_factory(py))?,
    ) else {
        return Ok(None);
    };
    if dict
        .get_item(names::request_timeout(py))?
        .is_some_and(|timeout| !timeout.is_none())
    {
        return Ok(None); // it was set since that was looked for, in the place of None
    }
    let served = dict.get_item(names::served(py))?;
    let (Ok(reader), Ok(requests), Ok(factory)) = (
        reader.cast_into_exact::<PyHttpReader>(),
        requests.cast_into_exact::<PyList>(),
        factory.cast_into::<PyType>(),
    ) else {
        return Ok(None);
    };
    if !requests.is_empty() || !served.is_some_and(|served| served.is(&factory)) {
        return Ok(None);
    }
    let serving = Serving {
        channel,
        requests,
        transport,
        factory,
        quiet: is_set(dict, names::quiet(py))?,
    };
    Ok(Some((reader, serving)))
}

/// The attributes of a channel, as a dictionary.
#[expect(
    unsafe_code,
    reason = "asked for each piece that comes in: the attribute `__dict__` is the same in thrice the time"
)]
fn attributes<'py>(channel: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    // SAFETY: it takes any object, and returns a new reference, or null with an exception set.
    let dict = unsafe { ffi::PyObject_GenericGetDict(channel.as_ptr(), std::ptr::null_mut()) };
    // SAFETY: as above.
    let dict = unsafe { Bound::from_owned_ptr_or_err(channel.py(), dict) }?;
    Ok(dict.cast_into()?)
}

/// Whether the channel waits for requests, and is neither held back nor closing.
fn is_calm(dict: &Bound<'_, PyDict>) -> PyResult<bool> {
    let py = dict.py();
    Ok(is_set(dict, names::waits(py))?
        && !is_set(dict, names::closing(py))?
        && !is_set(dict, names::waiting_for_transport(py))?
        && !is_set(dict, names::network_paused(py))?)
}

/// Whether an attribute, which is false by default, is true.
fn is_set(dict: &Bound<'_, PyDict>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    dict.get_item(name)?
        .map_or(Ok(false), |value| value.is_truthy())
}

/// Whether there are as many attributes as when they were looked at: a hook that was put there since would be one more.
fn counted(dict: &Bound<'_, PyDict>) -> PyResult<bool> {
    match dict.get_item(names::attributes(dict.py()))? {
        Some(count) => Ok(count.extract::<usize>()? == dict.len()),
        None => Ok(false),
    }
}

/// Has the time-out of an idle connection begin anew.
fn put_off(channel: &Bound<'_, PyAny>, dict: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = channel.py();
    let Some(period) = dict.get_item(names::time_out(py))? else {
        return channel.call_method0(names::reset_timeout(py)).map(drop);
    };
    if period.is_none() {
        return Ok(());
    }
    if let Some(timer) = dict.get_item(names::timeout_call(py))? {
        if let Ok(timer) = timer.cast_exact::<PyTimer>() {
            return timer.get().reset(py, seconds(&period)?);
        }
    }
    channel.call_method0(names::reset_timeout(py)).map(drop)
}
