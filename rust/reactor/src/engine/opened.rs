//! Streams over a descriptor that is there already: pipes, and sockets that somebody else has connected.

use std::os::fd::OwnedFd;

use super::{Engine, Entry};
use crate::error::{CloseReason, Error};
use crate::sink::{Handles, Wants};
use crate::stream::Stream;
use crate::token::Token;

/// Why a descriptor was not taken over, and the descriptor.
#[derive(Debug)]
pub struct Refused(pub Error, pub Option<OwnedFd>);

impl<H: Handles> Engine<H> {
    /// Makes a stream of a pipe, a terminal or the like, which is taken over and closed with the stream, of the halves that
    /// are asked for.  The binding then says what stands for it, with [`own_stream`](Self::own_stream).
    ///
    /// # Errors
    /// What the system says of a descriptor that it cannot wait for, as of a regular file; it is given back then.
    pub fn open_pipe(
        &self,
        descriptor: OwnedFd,
        reading: bool,
        writing: bool,
    ) -> Result<Token, Refused> {
        let uses = Wants {
            read: reading,
            write: writing,
        };
        let stream = Stream::pipe(descriptor, uses)
            .map_err(|(error, descriptor)| Refused(Error::Open(error), Some(descriptor)))?;
        self.open(stream)
    }

    /// Makes a stream of a connected socket, as [`open_pipe`](Self::open_pipe).  As somebody else may hold it as well,
    /// closing it ends the connection for both.
    ///
    /// # Errors
    /// What the system says; `EINVAL` for a socket that is no connected stream.
    pub fn adopt_stream(&self, descriptor: OwnedFd) -> Result<Token, Refused> {
        let stream = Stream::adopt(descriptor)
            .map_err(|(error, descriptor)| Refused(Error::Open(error), Some(descriptor)))?;
        self.open(stream)
    }

    /// Has the poller watch a stream that is there already.
    fn open(&self, stream: Stream<H::Chunk>) -> Result<Token, Refused> {
        let mut state = self.state.borrow_mut();
        let token = state.entries.insert(Entry::Stream {
            stream,
            handle: None,
        });
        if let Err(error) = state.watch_stream(token) {
            let descriptor = match state.entries.remove(token) {
                Some(Entry::Stream { stream, .. }) => stream.into_descriptor(),
                _ => None,
            };
            return Err(Refused(Error::Register(error), descriptor));
        }
        state.statistics.streams_opened += 1;
        Ok(token)
    }

    /// Says what stands for a stream that was opened.
    pub fn own_stream(&self, token: Token, owner: H::Stream) {
        let mut state = self.state.borrow_mut();
        if let Some(Entry::Stream { handle, .. }) = state.entries.get_mut(token) {
            *handle = Some(owner);
            state.catch_up(token);
            // It may have been written to meanwhile.
            state.soil(token);
        }
    }

    /// Gives up a stream that was opened and nobody owns.
    pub fn disown(&self, token: Token) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        if let Some(Entry::Stream {
            stream,
            handle: None,
        }) = state.entries.get_mut(token)
        {
            stream.close(CloseReason::Done, &state.registrar);
            state.statistics.streams_closed += 1;
            state.entries.remove(token);
        }
    }
}
