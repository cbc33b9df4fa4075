//! Listeners: what the binding may ask of them, and how they accept.

use std::io;
use std::net::SocketAddr;

use super::turn::STARVED_RETRY;
use super::{Engine, Entry, State};
use crate::clock::Time;
use crate::error::Error;
use crate::listener::{ACCEPTS_PER_TURN, Accepted, Listener};
use crate::sink::{Handles, Sink};
use crate::stream::Stream;
use crate::token::Token;

impl<H: Handles> Engine<H> {
    /// Listens on `address`.  The binding then says what stands for it, with [`own_listener`](Self::own_listener).
    ///
    /// # Errors
    /// What the system says.
    pub fn listen(&self, address: SocketAddr, backlog: i32) -> Result<Token, Error> {
        self.begin_listening(Listener::bind(address, backlog, false)?)
    }

    /// As [`listen`](Self::listen), beside others that listen on the same port in this way; the system divides the
    /// connections among them.
    ///
    /// # Errors
    /// What the system says; `Unsupported` where it knows no such thing.
    pub fn listen_shared(&self, address: SocketAddr, backlog: i32) -> Result<Token, Error> {
        self.begin_listening(Listener::bind(address, backlog, true)?)
    }

    /// Listens on a Unix socket at `path` with the permissions `mode`, as [`listen`](Self::listen).
    ///
    /// # Errors
    /// What the system says.
    #[cfg(unix)]
    pub fn listen_unix(&self, path: &[u8], backlog: i32, mode: u32) -> Result<Token, Error> {
        self.begin_listening(Listener::bind_unix(path, backlog, mode)?)
    }

    /// Takes a socket over that listens already, as [`listen`](Self::listen).
    ///
    /// # Errors
    /// What the system says; the descriptor is closed then.
    #[cfg(unix)]
    pub fn adopt_listener(&self, descriptor: std::os::fd::OwnedFd) -> Result<Token, Error> {
        self.begin_listening(Listener::adopt(descriptor)?)
    }

    fn begin_listening(&self, listener: Listener) -> Result<Token, Error> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let token = state.entries.insert(Entry::Listener {
            listener,
            handle: None,
        });
        let Some(Entry::Listener { listener, .. }) = state.entries.get_mut(token) else {
            return Err(Error::Register(io::Error::other(
                "the slot that was just filled is empty",
            )));
        };
        if let Err(error) = listener.watch(&state.registrar, token) {
            state.entries.remove(token);
            return Err(Error::Register(error));
        }
        Ok(token)
    }

    /// Says what stands for a listener.
    pub fn own_listener(&self, token: Token, owner: H::Listener) {
        let mut state = self.state.borrow_mut();
        if let Some(Entry::Listener { handle, .. }) = state.entries.get_mut(token) {
            *handle = Some(owner);
            state.catch_up(token);
        }
    }

    /// Looks at a listener; `None` once it is closed.
    pub fn listener<R>(&self, token: Token, look: impl FnOnce(&Listener) -> R) -> Option<R> {
        match self.state.borrow().entries.get(token) {
            Some(Entry::Listener { listener, .. }) => Some(look(listener)),
            _ => None,
        }
    }

    /// Accepts nothing (`paused`), or accepts again.
    pub fn pause_listener(&self, token: Token, paused: bool) {
        let mut state = self.state.borrow_mut();
        if let Some(Entry::Listener { listener, .. }) = state.entries.get_mut(token) {
            listener.paused = paused;
            if !paused {
                state.enqueue(token);
            }
        }
    }

    /// Accepts this turn's share of connections.
    pub(super) fn serve_listener<S: Sink<H>>(&self, sink: &S, token: Token) {
        for _ in 0..ACCEPTS_PER_TURN {
            let (handle, accepted) = {
                let mut state = self.state.borrow_mut();
                let Some(Entry::Listener {
                    listener,
                    handle: Some(handle),
                }) = state.entries.get_mut(token)
                else {
                    return;
                };
                if listener.paused || !listener.readiness.readable() {
                    return;
                }
                (sink.share_listener(handle), listener.accept())
            };
            match accepted {
                Accepted::Stream(socket, peer) => {
                    let stream = Entry::Stream {
                        stream: Stream::of(socket, &peer),
                        handle: None,
                    };
                    let born = self.state.borrow_mut().entries.insert(stream);
                    let mut adopted = None;
                    self.guard(sink, None, || adopted = sink.adopt(&handle, born, &peer));
                    self.begin(sink, born, adopted, |stream| {
                        sink.accepted(&handle, stream, &peer)
                    });
                }
                Accepted::Nobody => return,
                Accepted::Skip => {}
                Accepted::Broken { errno, first } => {
                    if first {
                        sink.accept_failed(&handle, errno);
                    }
                    return;
                }
                Accepted::Exhausted { errno, first, shed } => {
                    if first {
                        // Guarded here, so that a panic does not end the listening.
                        self.guard(sink, None, || sink.accept_failed(&handle, errno));
                    }
                    if !shed {
                        return self.state.borrow_mut().starve(token, self.clock.now());
                    }
                }
            }
        }
        self.state.borrow_mut().enqueue(token);
    }
}

impl<H: Handles> State<H> {
    /// Has one that cannot go on try again later: a listener that is short of descriptors, a connector at a full queue.
    pub(super) fn starve(&mut self, token: Token, now: Time) {
        self.starved.push(token);
        self.retry = Some(now + STARVED_RETRY);
    }
}
