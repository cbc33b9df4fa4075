//! The engine: one event loop's worth of state, and what the binding may ask of it.
//!
//! All state lies in one `RefCell`; a method borrows it, changes it and lets go before anything is called upwards, so
//! every method may be called from every upcall.

mod connectors;
mod datagrams;
mod entry;
mod guest;
mod holdings;
mod listeners;
#[cfg(unix)]
mod opened;
#[cfg(unix)]
mod passing;
mod pulse;
mod secure;
mod serve;
mod streams;
mod ticks;
mod turn;
mod watches;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use crate::buffer::inbox::{ReadBuffer, prepare_allocator};
use crate::clock::{Clock, Time};
use crate::datagram::Batch;
use crate::error::{CloseReason, Error};
use crate::ingress::Ingress;
use crate::poller::{Poller, Registrar, Waker};
use crate::readiness::Readiness;
use crate::sink::Handles;
use crate::stream::Stream;
use crate::timer::{TimerId, Timers};
use crate::token::{Slab, Token};

use entry::Entry;
use guest::Guest;
use ticks::Ticks;

pub use holdings::{Abandoned, Cleared, Discarded, Disconnected, Held, Holdings};
#[cfg(unix)]
pub use opened::Refused;
pub use pulse::{Pulse, Work};

/// Poller, timers, transports and the queue of calls from other threads.
pub struct Engine<H: Handles> {
    state: RefCell<State<H>>,
    poller: RefCell<Poller>,
    waker: Waker,
    ingress: Arc<Ingress<H::Call>>,
    clock: Clock,
    /// The loop's read buffer; absent while a turn reads into it, so that a nested turn brings its own.
    buffer: Cell<Option<ReadBuffer>>,
    /// What datagrams are taken into, in the same way.
    batch: Cell<Option<Batch>>,
    progress: Cell<Progress>,
    signal_descriptor: Option<i32>,
    descriptor: Option<i32>,
    /// Present while somebody else's loop takes the turns.
    guest: Cell<Option<Guest>>,
    /// What is measured of the turns.
    ticks: Ticks,
    /// What the loop's work is summed up in.
    pulse: Arc<Pulse>,
    /// This process was forked off the one that opened the engine: see [`abandon`](Self::abandon).
    abandoned: Cell<bool>,
}

/// How a [`run`](Engine::run) stands.  It alone is stopped: a turn that is taken by hand waits as it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// There is none.
    Resting,
    /// It goes on.
    Running,
    /// It ends after this turn.
    Stopping,
}

/// What changes from turn to turn.
struct State<H: Handles> {
    registrar: Registrar,
    entries: Slab<Entry<H>>,
    timers: Timers<H::Timer>,
    /// When streams are looked after: handshakes that take too long, peers that do not say farewell.
    deadlines: Timers<Token>,
    /// How many more handshakes may go on in this turn.
    handshakes: usize,
    /// Calls from threads that were taken out of the ingress and not made yet.
    calls: VecDeque<H::Call>,
    /// Calls as the ingress hands them over, whose memory it gets back.
    arrived: Vec<H::Call>,
    /// Descriptors with something to do, each once; what does not fit a turn stays here and keeps the next from waiting.
    ready: VecDeque<Token>,
    /// Streams that were written to since the last flush, each once; and datagram sockets that have answers to send.
    dirty: VecDeque<Token>,
    /// Streams that are closed and whose owner was not told yet.
    closed: VecDeque<Token>,
    /// Streams to be looked at once more when there is nothing else to do, each once.
    #[cfg(unix)]
    unsure: Vec<Token>,
    /// Listeners that could not accept for want of descriptors and could not shed the connection either.
    starved: Vec<Token>,
    /// Watches whose descriptors are to be armed before the next wait.
    unarmed: Vec<Token>,
    /// When these try again, unless a turn is taken earlier.
    retry: Option<Time>,
    statistics: Statistics,
}

impl<H: Handles> State<H> {
    fn stream(&mut self, token: Token) -> Option<&mut Stream<H::Chunk>> {
        match self.entries.get_mut(token) {
            Some(Entry::Stream { stream, .. }) => Some(stream),
            _ => None,
        }
    }

    /// Has the descriptor served in this turn's or the next turn's input and output.
    fn enqueue(&mut self, token: Token) {
        let readiness = self.entries.get_mut(token).and_then(Entry::readiness);
        if readiness.is_some_and(Readiness::enqueue) {
            self.ready.push_back(token);
        }
    }

    /// Has a descriptor served whose owner was not known yet when the poller spoke of it.
    fn catch_up(&mut self, token: Token) {
        let readiness = self.entries.get_mut(token).and_then(Entry::readiness);
        if readiness.is_some_and(|readiness| readiness.readable() || readiness.writable()) {
            self.enqueue(token);
        }
    }

    /// Has the stream flushed before the next wait.
    fn soil(&mut self, token: Token) {
        if let Some(stream) = self.stream(token) {
            if stream.soil() {
                self.dirty.push_back(token);
            }
        }
    }

    /// Has the poller watch the stream, unless it does, or the stream is closed.
    fn watch_stream(&mut self, token: Token) -> std::io::Result<()> {
        match self.entries.get_mut(token) {
            Some(Entry::Stream { stream, .. }) => stream.watch(&self.registrar, token),
            _ => Ok(()),
        }
    }

    /// Closes the stream's socket; its owner is told later.
    fn close(&mut self, token: Token, reason: CloseReason) {
        if let Some(Entry::Stream { stream, .. }) = self.entries.get_mut(token) {
            stream.close(reason, &self.registrar);
            let deadline = stream.set_deadline(None);
            self.closed.push_back(token);
            if let Some(deadline) = deadline {
                self.deadlines.cancel(deadline);
            }
        }
    }
}

/// Figures about an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Turns taken.
    pub turns: u64,
    /// Turns that had to wait, with the binding's other threads running.
    pub waits: u64,
    /// Live timers.
    pub timers: usize,
    /// Streams, listeners and connectors.
    pub descriptors: usize,
    /// Streams accepted and connected since the start.
    pub streams_opened: u64,
    /// Streams lost since the start.
    pub streams_closed: u64,
}

impl<H: Handles> Engine<H> {
    /// Opens an engine: three descriptors on Linux (poller, waker, signal pipe's two ends).
    ///
    /// # Errors
    /// What the system says when descriptors have run out.
    pub fn new(clock: Clock) -> Result<Self, Error> {
        let (poller, registrar, waker) = Poller::new().map_err(Error::Poll)?;
        prepare_allocator();
        Ok(Self {
            signal_descriptor: poller.signal_descriptor(),
            descriptor: poller.descriptor(),
            state: RefCell::new(State {
                registrar,
                entries: Slab::new(),
                timers: Timers::new(),
                deadlines: Timers::new(),
                handshakes: 0,
                calls: VecDeque::new(),
                arrived: Vec::new(),
                ready: VecDeque::new(),
                dirty: VecDeque::new(),
                closed: VecDeque::new(),
                #[cfg(unix)]
                unsure: Vec::new(),
                starved: Vec::new(),
                unarmed: Vec::new(),
                retry: None,
                statistics: Statistics::default(),
            }),
            poller: RefCell::new(poller),
            waker,
            ingress: Arc::new(Ingress::new()),
            clock,
            buffer: Cell::new(None),
            batch: Cell::new(None),
            progress: Cell::new(Progress::Resting),
            guest: Cell::new(None),
            ticks: Ticks::default(),
            pulse: Arc::new(Pulse::default()),
            abandoned: Cell::new(false),
        })
    }

    // Time

    /// The clock that timers go by.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Has `item` fired at `when`; what is due at the same time is fired in the order of scheduling.
    pub fn schedule(&self, when: Time, item: H::Timer) -> TimerId {
        self.state.borrow_mut().timers.schedule(when, item)
    }

    /// Has `item` fired in the next turn: `schedule` for a deadline of `now`, without the heap.
    pub fn schedule_soon(&self, now: Time, item: H::Timer) -> TimerId {
        self.state.borrow_mut().timers.schedule_soon(now, item)
    }

    /// Forgets a timer; gives back what was to be fired, unless it was.
    pub fn cancel(&self, timer: TimerId) -> Option<H::Timer> {
        self.state.borrow_mut().timers.cancel(timer)
    }

    /// Moves a timer; returns whether it was still to come.
    pub fn reset(&self, timer: TimerId, when: Time) -> bool {
        self.state.borrow_mut().timers.reset(timer, when)
    }

    /// When a timer is due.
    #[must_use]
    pub fn due(&self, timer: TimerId) -> Option<Time> {
        self.state.borrow().timers.when(timer)
    }

    /// When the next turn is due at the latest: for the first timer, or for a listener that is short of descriptors.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.state.borrow_mut().next_deadline()
    }

    // Threads

    /// The queue that other threads put their calls into; who is told to wake uses [`waker`](Self::waker).
    #[must_use]
    pub fn ingress(&self) -> Arc<Ingress<H::Call>> {
        Arc::clone(&self.ingress)
    }

    /// Ends a wait from any thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// The descriptor that a byte may be written to from a signal handler to end the wait.
    #[must_use]
    pub const fn signal_descriptor(&self) -> Option<i32> {
        self.signal_descriptor
    }

    /// Ends [`run`](Self::run) after the turn that is going on.
    pub fn stop(&self) {
        if self.progress.get() == Progress::Running {
            self.progress.set(Progress::Stopping);
        }
    }

    /// Closes a listener or a datagram socket, gives up a connection in the making, or ends a watch.  What stood for it is
    /// given back, to be dropped when no borrow is held.
    #[must_use = "dropping a handle may call the binding's code"]
    pub fn discard(&self, token: Token) -> Option<Discarded<H>> {
        let mut state = self.state.borrow_mut();
        match state.entries.get(token) {
            Some(
                Entry::Listener { .. }
                | Entry::Connector { .. }
                | Entry::Datagram { .. }
                | Entry::Watch { .. },
            ) => {}
            _ => return None,
        }
        match state.entries.remove(token) {
            Some(Entry::Watch { mut watch, handle }) => {
                watch.disarm(&state.registrar, token);
                handle.map(Discarded::Watch)
            }
            Some(Entry::Listener { listener, handle }) => {
                listener.forget(&state.registrar);
                handle.map(Discarded::Listener)
            }
            Some(Entry::Connector { handle, .. }) => handle.map(Discarded::Connector),
            Some(Entry::Datagram { datagram, handle }) => {
                datagram.end(&state.registrar);
                handle.map(Discarded::Datagram)
            }
            _ => None,
        }
    }

    // The whole

    /// Figures about this engine.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let state = self.state.borrow();
        Statistics {
            timers: state.timers.len(),
            descriptors: state.entries.len(),
            ..state.statistics
        }
    }
}

impl<H: Handles> std::fmt::Debug for Engine<H> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
