//! Deferreds made from what is there already.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyTuple};

use super::class::class_is_plain;
use super::driver;
use super::results::{Sort, is_failure};
use super::run::{blame, ready, run};
use super::slots::DEFERREDS;
use super::{FAILED, PyDeferred, UNFIRED};
use crate::names;

impl PyDeferred {
    /// Makes one that is to be fired, as the class does when it is called.
    #[inline]
    pub(super) fn new_one(py: Python<'_>) -> PyResult<Bound<'_, Self>> {
        if class_is_plain(py, Self::type_object_ptr(py)) {
            DEFERREDS.make(py, Self::new(UNFIRED, None, None))
        } else {
            Ok(py.get_type::<Self>().call0()?.cast_into()?)
        }
    }

    /// Makes one that has fired with `result`.
    #[inline]
    pub(super) fn fired(result: Bound<'_, PyAny>) -> PyResult<Bound<'_, Self>> {
        let py = result.py();
        if class_is_plain(py, Self::type_object_ptr(py)) {
            if !is_failure(&result)? {
                return DEFERREDS.make(py, Self::new(0, Some(result.unbind()), None));
            }
            let failed = DEFERREDS.make(py, Self::new(FAILED, Some(result.unbind()), None))?;
            blame(&failed)?;
            return Ok(failed);
        }
        let deferred = Self::new_one(py)?;
        deferred.call_method1(names::callback(py), (result,))?;
        Ok(deferred)
    }

    /// Fires with `result`, up to running the callbacks; returns it if there are some to be run now.
    pub(super) fn accept<'py>(
        deferred: &Bound<'py, Self>,
        result: Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, Self>>> {
        let py = deferred.py();
        let this = deferred.get();
        let hold = this.hold.get(py);
        if hold & UNFIRED == 0 {
            return Self::refuse(deferred).map(|()| None);
        }
        let failed = Sort::of(&result)? == Sort::Failure;
        this.hold
            .set(py, hold - UNFIRED + if failed { FAILED } else { 0 });
        this.result.put(Some(result), py);
        this.is_driven_no_more(py);
        this.canceller.put(None, py);
        if super::class::debugs(deferred)? {
            this.info(py)?
                .setattr(names::invoker(py), names::callers(py)?.call0()?)?;
        }
        ready(deferred.clone())
    }

    /// Fires with `result` and runs the callbacks.
    pub(super) fn fire<'py>(
        deferred: &Bound<'py, Self>,
        result: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        match Self::accept(deferred, result)? {
            Some(deferred) => run(&deferred),
            None => Ok(()),
        }
    }

    /// Ignores the one result that comes after a cancellation; else complains that there is a second one.
    #[cold]
    fn refuse(deferred: &Bound<'_, Self>) -> PyResult<()> {
        let py = deferred.py();
        let this = deferred.get();
        if this.take_suppression(py) {
            return Ok(());
        }
        let error = names::fired_before(py)?.call1((this.info_if_any(py),))?;
        Err(PyErr::from_value(error))
    }
}

/// A Deferred of what `coro` returns, or `coro` itself if it is one.
pub(super) fn ensure_deferred(coro: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyDeferred>> {
    let coro = match coro.cast_into::<PyDeferred>() {
        Ok(deferred) => return Ok(deferred),
        Err(error) => error.into_inner(),
    };
    if driver::is_steps(&coro)? {
        return driver::start(coro);
    }
    let error = names::not_a_coroutine(coro.py())?.call1((coro,))?;
    Err(PyErr::from_value(error))
}

/// Put (True, result) into *results* for each of *deferreds*, from the first one on, up to one that has none yet or is of
/// another class; return how many there are.
#[pyfunction]
#[pyo3(signature = (deferreds, results, /))]
pub(crate) fn collect_fired(
    deferreds: &Bound<'_, PyList>,
    results: &Bound<'_, PyList>,
) -> PyResult<usize> {
    let py = deferreds.py();
    let yes = PyBool::new(py, true);
    for (index, deferred) in deferreds.iter().enumerate() {
        let Ok(deferred) = deferred.cast_exact::<PyDeferred>() else {
            return Ok(index);
        };
        let this = deferred.get();
        if this.hold.get(py) != 0 {
            return Ok(index);
        }
        let pair = PyTuple::new(py, [yes.as_any(), &this.result_now(py)])?;
        results.set_item(index, pair)?;
    }
    Ok(deferreds.len())
}
