//! Who an event is for.
//!
//! A [`Token`] is the number of a place in a [`Slab`] together with the place's generation.  When a place gets a new
//! tenant its generation moves on, so an event, a timer or a handle that was meant for the old tenant finds nobody
//! instead of a stranger: a file descriptor that the system hands out again can never meet an old event.

/// Bits of a packed token that number the slot; the others hold the generation.
///
/// On 32-bit machines a token has to fit the poller's 32 bits: four million slots are more descriptors than such a
/// machine can hold, and 1,024 generations still tell a stale event of this turn from the new tenant.
const SLOT_BITS: u32 = if usize::BITS >= 64 { 32 } else { 22 };
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
const GENERATION_BITS: u32 = if usize::BITS >= 64 { 32 } else { 10 };
const GENERATION_MASK: u32 = ((1_u64 << GENERATION_BITS) - 1) as u32;

/// Slot numbers at the top that no slab hands out: see [`Token::reserved`].
const RESERVED_SLOTS: u32 = 256;
const MAX_SLOT: u32 = SLOT_MASK as u32 - RESERVED_SLOTS;

/// The name of one tenant of a [`Slab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    slot: u32,
    generation: u32,
}

impl Token {
    /// Returns a token that no slab ever gives out, for the fixed sources of a poller such as its waker.
    #[must_use]
    pub const fn reserved(number: u8) -> Self {
        Self {
            slot: MAX_SLOT + 1 + number as u32,
            generation: 0,
        }
    }

    /// Returns the place's number; it is used again for later tenants.
    #[must_use]
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// Returns which tenant of the place is meant.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// Returns both numbers in one; [`Token::from_bits`] undoes it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    /// Takes apart what [`Token::to_bits`] made.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            slot: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }

    /// Packs the token into the word that a poller carries; [`Token::from_usize`] undoes it.
    #[must_use]
    pub const fn to_usize(self) -> usize {
        ((self.generation as u64) << SLOT_BITS | self.slot as u64) as usize
    }

    /// Unpacks a word made by [`Token::to_usize`].
    #[must_use]
    pub const fn from_usize(word: usize) -> Self {
        let word = word as u64;
        Self {
            slot: (word & SLOT_MASK) as u32,
            generation: (word >> SLOT_BITS) as u32 & GENERATION_MASK,
        }
    }
}

impl From<Token> for usize {
    fn from(token: Token) -> Self {
        token.to_usize()
    }
}

impl From<usize> for Token {
    fn from(word: usize) -> Self {
        Self::from_usize(word)
    }
}

#[derive(Clone, Debug)]
enum Place<T> {
    /// Nobody lives here; `next` is the next free place, or [`NOWHERE`].
    Free {
        next: u32,
    },
    Taken(T),
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    place: Place<T>,
}

/// The end of the list of free places.
const NOWHERE: u32 = u32::MAX;

/// Places for values that are found again by their [`Token`], in constant time.
///
/// A place that becomes free is the first to be used again, while it is still warm in the processor's cache.  A large
/// slab that empties gives its memory back and starts anew: its free places have come to lie in any order, and filling
/// them in that order costs a cache miss for each.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    len: usize,
    /// What a new place starts with: beyond all that any place had when the slab last started anew.
    first_generation: u32,
    /// The highest that a free place waits with.
    last_generation: u32,
}

/// A slab with fewer places than this is kept when it empties.
const LARGE: usize = 1024;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slab<T> {
    /// Returns an empty slab; it allocates nothing before the first value comes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: NOWHERE,
            len: 0,
            first_generation: 0,
            last_generation: 0,
        }
    }

    /// Returns how many values are in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `value` in and returns its token.
    ///
    /// # Panics
    ///
    /// With more than four thousand million values (four million on 32-bit machines), which memory forbids before.
    pub fn insert(&mut self, value: T) -> Token {
        self.insert_with(|_| value)
    }

    /// Puts in the value that `make` returns for the token it is going to have.
    ///
    /// # Panics
    ///
    /// As [`Slab::insert`].
    pub fn insert_with(&mut self, make: impl FnOnce(Token) -> T) -> Token {
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            if let Place::Free { next } = slot.place {
                let token = Token {
                    slot: self.free,
                    generation: slot.generation,
                };
                // `make` first: should it panic, nothing has changed yet.
                slot.place = Place::Taken(make(token));
                self.free = next;
                self.len += 1;
                return token;
            }
        }
        let index = self.slots.len();
        assert!(
            index <= MAX_SLOT as usize,
            "a slab holds at most {MAX_SLOT} values"
        );
        let token = Token {
            slot: index as u32,
            generation: self.first_generation,
        };
        let value = make(token);
        self.slots.push(Slot {
            generation: self.first_generation,
            place: Place::Taken(value),
        });
        self.len += 1;
        token
    }

    /// Returns the value of `token`, unless it was removed.
    #[must_use]
    pub fn get(&self, token: Token) -> Option<&T> {
        match self.slots.get(token.slot as usize) {
            Some(Slot {
                generation,
                place: Place::Taken(value),
            }) if *generation == token.generation => Some(value),
            _ => None,
        }
    }

    /// Returns the value of `token` for changing, unless it was removed.
    #[must_use]
    pub fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        match self.slots.get_mut(token.slot as usize) {
            Some(Slot {
                generation,
                place: Place::Taken(value),
            }) if *generation == token.generation => Some(value),
            _ => None,
        }
    }

    /// Whether `token` still has its value.
    #[must_use]
    pub fn contains(&self, token: Token) -> bool {
        self.get(token).is_some()
    }

    /// Takes the value of `token` out, and lets go of the token for good.
    pub fn remove(&mut self, token: Token) -> Option<T> {
        let slot = self.slots.get_mut(token.slot as usize)?;
        if slot.generation != token.generation || matches!(slot.place, Place::Free { .. }) {
            return None;
        }
        let place = std::mem::replace(&mut slot.place, Place::Free { next: self.free });
        slot.generation = slot.generation.wrapping_add(1) & GENERATION_MASK;
        self.last_generation = self.last_generation.max(slot.generation);
        self.free = token.slot;
        self.len -= 1;
        if self.len == 0 && self.slots.len() >= LARGE {
            self.start_anew();
        }
        match place {
            Place::Taken(value) => Some(value),
            Place::Free { .. } => None,
        }
    }

    /// Gives the memory of an empty slab back; no token given out before will ever be given out again.
    fn start_anew(&mut self) {
        // Once generations have come round, none is beyond all others.
        if self.last_generation < GENERATION_MASK {
            self.first_generation = self.last_generation;
            self.slots = Vec::new();
            self.free = NOWHERE;
        }
    }

    /// Returns the token and value of whoever lives in this place now, if anybody does.
    #[must_use]
    pub fn tenant(&self, slot: u32) -> Option<(Token, &T)> {
        match self.slots.get(slot as usize) {
            Some(Slot {
                generation,
                place: Place::Taken(value),
            }) => Some((
                Token {
                    slot,
                    generation: *generation,
                },
                value,
            )),
            _ => None,
        }
    }

    /// Returns the value of whoever lives in this place now, for changing.
    #[must_use]
    pub fn tenant_mut(&mut self, slot: u32) -> Option<(Token, &mut T)> {
        match self.slots.get_mut(slot as usize) {
            Some(Slot {
                generation,
                place: Place::Taken(value),
            }) => Some((
                Token {
                    slot,
                    generation: *generation,
                },
                value,
            )),
            _ => None,
        }
    }

    /// Goes through all values, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (Token, &T)> {
        (0..)
            .zip(&self.slots)
            .filter_map(|(slot, entry)| match &entry.place {
                Place::Taken(value) => Some((
                    Token {
                        slot,
                        generation: entry.generation,
                    },
                    value,
                )),
                Place::Free { .. } => None,
            })
    }

    /// Goes through all values for changing, in the order of their places.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Token, &mut T)> {
        (0..)
            .zip(&mut self.slots)
            .filter_map(|(slot, entry)| match &mut entry.place {
                Place::Taken(value) => Some((
                    Token {
                        slot,
                        generation: entry.generation,
                    },
                    value,
                )),
                Place::Free { .. } => None,
            })
    }

    /// Takes every value out; tokens given out so far stay without effect for ever.
    pub fn take_all(&mut self) -> Vec<T> {
        let tokens: Vec<Token> = self.iter().map(|(token, _)| token).collect();
        tokens
            .into_iter()
            .filter_map(|token| self.remove(token))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_token_survives_as_a_number() {
        for (slot, generation) in [(0, 0), (1, 2), (MAX_SLOT, u32::MAX)] {
            let token = Token { slot, generation };
            assert_eq!(Token::from_bits(token.to_bits()), token);
        }
    }

    #[test]
    fn a_large_slab_that_empties_starts_anew_and_forgets_no_token() {
        let mut slab = Slab::new();
        let old: Vec<Token> = (0..LARGE).map(|value| slab.insert(value)).collect();
        for token in &old {
            slab.remove(*token);
        }
        assert_eq!(slab.slots.capacity(), 0);
        let new: Vec<Token> = (0..LARGE).map(|value| slab.insert(value)).collect();
        assert!(new.iter().map(|token| token.slot() as usize).eq(0..LARGE));
        assert!(old.iter().all(|token| slab.get(*token).is_none()));
    }

    #[test]
    fn a_stale_token_never_meets_the_new_tenant() {
        let mut slab = Slab::new();
        let old = slab.insert("old");
        assert_eq!(slab.remove(old), Some("old"));
        let new = slab.insert("new");
        assert_eq!(new.slot(), old.slot());
        assert_ne!(new, old);
        assert_eq!(slab.get(old), None);
        assert_eq!(slab.get_mut(old), None);
        assert_eq!(slab.remove(old), None);
        assert!(!slab.contains(old));
        assert_eq!(slab.get(new), Some(&"new"));
        assert_eq!(slab.tenant(old.slot()), Some((new, &"new")));
        assert_eq!(slab.tenant_mut(old.slot()), Some((new, &mut "new")));
    }

    #[test]
    fn a_value_can_know_its_own_token() {
        let mut slab = Slab::new();
        let first = slab.insert_with(|token| token);
        assert_eq!(slab.get(first), Some(&first));
        slab.remove(first);
        let second = slab.insert_with(|token| token);
        assert_eq!(slab.get(second), Some(&second));
    }

    #[test]
    fn a_token_that_was_never_given_out_finds_nothing() {
        let mut slab = Slab::from_iter_for_test([1, 2, 3]);
        for token in [
            Token::reserved(0),
            Token::reserved(255),
            Token {
                slot: 3,
                generation: 0,
            },
        ] {
            assert_eq!(slab.get(token), None);
            assert_eq!(slab.remove(token), None);
        }
        assert_eq!(slab.tenant(3), None);
        assert_eq!(slab.len(), 3);
    }

    #[test]
    fn taking_everything_leaves_no_valid_token() {
        let mut slab = Slab::new();
        let tokens = [slab.insert(1), slab.insert(2), slab.insert(3)];
        slab.remove(tokens[1]);
        assert_eq!(slab.take_all(), [1, 3]);
        assert!(slab.is_empty());
        let again = slab.insert(4);
        assert!(
            tokens
                .iter()
                .all(|token| !slab.contains(*token) && *token != again)
        );
    }

    #[test]
    fn generations_go_round_within_their_bits() {
        let mut slab = Slab::new();
        let token = slab.insert(());
        slab.slots[0].generation = GENERATION_MASK;
        let last = Token {
            slot: token.slot,
            generation: GENERATION_MASK,
        };
        assert_eq!(slab.remove(last), Some(()));
        assert_eq!(slab.insert(()).generation(), 0);
    }

    #[test]
    fn values_can_be_changed_in_place() {
        let mut slab = Slab::from_iter_for_test([1, 2]);
        slab.iter_mut().for_each(|(_, value)| *value *= 10);
        assert_eq!(
            slab.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            [10, 20]
        );
    }

    impl<T> Slab<T> {
        fn from_iter_for_test(values: impl IntoIterator<Item = T>) -> Self {
            let mut slab = Self::default();
            for value in values {
                slab.insert(value);
            }
            slab
        }
    }

    proptest! {
        #[test]
        fn packing_is_lossless(slot in 0..=MAX_SLOT, generation in 0..=GENERATION_MASK) {
            let token = Token { slot, generation };
            prop_assert_eq!(Token::from(usize::from(token)), token);
            prop_assert!((0..=255).all(|number| Token::reserved(number).to_usize() != token.to_usize()));
        }

        #[test]
        fn it_behaves_as_a_map_whose_keys_are_never_used_twice(
            script in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..200)
        ) {
            let mut slab = Slab::new();
            let mut model: BTreeMap<Token, usize> = BTreeMap::new();
            let mut given: Vec<Token> = Vec::new();
            for (step, (insert, index)) in script.into_iter().enumerate() {
                if insert || given.is_empty() {
                    let token = slab.insert(step);
                    prop_assert!(!given.contains(&token));
                    given.push(token);
                    model.insert(token, step);
                } else {
                    let token = *index.get(&given);
                    prop_assert_eq!(slab.remove(token), model.remove(&token));
                }
                prop_assert_eq!(slab.len(), model.len());
                prop_assert_eq!(slab.is_empty(), model.is_empty());
                for token in &given {
                    prop_assert_eq!(slab.get(*token), model.get(token));
                }
                let mut listed: Vec<_> = slab.iter().map(|(token, value)| (token, *value)).collect();
                listed.sort_unstable();
                prop_assert_eq!(listed, model.iter().map(|(token, value)| (*token, *value)).collect::<Vec<_>>());
            }
        }
    }
}
