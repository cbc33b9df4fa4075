//! Connections in the making: what the binding may ask of them, and how they end.

use std::io;
use std::net::SocketAddr;

use super::{Engine, Entry, State};
use crate::connector::{Connector, Progress};
use crate::error::Error;
use crate::sink::{Handles, Sink};
use crate::stream::Stream;
use crate::token::Token;

impl<H: Handles> Engine<H> {
    /// Starts to connect.  The binding then says what stands for it, with [`own_connector`](Self::own_connector); the
    /// outcome comes in a later turn.
    ///
    /// # Errors
    /// What the system says at once.
    pub fn connect(&self, address: SocketAddr, bind: Option<SocketAddr>) -> Result<Token, Error> {
        self.connect_from(address, bind, false)
    }

    /// As [`connect`](Self::connect), from an address that others may use as well if it is `shared` by all.
    ///
    /// # Errors
    /// What the system says at once; `Unsupported` where it knows no sharing.
    pub fn connect_from(
        &self,
        address: SocketAddr,
        bind: Option<SocketAddr>,
        shared: bool,
    ) -> Result<Token, Error> {
        self.begin_connecting(Connector::start(address, bind, shared)?)
    }

    /// Starts to connect to the Unix socket at `path`, as [`connect`](Self::connect).
    ///
    /// # Errors
    /// What the system says at once.
    #[cfg(unix)]
    pub fn connect_unix(&self, path: &[u8]) -> Result<Token, Error> {
        self.begin_connecting(Connector::start_unix(path)?)
    }

    fn begin_connecting(&self, connector: Connector) -> Result<Token, Error> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let token = state.entries.insert(Entry::Connector {
            connector,
            handle: None,
        });
        let Some(Entry::Connector { connector, .. }) = state.entries.get_mut(token) else {
            return Err(Error::Register(io::Error::other(
                "the slot that was just filled is empty",
            )));
        };
        if let Err(error) = connector.watch(&state.registrar, token) {
            state.entries.remove(token);
            return Err(Error::Register(error));
        }
        Ok(token)
    }

    /// Says what stands for a connection in the making.
    pub fn own_connector(&self, token: Token, owner: H::Connector) {
        let mut state = self.state.borrow_mut();
        if let Some(Entry::Connector { handle, .. }) = state.entries.get_mut(token) {
            *handle = Some(owner);
            state.catch_up(token);
        }
    }

    /// Looks at a connection in the making; `None` once it is made, failed or given up.
    pub fn connector<R>(&self, token: Token, look: impl FnOnce(&Connector) -> R) -> Option<R> {
        match self.state.borrow().entries.get(token) {
            Some(Entry::Connector { connector, .. }) => Some(look(connector)),
            _ => None,
        }
    }

    /// Looks at the outcome, and tells it.
    pub(super) fn serve_connector<S: Sink<H>>(&self, sink: &S, token: Token) {
        let (handle, failed) = {
            let mut state = self.state.borrow_mut();
            let Some(Entry::Connector {
                connector,
                handle: Some(_),
            }) = state.entries.get_mut(token)
            else {
                return; // nobody to tell yet: looked at again when it is owned
            };
            match connector.progress() {
                Progress::Pending => return,
                Progress::Waiting => return state.starve(token, self.clock.now()),
                Progress::Connected => (state.promote(token), None),
                Progress::Failed(errno) => match state.entries.remove(token) {
                    Some(Entry::Connector { handle, .. }) => (handle, Some(errno)),
                    _ => return,
                },
            }
        };
        let Some(handle) = handle else { return };
        if let Some(errno) = failed {
            return sink.connect_failed(handle, errno);
        }
        let mut adopted = None;
        self.guard(sink, None, || {
            adopted = sink.adopt_connected(&handle, token)
        });
        self.begin(sink, token, adopted, |stream| {
            sink.connected(handle, stream)
        });
    }
}

impl<H: Handles> State<H> {
    /// Makes a stream of a connector, in its slot: the poller already watches the socket under this token.
    fn promote(&mut self, token: Token) -> Option<H::Connector> {
        let entry = self.entries.get_mut(token)?;
        match std::mem::replace(entry, Entry::Changing) {
            Entry::Connector { connector, handle } => {
                let (socket, address, readiness) = connector.into_socket();
                *entry = Entry::Stream {
                    stream: Stream::of(socket, &address).watched(readiness),
                    handle: None,
                };
                handle
            }
            other => {
                *entry = other;
                None
            }
        }
    }
}
