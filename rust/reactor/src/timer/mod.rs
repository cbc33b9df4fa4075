//! What is to happen at a certain time.
//!
//! # Contract
//!
//! * Timers become due in the order of their time; those of the same time in the order of being scheduled (or reset).
//! * Expiry goes in rounds.  A round pops what is due at its time *and* was scheduled or reset before it began, so a
//!   timer that each time schedules another one without delay leaves the loop its other work.
//! * Between two pops of a round anything may be called, another round included.
//! * A [`TimerId`] whose timer has been popped or cancelled stays without effect for ever.
//!
//! # Cost
//!
//! Most timers are timeouts that never fire: they are put off again and again, then cancelled.  So cancelling and
//! putting off touch only the timer's own entry; its key in the heap is left behind as dead, or as too early, and is
//! put right when it comes to the top, or when more than half of the keys are dead, by one pass over all of them.
//! Timers without delay pass by the heap through a plain queue.

mod heap;

use std::collections::VecDeque;

use crate::clock::Time;
use crate::token::{Slab, Token};
use heap::{Heap, Key};

/// Dead keys are not worth clearing away below this number.
const FEW_DEAD: usize = 64;

/// The name of one timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId(Token);

impl TimerId {
    /// Packs the name into a number, for a binding that keeps it in an atomic; [`from_bits`](Self::from_bits) undoes it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// Unpacks a number made by [`to_bits`](Self::to_bits).  Any other number names no timer, or, at worst, another one.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(Token::from_bits(bits))
    }
}

/// One round of expiry: see [`Timers::begin_expiry`].
#[derive(Clone, Copy, Debug)]
pub struct Expiry {
    now: Time,
    /// The first sequence number that comes too late for this round.
    before: u64,
}

impl Expiry {
    /// Returns the time up to which timers are due in this round.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }
}

#[derive(Clone, Debug)]
struct Entry<T> {
    when: Time,
    sequence: u64,
    /// The key under which the timer is queued; never later than `when` and `sequence`.
    queued_when: Time,
    queued_sequence: u64,
    item: T,
}

impl<T> Entry<T> {
    const fn new(when: Time, sequence: u64, item: T) -> Self {
        Self {
            when,
            sequence,
            queued_when: when,
            queued_sequence: sequence,
            item,
        }
    }
}

/// Returns the key under which the timer behind `key` ought to be queued, or `None` if `key` is dead.
fn current<T>(entries: &Slab<Entry<T>>, key: &Key) -> Option<Key> {
    let (_, entry) = entries.tenant(key.slot)?;
    (entry.queued_sequence == key.sequence).then_some(Key {
        when: entry.when,
        sequence: entry.sequence,
        ..*key
    })
}

/// As [`current`], and notes in the entry that it is now queued under that key.
fn requeue<T>(entries: &mut Slab<Entry<T>>, key: &Key) -> Option<Key> {
    let (_, entry) = entries.tenant_mut(key.slot)?;
    if entry.queued_sequence != key.sequence {
        return None;
    }
    (entry.queued_when, entry.queued_sequence) = (entry.when, entry.sequence);
    Some(Key {
        when: entry.when,
        sequence: entry.sequence,
        ..*key
    })
}

/// Items, each with the time at which it is due.
///
/// ```
/// use torsion_reactor::clock::Time;
/// use torsion_reactor::timer::Timers;
///
/// let mut timers = Timers::new();
/// let tea = timers.schedule(Time::from_nanos(300), "tea");
/// timers.schedule(Time::from_nanos(200), "toast");
/// timers.reset(tea, Time::from_nanos(100));
/// assert_eq!(timers.next_deadline(), Some(Time::from_nanos(100)));
///
/// let round = timers.begin_expiry(Time::from_nanos(250));
/// assert_eq!(timers.pop_expired(&round), Some((tea, "tea")));
/// assert!(matches!(timers.pop_expired(&round), Some((_, "toast"))));
/// assert_eq!(timers.pop_expired(&round), None);
/// ```
#[derive(Clone, Debug)]
pub struct Timers<T> {
    entries: Slab<Entry<T>>,
    heap: Heap,
    /// Timers without delay; their times never fall from front to back.
    soon: VecDeque<Key>,
    /// Keys that are due but came too late for the round that is going on; they would hide those behind them.
    held: Vec<Key>,
    next_sequence: u64,
    /// How many keys in the queues stand for no timer.
    dead: usize,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Timers<T> {
    /// Returns an empty collection; it allocates nothing before the first timer.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entries: Slab::new(),
            heap: Heap::new(),
            soon: VecDeque::new(),
            held: Vec::new(),
            next_sequence: 0,
            dead: 0,
        }
    }

    /// Returns how many timers are still to come.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none to come.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Goes through all timers that are still to come, with their times, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (TimerId, Time, &T)> {
        self.entries
            .iter()
            .map(|(token, entry)| (TimerId(token), entry.when, &entry.item))
    }

    /// Returns the item of a timer, unless it was popped or cancelled.
    #[must_use]
    pub fn get(&self, id: TimerId) -> Option<&T> {
        self.entries.get(id.0).map(|entry| &entry.item)
    }

    /// Returns the item of a timer for changing, unless it was popped or cancelled.
    #[must_use]
    pub fn get_mut(&mut self, id: TimerId) -> Option<&mut T> {
        self.entries.get_mut(id.0).map(|entry| &mut entry.item)
    }

    /// Returns when a timer is due, unless it was popped or cancelled.
    #[must_use]
    pub fn when(&self, id: TimerId) -> Option<Time> {
        self.entries.get(id.0).map(|entry| entry.when)
    }

    /// Makes `item` due at `when`.  A time that has passed is due at once, in its order among the others.
    pub fn schedule(&mut self, when: Time, item: T) -> TimerId {
        let sequence = self.take_sequence();
        let token = self.entries.insert(Entry::new(when, sequence, item));
        self.heap.push(Key {
            when,
            sequence,
            slot: token.slot(),
        });
        TimerId(token)
    }

    /// Makes `item` due at `now`, the current time, in constant time.
    ///
    /// The order is that of [`schedule`](Self::schedule), also where `now` is earlier than it was at the last call.
    pub fn schedule_soon(&mut self, now: Time, item: T) -> TimerId {
        if self.soon.back().is_some_and(|last| last.when > now) {
            return self.schedule(now, item);
        }
        let sequence = self.take_sequence();
        let token = self.entries.insert(Entry::new(now, sequence, item));
        self.soon.push_back(Key {
            when: now,
            sequence,
            slot: token.slot(),
        });
        TimerId(token)
    }

    /// Takes a timer back and returns its item, unless it was popped or cancelled before.
    pub fn cancel(&mut self, id: TimerId) -> Option<T> {
        let entry = self.entries.remove(id.0)?;
        self.abandon(entry.queued_sequence);
        Some(entry.item)
    }

    /// Makes a timer due at `when` instead, as if it had been scheduled now.  Returns whether it was still to come.
    pub fn reset(&mut self, id: TimerId, when: Time) -> bool {
        let Some(entry) = self.entries.get_mut(id.0) else {
            return false;
        };
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        (entry.when, entry.sequence) = (when, sequence);
        if when < entry.queued_when {
            let abandoned = std::mem::replace(&mut entry.queued_sequence, sequence);
            entry.queued_when = when;
            self.abandon(abandoned);
            self.heap.push(Key {
                when,
                sequence,
                slot: id.0.slot(),
            });
        }
        true
    }

    /// Returns when the first timer is due, or `None` if there is none.
    pub fn next_deadline(&mut self) -> Option<Time> {
        self.release_held();
        let soon = self.first_soon().map(|key| key.when);
        let first = self.first_in_heap().map(|key| key.when);
        soon.into_iter().chain(first).min()
    }

    /// Begins a round of expiry at the time `now`; [`pop_expired`](Self::pop_expired) carries it out.
    pub fn begin_expiry(&mut self, now: Time) -> Expiry {
        self.release_held();
        Expiry {
            now,
            before: self.next_sequence,
        }
    }

    /// Takes out the next timer that is due in this round, or returns `None` when the round is over.
    pub fn pop_expired(&mut self, expiry: &Expiry) -> Option<(TimerId, T)> {
        loop {
            let in_time = |key: &Key| key.when <= expiry.now;
            // Sequence numbers rise along this queue: when its front is too late for the round, so is all of it.
            let soon = self
                .first_soon()
                .filter(|key| in_time(key) && key.sequence < expiry.before);
            let first = self.first_in_heap().filter(in_time);
            let key = match (soon, first) {
                (None, None) => {
                    self.release_held();
                    return None;
                }
                (Some(soon), None) => self.soon.pop_front().unwrap_or(soon),
                (Some(soon), Some(first)) if soon.precedes(&first) => {
                    self.soon.pop_front().unwrap_or(soon)
                }
                (_, Some(first)) => self.heap.pop().unwrap_or(first),
            };
            if key.sequence >= expiry.before {
                self.held.push(key);
                continue;
            }
            let Some((token, _)) = self.entries.tenant(key.slot) else {
                continue;
            };
            if let Some(entry) = self.entries.remove(token) {
                return Some((TimerId(token), entry.item));
            }
        }
    }

    /// Takes all timers out, in no particular order.
    pub fn clear(&mut self) -> Vec<T> {
        self.heap = Heap::new();
        self.soon = VecDeque::new();
        self.held = Vec::new();
        self.dead = 0;
        self.entries
            .take_all()
            .into_iter()
            .map(|entry| entry.item)
            .collect()
    }

    fn take_sequence(&mut self) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        sequence
    }

    /// Returns the first live key of the queue without delay, as it ought to be.
    fn first_soon(&mut self) -> Option<Key> {
        loop {
            let key = *self.soon.front()?;
            match requeue(&mut self.entries, &key) {
                Some(new) if new == key => return Some(key),
                Some(put_off) => self.heap.push(put_off),
                None => self.dead -= 1,
            }
            self.soon.pop_front();
        }
    }

    /// Returns the first live key of the heap, as it ought to be.
    fn first_in_heap(&mut self) -> Option<Key> {
        loop {
            let key = *self.heap.first()?;
            match requeue(&mut self.entries, &key) {
                Some(new) if new == key => return Some(key),
                Some(put_off) => self.heap.replace_first(put_off),
                None => {
                    self.dead -= 1;
                    self.heap.pop();
                }
            }
        }
    }

    /// Puts back what the last round held up.
    fn release_held(&mut self) {
        while let Some(key) = self.held.pop() {
            match requeue(&mut self.entries, &key) {
                Some(key) => self.heap.push(key),
                None => self.dead -= 1,
            }
        }
    }

    /// Leaves the key with this sequence number without a timer.
    fn abandon(&mut self, sequence: u64) {
        if self.heap.pop_if_last(sequence) {
            return;
        }
        if self.soon.back().is_some_and(|key| key.sequence == sequence) {
            self.soon.pop_back();
            return;
        }
        self.dead += 1;
        if self.dead > FEW_DEAD
            && self.dead * 2 > self.heap.len() + self.soon.len() + self.held.len()
        {
            self.clear_dead();
        }
    }

    fn clear_dead(&mut self) {
        self.release_held();
        self.heap.rebuild(|key| requeue(&mut self.entries, key));
        // Those that were put off go to the heap when they come to the front, as their order here is not theirs.
        self.soon
            .retain(|key| current(&self.entries, key).is_some());
        self.dead = 0;
    }
}

#[cfg(test)]
mod tests;
