//! What the loop's turns take, summed up from the first time on that anybody asks: until then, nobody looks at the clock for it.
//!
//! A *stretch* of work is what lies between two looks at the descriptors.  Nothing else is served while it lasts, so its length is
//! what delays everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::Engine;
use crate::clock::Time;
use crate::sink::Handles;

/// How many bounds there are, the last of which is infinite.
const BOUNDS: usize = 22;

/// The first bound is two to this power, in nanoseconds (16 µs); each of the others is twice the one before it, up to 17 s.
const FIRST: u32 = 14;

/// What is known of the loop's work.  Its own thread writes, any may read, and nothing hangs on the order in which that is seen.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Whether anybody has asked what turns take.
    measured: AtomicBool,
    /// How many runs and turns are on the stack.
    depth: Count,
    /// When the stretch began that is going on.
    since: Count,
    /// Whether the loop waits.
    rests: AtomicBool,
    /// How many pieces of work were begun: each a timer, a call from a thread, a descriptor's turn.
    pieces: Count,
    /// How many nanoseconds the stretches took that are over.
    busy: Count,
    /// The longest of them since somebody asked.
    longest: Count,
    /// How many of each length there were.
    counts: [Count; BOUNDS],
}

/// A number that one thread writes.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Not as one step, which costs more: nobody else writes.
    fn add(&self, more: u64) {
        self.set(self.get().saturating_add(more));
    }
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
    /// A number that is another one for each piece of work; `None` while the loop waits, or does not run.  For any thread.
    #[must_use]
    pub fn beat(&self) -> Option<u64> {
        let works = self.depth.get() > 0 && !self.rests.load(Ordering::Relaxed);
        works.then(|| self.pieces.get())
    }

    /// Whether turns are measured.
    #[inline]
    pub(super) fn measures(&self) -> bool {
        self.measured.load(Ordering::Relaxed)
    }

    /// A piece of work begins.
    #[inline]
    pub(super) fn piece(&self) {
        self.pieces.add(1);
    }

    /// A stretch ends, and the next one begins.
    #[inline]
    fn lap(&self, now: Time) {
        let began = Time::from_nanos(self.since.get());
        self.since.set(now.as_nanos());
        let took = nanos(now.since(began));
        self.busy.add(took);
        self.longest.set(self.longest.get().max(took));
        if let Some(count) = self.counts.get(bound_of(took)) {
            count.add(1);
        }
    }

    /// How long the stretch is that is going on.
    fn current(&self, now: Time) -> u64 {
        match self.depth.get() {
            0 => 0,
            _ => nanos(now.since(Time::from_nanos(self.since.get()))),
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
        if depth == 0 && pulse.measures() {
            pulse.lap(self.0.clock.now());
        }
    }
}

impl<H: Handles> Engine<H> {
    /// What tells, in any thread, whether the loop is getting on with its work.
    #[must_use]
    pub fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// Begins to work, until what is returned is dropped.
    pub(super) fn work(&self) -> Working<'_, H> {
        let pulse = &self.pulse;
        let depth = pulse.depth.get();
        if depth == 0 && pulse.measures() {
            pulse.since.set(self.clock.now().as_nanos());
        }
        pulse.depth.set(depth + 1);
        Working(self)
    }

    /// The descriptors are looked at `now`.
    #[inline]
    pub(super) fn looked(&self, now: Time) {
        if self.pulse.depth.get() == 1 {
            self.pulse.lap(now);
        }
    }

    /// Notes that the loop waits as long as `wait` takes: that is no work.  It `began` just now, if that is measured.
    #[inline]
    pub(super) fn resting<R>(&self, began: Option<Time>, wait: impl FnOnce() -> R) -> R {
        let pulse = &self.pulse;
        pulse.rests.store(true, Ordering::Relaxed);
        let waited = wait();
        pulse.rests.store(false, Ordering::Relaxed);
        if let Some(began) = began {
            // Within another turn's upcall, that one's stretch goes on.
            pulse.since.add(nanos(self.clock.now().since(began)));
        }
        waited
    }

    /// What the loop has done since this was asked for the first time; begins a new measure of the longest stretch.
    #[must_use]
    pub fn work_done(&self) -> Work {
        let pulse = &self.pulse;
        let now = self.clock.now();
        if !pulse.measured.swap(true, Ordering::Relaxed) {
            pulse.since.set(now.as_nanos());
        }
        let current = pulse.current(now);
        let longest = pulse.longest.get();
        pulse.longest.set(0);
        Work {
            busy: Duration::from_nanos(pulse.busy.get().saturating_add(current)),
            longest: Duration::from_nanos(longest.max(current)),
            counts: std::array::from_fn(|number| pulse.counts.get(number).map_or(0, Count::get)),
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
