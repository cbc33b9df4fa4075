//! What an engine shares with the objects that it made.
//!
//! The Python object `Engine` alone answers for what is in here, to the garbage collector and when it goes; timers,
//! streams, listeners and connectors only look at it.  So they hold it by an [`Arc`](std::sync::Arc) of which the
//! collector knows nothing, and an `Engine` that nobody else refers to is collected with everything it holds, however
//! many of its timers and streams somebody still keeps.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;

use torsion_reactor::{Abandoned, Clock, Error, Ingress, Pulse, Time, Waker};

use crate::call::Call;
use crate::error;
use crate::error::Errors;
use crate::handles::Objects;
use crate::thread::{Entered, Rest, ThreadCell};

/// The engine of the crate below, over Python's objects.
pub(crate) type State = torsion_reactor::Engine<Objects>;

/// What an engine shares with the objects that it made.
pub(crate) struct Shared {
    state: ThreadCell<State>,
    pub(crate) clock: Clock,
    /// The wall clock's time at the engine's clock's zero, in seconds since the epoch.
    epoch: f64,
    pub(crate) ingress: Arc<Ingress<Call>>,
    pub(crate) waker: Waker,
    pub(crate) pulse: Arc<Pulse>,
    /// The process that opened the engine.
    process: u32,
    /// Whose exceptions programs are to see.  It is a module's worth of classes, of which the collector need not know.
    pub(crate) errors: Errors,
}

impl Rest for State {
    fn rest(&self) {
        self.call_attention();
    }
}

impl Shared {
    pub(crate) fn new(errors: Errors) -> Result<Self, Error> {
        let clock = Clock::monotonic();
        let state = State::new(clock.clone())?;
        #[expect(
            clippy::disallowed_methods,
            reason = "once, to anchor the clock: seconds since the epoch are what users of a reactor expect"
        )]
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64());
        Ok(Self {
            epoch: wall - clock.now().as_secs_f64(),
            clock,
            ingress: state.ingress(),
            waker: state.waker(),
            pulse: state.pulse(),
            process: std::process::id(),
            errors,
            state: ThreadCell::new(state),
        })
    }

    /// Access for this thread.
    #[inline]
    pub(crate) fn enter(&self) -> PyResult<Entered<'_, State>> {
        self.state.enter().ok_or_else(|| self.refusal())
    }

    /// Why somebody is refused.
    #[cold]
    fn refusal(&self) -> PyErr {
        if self.state.is_gone() {
            error::wrong_process(self.process)
        } else {
            error::wrong_thread()
        }
    }

    /// Raises in a process that was forked off.
    pub(crate) fn must_be_ours(&self) -> PyResult<()> {
        if self.state.is_gone() {
            Err(error::wrong_process(self.process))
        } else {
            Ok(())
        }
    }

    /// In a process that was forked off, takes the engine's state away from everybody.  `None` in the process that opened
    /// it, unless that is meant as well (`always`) and nobody is using it; and the second time.
    #[expect(
        unsafe_code,
        reason = "its owner may be a thread that was lost in the fork"
    )]
    pub(crate) fn abandon(&self, always: bool) -> Option<Abandoned<Objects>> {
        if self.process == std::process::id() {
            let state = always.then(|| self.enter_if_ours()).flatten()?;
            return Some(state.abandon());
        }
        // SAFETY: a process that was forked off begins with one thread, the one that calls this before it returns from the fork.
        let state = unsafe { self.state.take_away() }?;
        Some(state.abandon())
    }

    /// Access, where a refusal needs no words.
    pub(crate) fn enter_if_ours(&self) -> Option<Entered<'_, State>> {
        self.state.enter()
    }

    /// An engine's time on the wall clock's scale.
    pub(crate) fn wall(&self, time: Time) -> f64 {
        self.epoch + time.as_secs_f64()
    }
}
