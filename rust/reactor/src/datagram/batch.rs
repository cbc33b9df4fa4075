//! What was taken from the kernel in one call.

use crate::address::Address;
use crate::buffer::inbox::READ_SIZE;

/// How many datagrams are taken in one call at most, and how many answers are sent in one.  What a call costs besides its
/// datagrams is then shared by enough of them; more would only make the first answer wait longer.
pub const BATCH: usize = 16;

/// Datagrams and where they came from.
#[derive(Debug, Default)]
pub struct Batch {
    /// Room for [`BATCH`] of them, if that is not too much, else for fewer.
    pub(super) bytes: Vec<u8>,
    /// How much of that is one datagram's.
    pub(super) room: usize,
    pub(super) sizes: Vec<(usize, Address)>,
    /// Those that were held back, which have memory of their own.
    kept: Vec<Vec<u8>>,
}

impl Batch {
    /// Forgets what is in it.
    pub(super) fn clear(&mut self) {
        self.sizes.clear();
        self.kept.clear();
    }

    /// Makes room for datagrams of `room` bytes; returns for how many.
    pub(super) fn prepare(&mut self, room: usize) -> usize {
        let slots = (READ_SIZE / room).clamp(1, BATCH);
        if self.bytes.len() < slots * room {
            // Fresh zeroed memory comes from the system untouched: pages that no datagram fills are never made.
            self.bytes = vec![0; (slots * room).max(READ_SIZE)];
        }
        self.room = room;
        slots
    }

    /// Adds a datagram that was held back.
    pub(super) fn put(&mut self, bytes: Vec<u8>, from: Address) {
        self.sizes.push((bytes.len(), from));
        self.kept.push(bytes);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// How many bytes they have together.
    pub(crate) fn total(&self) -> usize {
        self.sizes.iter().map(|(size, _)| size).sum()
    }

    /// One of them.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<(&[u8], &Address)> {
        let (size, from) = self.sizes.get(index)?;
        let bytes = match self.kept.get(index) {
            Some(kept) => kept,
            None => {
                let start = index * self.room;
                self.bytes.get(start..start + size)?
            }
        };
        Some((bytes, from))
    }
}

#[cfg(test)]
mod tests {
    use super::{BATCH, Batch};
    use crate::address::Address;
    use crate::buffer::inbox::READ_SIZE;

    #[test]
    fn there_is_room_for_many_small_ones_or_for_one_large_one() {
        let mut batch = Batch::default();
        assert_eq!(batch.prepare(8192), BATCH);
        assert_eq!(batch.bytes.len(), READ_SIZE);
        assert_eq!(batch.prepare(65_536), 4);
        assert_eq!(batch.prepare(READ_SIZE + 1), 1);
        assert_eq!(batch.bytes.len(), READ_SIZE + 1);
        assert_eq!(batch.prepare(1), BATCH);
    }

    #[test]
    fn each_is_where_it_was_put() {
        let mut batch = Batch::default();
        batch.prepare(4);
        batch.bytes[..8].copy_from_slice(b"one.two.");
        batch.sizes = vec![(3, Address::unnamed()), (4, Address::unnamed())];
        assert_eq!(batch.total(), 7);
        assert_eq!(batch.get(0).map(|got| got.0), Some(&b"one"[..]));
        assert_eq!(batch.get(1).map(|got| got.0), Some(&b"two."[..]));
        assert!(batch.get(2).is_none());
        batch.clear();
        batch.put(b"kept".to_vec(), Address::unnamed());
        assert_eq!(batch.get(0).map(|got| got.0), Some(&b"kept"[..]));
        assert_eq!(batch.len(), 1);
    }
}
