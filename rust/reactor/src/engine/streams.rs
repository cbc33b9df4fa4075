//! What the binding may ask of a stream.

use socket2::SockRef;

use super::{Engine, Entry};
use crate::buffer::part::FilePart;
use crate::sink::Handles;
use crate::stream::{Stream, Wrote};
use crate::token::Token;

impl<H: Handles> Engine<H> {
    /// Queues `chunk`.
    pub fn write(&self, token: Token, chunk: H::Chunk) -> Wrote {
        let mut state = self.state.borrow_mut();
        let Some(stream) = state.stream(token) else {
            return Wrote::Ignored;
        };
        let wrote = stream.write(chunk);
        if stream.soil() {
            state.dirty.push_back(token);
        }
        wrote
    }

    /// As [`write`](Self::write) for a chunk made of `head` and `tail`, or `None` if making that chunk is cheaper.
    pub fn write_pair(&self, token: Token, head: &[u8], tail: &[u8]) -> Option<Wrote> {
        let mut state = self.state.borrow_mut();
        let Some(stream) = state.stream(token) else {
            return Some(Wrote::Ignored);
        };
        let wrote = stream.write_pair(head, tail)?;
        if stream.soil() {
            state.dirty.push_back(token);
        }
        Some(wrote)
    }

    /// Queues a part of a file.  `None`: the stream is secured, and takes bytes only.
    pub fn write_file(&self, token: Token, part: FilePart) -> Option<Wrote> {
        let mut state = self.state.borrow_mut();
        let Some(stream) = state.stream(token) else {
            return Some(Wrote::Ignored);
        };
        let wrote = stream.write_file(part)?;
        if stream.soil() {
            state.dirty.push_back(token);
        }
        Some(wrote)
    }

    /// Closes once the outbox is empty and no producer is registered.
    pub fn lose(&self, token: Token) {
        self.change(token, Stream::lose);
    }

    /// Shuts our half once the outbox is empty.
    pub fn lose_write(&self, token: Token) {
        self.change(token, Stream::lose_write);
    }

    /// Drops what is queued and closes with a reset; the owner is told later.
    pub fn abort(&self, token: Token) {
        self.change(token, Stream::abort);
    }

    /// Closes at once because a hook raised; the owner is told later.
    pub fn fail(&self, token: Token) {
        let mut state = self.state.borrow_mut();
        if let Some(reason) = state.stream(token).and_then(Stream::hook_raised) {
            state.close(token, reason);
        }
    }

    /// Stops reading.
    pub fn pause(&self, token: Token) {
        if let Some(stream) = self.state.borrow_mut().stream(token) {
            stream.pause();
        }
    }

    /// Reads again, beginning with what came meanwhile.
    pub fn resume(&self, token: Token) {
        let mut state = self.state.borrow_mut();
        if state.stream(token).is_some_and(Stream::resume) {
            state.enqueue(token);
        }
    }

    /// Has producers hold back beyond `high_water` bytes that wait to be sent.
    pub fn set_high_water(&self, token: Token, high_water: u32) {
        if let Some(stream) = self.state.borrow_mut().stream(token) {
            stream.set_high_water(high_water);
        }
    }

    /// Closes the descriptor and forgets the stream: its owner is told nothing, and neither is the peer where somebody else
    /// has the connection as well.
    pub fn discard_stream(&self, token: Token) -> Option<H::Stream> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let Some(Entry::Stream { stream, .. }) = state.entries.get_mut(token) else {
            return None;
        };
        stream.release(&state.registrar);
        state.statistics.streams_closed += 1;
        match state.entries.remove(token) {
            Some(Entry::Stream { handle, .. }) => handle,
            _ => None,
        }
    }

    /// Lets a producer follow the outbox: a `streaming` one is paused and resumed, another is asked for each piece.
    /// Returns whether the stream still takes anything.
    pub fn register_producer(&self, token: Token, streaming: bool) -> bool {
        let mut state = self.state.borrow_mut();
        state
            .stream(token)
            .is_some_and(|stream| stream.register_producer(streaming))
    }

    /// Forgets the producer; a close that waited for it goes on.
    pub fn unregister_producer(&self, token: Token) {
        self.change(token, Stream::unregister_producer);
    }

    /// Looks at a stream; `None` once it is gone.
    pub fn stream<R>(&self, token: Token, look: impl FnOnce(&Stream<H::Chunk>) -> R) -> Option<R> {
        self.state
            .borrow_mut()
            .stream(token)
            .map(|stream| look(stream))
    }

    /// Looks at a stream's socket in a way by which it may get a second owner, as a duplicate of its descriptor is: from
    /// now on, closing the stream ends the connection for both.
    pub fn lend_socket<R>(&self, token: Token, look: impl FnOnce(SockRef<'_>) -> R) -> Option<R> {
        let mut state = self.state.borrow_mut();
        let stream = state.stream(token)?;
        stream.lent = true;
        stream.socket().map(look)
    }

    /// Applies a change that a flush is to carry out.
    fn change(&self, token: Token, change: impl FnOnce(&mut Stream<H::Chunk>)) {
        let mut state = self.state.borrow_mut();
        if let Some(stream) = state.stream(token) {
            change(stream);
            state.soil(token);
        }
    }
}
