//! Streams that are secured: how they begin, are read and are given up.

use super::serve::Reading;
use super::{Engine, Entry, State};
use crate::buffer::inbox::{Next, Piece, Share, gather};
use crate::clock::Time;
use crate::sink::{Handles, Sink};
use crate::stream::Unsealed;
use crate::tls::{StartError, TlsConfig};
use crate::token::Token;

/// How many handshakes go on in one turn, if not more connections are ready than a few times that.
///
/// Each keeps the loop for a quarter of a millisecond, a hundred times what a message costs: connections that stand are not
/// to wait for all that come in at once.
const HANDSHAKES: usize = 32;

/// Which part of what is ready may be handshakes, where that is more: turns that serve thousands take long, and so many
/// of them must not pass before a handshake is over that its time is.
const HANDSHAKING_PART: usize = 4;

/// How many handshakes go on in a turn that finds so many descriptors ready.
pub(super) const fn handshakes_of(ready: usize) -> usize {
    let part = ready / HANDSHAKING_PART;
    if part > HANDSHAKES { part } else { HANDSHAKES }
}

impl<H: Handles> Engine<H> {
    /// Secures a stream by TLS: what was written so far is sent as it is, what is read from now on is TLS.  A client needs
    /// the server's name, unless its context does not look at names.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn start_tls(
        &self,
        token: Token,
        config: &TlsConfig,
        name: Option<&str>,
    ) -> Result<(), StartError> {
        let mut state = self.state.borrow_mut();
        let Some(stream) = state.stream(token) else {
            return Err(StartError::Closing);
        };
        let patience = stream.start_tls(config, name)?;
        let deadline = self.clock.now().after(patience);
        state.set_deadline(token, Some(deadline));
        state.soil(token);
        Ok(())
    }

    /// Gives up on streams whose time has come.
    pub(super) fn see_to_deadlines(&self) {
        let mut state = self.state.borrow_mut();
        if state.deadlines.is_empty() {
            return;
        }
        let expiry = state.deadlines.begin_expiry(self.clock.now());
        while let Some((_, token)) = state.deadlines.pop_expired(&expiry) {
            let reason = state.stream(token).and_then(|stream| stream.expire());
            if let Some(reason) = reason {
                state.close(token, reason);
            }
        }
    }

    /// As `receive`, for a stream that is secured.
    pub(super) fn receive_records<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        share: &mut Share,
    ) -> Reading<H::Stream, S::Data> {
        let mut buffer = self.buffer.take().unwrap_or_default();
        let (room, pieces) = buffer.parts();
        let reading = self.unseal(sink, token, room, pieces, share);
        let reading = reading.map(|total| deliverable::<H, S>(sink, room, pieces, total));
        self.buffer.set(Some(buffer));
        reading
    }

    fn unseal<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        room: &mut [u8],
        pieces: &mut Vec<Piece>,
        share: &mut Share,
    ) -> Reading<H::Stream, usize> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let Some(Entry::Stream {
            stream,
            handle: Some(handle),
        }) = state.entries.get_mut(token)
        else {
            return Reading::Nothing(Next::Wait);
        };
        if stream.is_handshaking() {
            if state.handshakes == 0 {
                return Reading::Nothing(Next::Yield);
            }
            state.handshakes -= 1;
        }
        match stream.receive_records(room, pieces, share) {
            Unsealed::Data(next) => {
                stream.busy = true;
                let total = pieces.iter().map(|piece| piece.size).sum();
                Reading::Data(sink.share_stream(handle), total, next)
            }
            Unsealed::Secured(peer) => {
                stream.busy = true;
                let shared = sink.share_stream(handle);
                state.set_deadline(token, None);
                Reading::Secured(shared, peer)
            }
            Unsealed::End => {
                stream.busy = true;
                Reading::End(sink.share_stream(handle))
            }
            Unsealed::Nothing(next) => Reading::Nothing(next),
            Unsealed::Close(reason) => {
                state.close(token, reason);
                Reading::Nothing(Next::Wait)
            }
        }
    }
}

/// The plaintext in the binding's form: one piece is copied as any read is, several are copied behind each other.
fn deliverable<H: Handles, S: Sink<H>>(
    sink: &S,
    room: &mut [u8],
    pieces: &[Piece],
    total: usize,
) -> S::Data {
    if let [piece] = pieces {
        let end = piece.start + piece.size;
        return sink.copy(room.get(piece.start..end).unwrap_or_default());
    }
    if let Some(mut lease) = sink.lend(total) {
        let mut memory = lease.as_mut();
        for piece in pieces {
            let bytes = room.get(piece.start..piece.start + piece.size);
            let (Some(bytes), Some((place, rest))) =
                (bytes, memory.split_at_mut_checked(piece.size))
            else {
                break; // the binding lent less than it was asked for
            };
            // A loop over two slices of one size is what the compiler knows as a copy.
            for (place, byte) in place.iter_mut().zip(bytes) {
                place.write(*byte);
            }
            memory = rest;
        }
        return sink.accept_lease(lease, total);
    }
    let total = gather(room, pieces);
    sink.copy(room.get(..total).unwrap_or_default())
}

impl<H: Handles> State<H> {
    /// Has the engine look after a stream at `when`, instead of whenever it would have.
    pub(super) fn set_deadline(&mut self, token: Token, when: Option<Time>) {
        let deadline = when.map(|when| self.deadlines.schedule(when, token));
        let before = self
            .stream(token)
            .and_then(|stream| stream.set_deadline(deadline));
        if let Some(before) = before {
            self.deadlines.cancel(before);
        }
        // Whoever lingers may have read its last already.
        if self
            .stream(token)
            .is_some_and(|stream| stream.wants_input())
        {
            self.enqueue(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshakes_have_a_part_of_a_turn_that_grows_with_it() {
        for (ready, most) in [(0, 32), (100, 32), (128, 32), (400, 100), (4000, 1000)] {
            assert_eq!(handshakes_of(ready), most, "{ready}");
        }
    }
}
