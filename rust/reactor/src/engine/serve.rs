//! Input and output for one descriptor: what a ready stream does with its share of a turn, and how a stream begins.

use std::sync::Arc;

use super::{Engine, Entry, State};
use crate::buffer::inbox::{Next, Share};
use crate::error::CloseReason;
use crate::security::{Failure, Peer};
use crate::sink::{Handles, Sink};
use crate::stream::{Flushed, Received, Room};
use crate::token::Token;

/// What came of one read, in the binding's form.
pub(super) enum Reading<T, D> {
    Data(T, D, Next),
    Secured(T, Arc<Peer>),
    /// With descriptors, which the stream keeps until they are delivered.
    #[cfg(unix)]
    Passed(T, D, Next),
    End(T),
    Nothing(Next),
}

impl<T> Reading<T, usize> {
    pub(super) fn map<D>(self, make: impl FnOnce(usize) -> D) -> Reading<T, D> {
        match self {
            Self::Data(handle, size, next) => Reading::Data(handle, make(size), next),
            Self::Secured(handle, peer) => Reading::Secured(handle, peer),
            #[cfg(unix)]
            Self::Passed(handle, size, next) => Reading::Passed(handle, make(size), next),
            Self::End(handle) => Reading::End(handle),
            Self::Nothing(next) => Reading::Nothing(next),
        }
    }
}

impl<H: Handles> Engine<H> {
    pub(super) fn serve<S: Sink<H>>(&self, sink: &S, token: Token) {
        enum Kind {
            Stream,
            Listener,
            Connector,
            Datagram,
            Watch,
        }
        let kind = match self.state.borrow().entries.get(token) {
            Some(Entry::Stream { .. }) => Kind::Stream,
            Some(Entry::Listener { .. }) => Kind::Listener,
            Some(Entry::Connector { .. }) => Kind::Connector,
            Some(Entry::Datagram { .. }) => Kind::Datagram,
            Some(Entry::Watch { .. }) => Kind::Watch,
            Some(Entry::Changing) | None => return,
        };
        match kind {
            Kind::Stream => self.serve_stream(sink, token),
            Kind::Listener => self.serve_listener(sink, token),
            Kind::Connector => self.serve_connector(sink, token),
            Kind::Datagram => self.serve_datagram(sink, token),
            Kind::Watch => self.serve_watch(sink, token),
        }
    }

    // Streams

    /// Reads this turn's share, then writes what waits for the kernel; where something was read, each hook is followed by
    /// that.  In this order, since a connection that breaks may have brought an answer.
    fn serve_stream<S: Sink<H>>(&self, sink: &S, token: Token) {
        let mut share = Share::new();
        loop {
            match self.receive(sink, token, &mut share) {
                Reading::Data(handle, data, next) => {
                    sink.data(&handle, data);
                    self.leave(sink, token);
                    match next {
                        Next::Wait => return,
                        Next::Again => {}
                        Next::Yield => return self.state.borrow_mut().enqueue(token),
                    }
                }
                #[cfg(unix)]
                Reading::Passed(handle, data, next) => {
                    self.pass_on(sink, token, &handle, data);
                    self.leave(sink, token);
                    match next {
                        Next::Wait => return,
                        Next::Again => {}
                        Next::Yield => return self.state.borrow_mut().enqueue(token),
                    }
                }
                Reading::End(handle) => {
                    let goes_on = sink.eof(&handle);
                    {
                        let mut state = self.state.borrow_mut();
                        let reason = state
                            .stream(token)
                            .and_then(|stream| stream.peer_closed(goes_on));
                        if let Some(reason) = reason {
                            state.close(token, reason);
                        }
                    }
                    return self.leave(sink, token);
                }
                Reading::Secured(handle, peer) => {
                    sink.secured(&handle, peer);
                    self.leave(sink, token);
                }
                Reading::Nothing(next) => {
                    self.flush(sink, token);
                    if next == Next::Yield {
                        self.state.borrow_mut().enqueue(token);
                    }
                    return;
                }
            }
        }
    }

    /// Reads once.  Where that gave something to deliver, the stream is marked as being served.
    fn receive<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        share: &mut Share,
    ) -> Reading<H::Stream, S::Data> {
        let lease_size = match self.state.borrow_mut().stream(token) {
            Some(stream) if stream.wants_input() => {
                if stream.is_secure() {
                    None
                } else {
                    Some(stream.lease_size())
                }
            }
            _ => return Reading::Nothing(Next::Wait),
        };
        let Some(lease_size) = lease_size else {
            return self.receive_records(sink, token, share);
        };
        if let Some(mut lease) = lease_size.and_then(|size| sink.lend(size)) {
            let reading = self.read_into(sink, token, Room::Lease(lease.as_mut()), share);
            return reading.map(|size| sink.accept_lease(lease, size));
        }
        let mut buffer = self.buffer.take().unwrap_or_default();
        let reading = self.read_into(sink, token, Room::Buffer(buffer.room()), share);
        let reading = reading.map(|size| sink.copy(buffer.received(size)));
        self.buffer.set(Some(buffer));
        reading
    }

    fn read_into<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        room: Room<'_>,
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
        match stream.receive(room, share) {
            #[cfg(unix)]
            Received::Bytes(size, next) if stream.has_received() => {
                stream.busy = true;
                Reading::Passed(sink.share_stream(handle), size, next)
            }
            Received::Bytes(size, next) => {
                #[cfg(unix)]
                if stream.is_to_be_listed() {
                    state.unsure.push(token);
                }
                stream.busy = true;
                Reading::Data(sink.share_stream(handle), size, next)
            }
            Received::End => {
                stream.busy = true;
                Reading::End(sink.share_stream(handle))
            }
            Received::Nothing => Reading::Nothing(Next::Wait),
            Received::Failed(reason) => {
                if let Some(reason) = stream.failed(reason.errno()) {
                    state.close(token, reason);
                }
                Reading::Nothing(Next::Wait)
            }
        }
    }

    /// The stream's hook has returned: what it wrote goes to the kernel.
    fn leave<S: Sink<H>>(&self, sink: &S, token: Token) {
        if let Some(stream) = self.state.borrow_mut().stream(token) {
            stream.busy = false;
        }
        self.flush(sink, token);
    }

    /// Writes what the kernel takes, and does what an empty outbox was waited for.
    pub(super) fn flush<S: Sink<H>>(&self, sink: &S, token: Token) {
        let (handle, flushed) = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let Some(Entry::Stream { stream, .. }) = state.entries.get_mut(token) else {
                return state.flush_answers(token);
            };
            if stream.busy {
                return; // its hook is on the stack and is followed by a flush
            }
            let flushed = stream.flush();
            if let Err(error) = stream.look_out(&state.registrar, token) {
                return state.close(token, CloseReason::from(&error));
            }
            match flushed {
                Flushed::Nothing => return,
                Flushed::Yield | Flushed::Broken => return state.enqueue(token),
                Flushed::Close(reason) => return state.close(token, reason),
                Flushed::Linger(patience) => {
                    let when = self.clock.now().after(patience);
                    return state.set_deadline(token, Some(when));
                }
                flushed @ (Flushed::Resume | Flushed::WriteClosed) => {
                    stream.busy = true;
                    (state.share(token, sink), flushed)
                }
            }
        };
        if let Some(handle) = handle {
            match flushed {
                Flushed::WriteClosed => sink.write_closed(&handle),
                _ => sink.resume(&handle),
            }
        }
        let mut state = self.state.borrow_mut();
        if let Some(stream) = state.stream(token) {
            stream.busy = false;
        }
        // What the hook wrote or changed is flushed with the others, so that a producer that never stops takes turns.
        state.soil(token);
    }

    /// A stream's first moments: its owner is told, what the hooks wrote is sent, and if it is still open then, the poller
    /// watches it.  A connection that is closed at once never costs the poller a call.
    pub(super) fn begin<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        adopted: Option<H::Stream>,
        tell: impl FnOnce(&H::Stream),
    ) {
        let shared = {
            let mut state = self.state.borrow_mut();
            let Some(handle) = adopted else {
                state.entries.remove(token);
                return;
            };
            let Some(Entry::Stream {
                stream,
                handle: kept,
            }) = state.entries.get_mut(token)
            else {
                drop(state); // the engine was closed meanwhile; the handle goes when nothing is borrowed
                return;
            };
            let shared = sink.share_stream(&handle);
            *kept = Some(handle);
            stream.busy = true;
            state.statistics.streams_opened += 1;
            shared
        };
        // Guarded here, since what is served further up is the listener, and a panic must cost the connection.
        self.guard(sink, Some(token), || {
            tell(&shared);
            self.leave(sink, token);
        });
        let mut state = self.state.borrow_mut();
        if let Err(error) = state.watch_stream(token) {
            state.close(token, CloseReason::from(&error));
        } else if let Some(stream) = state.stream(token) {
            if stream.wants_input() {
                state.enqueue(token); // it came while the socket was a connector's, or in a turn within the hook
            }
        }
    }
}

impl<H: Handles> State<H> {
    /// Another handle to the stream.
    pub(super) fn share<S: Sink<H>>(&self, token: Token, sink: &S) -> Option<H::Stream> {
        match self.entries.get(token) {
            Some(Entry::Stream {
                handle: Some(handle),
                ..
            }) => Some(sink.share_stream(handle)),
            _ => None,
        }
    }

    /// Takes a closed stream out of its slot.
    pub(super) fn remove_stream(
        &mut self,
        token: Token,
    ) -> Option<(H::Stream, CloseReason, Option<Box<Failure>>)> {
        let reason = self.stream(token)?.closed()?;
        self.statistics.streams_closed += 1;
        match self.entries.remove(token)? {
            Entry::Stream { mut stream, handle } => Some((handle?, reason, stream.take_failure())),
            _ => None,
        }
    }
}
