//! What an engine holds for its binding: shown to a garbage collector, and let go of.

use super::{Engine, Entry};
use crate::error::CloseReason;
use crate::sink::Handles;

impl<H: Handles> Engine<H> {
    /// Shows every handle to `visit` until it returns an error; shows nothing while the state is in use.
    ///
    /// # Errors
    /// The first error of `visit`.
    pub fn visit<E>(&self, mut visit: impl FnMut(Held<'_, H>) -> Result<(), E>) -> Result<(), E> {
        let Ok(state) = self.state.try_borrow() else {
            return Ok(());
        };
        self.ingress.visit(|call| visit(Held::Call(call)))?;
        for call in &state.calls {
            visit(Held::Call(call))?;
        }
        for (_, _, timer) in state.timers.iter() {
            visit(Held::Timer(timer))?;
        }
        for (_, entry) in state.entries.iter() {
            match entry {
                Entry::Stream {
                    handle: Some(handle),
                    ..
                } => visit(Held::Stream(handle))?,
                Entry::Listener {
                    handle: Some(handle),
                    ..
                } => visit(Held::Listener(handle))?,
                Entry::Connector {
                    handle: Some(handle),
                    ..
                } => visit(Held::Connector(handle))?,
                Entry::Datagram {
                    handle: Some(handle),
                    ..
                } => visit(Held::Datagram(handle))?,
                Entry::Watch {
                    handle: Some(handle),
                    ..
                } => visit(Held::Watch(handle))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// How many descriptors of each sort there are.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        let mut held = Holdings::default();
        for (_, entry) in self.state.borrow().entries.iter() {
            match entry {
                Entry::Stream { stream, .. } if stream.is_pipe() => held.pipes += 1,
                Entry::Stream { .. } => held.connections += 1,
                Entry::Listener { .. } => held.listeners += 1,
                Entry::Connector { .. } | Entry::Changing => held.connecting += 1,
                Entry::Datagram { .. } => held.datagrams += 1,
                Entry::Watch { .. } => held.watched += 1,
            }
        }
        held
    }

    /// Closes every descriptor; timers and calls from threads stay.  Returns the streams, to be told of their end, and what
    /// else there was, to be dropped when no borrow is held.
    #[must_use = "the streams' owners are to be told"]
    pub fn close(&self) -> Disconnected<H> {
        let mut state = self.state.borrow_mut();
        let mut gone = Disconnected {
            streams: Vec::new(),
            others: Vec::new(),
        };
        state.registrar.forget_foreign();
        for entry in state.entries.take_all() {
            match entry {
                Entry::Stream { mut stream, handle } => {
                    let reason = stream.closed().unwrap_or(CloseReason::Aborted);
                    // The peer is to see an end, not a reset: it may be reading what it was sent.
                    stream.close(CloseReason::Done, &state.registrar);
                    gone.streams.extend(handle.map(|handle| (handle, reason)));
                }
                Entry::Listener { listener, handle } => {
                    listener.forget(&state.registrar);
                    gone.others.extend(handle.map(Discarded::Listener));
                }
                Entry::Connector { handle, .. } => {
                    gone.others.extend(handle.map(Discarded::Connector));
                }
                Entry::Datagram { datagram, handle } => {
                    datagram.end(&state.registrar);
                    gone.others.extend(handle.map(Discarded::Datagram));
                }
                Entry::Watch { handle, .. } => {
                    gone.others.extend(handle.map(Discarded::Watch));
                }
                Entry::Changing => {}
            }
        }
        state.statistics.streams_closed += gone.streams.len() as u64;
        state.ready.clear();
        state.dirty.clear();
        state.closed.clear();
        state.starved.clear();
        state.unarmed.clear();
        drop(state.deadlines.clear());
        gone
    }

    /// Closes every descriptor and forgets every timer and call, for good: what another thread puts in later is refused.
    #[must_use = "dropping a handle may call the binding's code"]
    pub fn clear(&self) -> Cleared<H> {
        let disconnected = self.close();
        let mut state = self.state.borrow_mut();
        let mut calls: Vec<_> = state.calls.drain(..).collect();
        calls.extend(self.ingress.close());
        Cleared {
            disconnected,
            timers: state.timers.clear(),
            calls,
        }
    }

    /// To be called in a process that was forked off while the engine was open.  Closes this process's descriptors, says
    /// nothing to the peers, and forgets everything; from now on there is nothing to serve, and waiting fails.  The
    /// process that opened the engine notices nothing: it has its own descriptors, and the poller that both know is not touched.
    #[must_use = "dropping a handle may call the binding's code"]
    pub fn abandon(&self) -> Abandoned<H> {
        self.abandoned.set(true);
        self.guest.set(None);
        let mut calls = self.ingress.close();
        // Whoever has it borrowed was another thread, which this process does not have.
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return Abandoned {
                _entries: Vec::new(),
                _timers: Vec::new(),
                _calls: calls,
            };
        };
        calls.extend(state.calls.drain(..));
        state.ready.clear();
        state.dirty.clear();
        state.closed.clear();
        state.starved.clear();
        state.unarmed.clear();
        drop(state.deadlines.clear());
        Abandoned {
            _entries: state.entries.take_all(),
            _timers: state.timers.clear(),
            _calls: calls,
        }
    }
}

/// All that an engine held in a process that is not its own; dropping it closes descriptors.
pub struct Abandoned<H: Handles> {
    _entries: Vec<Entry<H>>,
    _timers: Vec<H::Timer>,
    _calls: Vec<H::Call>,
}

/// How many descriptors of each sort an engine has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Streams over sockets.
    pub connections: usize,
    /// Streams over pipes and terminals.
    pub pipes: usize,
    /// Connections in the making.
    pub connecting: usize,
    /// Listening sockets.
    pub listeners: usize,
    /// Datagram sockets.
    pub datagrams: usize,
    /// Descriptors that are watched for others.
    pub watched: usize,
}

/// A handle that an engine holds.
pub enum Held<'a, H: Handles> {
    /// Of a stream.
    Stream(&'a H::Stream),
    /// Of a listener.
    Listener(&'a H::Listener),
    /// Of a connection in the making.
    Connector(&'a H::Connector),
    /// Of a datagram socket.
    Datagram(&'a H::Datagram),
    /// Of a watched descriptor.
    Watch(&'a H::Watch),
    /// Of a timer.
    Timer(&'a H::Timer),
    /// Of a call from another thread.
    Call(&'a H::Call),
}

/// A handle that an engine let go of.
pub enum Discarded<H: Handles> {
    /// Of a listener.
    Listener(H::Listener),
    /// Of a connection in the making.
    Connector(H::Connector),
    /// Of a datagram socket.
    Datagram(H::Datagram),
    /// Of a watched descriptor.
    Watch(H::Watch),
}

/// What had descriptors.
pub struct Disconnected<H: Handles> {
    /// The streams, and why they ended: those that were open are aborted.
    pub streams: Vec<(H::Stream, CloseReason)>,
    /// Listeners, connectors, datagram sockets and watches.
    pub others: Vec<Discarded<H>>,
}

/// All that an engine held.
pub struct Cleared<H: Handles> {
    /// What had descriptors.
    pub disconnected: Disconnected<H>,
    /// Timers that were to come.
    pub timers: Vec<H::Timer>,
    /// Calls from threads that were not made.
    pub calls: Vec<H::Call>,
}
