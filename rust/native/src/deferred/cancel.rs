//! Cancelling.

use std::collections::HashSet;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use super::PyDeferred;
use super::UNFIRED;
use super::class::{Kind, debugs};
use super::results::failure_from;
use crate::names;

/// Looks for what `deferred` waits for in the end, and cancels that; `why` is a text for the error.
pub(super) fn cancel<'py>(
    deferred: &Bound<'py, PyDeferred>,
    why: Option<&Bound<'py, PyAny>>,
) -> PyResult<()> {
    let mut waiter = None;
    let Err(error) = find_and_cancel(deferred, why, &mut waiter) else {
        return Ok(());
    };
    let py = deferred.py();
    match waiter {
        Some(waiter)
            if error.is_instance_of::<PyException>(py)
                && waiter.get().hold.get(py) & UNFIRED != 0 =>
        {
            waiter.get().set_suppress(py, true);
            let failure = failure_from(py, error, false)?;
            PyDeferred::errback_as_defined(&waiter, failure)
        }
        _ => Err(error),
    }
}

fn find_and_cancel<'py>(
    deferred: &Bound<'py, PyDeferred>,
    why: Option<&Bound<'py, PyAny>>,
    waiter: &mut Option<Bound<'py, PyDeferred>>,
) -> PyResult<()> {
    let py = deferred.py();
    let mut current = deferred.clone();
    let mut seen = HashSet::new();
    loop {
        let this = current.get();
        if !current.is(deferred) && Kind::of(&current) == Kind::Special {
            let cancel = current.get_type().getattr(names::cancel(py))?;
            if !cancel.is(&py.get_type::<PyDeferred>().getattr(names::cancel(py))?) {
                // It may be from before there were reasons.
                return match why {
                    Some(why) => cancel.call1((&current, why)),
                    None => cancel.call1((&current,)),
                }
                .map(drop);
            }
        }
        let inner = if this.hold.get(py) & UNFIRED == 0 {
            match this.result_now(py).cast_into::<PyDeferred>() {
                Ok(inner) => inner,
                Err(_) => return Ok(()),
            }
        } else if this.is_driven(py) {
            let Some(waiting) = this.waiting(py) else {
                // The coroutine itself is the caller: it goes on, to no avail.
                this.set_suppress(py, true);
                return errback_cancelled(&current, why);
            };
            *waiter = Some(current.clone());
            waiting
        } else {
            return cancel_here(&current, why);
        };
        seen.insert(current.as_ptr());
        if seen.contains(&inner.as_ptr()) {
            return Ok(());
        }
        current = inner;
    }
}

fn cancel_here<'py>(
    deferred: &Bound<'py, PyDeferred>,
    why: Option<&Bound<'py, PyAny>>,
) -> PyResult<()> {
    let py = deferred.py();
    let this = deferred.get();
    match this.canceller(py) {
        None => this.set_suppress(py, true),
        Some(canceller) => match canceller.cast::<PyDeferred>() {
            Ok(source) => source.call_method0(names::cancel(py)).map(drop)?,
            Err(_) => {
                if canceller.call1((deferred,))?.is(names::go_on(py)?) {
                    return Ok(());
                }
            }
        },
    }
    if this.hold.get(py) & UNFIRED == 0 {
        return Ok(());
    }
    errback_cancelled(deferred, why)
}

fn errback_cancelled<'py>(
    deferred: &Bound<'py, PyDeferred>,
    why: Option<&Bound<'py, PyAny>>,
) -> PyResult<()> {
    let py = deferred.py();
    let error = names::cancelled(py)?.call1((debugs(deferred)?, why))?;
    deferred
        .call_method1(names::errback(py), (error,))
        .map(drop)
}
