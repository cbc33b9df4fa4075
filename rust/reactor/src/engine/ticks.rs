//! How long turns take, for those who ask: nothing is measured while nobody does.

use std::cell::Cell;
use std::time::Duration;

use super::Engine;
use crate::clock::Time;
use crate::sink::{Handles, Sink, Tick};

/// What is measured of a turn.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    /// Whether the binding wants to be told.
    wanted: Cell<bool>,
    /// Whether a turn is being measured: one within it is part of it.
    measuring: Cell<bool>,
    /// How long that turn has waited by now.
    waited: Cell<Duration>,
    /// How many descriptors its waits have found.
    events: Cell<usize>,
}

impl<H: Handles> Engine<H> {
    /// Has the binding told what each turn took ([`Sink::ticked`]), or no more.
    pub fn measure(&self, wanted: bool) {
        self.ticks.wanted.set(wanted);
    }

    /// Begins to measure a turn, unless nobody asks or it is within another one.
    #[inline]
    pub(super) fn begin_tick(&self) -> Option<Time> {
        if !self.ticks.wanted.get() || self.ticks.measuring.replace(true) {
            return None;
        }
        self.ticks.waited.set(Duration::ZERO);
        self.ticks.events.set(0);
        Some(self.clock.now())
    }

    /// Tells what the turn that `began` then has taken.
    #[cold]
    pub(super) fn end_tick<S: Sink<H>>(&self, sink: &S, began: Time) {
        let ticks = &self.ticks;
        ticks.measuring.set(false);
        let waited = ticks.waited.get();
        let tick = Tick {
            waited,
            worked: self.clock.now().since(began).saturating_sub(waited),
            events: ticks.events.get(),
        };
        self.guard(sink, None, || sink.ticked(tick));
    }

    /// Begins to measure a wait.
    #[inline]
    pub(super) fn begin_wait(&self) -> Option<Time> {
        self.ticks.measuring.get().then(|| self.clock.now())
    }

    /// Notes a wait that `began` then.
    #[inline]
    pub(super) fn end_wait(&self, began: Option<Time>) {
        if let Some(began) = began {
            let waited = &self.ticks.waited;
            waited.set(waited.get() + self.clock.now().since(began));
        }
    }

    /// Notes how many descriptors a wait has found.
    #[inline]
    pub(super) fn note_events(&self, found: usize) {
        let events = &self.ticks.events;
        events.set(events.get().saturating_add(found));
    }
}
