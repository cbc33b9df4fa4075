//! What an engine shares with the objects that it made.
//!
//! The Python object `Engine` alone answers for what is in here, to the garbage collector and when it goes; timers,
//! streams, listeners and connectors only look at it.  So they hold it by an [`Arc`](std::sync::Arc) of which the
//! collector knows nothing, and an `Engine` that nobody else refers to is collected with everything it holds, however
//! many of its timers and streams somebody still keeps.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;

use torsion_reactor::{Clock, Error, Ingress, Time, Waker};

use crate::call::Call;
use crate::error;
use crate::handles::Objects;
use crate::thread::{Entered, ThreadCell};

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
}

impl Shared {
    pub(crate) fn new() -> Result<Self, Error> {
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
            state: ThreadCell::new(state),
        })
    }

    /// Access for this thread.
    #[inline]
    pub(crate) fn enter(&self) -> PyResult<Entered<'_, State>> {
        self.state.enter().ok_or_else(error::wrong_thread)
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
