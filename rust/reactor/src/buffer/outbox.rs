//! What a stream still has to write.
//!
//! Writing only queues: the loop flushes once per turn, so a header and its body leave in one system call.  Large
//! chunks are kept by reference until the kernel has taken them, small ones are copied together, and the one chunk of
//! the commonest case, a single write that the kernel takes whole, is neither copied nor given any memory of its own.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use super::SHORT_IS_LAST;
use super::part::{FilePart, Way};

/// Chunks shorter than this are copied behind each other, unless they are alone.
///
/// Copying 2 KiB takes about 50 ns; an entry of its own in a vectored write, with a reference to be dropped afterwards,
/// takes as much.
pub const COALESCE_LIMIT: usize = 2 * 1024;

/// A buffer of copied bytes is closed, and the next one begun, when it would grow beyond this.
///
/// It is freed only as a whole, so a slow peer holds at most this much memory for bytes that have already left.
pub const TAIL_LIMIT: usize = 16 * 1024;

/// More bytes than this in an outbox make it full: its producer is to pause until it is empty again.
///
/// The size that protocols written for Twisted know.
pub const HIGH_WATER: u32 = 64 * 1024;

/// How many chunks one system call is given at most.
///
/// The kernel takes 1,024; 64 small ones fill a socket's buffer less than one large one does, but their list is then
/// small enough to be built on the stack for each call.
const MAX_SLICES: usize = 64;

/// After how many bytes a flush lets the others go first.
///
/// A writer that is drained on another core may take all that there is, and half a gigabyte keeps the loop for a fifth of a
/// second.
pub const FLUSH_SHARE: usize = 1024 * 1024;

/// The least memory that a buffer of copied bytes starts with.
const TAIL_START: usize = 1024;

/// What became of an [`Outbox::flush`].
#[derive(Debug)]
#[must_use]
pub struct Flush {
    /// How many bytes the writer took.
    pub written: usize,
    /// The outbox had been full and is now empty: a producer that was paused goes on.
    pub relieved: bool,
    /// Why it ended.
    pub outcome: Outcome,
}

/// Why an [`Outbox::flush`] ended.
#[derive(Debug)]
pub enum Outcome {
    /// Everything is written.
    Drained,
    /// The writer takes no more for now: flush again when it is writable.
    Blocked,
    /// It has had its share, and may take more: flush again when the others have had theirs.
    Yielded,
    /// The writer is broken; what it did not take is still queued.
    Failed(io::Error),
}

#[derive(Debug)]
enum Piece<C> {
    Shared(C),
    Copied(Vec<u8>),
    File(FilePart),
}

impl<C: AsRef<[u8]>> Piece<C> {
    /// The bytes; `None` for those of a file.
    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Shared(chunk) => Some(chunk.as_ref()),
            Self::Copied(bytes) => Some(bytes),
            Self::File(_) => None,
        }
    }
}

/// Everything behind the first chunk: the pieces in order, then the tail that small chunks are copied to.
#[derive(Debug)]
struct Rest<C> {
    pieces: VecDeque<Piece<C>>,
    tail: Vec<u8>,
    /// How many of the pieces are of files.
    files: usize,
}

impl<C> Default for Rest<C> {
    fn default() -> Self {
        Self {
            pieces: VecDeque::new(),
            tail: Vec::new(),
            files: 0,
        }
    }
}

impl<C> Rest<C> {
    fn copy(&mut self, bytes: &[u8]) {
        if self.tail.len() + bytes.len() > TAIL_LIMIT && !self.tail.is_empty() {
            // Who filled one buffer is likely to fill the next.
            self.seal(TAIL_LIMIT.max(bytes.len()));
        } else if self.tail.capacity() == 0 {
            self.tail.reserve(TAIL_START.max(bytes.len()));
        }
        self.tail.extend_from_slice(bytes);
    }

    /// Ends the tail, so that what comes next stays behind it.
    fn seal(&mut self, next_capacity: usize) {
        if !self.tail.is_empty() {
            let full = std::mem::replace(&mut self.tail, Vec::with_capacity(next_capacity));
            self.pieces.push_back(Piece::Copied(full));
        }
    }
}

/// The queue of what one stream has to write.
///
/// `C` is a chunk of bytes that is kept by reference.  Chunks leave through the `release` function given to
/// [`flush`](Self::flush) and [`clear`](Self::clear), so that a binding whose chunks may only be dropped in a certain
/// state decides when that is; [`push_small_or_shared`](Self::push_small_or_shared) drops the chunk it has copied, and
/// dropping an outbox drops what is in it.
#[derive(Debug)]
pub struct Outbox<C> {
    /// The chunk that came when the outbox was empty.
    first: Option<C>,
    /// Only while there is more than that, so that an idle connection costs no queue.
    rest: Option<Box<Rest<C>>>,
    /// How much of the foremost piece is written.
    sent: usize,
    len: usize,
    high_water: u32,
    full: bool,
}

impl<C> Default for Outbox<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Outbox<C> {
    /// Returns an empty outbox that is full beyond [`HIGH_WATER`] bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_high_water(HIGH_WATER)
    }

    /// Returns an empty outbox that is full beyond `high_water` bytes.
    #[must_use]
    pub const fn with_high_water(high_water: u32) -> Self {
        Self {
            first: None,
            rest: None,
            sent: 0,
            len: 0,
            high_water,
            full: false,
        }
    }

    /// Returns how many bytes are queued.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is queued.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes it full beyond `high_water` bytes from now on.
    pub const fn set_high_water(&mut self, high_water: u32) {
        self.high_water = high_water;
    }

    /// Whether it went above its high water mark and has not been empty since: a producer is to hold back.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// Counts what was queued; returns whether that made the outbox full.
    fn grown(&mut self, more: usize) -> bool {
        self.len += more;
        let crossed = !self.full && self.len > self.high_water as usize;
        self.full |= crossed;
        crossed
    }
}

impl<C: AsRef<[u8]>> Outbox<C> {
    /// Queues a chunk by reference, whatever its size.  An empty chunk is dropped.
    ///
    /// Returns whether this made the outbox full: the producer is to pause.  It is said once; the next change is told
    /// by [`Flush::relieved`].
    pub fn push(&mut self, chunk: C) -> bool {
        let size = chunk.as_ref().len();
        if size == 0 {
            return false;
        }
        if self.len == 0 {
            self.first = Some(chunk);
        } else {
            let rest = self.rest.get_or_insert_default();
            rest.seal(0);
            rest.pieces.push_back(Piece::Shared(chunk));
        }
        self.grown(size)
    }

    /// Queues a copy of `bytes`.  Returns whether this made the outbox full, as [`push`](Self::push) does.
    pub fn push_copy(&mut self, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return false;
        }
        self.rest.get_or_insert_default().copy(bytes);
        self.grown(bytes.len())
    }

    /// Queues a part of a file.  One of no bytes is dropped.  Returns whether this made the outbox full, as
    /// [`push`](Self::push) does.
    pub fn push_file(&mut self, part: FilePart) -> bool {
        let size = part.len();
        if size == 0 {
            return false;
        }
        let rest = self.rest.get_or_insert_default();
        rest.seal(0);
        rest.pieces.push_back(Piece::File(part));
        rest.files += 1;
        self.grown(size)
    }

    /// Queues bytes that nobody else has.  Nothing is told of the outbox becoming full.
    pub fn push_vec(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let size = bytes.len();
        let rest = self.rest.get_or_insert_default();
        rest.seal(0);
        rest.tail = bytes;
        self.grown(size);
    }

    /// Takes at most `limit` bytes off the front, after they were shown to `taker`; chunks that are wholly taken go to
    /// `release`.  It ends before a part of a file.
    pub fn take<R>(
        &mut self,
        limit: usize,
        mut release: impl FnMut(C),
        taker: impl FnOnce(&[&[u8]]) -> R,
    ) -> R {
        let mut slices: [&[u8]; MAX_SLICES] = [&[]; MAX_SLICES];
        let (mut count, mut taken) = (0, 0);
        let mut skip = self.sent;
        for (slice, piece) in slices.iter_mut().zip(self.pieces()) {
            let piece = piece.get(skip..).unwrap_or_default();
            skip = 0;
            *slice = piece.get(..limit - taken).unwrap_or(piece);
            taken += slice.len();
            count += 1;
            if taken == limit {
                break;
            }
        }
        let result = taker(&slices[..count]);
        self.advance(taken, &mut release);
        if self.len == 0 {
            self.full = false;
        }
        result
    }

    /// Queues a chunk in the cheapest way: by reference if it is the only one or not below [`COALESCE_LIMIT`], else by
    /// copying it to its predecessors and dropping it.  Returns whether this made the outbox full, as
    /// [`push`](Self::push) does.
    pub fn push_small_or_shared(&mut self, chunk: C) -> bool {
        if self.len > 0 && chunk.as_ref().len() < COALESCE_LIMIT {
            self.copy_first();
            self.push_copy(chunk.as_ref())
        } else {
            self.push(chunk)
        }
    }

    /// Queues `head` and then `tail`, copied behind what is queued, which is cheaper than a chunk made of both.  Returns
    /// whether this made the outbox full, as [`push`](Self::push) does, or `None` if a chunk would be cheaper: there is
    /// nothing to copy them to, or they are not small.
    pub fn push_pair(&mut self, head: &[u8], tail: &[u8]) -> Option<bool> {
        let size = head.len() + tail.len();
        if self.len == 0 || size == 0 || size >= COALESCE_LIMIT {
            return None;
        }
        self.copy_first();
        let rest = self.rest.get_or_insert_default();
        rest.copy(head);
        rest.copy(tail);
        Some(self.grown(size))
    }

    /// A second small chunk shows that the first, if it is small too, was no message of its own: copied to the same
    /// buffer, they leave by one plain `write`, which costs the kernel less than a vector of two.
    fn copy_first(&mut self) {
        if self.rest.is_some() || self.sent > 0 {
            return;
        }
        if let Some(chunk) = self
            .first
            .take_if(|chunk| chunk.as_ref().len() < COALESCE_LIMIT)
        {
            self.rest.get_or_insert_default().copy(chunk.as_ref());
        }
    }

    /// Writes as much as `writer` takes, and hands each chunk that is wholly written to `release`.
    ///
    /// A single piece goes by `write`, several go by `write_vectored`, a part of a file by `send_file`.  It ends when
    /// everything is written, when the writer takes less than it was offered or would block, or at the first error other
    /// than `Interrupted`, which is tried again.  A file that ends before its part does is an error, too.
    pub fn flush(&mut self, writer: &mut impl Way, mut release: impl FnMut(C)) -> Flush {
        let mut written = 0;
        let outcome = loop {
            if self.len == 0 {
                break Outcome::Drained;
            }
            if let Some(part) = self.file_at_front() {
                match part.send(writer, FLUSH_SHARE.saturating_sub(written)) {
                    // Less than was asked for may be left in the file, or be room in the kernel: the next call tells.
                    Ok(taken) => {
                        written += taken;
                        self.len -= taken;
                        self.drop_file_sent();
                        if written >= FLUSH_SHARE && self.len > 0 {
                            break Outcome::Yielded;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        break Outcome::Blocked;
                    }
                    Err(error) => break Outcome::Failed(error),
                }
                continue;
            }
            let (offered, answer) = self.offer(writer);
            match answer {
                Ok(0) => break Outcome::Failed(io::ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    let taken = taken.min(offered);
                    written += taken;
                    self.advance(taken, &mut release);
                    if taken < offered && SHORT_IS_LAST {
                        break Outcome::Blocked;
                    }
                    if written >= FLUSH_SHARE && self.len > 0 {
                        break Outcome::Yielded;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Outcome::Blocked,
                Err(error) => break Outcome::Failed(error),
            }
        };
        let relieved = self.full && self.len == 0;
        if relieved {
            self.full = false;
        }
        Flush {
            written,
            relieved,
            outcome,
        }
    }

    /// Throws away what is queued; chunks go to `release`.
    pub fn clear(&mut self, mut release: impl FnMut(C)) {
        let first = self.first.take();
        let rest = self.rest.take();
        (self.sent, self.len, self.full) = (0, 0, false);
        // Only now, as releasing a chunk may run anything.
        first.into_iter().for_each(&mut release);
        for piece in rest.into_iter().flat_map(|rest| rest.pieces) {
            if let Piece::Shared(chunk) = piece {
                release(chunk);
            }
        }
    }

    /// Goes through the pieces from the front, up to a part of a file; the first may be written in part.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let rest = self.rest.iter().flat_map(|rest| {
            let tail = rest.files == 0 && !rest.tail.is_empty();
            rest.pieces
                .iter()
                .map_while(Piece::bytes)
                .chain(tail.then_some(&rest.tail[..]))
        });
        self.first.iter().map(AsRef::as_ref).chain(rest)
    }

    /// The part of a file that is to be sent next, if bytes are not.
    #[inline]
    fn file_at_front(&mut self) -> Option<&mut FilePart> {
        match (&self.first, &mut self.rest) {
            (None, Some(rest)) if rest.files > 0 => match rest.pieces.front_mut() {
                Some(Piece::File(part)) => Some(part),
                _ => None,
            },
            _ => None,
        }
    }

    /// Lets the part at the front go if all of it is sent.
    fn drop_file_sent(&mut self) {
        if self.file_at_front().is_some_and(|part| part.is_empty()) {
            if let Some(rest) = &mut self.rest {
                rest.pieces.pop_front();
                rest.files -= 1;
            }
            if self.len == 0 {
                self.rest = None;
            }
        }
    }

    /// Lets `writer` choose from the front of the queue; returns how much it was offered as well.
    fn offer(&self, writer: &mut impl Way) -> (usize, io::Result<usize>) {
        if let (Some(chunk), None) = (&self.first, &self.rest) {
            let bytes = chunk.as_ref().get(self.sent..).unwrap_or_default();
            return (bytes.len(), writer.write(bytes));
        }
        let mut pieces = self.pieces();
        let front = pieces
            .next()
            .and_then(|piece| piece.get(self.sent..))
            .unwrap_or_default();
        if front.len() == self.len {
            return (front.len(), writer.write(front));
        }
        let mut pieces = pieces.peekable();
        if pieces.peek().is_none() {
            return (front.len(), writer.write_before_file(front));
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        slices[0] = IoSlice::new(front);
        let (mut count, mut offered) = (1, front.len());
        for (slice, piece) in slices[1..].iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            count += 1;
            offered += piece.len();
        }
        (offered, writer.write_vectored(&slices[..count]))
    }

    /// Takes `count` bytes off the front.
    fn advance(&mut self, count: usize, release: &mut impl FnMut(C)) {
        self.len -= count;
        self.sent += count;
        if let Some(chunk) = &self.first {
            let size = chunk.as_ref().len();
            if self.sent < size {
                return;
            }
            self.sent -= size;
            if let Some(chunk) = self.first.take() {
                release(chunk);
            }
        }
        let Some(rest) = &mut self.rest else { return };
        while let Some(piece) = rest.pieces.front().and_then(Piece::bytes) {
            let size = piece.len();
            if self.sent < size {
                return;
            }
            self.sent -= size;
            if let Some(Piece::Shared(chunk)) = rest.pieces.pop_front() {
                release(chunk);
            }
        }
        if self.len == 0 {
            self.sent = 0;
            self.rest = None;
        }
    }
}

#[cfg(test)]
mod tests;
