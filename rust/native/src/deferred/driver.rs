//! Runs a generator or coroutine: waits for the Deferreds that it yields and sends it their results.
//!
//! The twin of `torsion/internet/defer/_driver.py`.

use pyo3::exceptions::{PyBaseException, PyStopIteration};
use pyo3::ffi;
use pyo3::prelude::*;

use super::results::{Sort, failure_from, failure_of, is_failure, is_simple, value_of};
use super::run::{absolve, run};
use super::step::Step;
use super::{INTERRUPTED, PyDeferred, UNFIRED};
use crate::names;

/// How far a coroutine has come.
enum Progress<'py> {
    Waits(Bound<'py, PyDeferred>),
    Returned(Bound<'py, PyAny>),
    Raised(PyErr),
}

/// What one step of a coroutine gives.
enum Given<'py> {
    Yielded(Bound<'py, PyAny>),
    Returned(Bound<'py, PyAny>),
}

/// Tells whether `thing` is a coroutine or a generator.
pub(super) fn is_steps(thing: &Bound<'_, PyAny>) -> PyResult<bool> {
    if is_coroutine(thing) || is_generator(thing) {
        return Ok(true);
    }
    names::is_steps(thing.py())?.call1((thing,))?.is_truthy()
}

fn is_coroutine(thing: &Bound<'_, PyAny>) -> bool {
    std::ptr::eq(thing.get_type_ptr(), &raw const ffi::PyCoro_Type)
}

fn is_generator(thing: &Bound<'_, PyAny>) -> bool {
    std::ptr::eq(thing.get_type_ptr(), &raw const ffi::PyGen_Type)
}

/// Runs `steps` until it first has to wait; returns a Deferred of what it returns or raises in the end.
///
/// Now and whenever it goes on it runs in the same copy of the context that was current here.
pub(super) fn start<'py>(steps: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDeferred>> {
    let py = steps.py();
    let context = copy_of_the_context(py)?;
    let result = match in_context(&context, || send(&steps, py.None().bind(py)), &steps) {
        Progress::Returned(result) => result,
        Progress::Raised(error) if is_return(py, &error)? => returned(py, error)?,
        Progress::Raised(error) => failure_from(py, error, PyDeferred::class_debugs(py)?)?,
        Progress::Waits(waiting) => {
            let out = PyDeferred::new_one(py)?;
            out.get().drive(py, steps, context);
            wait(out.clone(), waiting);
            return Ok(out);
        }
    };
    PyDeferred::fired(result)
}

/// Goes on with `result`; returns the Deferred that this has fired, its callbacks not run yet, or none.
pub(super) fn resume<'py>(
    out: Bound<'py, PyDeferred>,
    result: Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyDeferred>>> {
    let py = out.py();
    let Some((steps, context)) = out.get().driven(py) else {
        return Ok(None); // the collector has taken it
    };
    let progress = in_context(
        &context,
        || {
            if is_failure(&result)? {
                throw(&steps, &result)
            } else {
                send(&steps, &result)
            }
        },
        &steps,
    );
    drop(result);
    let result = match progress {
        Progress::Waits(waiting) => {
            wait(out, waiting);
            return Ok(None);
        }
        Progress::Returned(result) => result,
        Progress::Raised(error) if is_return(py, &error)? => returned(py, error)?,
        Progress::Raised(error) => failure_of(error, &out)?,
    };
    out.get().end_drive(py);
    drop((steps, context));
    PyDeferred::accept(&out, result)
}

/// Has the coroutine that fires `out` go on when `waiting` has a result.
fn wait<'py>(out: Bound<'py, PyDeferred>, waiting: Bound<'py, PyDeferred>) {
    let py = out.py();
    out.get().set_waiting(py, Some(waiting.clone()));
    waiting.get().push(py, Step::Resume(out.unbind()));
}

/// Whether `error` is what `returnValue` raises.
fn is_return(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    Ok(error.get_type(py).is(names::returned(py)?))
}

/// What `returnValue` was given.
fn returned(py: Python<'_>, error: PyErr) -> PyResult<Bound<'_, PyAny>> {
    let error = value_of(py, error);
    names::check_place(py)?.call1((&error,))?;
    error.getattr(names::value(py))
}

/// Takes a `first` step in `context`, and those after it, until it has to wait.
fn in_context<'py>(
    context: &Bound<'py, PyAny>,
    first: impl FnOnce() -> PyResult<Given<'py>>,
    steps: &Bound<'py, PyAny>,
) -> Progress<'py> {
    if let Err(error) = enter(context) {
        return Progress::Raised(error);
    }
    let progress = first().map_or_else(Progress::Raised, |given| {
        advance(steps, given).unwrap_or_else(Progress::Raised)
    });
    match leave(context) {
        Ok(()) => progress,
        Err(error) => Progress::Raised(error),
    }
}

/// Answers what was yielded and is no Deferred to be waited for, and what follows.
fn advance<'py>(steps: &Bound<'py, PyAny>, mut given: Given<'py>) -> PyResult<Progress<'py>> {
    let py = steps.py();
    loop {
        let mut got = match given {
            Given::Returned(result) => return Ok(Progress::Returned(result)),
            Given::Yielded(got) => got,
        };
        if is_coroutine(&got) {
            got = start(got)?.into_any();
        }
        given = match Sort::of(&got)? {
            Sort::Plain if is_simple(&got) => send(steps, &got)?,
            Sort::Plain => {
                let other = names::taken_in(py)?.call1((&got,))?;
                if other.is_none() {
                    send(steps, &got)?
                } else {
                    Given::Yielded(other)
                }
            }
            Sort::Failure => throw(steps, &got)?,
            Sort::Deferred => {
                let mut source = got.cast_into::<PyDeferred>()?;
                let mut hold = source.get().hold.get(py);
                if (INTERRUPTED..UNFIRED).contains(&hold) {
                    source = after_the_rest(&source)?;
                    hold = source.get().hold.get(py);
                }
                if hold >= UNFIRED {
                    return Ok(Progress::Waits(source));
                }
                let result = source.get().result_taken(py);
                if hold == 0 {
                    send(steps, &result)?
                } else {
                    source.get().hold.set(py, 0);
                    absolve(&source)?;
                    throw(steps, &result)?
                }
            }
        };
    }
}

/// Runs the callbacks that `source` was interrupted in; returns a Deferred of what its result is then.
fn after_the_rest<'py>(source: &Bound<'py, PyDeferred>) -> PyResult<Bound<'py, PyDeferred>> {
    let py = source.py();
    let relay = PyDeferred::new_one(py)?;
    relay
        .get()
        .set_canceller(py, Some(source.clone().into_any()));
    source.get().push(py, Step::Forward(relay.clone().unbind()));
    run(source)?;
    Ok(relay)
}

/// Sends `value` into `steps`.
#[expect(
    unsafe_code,
    reason = "pyo3 sends to what is an iterator only, and coroutines are not"
)]
#[inline]
fn send<'py>(steps: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<Given<'py>> {
    let py = steps.py();
    let mut got = std::ptr::null_mut();
    // SAFETY: the objects are alive, and the place for the answer is there.
    let state = unsafe { ffi::PyIter_Send(steps.as_ptr(), value.as_ptr(), &raw mut got) };
    // SAFETY: it is a new reference, or null with an exception set.
    let got = unsafe { Bound::from_owned_ptr_or_err(py, got) }?;
    Ok(match state {
        ffi::PySendResult::PYGEN_RETURN => Given::Returned(got),
        _ => Given::Yielded(got),
    })
}

/// Does what `throwExceptionIntoGenerator` does, without a frame of it in the traceback.
fn throw_value<'py>(
    steps: &Bound<'py, PyAny>,
    failure: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = steps.py();
    let value = failure.getattr(names::value(py))?;
    if !value.is_instance_of::<PyBaseException>() {
        return failure.call_method1(names::throw_exception_into_generator(py), (steps,));
    }
    value.setattr(names::traceback(py), failure.getattr(names::tb(py))?)?;
    steps.call_method1(names::throw(py), (value,))
}

/// Raises what `failure` is about in `steps`.
fn throw<'py>(steps: &Bound<'py, PyAny>, failure: &Bound<'py, PyAny>) -> PyResult<Given<'py>> {
    let py = steps.py();
    let got = if failure.get_type().is(names::failure(py)?) {
        throw_value(steps, failure)
    } else {
        failure.call_method1(names::throw_exception_into_generator(py), (steps,))
    };
    match got {
        Ok(got) => Ok(Given::Yielded(got)),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            let stop = value_of(py, error);
            Ok(Given::Returned(stop.getattr(names::value(py))?))
        }
        Err(error) => Err(error),
    }
}

#[expect(unsafe_code, reason = "pyo3 has no contexts")]
fn copy_of_the_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: it takes nothing.
    let context = unsafe { ffi::PyContext_CopyCurrent() };
    // SAFETY: it is a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, context) }
}

#[expect(unsafe_code, reason = "pyo3 has no contexts")]
#[inline]
fn enter(context: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: it is a context: `copy_of_the_context` has made it.
    match unsafe { ffi::PyContext_Enter(context.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(context.py())),
    }
}

#[expect(unsafe_code, reason = "pyo3 has no contexts")]
#[inline]
fn leave(context: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: as in `enter`.
    match unsafe { ffi::PyContext_Exit(context.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(context.py())),
    }
}
