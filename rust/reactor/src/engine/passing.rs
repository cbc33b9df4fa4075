//! Descriptors that streams pass along.

use std::os::fd::OwnedFd;

use super::Engine;
use crate::sink::{Handles, Sink};
use crate::stream::{Stream, Wrote};
use crate::token::Token;

impl<H: Handles> Engine<H> {
    /// Queues a descriptor, which is sent with the byte that is written next.  `None`: this stream cannot pass any.
    pub fn pass(&self, token: Token, descriptor: OwnedFd) -> Option<Wrote> {
        let mut state = self.state.borrow_mut();
        match state.stream(token) {
            Some(stream) => stream.pass(descriptor),
            None => Some(Wrote::Ignored),
        }
    }

    /// Says whether descriptors that come in are wanted; else they are closed.
    pub fn want_descriptors(&self, token: Token, wanted: bool) {
        if let Some(stream) = self.state.borrow_mut().stream(token) {
            stream.want_descriptors(wanted);
        }
    }

    /// Looks at the streams of which a read may have left something without knowing; returns whether it has.
    pub(super) fn look_again(&self) -> bool {
        let mut state = self.state.borrow_mut();
        if state.unsure.is_empty() {
            return false;
        }
        let mut unsure = std::mem::take(&mut state.unsure);
        let mut found = false;
        for token in unsure.drain(..) {
            if state.stream(token).is_some_and(Stream::look_again) {
                state.enqueue(token);
                found = true;
            }
        }
        state.unsure = unsure;
        found
    }

    /// Delivers the descriptors that a read brought, then its bytes, unless the connection is over by then.
    pub(super) fn pass_on<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        handle: &H::Stream,
        data: S::Data,
    ) {
        let received = self
            .state
            .borrow_mut()
            .stream(token)
            .and_then(Stream::take_received);
        if let Some(descriptors) = received {
            sink.passed(handle, descriptors);
        }
        let mut state = self.state.borrow_mut();
        let over = state.stream(token).is_none_or(|stream| stream.is_over());
        drop(state);
        if !over {
            sink.data(handle, data);
        }
    }
}
