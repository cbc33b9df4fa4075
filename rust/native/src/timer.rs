//! Calls in the future: `IDelayedCall`.

use std::sync::{Arc, Mutex};

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use torsion_reactor::{Time, TimerId};

use crate::call::Call;
use crate::engine::PyEngine;
use crate::names::errors::{AlreadyCalled, AlreadyCancelled};
use crate::shared::Shared;

/// A call in the future.
#[pyclass(frozen, weakref, name = "Timer", module = "torsion._native")]
pub(crate) struct PyTimer {
    shared: Arc<Shared>,
    progress: Mutex<Progress>,
}

/// How far a timer has come.
enum Progress {
    /// Made, and about to be scheduled.
    New(Call),
    Scheduled(TimerId, Call),
    Called,
    Cancelled,
}

impl Progress {
    /// Why there is nothing to cancel or to move any more.
    fn error(&self) -> PyErr {
        match self {
            Self::Cancelled => AlreadyCancelled::new_err(()),
            _ => AlreadyCalled::new_err(()),
        }
    }
}

impl PyTimer {
    /// Schedules `call`; the one way to make a timer.
    pub(crate) fn schedule(
        engine: &Bound<'_, PyEngine>,
        delay: f64,
        call: Call,
    ) -> PyResult<Py<Self>> {
        let py = engine.py();
        let state = engine.get().enter()?;
        let now = state.now();
        let timer = Py::new(
            py,
            Self {
                shared: Arc::clone(engine.get().shared()),
                progress: Mutex::new(Progress::New(call)),
            },
        )?;
        let id = if delay == 0.0 {
            state.schedule_soon(now, timer.clone_ref(py))
        } else {
            state.schedule(later(now, delay)?, timer.clone_ref(py))
        };
        let mut progress = timer.get().progress();
        if let Progress::New(call) = std::mem::replace(&mut *progress, Progress::Called) {
            *progress = Progress::Scheduled(id, call);
        }
        drop(progress);
        Ok(timer)
    }

    /// The time has come: gives the call away.
    pub(crate) fn take(&self) -> Option<Call> {
        let mut progress = self.progress();
        match std::mem::replace(&mut *progress, Progress::Called) {
            Progress::New(call) | Progress::Scheduled(_, call) => Some(call),
            ended => {
                *progress = ended;
                None
            }
        }
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        // Nothing panics while this is held; were it to, the value would still be whole.
        self.progress
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The scheduled timer's name, or the error that says why there is none.
    fn id(&self) -> PyResult<TimerId> {
        match *self.progress() {
            Progress::Scheduled(id, _) => Ok(id),
            ref ended => Err(ended.error()),
        }
    }

    fn part<'py, T>(
        &self,
        py: Python<'py>,
        part: impl FnOnce(&Call, Python<'py>) -> Option<Bound<'py, T>>,
    ) -> Option<Bound<'py, T>> {
        match &*self.progress() {
            Progress::New(call) | Progress::Scheduled(_, call) => part(call, py),
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
        let due = self.id().ok().and_then(|id| state.due(id));
        Ok(self.shared.wall(due.unwrap_or_else(|| state.now())))
    }

    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.shared.enter()?;
        let (id, call) = {
            let mut progress = self.progress();
            match std::mem::replace(&mut *progress, Progress::Cancelled) {
                Progress::Scheduled(id, call) => (id, call),
                ended => {
                    let error = ended.error();
                    *progress = ended;
                    return Err(error);
                }
            }
        };
        // The callable and its arguments may run code when they go, so they go when nothing is locked.
        let held = state.cancel(id);
        drop(state);
        drop(call);
        if let Some(held) = held {
            held.drop_ref(py);
        }
        Ok(())
    }

    #[expect(non_snake_case, reason = "the argument's name is Twisted's")]
    fn delay(&self, #[pyo3(from_py_with = seconds)] secondsLater: f64) -> PyResult<()> {
        let state = self.shared.enter()?;
        let id = self.id()?;
        let due = state.due(id).unwrap_or_else(|| state.now());
        let when = if secondsLater < 0.0 {
            earlier(due, -secondsLater)?
        } else {
            later(due, secondsLater)?
        };
        state.reset(id, when);
        Ok(())
    }

    #[expect(non_snake_case, reason = "the argument's name is Twisted's")]
    fn reset(&self, #[pyo3(from_py_with = seconds)] secondsFromNow: f64) -> PyResult<()> {
        let state = self.shared.enter()?;
        let id = self.id()?;
        state.reset(id, later(state.now(), secondsFromNow)?);
        Ok(())
    }

    fn active(&self) -> bool {
        matches!(*self.progress(), Progress::Scheduled(..))
    }

    #[getter]
    fn func<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.part(py, |call, py| Some(call.function.bind(py).clone()))
    }

    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyTuple>> {
        self.part(py, |call, py| Some(call.args(py)))
    }

    #[getter]
    fn kw<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDict>> {
        self.part(py, |call, py| Some(call.kw(py)))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let this = slf.get();
        let function = this.func(slf.py()).map_or_else(String::new, |function| {
            function
                .repr()
                .map_or_else(|_| String::new(), |repr| format!(" of {repr}"))
        });
        let progress = match *this.progress() {
            Progress::New(_) => "new",
            Progress::Scheduled(..) => "to come",
            Progress::Called => "called",
            Progress::Cancelled => "cancelled",
        };
        format!("<Timer {progress}{function}>")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(progress) = self.progress.try_lock() {
            if let Progress::New(call) | Progress::Scheduled(_, call) = &*progress {
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

/// A number of seconds; the error of anything else names it.
fn seconds(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    value.extract::<f64>()
}

/// `delay` seconds before `time`, but not before the clock's start.
fn earlier(time: Time, delay: f64) -> PyResult<Time> {
    let delay = later(Time::ZERO, delay)?;
    Ok(Time::from_nanos(
        time.as_nanos().saturating_sub(delay.as_nanos()),
    ))
}
