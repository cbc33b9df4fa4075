//! Datagram sockets: what the binding may ask of them, and how they deliver.

use std::io;
use std::time::Duration;

use socket2::SockRef;

use super::{Engine, Entry, State};
use crate::address::Address;
use crate::buffer::inbox::FAIR_SHARE;
use crate::datagram::{Batch, DATAGRAMS_PER_TURN, Datagram, Received, Trouble};
use crate::error::Error;
use crate::sink::{Handles, Sink};
use crate::token::Token;

/// How long an answer waits at most for the others of its batch, if the protocol takes its time over them.
const ANSWER_DELAY: Duration = Duration::from_micros(250);

impl<H: Handles> Engine<H> {
    /// Binds a datagram socket to `local`; an unnamed address leaves a Unix socket without a name.  No more than `room`
    /// bytes of a datagram are delivered.  The binding then says what stands for it, with
    /// [`own_datagram`](Self::own_datagram).
    ///
    /// # Errors
    /// What the system says.
    pub fn bind_datagram(&self, local: &Address, reuse: bool, room: usize) -> Result<Token, Error> {
        self.keep_datagram(Datagram::bind(local, reuse, room)?)
    }

    /// Takes over a datagram socket that somebody else has made.  As [`bind_datagram`](Self::bind_datagram).
    ///
    /// # Errors
    /// What the system says of it.
    #[cfg(unix)]
    pub fn adopt_datagram(
        &self,
        socket: std::os::fd::OwnedFd,
        room: usize,
    ) -> Result<Token, Error> {
        self.keep_datagram(Datagram::adopt(socket, room).map_err(Error::Open)?)
    }

    fn keep_datagram(&self, datagram: Datagram<H::Chunk>) -> Result<Token, Error> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let token = state.entries.insert(Entry::Datagram {
            datagram: Box::new(datagram),
            handle: None,
        });
        let Some(Entry::Datagram { datagram, .. }) = state.entries.get_mut(token) else {
            return Err(Error::Register(io::Error::other(
                "the slot that was just filled is empty",
            )));
        };
        if let Err(error) = datagram.watch(&state.registrar, token) {
            state.entries.remove(token);
            return Err(Error::Register(error));
        }
        Ok(token)
    }

    /// Says what stands for a datagram socket.
    pub fn own_datagram(&self, token: Token, owner: H::Datagram) {
        let mut state = self.state.borrow_mut();
        if let Some(Entry::Datagram { handle, .. }) = state.entries.get_mut(token) {
            *handle = Some(owner);
            state.catch_up(token);
        }
    }

    /// Looks at a datagram socket; `None` once it is closed.
    pub fn datagram<R>(
        &self,
        token: Token,
        look: impl FnOnce(&Datagram<H::Chunk>) -> R,
    ) -> Option<R> {
        match self.state.borrow().entries.get(token) {
            Some(Entry::Datagram { datagram, .. }) => Some(look(datagram)),
            _ => None,
        }
    }

    /// Looks at a datagram socket after what was written to it has left, as the answers to a batch may not have.
    pub fn settled_datagram<R>(
        &self,
        token: Token,
        look: impl FnOnce(&Datagram<H::Chunk>) -> R,
    ) -> Option<R> {
        let mut state = self.state.borrow_mut();
        state.flush_answers(token);
        state.datagram(token).map(|datagram| look(datagram))
    }

    /// Looks at a datagram socket as [`settled_datagram`](Self::settled_datagram) does, in a way by which it may get a
    /// second owner, as a duplicate of its descriptor is.
    pub fn lend_datagram<R>(&self, token: Token, look: impl FnOnce(SockRef<'_>) -> R) -> Option<R> {
        let mut state = self.state.borrow_mut();
        state.flush_answers(token);
        let datagram = state.datagram(token)?;
        datagram.lend();
        Some(look(datagram.socket()))
    }

    /// Sends a datagram, to the peer of a connected socket if no other is given; `None` once the socket is closed.
    ///
    /// A kernel that has no room drops it, and is not told of; nor is what the network has to say of an earlier datagram,
    /// which is told as [`Sink::datagram_failed`].
    pub fn send_datagram(
        &self,
        token: Token,
        bytes: &[u8],
        to: Option<&Address>,
    ) -> Option<io::Result<()>> {
        let mut state = self.state.borrow_mut();
        let datagram = state.datagram(token)?;
        let sent = datagram.send(bytes, to);
        if datagram.has_trouble() {
            state.enqueue(token);
        }
        Some(sent)
    }

    /// Sends a datagram back to where that came from whose [`Sink::datagram`] is on the stack, together with the answers
    /// to others, as soon as these are delivered.
    ///
    /// # Errors
    /// Gives the chunk back if there is nothing to answer, or answers are not collected here or not of this length: it is
    /// then to be sent as any other.
    pub fn answer(&self, token: Token, chunk: H::Chunk) -> Result<(), H::Chunk> {
        let mut state = self.state.borrow_mut();
        let Some(datagram) = state.datagram(token) else {
            return Err(chunk);
        };
        if datagram.answer(chunk, || self.clock.now())? {
            // Flushed with the streams if a turn within the hook comes first.
            state.dirty.push_back(token);
        }
        Ok(())
    }

    /// Has the socket exchange datagrams with `peer` alone; `None` once it is closed.
    pub fn connect_datagram(&self, token: Token, peer: &Address) -> Option<io::Result<()>> {
        let mut state = self.state.borrow_mut();
        Some(state.datagram(token)?.connect(peer))
    }

    /// Delivers nothing (`paused`), or delivers again, beginning with what came meanwhile.
    pub fn pause_datagram(&self, token: Token, paused: bool) {
        let mut state = self.state.borrow_mut();
        if let Some(datagram) = state.datagram(token) {
            datagram.pause(paused);
            if !paused {
                state.enqueue(token);
            }
        }
    }

    /// Delivers this turn's share of datagrams.
    pub(super) fn serve_datagram<S: Sink<H>>(&self, sink: &S, token: Token) {
        let mut batch = self.batch.take().unwrap_or_default();
        let mut left = DATAGRAMS_PER_TURN;
        let mut bytes = 0;
        loop {
            let Some((handle, received)) = self.receive_datagrams(sink, token, &mut batch, left)
            else {
                break;
            };
            match received {
                Received::Nothing => break,
                Received::Datagrams(count) => {
                    left = left.saturating_sub(count);
                    bytes += batch.total();
                    self.deliver(sink, token, &handle, &batch, count);
                }
                Received::Trouble(trouble) => {
                    left = left.saturating_sub(1);
                    self.tell_trouble(sink, token, &handle, trouble);
                }
            }
            if left == 0 || bytes >= FAIR_SHARE {
                self.state.borrow_mut().enqueue(token);
                break;
            }
        }
        self.batch.set(Some(batch));
    }

    fn receive_datagrams<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        batch: &mut Batch,
        most: usize,
    ) -> Option<(H::Datagram, Received)> {
        let mut state = self.state.borrow_mut();
        let Some(Entry::Datagram {
            datagram,
            handle: Some(handle),
        }) = state.entries.get_mut(token)
        else {
            return None;
        };
        let received = datagram.receive(batch, most);
        Some((sink.share_datagram(handle), received))
    }

    /// Delivers a batch, and sends what was answered.
    fn deliver<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        handle: &H::Datagram,
        batch: &Batch,
        count: usize,
    ) {
        for index in 0..count {
            let Some((bytes, from)) = batch.get(index) else {
                break;
            };
            {
                let mut state = self.state.borrow_mut();
                let Some(datagram) = state.datagram(token) else {
                    return; // closed by the hook: what was taken from the kernel is lost with what was not
                };
                if datagram.paused() {
                    for (bytes, from) in (index..count).filter_map(|index| batch.get(index)) {
                        datagram.hold(bytes, from);
                    }
                    break;
                }
                if let Some(since) = datagram.waiting_since() {
                    if self.clock.now().since(since) >= ANSWER_DELAY {
                        datagram.flush_answers();
                    }
                }
                datagram.serve(from);
            }
            sink.datagram(handle, sink.copy(bytes), from);
        }
        let mut state = self.state.borrow_mut();
        if let Some(datagram) = state.datagram(token) {
            datagram.rest();
            state.flush_answers(token);
        }
    }

    fn tell_trouble<S: Sink<H>>(
        &self,
        sink: &S,
        token: Token,
        handle: &H::Datagram,
        trouble: Trouble,
    ) {
        if let Some(datagram) = self.state.borrow_mut().datagram(token) {
            datagram.busy = true;
        }
        match trouble {
            Trouble::Socket(errno) => sink.datagram_failed(handle, errno),
            Trouble::Unsent(peer, errno) => sink.answer_failed(handle, peer, errno),
        }
        if let Some(datagram) = self.state.borrow_mut().datagram(token) {
            datagram.rest();
        }
    }
}

impl<H: Handles> State<H> {
    pub(super) fn datagram(&mut self, token: Token) -> Option<&mut Datagram<H::Chunk>> {
        match self.entries.get_mut(token) {
            Some(Entry::Datagram { datagram, .. }) => Some(datagram),
            _ => None,
        }
    }

    /// Hands the answers to the kernel; what it says against them is told when the socket is served.
    pub(super) fn flush_answers(&mut self, token: Token) {
        let Some(datagram) = self.datagram(token) else {
            return;
        };
        datagram.flush_answers();
        if datagram.has_trouble() {
            self.enqueue(token);
        }
    }

    /// The hook of a datagram socket panicked: it goes on with the next datagram.
    pub(super) fn recover_datagram(&mut self, token: Token) {
        if let Some(datagram) = self.datagram(token) {
            datagram.rest();
            self.enqueue(token); // the poller has told of what may still be there
        }
    }
}
