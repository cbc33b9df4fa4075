//! Runs callbacks: the loop at the heart of every Deferred.
//!
//! It does not recurse for Deferreds that wait for one another, however many do: when a result is handed over to another
//! Deferred, the loop goes on with that one, and comes back when it is done.  The twin of
//! `torsion/internet/defer/_run.py`, step by step.

use pyo3::prelude::*;

use super::driver;
use super::invoke::call;
use super::results::{Sort, failure_of};
use super::step::{Step, release};
use super::{FAILED, INTERRUPTED, PAUSE, PyDeferred, RUNNING, UNFIRED};
use crate::names;

/// What a step comes to.
enum Outcome<'py> {
    /// It does not apply: the result stays.
    Passed,
    Result(Bound<'py, PyAny>),
    /// The result was handed over, and this one is to go on with it, if there is one.
    Over(Option<Bound<'py, PyDeferred>>),
}

/// Runs the callbacks of `deferred`, which has a result and no pause, and of those that get their results by that.
pub(super) fn run(deferred: &Bound<'_, PyDeferred>) -> PyResult<()> {
    let py = deferred.py();
    let mut interrupted = Vec::new();
    let mut deferred = deferred.clone();
    loop {
        if let Some(following) = run_own(&deferred, &mut interrupted)? {
            deferred = following;
            continue;
        }
        // Back to those that handed their results over.
        deferred = loop {
            let Some(before): Option<Bound<'_, PyDeferred>> = interrupted.pop() else {
                return Ok(());
            };
            let this = before.get();
            if this.hold.get(py) & RUNNING != 0 {
                leave(&before); // and go on also where it was paused since, as with any step
            } else if this.hold.get(py) >= UNFIRED {
                continue;
            }
            if !this.chain.is_empty(py) {
                break before;
            }
        };
    }
}

/// Runs the callbacks of `deferred`; returns the Deferred to go on with, where the result was handed over.
fn run_own<'py>(
    deferred: &Bound<'py, PyDeferred>,
    interrupted: &mut Vec<Bound<'py, PyDeferred>>,
) -> PyResult<Option<Bound<'py, PyDeferred>>> {
    let py = deferred.py();
    let this = deferred.get();
    let hold = this.hold.get(py);
    let blamed = hold & FAILED != 0;
    let mut failed = blamed;
    this.hold.set(py, hold & !(FAILED | INTERRUPTED) | RUNNING);
    while let Some(step) = this.chain.pop_front(py) {
        let went_on = matches!(step, Step::GoOn(_));
        let result = match take(deferred, step, failed) {
            Ok(Outcome::Passed) => continue,
            Ok(Outcome::Result(result)) => result,
            Ok(Outcome::Over(None)) => py.None().into_bound(py),
            Ok(Outcome::Over(Some(following))) => {
                if went_on {
                    leave(deferred);
                    if !this.chain.is_empty(py) {
                        this.hold.set(py, this.hold.get(py) + INTERRUPTED);
                    }
                }
                interrupted.push(deferred.clone());
                return Ok(Some(following));
            }
            Err(error) => failure_or_stop(error, deferred)?,
        };
        match Sort::of(&result)? {
            Sort::Plain => failed = false,
            Sort::Failure => failed = true,
            Sort::Deferred => {
                let source = result.cast_into::<PyDeferred>()?;
                this.result.put(Some(source.clone().into_any()), py);
                if let Some(taken) = take_over(deferred, &source)? {
                    failed = taken;
                    continue;
                }
                failed = false;
                break;
            }
        }
        this.result.put(Some(result), py);
    }
    this.spare_chain(py);
    let hold = this.hold.get(py) - RUNNING;
    this.hold.set(py, if failed { hold + FAILED } else { hold });
    if failed {
        blame(deferred)?;
    } else if blamed {
        absolve(deferred)?;
    }
    Ok(None)
}

/// A failure of `error`, which `deferred` is to get; should that be impossible, `deferred` stops and has no result.
#[cold]
fn failure_or_stop<'py>(
    error: PyErr,
    deferred: &Bound<'py, PyDeferred>,
) -> PyResult<Bound<'py, PyAny>> {
    failure_of(error, deferred).inspect_err(|_| {
        let (py, this) = (deferred.py(), deferred.get());
        this.hold.set(py, this.hold.get(py) - RUNNING);
        this.result.put(Some(py.None().into_bound(py)), py);
    })
}

/// Takes one step with the result of `deferred`.
#[inline]
fn take<'py>(
    deferred: &Bound<'py, PyDeferred>,
    step: Step,
    failed: bool,
) -> PyResult<Outcome<'py>> {
    let py = deferred.py();
    let result = deferred.get().result_now(py);
    let (function, args, keywords) = match step {
        Step::Callback(function, args) if !failed => (function, args, None),
        Step::Errback(function, args) if failed => (function, args, None),
        Step::Both(function, args) => (function, args, None),
        Step::Callback(function, args) | Step::Errback(function, args) => {
            function.drop_ref(py);
            release(py, args);
            return Ok(Outcome::Passed);
        }
        Step::Either(callback, errback) => {
            let (function, other) = if failed {
                (errback, callback)
            } else {
                (callback, errback)
            };
            other.drop_ref(py);
            (function, None, None)
        }
        Step::Pair(halves) => {
            let (callback, errback) = *halves;
            let (half, other) = if failed {
                (errback, callback)
            } else {
                (callback, errback)
            };
            if let Some(other) = other {
                other.release(py);
            }
            let Some(half) = half else {
                return Ok(Outcome::Passed);
            };
            (half.function, half.args, half.keywords)
        }
        Step::GoOn(waiter) => return go_on(waiter.into_bound(py), result).map(Outcome::Over),
        Step::Forward(target) => {
            let target = target.into_bound(py);
            target.get().set_chained_to(py, None);
            return PyDeferred::accept(&target, result).map(Outcome::Over);
        }
        Step::Resume(out) => return driver::resume(out.into_bound(py), result).map(Outcome::Over),
    };
    let function = function.into_bound(py);
    let got = call(&function, result, args, keywords)?;
    if got.is(deferred) {
        names::warn_circular(py)?.call1((function,))?;
    }
    Ok(Outcome::Result(got))
}

/// Takes the result, which was handed over, from `deferred`.
///
/// When that is done decides what callbacks of the other Deferred see that use this one; it is as they would see it if the
/// loop did recurse: at once for a Deferred that has waited for this one, which is then no part of its callbacks' running,
/// and afterwards for those that a callback (such as `other.callback`) might have fired.
fn leave(deferred: &Bound<'_, PyDeferred>) {
    let py = deferred.py();
    let this = deferred.get();
    this.hold.set(py, this.hold.get(py) - RUNNING);
    this.result.put(Some(py.None().into_bound(py)), py);
    let _ = absolve(deferred); // fails where there is no more memory, and what is not done then is a line in a log
}

/// Moves the result of `source`, which a callback of `waiter` returned, to `waiter`, and tells whether it is a failure; if
/// there is none yet, has `waiter` wait for it.
fn take_over<'py>(
    waiter: &Bound<'py, PyDeferred>,
    source: &Bound<'py, PyDeferred>,
) -> PyResult<Option<bool>> {
    let py = waiter.py();
    let (this, that) = (waiter.get(), source.get());
    if that.hold.get(py) & !(RUNNING | FAILED | INTERRUPTED) == 0 {
        let result = that.result_now(py);
        let sort = Sort::of(&result)?;
        if sort != Sort::Deferred {
            that.result.put(Some(py.None().into_bound(py)), py);
            this.result.put(Some(result), py);
            if that.hold.get(py) & FAILED != 0 {
                that.hold.set(py, that.hold.get(py) - FAILED);
                absolve(source)?;
            }
            return Ok(Some(sort == Sort::Failure));
        }
        if that.hold.get(py) < INTERRUPTED {
            // Fired with a Deferred, which callback() should not be given.  It is handed on when callbacks run next.
            that.hold.set(py, that.hold.get(py) + INTERRUPTED);
        }
    }
    this.hold.set(py, this.hold.get(py) + PAUSE);
    this.set_chained_to(py, Some(source));
    that.push(py, Step::GoOn(waiter.clone().unbind()));
    Ok(None)
}

/// Gives `waiter` the result that it waited for.
fn go_on<'py>(
    waiter: Bound<'py, PyDeferred>,
    result: Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyDeferred>>> {
    let py = waiter.py();
    let this = waiter.get();
    let failed = Sort::of(&result)? == Sort::Failure;
    this.hold.set(
        py,
        this.hold.get(py) - PAUSE + if failed { FAILED } else { 0 },
    );
    this.set_chained_to(py, None);
    this.result.put(Some(result), py);
    ready(waiter)
}

/// Returns `deferred`, which has just got a result, if it has callbacks to run now.
pub(super) fn ready(deferred: Bound<'_, PyDeferred>) -> PyResult<Option<Bound<'_, PyDeferred>>> {
    let py = deferred.py();
    let this = deferred.get();
    let hold = this.hold.get(py);
    if hold < UNFIRED {
        if !this.chain.is_empty(py) {
            return Ok(Some(deferred));
        }
        if hold != 0 {
            blame(&deferred)?;
        }
    }
    Ok(None)
}

/// Has the failure that is the result logged if nobody handles it.
pub(super) fn blame(deferred: &Bound<'_, PyDeferred>) -> PyResult<()> {
    let py = deferred.py();
    let this = deferred.get();
    this.info(py)?
        .setattr(names::fail_result(py), this.result_now(py))
}

/// Forgets the failure: it was handled, or is another Deferred's now.
pub(super) fn absolve(deferred: &Bound<'_, PyDeferred>) -> PyResult<()> {
    let py = deferred.py();
    match deferred.get().info_if_any(py) {
        Some(info) => info.setattr(names::fail_result(py), py.None()),
        None => Ok(()),
    }
}
