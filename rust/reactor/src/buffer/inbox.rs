//! How much is read, and into what.
//!
//! All streams of a loop read into one [`ReadBuffer`], from which the binding copies exactly what came: an idle
//! connection owns no memory for input, and a small message costs no large allocation.  A stream that is moving bulk
//! data is read into fresh memory that the binding lends, so that nothing is copied; [`Appetite`] tells the two apart.
//! [`Share`] ends a stream's turn when it has had its part, so that one fast peer cannot starve the others.

use super::SHORT_IS_LAST;

/// How much one read asks for at most.
///
/// Four times what a socket's buffer holds by default: with 64 KiB a bulk stream costs two and a half times the time.
pub const READ_SIZE: usize = 256 * 1024;

/// A read that brought this much is taken for a sign that the next one will, too.
///
/// Below it, copying costs less than fresh memory of [`READ_SIZE`] does.
pub const BULK_READ: usize = 64 * 1024;

/// How much one stream may read in one turn before the others have theirs.
pub const FAIR_SHARE: usize = 256 * 1024;

/// Teaches the allocator that blocks of [`READ_SIZE`] come and go.
///
/// Glibc maps a block above its threshold anew each time and gives it back at once: four system calls, and a page fault
/// for every four kilobytes read, a quarter of what a bulk stream costs.  It raises the threshold when such a block is
/// freed whole, but a lease is made smaller first.  So one is freed here.
pub fn prepare_allocator() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(
        2 * READ_SIZE,
    )));
}

/// The memory that all streams of a loop read into, in turns.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Where a part of what was read lies that is to be delivered: the plaintext of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins.
    pub start: usize,
    /// How long it is.
    pub size: usize,
}

/// Puts pieces behind each other, to the front of the memory that they lie in; returns their size.
pub fn gather(room: &mut [u8], pieces: &[Piece]) -> usize {
    let mut at = 0;
    for piece in pieces {
        room.copy_within(piece.start..piece.start + piece.size, at);
        at += piece.size;
    }
    at
}

impl ReadBuffer {
    /// Returns a buffer that takes its memory when it is first used.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// Returns [`READ_SIZE`] bytes to read into; what is in them is left over from earlier reads.
    #[must_use]
    pub fn room(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            // Fresh zeroed memory comes from the system untouched: pages that no read fills are never made.
            self.bytes = vec![0; READ_SIZE];
        }
        &mut self.bytes
    }

    /// Returns the room, and a list for what of it is to be delivered.
    pub fn parts(&mut self) -> (&mut [u8], &mut Vec<Piece>) {
        let _ = self.room();
        (&mut self.bytes, &mut self.pieces)
    }

    /// Returns the first `filled` bytes, which the last read brought.
    #[must_use]
    pub fn received(&self, filled: usize) -> &[u8] {
        self.bytes.get(..filled).unwrap_or(&self.bytes)
    }
}

/// What a stream's last read tells of its next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appetite {
    bulk: bool,
}

impl Appetite {
    /// The appetite of a stream that has read nothing yet: small.
    #[must_use]
    pub const fn new() -> Self {
        Self { bulk: false }
    }

    /// Whether the next read is worth fresh memory; else it goes into the [`ReadBuffer`].
    #[must_use]
    pub const fn wants_lease(self) -> bool {
        self.bulk
    }

    /// Notes that a read brought `size` bytes.
    pub const fn note(&mut self, size: usize) {
        self.bulk = size >= BULK_READ;
    }
}

/// What to do after a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is nothing more for now: wait for the poller.
    Wait,
    /// There may be more: read again.
    Again,
    /// There may be more, but the others come first: read again in the next turn, as the poller will not say it again.
    Yield,
}

/// What is left of one stream's share of a turn.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    left: usize,
}

impl Default for Share {
    fn default() -> Self {
        Self::new()
    }
}

impl Share {
    /// Returns a full share.
    #[must_use]
    pub const fn new() -> Self {
        Self { left: FAIR_SHARE }
    }

    /// Counts a read that asked for `room` bytes and got `size`, and tells what to do next.
    ///
    /// A short read shows that the kernel has nothing more, which saves the call that would be told so; unless something
    /// is known to lie behind what it brought (`read_on`), such as the end: the poller will not speak of it again.
    pub const fn after_read(&mut self, room: usize, size: usize, read_on: bool) -> Next {
        self.left = self.left.saturating_sub(size);
        if size < room && !read_on && SHORT_IS_LAST {
            Next::Wait
        } else if self.left == 0 {
            Next::Yield
        } else {
            Next::Again
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_takes_memory_when_it_is_used_and_keeps_it() {
        let mut buffer = ReadBuffer::new();
        assert!(buffer.received(10).is_empty());
        assert_eq!(buffer.bytes.capacity(), 0);
        let room = buffer.room();
        assert_eq!(room.len(), READ_SIZE);
        room[..5].copy_from_slice(b"hello");
        assert_eq!(buffer.received(5), b"hello");
        assert_eq!(&buffer.room()[..5], b"hello");
        assert_eq!(buffer.received(usize::MAX).len(), READ_SIZE);
    }

    #[test]
    fn bulk_is_recognised_by_the_last_read_alone() {
        let mut appetite = Appetite::new();
        assert!(!appetite.wants_lease());
        for (size, bulk) in [
            (BULK_READ - 1, false),
            (BULK_READ, true),
            (READ_SIZE, true),
            (1, false),
        ] {
            appetite.note(size);
            assert_eq!(appetite.wants_lease(), bulk, "{size}");
        }
        assert_eq!(size_of::<Appetite>(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_short_read_is_the_last_unless_the_end_is_known_to_follow() {
        assert_eq!(Share::new().after_read(READ_SIZE, 100, false), Next::Wait);
        assert_eq!(Share::new().after_read(READ_SIZE, 100, true), Next::Again);
    }

    #[test]
    fn a_full_read_is_followed_by_another_until_the_share_is_used_up() {
        let mut share = Share::default();
        for _ in 1..FAIR_SHARE / 1024 {
            assert_eq!(share.after_read(1024, 1024, false), Next::Again);
        }
        assert_eq!(share.after_read(1024, 1024, false), Next::Yield);
        assert_eq!(share.after_read(1024, 1024, true), Next::Yield);
        assert_eq!(share.after_read(1024, 10, false), Next::Wait);
    }
}
