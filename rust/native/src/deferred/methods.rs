//! The methods of `Deferred`.

use pyo3::exceptions::{PyAttributeError, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};

use super::awaiter::PyAwaiter;
use super::class::{self, Kind};
use super::failure::new_failure;
use super::results::is_failure;
use super::run::run;
use super::step::{Half, Step, Steps};
use super::{PAUSE, PAUSE_SHIFT, PyDeferred, UNFIRED, bury, cancel, driver, show};
use crate::names;

type Object<'py> = Bound<'py, PyAny>;

impl PyDeferred {
    /// Fires with a failure, by the `callback` that this one has.
    pub(super) fn errback_as_defined(slf: &Bound<'_, Self>, failure: Object<'_>) -> PyResult<()> {
        if Kind::of(slf) == Kind::Plain {
            return Self::fire(slf, failure);
        }
        slf.call_method1(names::callback(slf.py()), (failure,))
            .map(drop)
    }

    /// Whether the class says that Deferreds are debugged.
    pub(super) fn class_debugs(py: Python<'_>) -> PyResult<bool> {
        if class::class_is_plain(py, Self::type_object_ptr(py)) {
            return Ok(false);
        }
        py.get_type::<Self>().getattr(names::debug(py))?.is_truthy()
    }

    fn clear(&self, py: Python<'_>) {
        bury::steps(py, self.chain.replace(py, Steps::new()));
        self.result.put(None, py);
        self.canceller.put(None, py);
        self.chained_to.put(None, py);
        if let Some(rare) = self.rare.get() {
            rare.steps.put(None, py);
            rare.context.put(None, py);
            rare.waiting.put(None, py);
            rare.info.put(None, py);
        }
    }
}

/// Something, unless it is None.
fn some(object: Option<Object<'_>>) -> Option<Object<'_>> {
    object.filter(|object| !object.is_none())
}

/// The further arguments of a step, if there are any.
fn arguments(args: Option<Object<'_>>) -> PyResult<Option<Py<PyTuple>>> {
    let Some(args) = some(args) else {
        return Ok(None);
    };
    let args = match args.cast_into::<PyTuple>() {
        Ok(args) => args,
        Err(error) => as_tuple(error.into_inner())?,
    };
    Ok((!args.is_empty()).then(|| args.unbind()))
}

/// The items of an iterable.
fn as_tuple(items: Object<'_>) -> PyResult<Bound<'_, PyTuple>> {
    let py = items.py();
    PyTuple::new(py, items.try_iter()?.collect::<PyResult<Vec<_>>>()?)
}

/// The keyword arguments of a step, if there are any.
fn keyword_arguments(keywords: Option<Object<'_>>) -> PyResult<Option<Py<PyDict>>> {
    let Some(keywords) = some(keywords) else {
        return Ok(None);
    };
    let keywords = match keywords.cast_into::<PyDict>() {
        Ok(keywords) => keywords,
        Err(error) => {
            let keywords = error.into_inner();
            let copy = PyDict::new(keywords.py());
            copy.update(&keywords.cast_into()?)?;
            copy
        }
    };
    Ok((!keywords.is_empty()).then(|| keywords.unbind()))
}

#[pymethods]
impl PyDeferred {
    /// Remember where Deferreds are made and fired, and capture the variables of failures.  See `setDebugging`.
    #[classattr]
    fn debug() -> bool {
        false
    }

    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn make(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self::new(UNFIRED, None, None)
    }

    #[pyo3(signature = (canceller=None))]
    fn __init__(slf: &Bound<'_, Self>, canceller: Option<Object<'_>>) -> PyResult<()> {
        let py = slf.py();
        slf.get().set_canceller(py, canceller);
        if class::debugs(slf)? {
            let info = slf.get().info(py)?;
            info.setattr(names::creator(py), names::callers(py)?.call0()?)?;
        }
        Ok(())
    }

    /// Add a callback and an errback for the same step: one of the two is called.
    #[expect(non_snake_case, reason = "the arguments' names are Twisted's")]
    #[pyo3(
        name = "addCallbacks",
        signature = (callback, errback=None, callbackArgs=None, callbackKeywords=None, errbackArgs=None, errbackKeywords=None),
        text_signature = "($self, callback, errback=None, callbackArgs=(), callbackKeywords={}, errbackArgs=(), errbackKeywords={})"
    )]
    fn add_callbacks<'py>(
        slf: &Bound<'py, Self>,
        callback: Option<Object<'py>>,
        errback: Option<Object<'py>>,
        callbackArgs: Option<Object<'py>>,
        callbackKeywords: Option<Object<'py>>,
        errbackArgs: Option<Object<'py>>,
        errbackKeywords: Option<Object<'py>>,
    ) -> PyResult<Bound<'py, Self>> {
        let half = |function: Object<'py>, args, keywords| {
            Ok::<_, PyErr>(Half {
                function: function.unbind(),
                args: arguments(args)?,
                keywords: keyword_arguments(keywords)?,
            })
        };
        let callback = callback
            .map(|function| half(function, callbackArgs, callbackKeywords))
            .transpose()?;
        let errback = errback
            .map(|function| half(function, errbackArgs, errbackKeywords))
            .transpose()?;
        let step = Step::calling(callback, errback);
        slf.get().add_step(slf, step)?;
        Ok(slf.clone())
    }

    /// Cancel this Deferred if it has no result, up to the callbacks added so far, in *timeout* seconds.
    #[expect(non_snake_case, reason = "the argument's name is Twisted's")]
    #[pyo3(name = "addTimeout", signature = (timeout, clock, onTimeoutCancel=None))]
    fn add_timeout<'py>(
        slf: &Bound<'py, Self>,
        timeout: Object<'py>,
        clock: Object<'py>,
        onTimeoutCancel: Option<Object<'py>>,
    ) -> PyResult<Bound<'py, Self>> {
        names::add_timeout(slf.py())?.call1((slf, timeout, clock, onTimeoutCancel))?;
        Ok(slf.clone())
    }

    /// Fire *d* with this Deferred's result when it has one; the result here is None afterwards.
    #[pyo3(name = "chainDeferred", signature = (d))]
    fn chain_deferred<'py>(
        slf: &Bound<'py, Self>,
        d: &Bound<'py, Self>,
    ) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        d.get().set_chained_to(py, Some(slf));
        if Kind::of(d) == Kind::Plain {
            slf.get().add_step(slf, Step::Forward(d.clone().unbind()))?;
        } else {
            // Which the subclass may have replaced.
            let (callback, errback) = (
                d.getattr(names::callback(py))?,
                d.getattr(names::errback(py))?,
            );
            let step = Step::Either(callback.unbind(), errback.unbind());
            slf.get().add_step(slf, step)?;
        }
        Ok(slf.clone())
    }

    /// Fire with a failure.  Runs the callbacks that were added so far.
    #[pyo3(signature = (fail=None))]
    fn errback(slf: &Bound<'_, Self>, fail: Option<Object<'_>>) -> PyResult<()> {
        let py = slf.py();
        let class = names::failure(py)?;
        let failure = match fail {
            None => {
                let keywords = PyDict::new(py);
                keywords.set_item(names::capture_vars(py), slf.getattr(names::debug(py))?)?;
                class.call((), Some(&keywords))?
            }
            Some(fail) if is_failure(&fail)? => fail,
            Some(error) => new_failure(class, error)?,
        };
        Self::errback_as_defined(slf, failure)
    }

    /// Ask whoever is to fire this Deferred to give up, and fire it with `CancelledError` if that did not.
    #[pyo3(signature = (why=None))]
    fn cancel<'py>(slf: &Bound<'py, Self>, why: Option<Bound<'py, PyAny>>) -> PyResult<()> {
        cancel::cancel(slf, why.as_ref())
    }

    /// Whether it was fired.
    #[getter]
    fn called(&self, py: Python<'_>) -> bool {
        self.hold.get(py) & UNFIRED == 0
    }

    /// How many pauses are in force, a wait for another Deferred included.
    #[getter]
    fn paused(&self, py: Python<'_>) -> u32 {
        self.hold.get(py) >> PAUSE_SHIFT
    }

    /// Run no callbacks until `unpause` was called as often.
    fn pause(&self, py: Python<'_>) -> PyResult<()> {
        let hold = self.hold.get(py).checked_add(PAUSE);
        self.hold.set(py, hold.ok_or_else(too_often)?);
        Ok(())
    }

    /// Take back one `pause`; runs the callbacks that can run now.
    fn unpause(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let Some(hold) = this.hold.get(py).checked_sub(PAUSE) else {
            return Err(PyRuntimeError::new_err(format!(
                "{} is not paused: call pause() once for each unpause()",
                slf.repr()?
            )));
        };
        this.hold.set(py, hold);
        if hold < UNFIRED { run(slf) } else { Ok(()) }
    }

    /// The steps that have not run yet: pairs of (callback, args, keywords) and (errback, args, keywords).
    #[getter]
    fn callbacks<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        show::callbacks(slf)
    }

    /// The result, once there is one.
    #[getter]
    fn get_result<'py>(&self, py: Python<'py>) -> PyResult<Object<'py>> {
        self.result
            .bound(py)
            .ok_or_else(|| PyAttributeError::new_err("result"))
    }

    #[setter]
    fn set_result(&self, py: Python<'_>, result: Object<'_>) {
        self.result.put(Some(result), py);
    }

    #[deleter]
    fn delete_result(&self, py: Python<'_>) -> PyResult<()> {
        match self.result.take(py) {
            Some(result) => {
                result.drop_ref(py);
                Ok(())
            }
            None => Err(PyAttributeError::new_err("result")),
        }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        show::repr(slf)
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAwaiter>> {
        PyAwaiter::new(slf.clone())
    }

    /// Start a coroutine, or a generator that yields Deferreds, and return a Deferred of what it returns.
    #[classmethod]
    #[pyo3(name = "fromCoroutine", signature = (coro))]
    fn from_coroutine<'py>(
        cls: &Bound<'py, PyType>,
        coro: Object<'py>,
    ) -> PyResult<Bound<'py, Self>> {
        if driver::is_steps(&coro)? {
            return driver::start(coro);
        }
        let error = names::not_a_coroutine(cls.py())?.call1((coro,))?;
        Err(PyErr::from_value(error))
    }

    /// Return an `asyncio.Future` of *loop* that gets this Deferred's result, which is None here afterwards.
    #[pyo3(name = "asFuture", signature = (r#loop))]
    fn as_future<'py>(slf: &Bound<'py, Self>, r#loop: Object<'py>) -> PyResult<Object<'py>> {
        names::to_future(slf.py())?.call1((slf, r#loop))
    }

    /// Return a Deferred of the result of an `asyncio.Future`.
    #[classmethod]
    #[pyo3(name = "fromFuture", signature = (future))]
    fn from_future<'py>(cls: &Bound<'py, PyType>, future: Object<'py>) -> PyResult<Object<'py>> {
        let py = cls.py();
        names::from_future(py)?.call1((py.get_type::<Self>(), future))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if !self.made {
            return Ok(());
        }
        self.result.traverse(visit)?;
        self.canceller.traverse(visit)?;
        self.chained_to.traverse(visit)?;
        self.chain.each(|step| step.traverse(&visit))?;
        if let Some(rare) = self.rare.get() {
            rare.info.traverse(visit)?;
            rare.steps.traverse(visit)?;
            rare.context.traverse(visit)?;
            rare.waiting.traverse(visit)?;
        }
        Ok(())
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        slf.get().clear(slf.py());
    }
}

#[cold]
fn too_often() -> PyErr {
    PyRuntimeError::new_err("paused too often: call unpause() once for each pause()")
}
