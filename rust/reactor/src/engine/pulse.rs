//! What the loop's turns take, summed up whether anybody asks or not: one or two looks at the clock for each turn are lost
//! in what its system calls cost.
//!
//! A *stretch* of work is what lies between two looks at the descriptors.  Nothing else is served while it lasts, so its length is
//! what delays everything.

use std::cell::Cell;
use std::time::Duration;

use super::Engine;
use crate::clock::Time;
use crate::sink::Handles;

/// How many bounds there are, the last of which is infinite.
const BOUNDS: usize = 22;

/// The first bound is two to this power, in nanoseconds (16 µs); each of the others is twice the one before it, up to 17 s.
const FIRST: u32 = 14;

/// What is known of the loop's work.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// How many runs and turns are on the stack.
    depth: Cell<u32>,
    /// When the stretch began that is going on.
    since: Cell<Time>,
    /// How many nanoseconds the stretches took that are over.
    busy: Cell<u64>,
    /// The longest of them since somebody asked.
    longest: Cell<u64>,
    /// How many of each length there were.
    counts: [Cell<u64>; BOUNDS],
}

/// The loop's work, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// How long it was at work altogether.
    pub busy: Duration,
    /// The longest stretch since this was asked for last; the one that is going on included.
    pub longest: Duration,
    /// How many stretches were as long as the bound of the same number, or shorter, but longer than the bound before.
    pub counts: [u64; BOUNDS],
}

impl Work {
    /// The bounds of [`counts`](Self::counts); the last one stands for all that is longer.
    #[must_use]
    pub fn bounds() -> [Duration; BOUNDS] {
        let mut power = FIRST;
        [(); BOUNDS].map(|()| {
            let bound = Duration::from_nanos(1 << power);
            power += 1;
            bound
        })
    }
}

impl Pulse {
    /// A stretch ends, and the next one begins.
    #[inline]
    fn lap(&self, now: Time) {
        let took = nanos(now.since(self.since.replace(now)));
        self.busy.set(self.busy.get().saturating_add(took));
        self.longest.set(self.longest.get().max(took));
        if let Some(count) = self.counts.get(bound_of(took)) {
            count.set(count.get() + 1);
        }
    }
}

/// The number of the bound that a stretch belongs to.
#[inline]
fn bound_of(took: u64) -> usize {
    let power = u64::BITS - took.saturating_sub(1).leading_zeros();
    (power.saturating_sub(FIRST) as usize).min(BOUNDS - 1)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A run or a turn that is on the stack.
pub(super) struct Working<'a, H: Handles>(&'a Engine<H>);

impl<H: Handles> Drop for Working<'_, H> {
    fn drop(&mut self) {
        let pulse = &self.0.pulse;
        let depth = pulse.depth.get().saturating_sub(1);
        pulse.depth.set(depth);
        if depth == 0 {
            pulse.lap(self.0.clock.now());
        }
    }
}

impl<H: Handles> Engine<H> {
    /// Begins to work, until what is returned is dropped.
    pub(super) fn work(&self) -> Working<'_, H> {
        let pulse = &self.pulse;
        if pulse.depth.replace(pulse.depth.get() + 1) == 0 {
            pulse.since.set(self.clock.now());
        }
        Working(self)
    }

    /// The descriptors are looked at `now`.
    #[inline]
    pub(super) fn looked(&self, now: Time) {
        if self.pulse.depth.get() == 1 {
            self.pulse.lap(now);
        }
    }

    /// The loop has waited since it `began` to: that was no work.
    #[inline]
    pub(super) fn rested(&self, began: Time) {
        let pulse = &self.pulse;
        let rest = self.clock.now().since(began);
        // Within another turn's upcall, that one's stretch goes on.
        pulse.since.set(pulse.since.get().after(rest));
    }

    /// What the loop has done; begins a new measure of the longest stretch.
    #[must_use]
    pub fn work_done(&self) -> Work {
        let pulse = &self.pulse;
        let current = match pulse.depth.get() {
            0 => 0,
            _ => nanos(self.clock.now().since(pulse.since.get())),
        };
        Work {
            busy: Duration::from_nanos(pulse.busy.get().saturating_add(current)),
            longest: Duration::from_nanos(pulse.longest.replace(0).max(current)),
            counts: std::array::from_fn(|number| pulse.counts.get(number).map_or(0, Cell::get)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_counted_at_the_first_bound_that_it_fits() {
        let bounds = Work::bounds().map(nanos);
        for (number, bound) in bounds.iter().enumerate().take(BOUNDS - 1) {
            assert_eq!(bound_of(*bound), number);
            assert_eq!(bound_of(*bound + 1), number + 1);
        }
        assert_eq!(bound_of(0), 0);
        assert_eq!(bound_of(u64::MAX), BOUNDS - 1);
    }
}
