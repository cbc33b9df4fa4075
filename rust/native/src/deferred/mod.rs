//! The native twin of `torsion.internet.defer.Deferred`, and of what goes with it.
//!
//! Start in `run.rs`, which runs callbacks, and `driver.rs`, which runs coroutines.  What all this does, and why, is told in
//! Python: `torsion/internet/defer/_deferred.py` and the files beside it, which take its place with `TORSION_PURE=1`.
//!
//! Callbacks may call every method and drop the last reference to anything, so a field is changed in one go before anything
//! runs, and what was in it is dropped afterwards (`held.rs`).

mod awaiter;
mod bury;
mod cancel;
mod class;
mod dictionary;
mod driver;
mod failure;
mod fast;
mod given;
mod held;
mod invoke;
mod make;
mod memory;
mod methods;
mod original;
mod results;
mod run;
mod show;
mod slots;
mod step;

use std::sync::OnceLock;

use pyo3::prelude::*;

use crate::names;
use held::Held;
use step::{Step, Steps};

pub(crate) use awaiter::PyAwaiter;
pub(crate) use make::collect_fired;
pub(crate) use slots::install;

// The state of a Deferred is one number, its `hold`: these bits.  Where it is less than UNFIRED, callbacks may run; where it
// is less than INTERRUPTED the Deferred is idle: all have run.
/// The result is a Failure; not kept up to date while callbacks run.
const FAILED: u32 = 1;
/// Some are left for the loop to come back to, when it has gone on with a Deferred that waited for this one.
const INTERRUPTED: u32 = 2;
const UNFIRED: u32 = 4;
/// Its callbacks are being called.
const RUNNING: u32 = 8;
/// Times the number of pauses.
const PAUSE: u32 = 16;
const PAUSE_SHIFT: u32 = 4;

/// A result that is not there yet.
#[pyclass(
    frozen,
    subclass,
    dict,
    weakref,
    generic,
    name = "Deferred",
    module = "torsion.internet.defer"
)]
pub(crate) struct PyDeferred {
    /// Always true.  The collector may see an object before its value is in place, when all of it is zeros.
    made: bool,
    hold: Held<u32>,
    result: Held<Option<Py<PyAny>>>,
    chain: Held<Steps>,
    /// What stops the work: a callable, or a Deferred to be cancelled instead.
    canceller: Held<Option<Py<PyAny>>>,
    /// The one that this one gets its result from.
    chained_to: Held<Option<Py<Self>>>,
    rare: OnceLock<Box<Rare>>,
}

/// What few Deferreds have.
#[derive(Default)]
struct Rare {
    /// What is told to humans.
    info: Held<Option<Py<PyAny>>>,
    /// Whether one more result is to be ignored.
    suppress: Held<bool>,
    /// The coroutine or generator whose end fires this one, and what it runs in.
    steps: Held<Option<Py<PyAny>>>,
    context: Held<Option<Py<PyAny>>>,
    /// What that waits for.
    waiting: Held<Option<Py<PyDeferred>>>,
    /// Whether that is what is to be cancelled.
    driven: Held<bool>,
}

impl PyDeferred {
    const fn new(hold: u32, result: Option<Py<PyAny>>, canceller: Option<Py<PyAny>>) -> Self {
        Self {
            made: true,
            hold: Held::new(hold),
            result: Held::new(result),
            chain: Held::new(Steps::new()),
            canceller: Held::new(canceller),
            chained_to: Held::new(None),
            rare: OnceLock::new(),
        }
    }

    fn type_object_ptr(py: Python<'_>) -> *mut pyo3::ffi::PyTypeObject {
        <Self as pyo3::PyTypeInfo>::type_object_raw(py)
    }

    fn rare(&self) -> &Rare {
        self.rare.get_or_init(Box::default)
    }

    /// The result, which is there.
    #[inline]
    fn result_now<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.result
            .bound(py)
            .unwrap_or_else(|| py.None().into_bound(py))
    }

    /// The result, which is None here afterwards.
    #[inline]
    fn result_taken<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self.result.replace(py, Some(py.None())) {
            Some(result) => result.into_bound(py),
            None => py.None().into_bound(py),
        }
    }

    /// Adds a step, which is not taken yet.
    #[inline]
    fn push(&self, py: Python<'_>, step: Step) {
        if self.chain.capacity(py) == 0 {
            let empty = self.chain.replace(py, step::new_chain(py));
            debug_assert!(empty.is_empty());
        }
        self.chain.push_back(py, step);
    }

    /// The same, where no memory has to be asked for; else the step is given back.
    #[inline]
    fn push_quickly(&self, py: Python<'_>, step: Step) -> Result<(), Step> {
        if self.chain.capacity(py) == 0 {
            let Some(spare) = step::spare(py) else {
                return Err(step);
            };
            let empty = self.chain.replace(py, spare);
            debug_assert!(empty.is_empty());
        }
        self.chain.push_within_room(py, step)
    }

    /// Gives the room for steps to others, if there are none left.
    #[inline]
    fn spare_chain(&self, py: Python<'_>) {
        if self.chain.is_empty(py) {
            step::spare_chain(py, self.chain.replace(py, Steps::new()));
        }
    }

    fn set_chained_to(&self, py: Python<'_>, other: Option<&Bound<'_, Self>>) {
        self.chained_to.put(other.cloned(), py);
    }

    fn canceller<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.canceller.bound(py)
    }

    fn set_canceller(&self, py: Python<'_>, canceller: Option<Bound<'_, PyAny>>) {
        self.canceller.put(canceller, py);
    }

    /// Takes the one result that comes after a cancellation, if there was one.
    fn take_suppression(&self, py: Python<'_>) -> bool {
        self.rare
            .get()
            .is_some_and(|rare| rare.suppress.replace(py, false))
    }

    fn set_suppress(&self, py: Python<'_>, suppress: bool) {
        self.rare().suppress.set(py, suppress);
    }

    fn info_if_any<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.rare.get()?.info.bound(py)
    }

    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(info) = self.info_if_any(py) {
            return Ok(info);
        }
        let info = names::debug_info(py)?.call0()?;
        self.rare().info.put(Some(info.clone()), py);
        Ok(info)
    }

    // --- coroutines -----------------------------------------------------------------------------------------------------

    /// The end of `steps` is going to fire this one.
    fn drive(&self, py: Python<'_>, steps: Bound<'_, PyAny>, context: Bound<'_, PyAny>) {
        let rare = self.rare();
        rare.steps.put(Some(steps), py);
        rare.context.put(Some(context), py);
        rare.driven.set(py, true);
    }

    /// The coroutine, which waits no longer, and its context.
    fn driven<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let rare = self.rare.get()?;
        rare.waiting.put(None, py);
        Some((rare.steps.bound(py)?, rare.context.bound(py)?))
    }

    /// The coroutine has ended.
    fn end_drive(&self, py: Python<'_>) {
        if let Some(rare) = self.rare.get() {
            rare.steps.put(None, py);
            rare.context.put(None, py);
        }
    }

    fn waiting<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Self>> {
        self.rare.get()?.waiting.bound(py)
    }

    fn set_waiting(&self, py: Python<'_>, waiting: Option<Bound<'_, Self>>) {
        self.rare().waiting.put(waiting, py);
    }

    fn is_driven(&self, py: Python<'_>) -> bool {
        self.rare.get().is_some_and(|rare| rare.driven.get(py))
    }

    fn is_driven_no_more(&self, py: Python<'_>) {
        if let Some(rare) = self.rare.get() {
            rare.driven.set(py, false);
        }
    }
}

impl Rare {
    /// Lets go of all that is held.
    fn release(mut self, py: Python<'_>) {
        let driven = [
            self.steps.get_mut().take(),
            self.waiting.get_mut().take().map(Py::into_any),
        ];
        for object in driven.into_iter().flatten() {
            bury::object(py, object);
        }
        step::release(py, self.context.get_mut().take());
        step::release(py, self.info.get_mut().take());
    }
}

impl PyDeferred {
    /// Lets go of all that is held: it is at its end, and is not dropped.
    fn end(&mut self, py: Python<'_>) {
        if let Some(result) = self.result.get_mut().take() {
            bury::object(py, result);
        }
        let chain = self.chain.get_mut();
        if chain.capacity() > 0 {
            bury::steps(py, std::mem::take(chain));
        }
        step::release(py, self.canceller.get_mut().take());
        if let Some(other) = self.chained_to.get_mut().take() {
            bury::object(py, other.into_any());
        }
        if let Some(rare) = self.rare.take() {
            rare.release(py);
        }
    }
}
