//! What `await` gets of a Deferred.

use pyo3::exceptions::PyStopIteration;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::held::Held;
use super::results::is_failure;
use super::run::absolve;
use super::slots::AWAITERS;
use super::step::release;
use super::{FAILED, INTERRUPTED, PyDeferred, RUNNING};
use crate::names;

/// Waits for one Deferred, as a generator that yields it once does.
#[pyclass(frozen, name = "DeferredAwaiter", module = "torsion._native")]
pub(crate) struct PyAwaiter {
    /// The Deferred, while it may be asked for its result, or may be what is sent.
    deferred: Held<Option<Py<PyDeferred>>>,
    /// Whether something was yielded, and the result is to be sent.
    waits: Held<bool>,
}

/// What comes of a step.
enum Given<'py> {
    Yields(Bound<'py, PyAny>),
    Returns(Bound<'py, PyAny>),
}

impl PyAwaiter {
    pub(super) fn new(deferred: Bound<'_, PyDeferred>) -> PyResult<Bound<'_, Self>> {
        let py = deferred.py();
        AWAITERS.make(py, Self::of(deferred))
    }

    /// Lets go of what is held: it is at its end, and is not dropped.
    pub(super) fn end(&mut self, py: Python<'_>) {
        release(py, self.deferred.get_mut().take());
    }

    pub(super) fn of(deferred: Bound<'_, PyDeferred>) -> Self {
        Self {
            deferred: Held::new(Some(deferred.unbind())),
            waits: Held::new(false),
        }
    }

    /// Goes on with `value`; none if it is at its end.
    #[inline]
    fn step<'py>(
        &self,
        py: Python<'py>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Given<'py>>> {
        let deferred = self.deferred.take(py).map(|it| it.into_bound(py));
        if self.waits.replace(py, false) {
            if deferred.is_some_and(|deferred| deferred.is(value)) {
                // Sent back by one who does not know us: another library's coroutine, then.
                let instead = names::given_out(py)?.call1((value,))?;
                self.waits.set(py, true);
                return Ok(Some(Given::Yields(instead)));
            }
            return Ok(Some(Given::Returns(value.clone())));
        }
        let Some(deferred) = deferred else {
            return Ok(None);
        };
        if deferred.get().hold.get(py) & !(RUNNING | FAILED | INTERRUPTED) != 0 {
            self.waits.set(py, true);
            self.deferred.put(Some(deferred.clone()), py);
            return Ok(Some(Given::Yields(deferred.into_any())));
        }
        Self::result_of(&deferred).map(Given::Returns).map(Some)
    }

    /// The result of `deferred`, which has one; raises what a failure is about.
    #[inline]
    pub(super) fn result_of<'py>(deferred: &Bound<'py, PyDeferred>) -> PyResult<Bound<'py, PyAny>> {
        let py = deferred.py();
        let this = deferred.get();
        let result = this.result_now(py);
        if this.hold.get(py) != 0 && is_failure(&result)? {
            absolve(deferred)?;
            return Err(raised(result));
        }
        Ok(result)
    }
}

/// What `failure` is about.
#[cold]
fn raised(failure: Bound<'_, PyAny>) -> PyErr {
    match failure.call_method0(names::raise_exception(failure.py())) {
        Err(error) => error,
        Ok(_) => PyErr::from_value(failure), // one that does not raise, though it should
    }
}

#[pymethods]
impl PyAwaiter {
    fn __iter__<'a, 'py>(slf: &'a Bound<'py, Self>) -> &'a Bound<'py, Self> {
        slf
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::send(slf, py_none(slf.py()))
    }

    /// Go on with *value*, the result of the Deferred that was yielded.
    #[pyo3(signature = (value, /))]
    fn send<'py>(slf: &Bound<'py, Self>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match slf.get().step(slf.py(), &value)? {
            Some(Given::Yields(deferred)) => Ok(deferred),
            Some(Given::Returns(result)) => Err(stop(result)),
            None => Err(PyStopIteration::new_err(())),
        }
    }

    /// Raise an exception where it waits.
    #[pyo3(signature = (kind, value=None, traceback=None, /))]
    fn throw<'py>(
        slf: &Bound<'py, Self>,
        kind: Bound<'py, PyAny>,
        value: Option<Bound<'py, PyAny>>,
        traceback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        Self::close(slf);
        let error = match value {
            Some(value) if is_exception(&value) => value,
            Some(value) => kind.call1((value,))?,
            None if is_exception(&kind) => kind,
            None => kind.call0()?,
        };
        if let Some(traceback) = traceback {
            error.setattr(names::traceback(slf.py()), traceback)?;
        }
        Err(PyErr::from_value(error))
    }

    /// Wait no longer.
    fn close(slf: &Bound<'_, Self>) {
        let (py, this) = (slf.py(), slf.get());
        this.waits.set(py, false);
        this.deferred.put(None, py);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.deferred.traverse(visit)
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        Self::close(slf);
    }
}

fn py_none(py: Python<'_>) -> Bound<'_, PyAny> {
    py.None().into_bound(py)
}

fn is_exception(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<pyo3::exceptions::PyBaseException>()
}

/// The exception that carries what a generator returns.
pub(super) fn stop(result: Bound<'_, PyAny>) -> PyErr {
    // Made here: a tuple, or an exception, would be taken for the arguments of it.
    let stop = result.py().get_type::<PyStopIteration>().call1((result,));
    match stop {
        Ok(stop) => PyErr::from_value(stop),
        Err(error) => error,
    }
}

/// The slot that `await` uses: without it every result would be carried by an exception.
#[expect(unsafe_code, reason = "pyo3 has no name for this slot")]
pub(super) unsafe extern "C" fn am_send(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    answer: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // SAFETY: the interpreter calls its slots when it is ours.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: it is alive for the time of the call.
    let slf = unsafe { Bound::from_borrowed_ptr(py, slf) };
    // SAFETY: the slot is that of this class, which has no subclasses.
    let slf = unsafe { slf.cast_unchecked::<PyAwaiter>() };
    // SAFETY: as `slf`.
    let value = unsafe { Bound::from_borrowed_ptr(py, value) };
    let (state, got) = match slf.get().step(py, &value) {
        Ok(Some(Given::Yields(deferred))) => (ffi::PySendResult::PYGEN_NEXT, deferred.into_ptr()),
        Ok(Some(Given::Returns(result))) => (ffi::PySendResult::PYGEN_RETURN, result.into_ptr()),
        Ok(None) => (ffi::PySendResult::PYGEN_RETURN, py_none(py).into_ptr()),
        Err(error) => {
            error.restore(py);
            (ffi::PySendResult::PYGEN_ERROR, std::ptr::null_mut())
        }
    };
    // SAFETY: the interpreter has given the place for it.
    unsafe { answer.write(got) };
    state
}
