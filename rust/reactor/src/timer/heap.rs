//! A four-ary heap of deadlines.
//!
//! Nothing but keys lives here, 24 bytes each, so that sifting touches little memory: four children of a node lie side
//! by side in one or two cache lines, and the tree is half as deep as a binary one.  Whether a key still stands for a
//! timer is its owner's business.

use crate::clock::Time;

/// The children of each node.
const ARITY: usize = 4;

/// When something is due, which of those due at the same time comes first, and where it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) when: Time,
    /// No two keys have the same.
    pub(super) sequence: u64,
    pub(super) slot: u32,
}

impl Key {
    /// The order of keys as one number: comparing it takes no branch that the processor could guess wrong.
    const fn rank(&self) -> u128 {
        (self.when.as_nanos() as u128) << 64 | self.sequence as u128
    }

    /// Whether this is due before `other`.
    pub(super) const fn precedes(&self, other: &Self) -> bool {
        self.rank() < other.rank()
    }
}

/// Keys, the first in order on top.
#[derive(Clone, Debug, Default)]
pub(super) struct Heap {
    keys: Vec<Key>,
}

impl Heap {
    pub(super) const fn new() -> Self {
        Self { keys: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key that comes first.
    pub(super) fn first(&self) -> Option<&Key> {
        self.keys.first()
    }

    pub(super) fn push(&mut self, key: Key) {
        self.keys.push(key);
        self.sift_up(self.keys.len() - 1);
    }

    pub(super) fn pop(&mut self) -> Option<Key> {
        let last = self.keys.pop()?;
        let Some(first) = self.keys.first_mut() else {
            return Some(last);
        };
        let popped = std::mem::replace(first, last);
        self.sink_from_top();
        Some(popped)
    }

    /// Puts `key` in the place of the first one, which it must not precede.
    pub(super) fn replace_first(&mut self, key: Key) {
        if let Some(first) = self.keys.first_mut() {
            *first = key;
            self.sift_down(0);
        }
    }

    /// Removes the key with this sequence number if it happens to lie at the very end, as the newest one of a later
    /// deadline than all others does.
    pub(super) fn pop_if_last(&mut self, sequence: u64) -> bool {
        let last = self.keys.last().is_some_and(|key| key.sequence == sequence);
        if last {
            self.keys.pop();
        }
        last
    }

    /// Keeps the keys for which `current` returns one, and puts that in its place.
    pub(super) fn rebuild(&mut self, mut current: impl FnMut(&Key) -> Option<Key>) {
        self.keys.retain_mut(|key| match current(key) {
            Some(new) => {
                *key = new;
                true
            }
            None => false,
        });
        // A burst of timers must not hold its memory for ever.
        if self.keys.capacity() / 4 > self.keys.len() {
            self.keys.shrink_to(self.keys.len() * 2);
        }
        for parent in (0..self.keys.len().div_ceil(ARITY)).rev() {
            self.sift_down(parent);
        }
    }

    /// Moves the key at `index` up to where its parent precedes it.
    fn sift_up(&mut self, mut index: usize) {
        let keys = &mut self.keys[..];
        let key = keys[index];
        while index > 0 {
            let parent = (index - 1) / ARITY;
            if !key.precedes(&keys[parent]) {
                break;
            }
            keys[index] = keys[parent];
            index = parent;
        }
        keys[index] = key;
    }

    /// Moves the key at `index` down to where it precedes its children.
    fn sift_down(&mut self, mut index: usize) {
        let Some(&key) = self.keys.get(index) else {
            return;
        };
        while let Some(child) = self.first_child(index) {
            if !self.keys[child].precedes(&key) {
                break;
            }
            self.keys[index] = self.keys[child];
            index = child;
        }
        self.keys[index] = key;
    }

    /// Moves the topmost key, which came from the end, down to its place.
    ///
    /// Such a key nearly always belongs near the end again, so it goes down to the bottom without being compared and
    /// from there up the little that is needed.
    fn sink_from_top(&mut self) {
        let key = self.keys[0];
        let mut index = 0;
        while let Some(child) = self.first_child(index) {
            self.keys[index] = self.keys[child];
            index = child;
        }
        self.keys[index] = key;
        self.sift_up(index);
    }

    /// The child of the node at `index` that comes first.
    fn first_child(&self, index: usize) -> Option<usize> {
        let start = index * ARITY + 1;
        if let Some(children) = self.keys.get(start..start + ARITY) {
            // All four are there, as nearly always: two comparisons side by side, then one between the winners.
            let left = usize::from(children[1].precedes(&children[0]));
            let right = 2 + usize::from(children[3].precedes(&children[2]));
            let best = if children[right].precedes(&children[left]) {
                right
            } else {
                left
            };
            return Some(start + best);
        }
        let children = self.keys.get(start..)?;
        (0..children.len())
            .min_by_key(|child| children[*child].rank())
            .map(|child| start + child)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(when: u64, sequence: u64) -> Key {
        Key {
            when: Time::from_nanos(when),
            sequence,
            slot: 0,
        }
    }

    fn drain(heap: &mut Heap) -> Vec<Key> {
        std::iter::from_fn(|| heap.pop()).collect()
    }

    fn sorted(mut keys: Vec<Key>) -> Vec<Key> {
        keys.sort_by_key(Key::rank);
        keys
    }

    #[test]
    fn time_goes_before_sequence() {
        assert!(key(1, 9).precedes(&key(2, 0)));
        assert!(key(2, 0).precedes(&key(2, 1)));
        assert!(!key(2, 1).precedes(&key(2, 1)));
        assert!(key(u64::MAX - 1, u64::MAX).precedes(&key(u64::MAX, 0)));
        assert_eq!(size_of::<Key>(), 24);
    }

    #[test]
    fn an_empty_heap_has_no_first() {
        let mut heap = Heap::new();
        assert_eq!(heap.pop(), None);
        assert_eq!(heap.first(), None);
        assert!(!heap.pop_if_last(0));
        heap.replace_first(key(0, 0));
        assert_eq!(heap.len(), 0);
    }

    #[test]
    fn the_last_key_can_be_taken_back() {
        let mut heap = Heap::new();
        heap.push(key(1, 0));
        heap.push(key(2, 1));
        assert!(!heap.pop_if_last(0));
        assert!(heap.pop_if_last(1));
        assert_eq!(drain(&mut heap), [key(1, 0)]);
    }

    #[test]
    fn rebuilding_gives_a_burst_s_memory_back() {
        let mut heap = Heap::new();
        (0..10_000).for_each(|number| heap.push(key(number, number)));
        heap.rebuild(|key| (key.sequence < 10).then_some(*key));
        assert!(heap.keys.capacity() < 100);
        assert_eq!(drain(&mut heap).len(), 10);
    }

    proptest! {
        #[test]
        fn keys_come_out_in_order(whens in proptest::collection::vec(0..50_u64, 0..300)) {
            let mut heap = Heap::new();
            let keys: Vec<Key> = (0..).zip(whens).map(|(sequence, when)| key(when, sequence)).collect();
            keys.iter().for_each(|key| heap.push(*key));
            prop_assert_eq!(drain(&mut heap), sorted(keys));
        }

        #[test]
        fn replacing_and_rebuilding_keep_the_order(
            whens in proptest::collection::vec(0..50_u64, 1..300), later in proptest::collection::vec(0..80_u64, 0..50)
        ) {
            let mut heap = Heap::new();
            let mut model: Vec<Key> = (0..).zip(whens).map(|(sequence, when)| key(when, sequence)).collect();
            model.iter().for_each(|key| heap.push(*key));
            for (sequence, more) in (1_000..).zip(later) {
                model = sorted(model);
                prop_assert_eq!(heap.first(), model.first());
                let new = Key { when: model[0].when + std::time::Duration::from_nanos(more), sequence, slot: 0 };
                model[0] = new;
                heap.replace_first(new);
            }
            let current = |old: &Key| {
                let new = Key { when: Time::from_nanos(old.when.as_nanos() * 7 % 40), ..*old };
                (old.sequence % 3 != 0).then_some(new)
            };
            heap.rebuild(current);
            prop_assert_eq!(heap.len(), model.iter().filter_map(current).count());
            prop_assert_eq!(drain(&mut heap), sorted(model.iter().filter_map(current).collect()));
        }
    }
}
