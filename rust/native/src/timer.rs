//! Calls in the future: `IDelayedCall`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};

use torsion_reactor::{Time, TimerId};

use crate::call::Call;
use crate::engine::PyEngine;
use crate::shared::Shared;

/// A call in the future.
#[pyclass(frozen, weakref, name = "Timer", module = "torsion._native")]
pub(crate) struct PyTimer {
    shared: Arc<Shared>,
    /// The scheduled timer's name, from the moment that anybody else can see this object.
    id: AtomicU64,
    progress: Mutex<Progress>,
}

/// How far a timer has come.
enum Progress {
    ToCome(Call),
    Called,
    Cancelled,
}

impl PyTimer {
    /// Schedules `call`; the one way to make a timer.
    pub(crate) fn schedule(
        engine: &Bound<'_, PyEngine>,
        delay: f64,
        call: Call,
    ) -> PyResult<Py<Self>> {
        let py = engine.py();
        let shared = engine.get().shared();
        let state = shared.enter()?;
        let now = state.now();
        let when = (delay != 0.0).then(|| later(now, delay)).transpose()?;
        let timer = Py::new(
            py,
            Self {
                shared: Arc::clone(shared),
                id: AtomicU64::new(0),
                progress: Mutex::new(Progress::ToCome(call)),
            },
        )?;
        let held = timer.clone_ref(py);
        let id = match when {
            Some(when) => state.schedule(when, held),
            None => state.schedule_soon(now, held),
        };
        timer.get().id.store(id.to_bits(), Ordering::Relaxed);
        Ok(timer)
    }

    /// The time has come: gives the call away.
    pub(crate) fn take(&self) -> Option<Call> {
        self.end(Progress::Called)
    }

    /// Ends it and gives the call away, if it was still to come.
    fn end(&self, how: Progress) -> Option<Call> {
        let mut progress = self.progress();
        if !matches!(*progress, Progress::ToCome(_)) {
            return None;
        }
        match std::mem::replace(&mut *progress, how) {
            Progress::ToCome(call) => Some(call),
            Progress::Called | Progress::Cancelled => None,
        }
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        // Nothing panics while this is held; were it to, the value would still be whole.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self) -> TimerId {
        TimerId::from_bits(self.id.load(Ordering::Relaxed))
    }

    /// Raises unless it is still to come.
    fn must_be_to_come(&self, py: Python<'_>) -> PyResult<()> {
        if self.active() {
            Ok(())
        } else {
            Err(self.ended(py))
        }
    }

    /// What is said to who would cancel or move it now.
    #[cold]
    fn ended(&self, py: Python<'_>) -> PyErr {
        let cancelled = matches!(*self.progress(), Progress::Cancelled); // nothing is locked while Python runs
        let errors = &self.shared.errors;
        if cancelled {
            errors.already_cancelled(py)
        } else {
            errors.already_called(py)
        }
    }

    fn part<'py, T>(
        &self,
        py: Python<'py>,
        part: impl FnOnce(&Call, Python<'py>) -> Bound<'py, T>,
    ) -> Option<Bound<'py, T>> {
        match &*self.progress() {
            Progress::ToCome(call) => Some(part(call, py)),
            Progress::Called | Progress::Cancelled => None,
        }
    }
}

/// `delay` seconds after `time`.
fn later(time: Time, delay: f64) -> PyResult<Time> {
    time.after_secs_f64(delay).map_err(|_| {
        PyValueError::new_err(format!(
            "a delay is a number of seconds, 0 or more and finite, not {delay}"
        ))
    })
}

#[pymethods]
impl PyTimer {
    #[pyo3(name = "getTime")]
    fn get_time(&self) -> PyResult<f64> {
        let state = self.shared.enter()?;
        Ok(self
            .shared
            .wall(state.due(self.id()).unwrap_or_else(|| state.now())))
    }

    #[getter]
    fn time(&self) -> PyResult<f64> {
        self.get_time()
    }

    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.shared.enter()?;
        let Some(call) = self.end(Progress::Cancelled) else {
            drop(state);
            return Err(self.ended(py));
        };
        // The callable and its arguments may run code when they go, so they go when nothing is locked.
        let held = state.cancel(self.id());
        drop(state);
        call.release(py);
        if let Some(held) = held {
            held.drop_ref(py);
        }
        Ok(())
    }

    #[expect(non_snake_case, reason = "the argument's name is Twisted's")]
    fn delay(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = seconds)] secondsLater: f64,
    ) -> PyResult<()> {
        let state = self.shared.enter()?;
        self.must_be_to_come(py)?;
        let due = state.due(self.id()).unwrap_or_else(|| state.now());
        let when = if secondsLater < 0.0 {
            earlier(due, -secondsLater)?
        } else {
            later(due, secondsLater)?
        };
        state.reset(self.id(), when);
        Ok(())
    }

    #[expect(non_snake_case, reason = "the argument's name is Twisted's")]
    pub(crate) fn reset(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = seconds)] secondsFromNow: f64,
    ) -> PyResult<()> {
        let state = self.shared.enter()?;
        self.must_be_to_come(py)?;
        let now = state.now();
        // What should have been made a while ago is made at once, as Twisted has it.
        let when = if secondsFromNow < 0.0 {
            now
        } else {
            later(now, secondsFromNow)?
        };
        state.reset(self.id(), when);
        Ok(())
    }

    fn active(&self) -> bool {
        matches!(*self.progress(), Progress::ToCome(_))
    }

    #[getter]
    fn called(&self) -> bool {
        matches!(*self.progress(), Progress::Called)
    }

    #[getter]
    fn cancelled(&self) -> bool {
        matches!(*self.progress(), Progress::Cancelled)
    }

    #[getter]
    fn func<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.part(py, |call, py| call.function.bind(py).clone())
    }

    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyTuple>> {
        self.part(py, |call, py| call.args(py))
    }

    #[getter]
    fn kw<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDict>> {
        self.part(py, |call, py| call.kw(py))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let progress = match *this.progress() {
            Progress::ToCome(_) => "to come",
            Progress::Called => "called",
            Progress::Cancelled => "cancelled",
        };
        let py = slf.py();
        // One after the other, as the call may be made in between: whatever is shown may run code.
        let (Some(function), Some(args), Some(kw)) = (this.func(py), this.args(py), this.kw(py))
        else {
            return Ok(format!("<Timer {progress}>"));
        };
        let mut given = Vec::new();
        for argument in args {
            given.push(argument.repr()?.to_string());
        }
        for (name, argument) in kw {
            given.push(format!("{name}={}", argument.repr()?));
        }
        let given = match given.join(", ") {
            none if none.is_empty() => none,
            some => format!("({some})"),
        };
        Ok(format!("<Timer {progress}: {}{given}>", function.repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(progress) = self.progress.try_lock() {
            if let Progress::ToCome(call) = &*progress {
                call.traverse(visit)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        let ended = std::mem::replace(&mut *self.progress(), Progress::Cancelled);
        drop(ended);
    }
}

/// A number of seconds, read without the detour over a float object that whole numbers take in Python's own reading.
pub(crate) fn seconds(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    if let Ok(whole) = value.cast_exact::<PyInt>() {
        if let Ok(whole) = whole.extract::<i32>() {
            return Ok(f64::from(whole));
        }
    }
    value.extract::<f64>().map_err(|error| {
        if !error.is_instance_of::<PyTypeError>(value.py()) {
            return error; // of the value's own `__float__`
        }
        match value.repr() {
            Ok(given) => {
                PyTypeError::new_err(format!("a delay is a number of seconds, not {given}"))
            }
            Err(unprintable) => unprintable,
        }
    })
}

/// `delay` seconds before `time`, but not before the clock's start.
fn earlier(time: Time, delay: f64) -> PyResult<Time> {
    let delay = later(Time::ZERO, delay)?;
    Ok(Time::from_nanos(
        time.as_nanos().saturating_sub(delay.as_nanos()),
    ))
}
