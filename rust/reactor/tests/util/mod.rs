//! A binding in plain Rust: an engine, a sink that notes every upcall and may act on it, and peers on the loopback.
//!
//! Nothing here sleeps: a test takes turns until what it waits for has come, each turn ending when something happens or
//! after a few milliseconds, and gives up, with everything that was noted, after a time that no machine needs.

#![allow(dead_code, reason = "each file of tests uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests; clippy's own exception ends at the #[test] function"
)]

pub(crate) mod datagram;
#[cfg(target_os = "linux")]
pub(crate) mod limits;
pub(crate) mod peer;
#[cfg(target_os = "linux")]
pub(crate) mod pipes;
mod sink;
#[cfg(target_os = "linux")]
pub(crate) mod unix;

use std::cell::{Cell, RefCell};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use torsion_reactor::{
    Address, Clock, CloseReason, Discarded, Engine, Failure, Handles, Peer, Tick, Time, Token,
    Wants, Wrote,
};

/// How long one turn waits at most.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// When a test that waits for something gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What was called upwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Data(Token, Rc<[u8]>),
    /// How many descriptors came.
    Passed(Token, usize),
    Eof(Token),
    WriteClosed(Token),
    Resume(Token),
    Secured(Token, Arc<Peer>),
    TlsFailed(Token, Failure),
    Lost(Token, CloseReason),
    /// The listener, and the stream that came in.
    Accepted(Token, Token),
    AcceptFailed(Token, i32),
    Connected(Token),
    ConnectFailed(Token, i32),
    Ready(Token, Wants),
    WatchFailed(Token, i32),
    Datagram(Token, Rc<[u8]>, Address),
    DatagramFailed(Token, i32),
    AnswerFailed(Token, SocketAddr, i32),
    /// The stream, if there was one, and what the panic said.
    Panicked(Option<Token>, String),
    Ticked(Tick),
    /// What a test itself has to say: a timer, a call.
    Note(&'static str),
}

/// What the engine keeps; counted, to see that it lets go.
pub(crate) struct Handle {
    pub(crate) token: Token,
    alive: Rc<Cell<usize>>,
}

impl Handle {
    fn new(token: Token, alive: &Rc<Cell<usize>>) -> Self {
        alive.set(alive.get() + 1);
        Self {
            token,
            alive: Rc::clone(alive),
        }
    }

    fn share(&self) -> Self {
        Self::new(self.token, &self.alive)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
    }
}

pub(crate) type Timer = Box<dyn FnOnce(&World)>;
pub(crate) type Call = Box<dyn FnOnce(&World) + Send>;
type Hook = Rc<dyn Fn(&World, &Seen)>;

pub(crate) struct Types;

impl Handles for Types {
    type Stream = Handle;
    type Listener = Handle;
    type Connector = Handle;
    type Datagram = Handle;
    type Watch = Handle;
    type Timer = Timer;
    type Call = Call;
    type Chunk = Vec<u8>;
}

/// An engine and its sink in one, so that what reacts to an upcall has both at hand.
pub(crate) struct World {
    pub(crate) engine: Engine<Types>,
    pub(crate) seen: RefCell<Vec<Seen>>,
    /// Descriptors that came.
    #[cfg(unix)]
    pub(crate) passed: RefCell<Vec<std::os::fd::OwnedFd>>,
    /// The answer to every end of a peer's half.
    pub(crate) keeps_eof: Cell<bool>,
    /// Whether connections are taken at all.
    pub(crate) adopts: Cell<bool>,
    /// Whether taking a connection panics.
    pub(crate) adopting_panics: Cell<bool>,
    /// How many turns the next taking of a connection takes.
    pub(crate) turns_in_adopt: Cell<u32>,
    /// Whether large reads get memory of their own.
    pub(crate) lends: Cell<bool>,
    /// How many reads did.
    pub(crate) leases: Cell<usize>,
    /// How often the engine blocked.
    pub(crate) parked: Cell<usize>,
    hook: RefCell<Option<Hook>>,
    alive: Rc<Cell<usize>>,
    clock: Clock,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_clock(Clock::monotonic())
    }

    pub(crate) fn with_clock(clock: Clock) -> Self {
        Self {
            engine: Engine::new(clock).expect("descriptors for an engine"),
            seen: RefCell::default(),
            #[cfg(unix)]
            passed: RefCell::default(),
            keeps_eof: Cell::new(false),
            adopts: Cell::new(true),
            adopting_panics: Cell::new(false),
            turns_in_adopt: Cell::new(0),
            lends: Cell::new(true),
            leases: Cell::new(0),
            parked: Cell::new(0),
            hook: RefCell::default(),
            alive: Rc::default(),
            clock: Clock::monotonic(),
        }
    }

    /// Has every upcall acted on, after it was noted.
    pub(crate) fn on(&self, hook: impl Fn(&Self, &Seen) + 'static) {
        *self.hook.borrow_mut() = Some(Rc::new(hook));
    }

    /// As [`on`](Self::on), for the first upcall that `matches`.
    pub(crate) fn once(
        &self,
        matches: impl Fn(&Seen) -> bool + 'static,
        act: impl Fn(&Self, &Seen) + 'static,
    ) {
        let done = Cell::new(false);
        self.on(move |world, seen| {
            if !done.get() && matches(seen) {
                done.set(true);
                act(world, seen);
            }
        });
    }

    fn take_on(&self, token: Token) -> Option<Handle> {
        if self.adopting_panics.take() {
            panic_on_purpose();
        }
        for _ in 0..self.turns_in_adopt.take() {
            self.turn();
        }
        self.adopts.get().then(|| Handle::new(token, &self.alive))
    }

    fn see(&self, seen: Seen) {
        self.seen.borrow_mut().push(seen.clone());
        let hook = self.hook.borrow().clone();
        if let Some(hook) = hook {
            hook(self, &seen);
        }
    }

    // Turns

    /// Takes one turn that waits for [`TICK`] at most.
    pub(crate) fn turn(&self) {
        self.engine.turn(self, Some(TICK)).expect("a poller");
    }

    /// Takes one turn that does not wait.
    pub(crate) fn poll(&self) {
        self.engine
            .turn(self, Some(Duration::ZERO))
            .expect("a poller");
    }

    /// Takes turns until `condition` holds.
    pub(crate) fn until(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let start = self.clock.now();
        while !condition(self) {
            self.check_patience(start, what);
            // Without waiting first: what comes before the wait may be all that is wanted.
            self.poll();
            if condition(self) {
                return;
            }
            self.turn();
        }
    }

    /// Fails the test if it has waited too long for `what`.
    pub(crate) fn check_patience(&self, start: Time, what: &str) {
        if self.clock.now().since(start) > PATIENCE {
            let seen = self.seen.borrow();
            let last = &seen[seen.len().saturating_sub(20)..];
            panic!(
                "waited for {what}; of {} upcalls the last were {last:?}; {:?}",
                seen.len(),
                self.engine.statistics()
            );
        }
    }

    /// The real time, whatever the engine's clock says.
    pub(crate) fn real_time(&self) -> Time {
        self.clock.now()
    }

    /// Shows that there is nothing to do: after what is left over is done, turns wait for as long as they may.
    pub(crate) fn must_be_idle(&self) {
        const TURNS: u32 = 5;
        const LITTLE: Duration = Duration::from_millis(2);
        for _ in 0..TURNS {
            self.poll();
        }
        let (start, before) = (self.clock.now(), self.seen.borrow().len());
        for _ in 0..TURNS {
            self.engine.turn(self, Some(LITTLE)).expect("a poller");
        }
        let took = self.clock.now().since(start);
        assert!(
            took >= LITTLE * TURNS,
            "the loop turns for nothing: {TURNS} turns took {took:?}"
        );
        assert_eq!(
            self.seen.borrow()[before..],
            [],
            "nothing is left to be told"
        );
    }

    // What is asked of the engine

    /// Watches `descriptor`, of which nothing is wanted yet.
    pub(crate) fn watch(&self, descriptor: i32) -> Token {
        let token = self.engine.open_watch(descriptor);
        self.engine
            .own_watch(token, Handle::new(token, &self.alive));
        token
    }

    /// Binds a datagram socket to `local`.
    pub(crate) fn bind(&self, local: impl Into<Address>) -> (Token, Address) {
        let token = self.engine.bind_datagram(&local.into(), false, 8192);
        let token = token.expect("a free address");
        self.own_datagram(token);
        let address = self.engine.datagram(token, |datagram| datagram.address());
        (token, address.expect("open").expect("bound"))
    }

    pub(crate) fn own_datagram(&self, token: Token) {
        let handle = Handle::new(token, &self.alive);
        self.engine.own_datagram(token, handle);
    }

    /// Listens on a free port of the loopback.
    pub(crate) fn listen(&self) -> (Token, SocketAddr) {
        self.listen_with_backlog(128)
    }

    pub(crate) fn listen_with_backlog(&self, backlog: i32) -> (Token, SocketAddr) {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let token = self.engine.listen(any, backlog).expect("a free port");
        self.own_listener(token);
        let address = self.engine.listener(token, |listener| listener.address());
        let address = address.expect("it listens").expect("it is bound");
        (token, address.as_inet().expect("IPv4"))
    }

    /// A stream that came in, and its peer.  The listener is closed again.
    pub(crate) fn pair(&self) -> (Token, TcpStream) {
        let (listener, address) = self.listen();
        let pair = self.pair_of(address);
        drop(self.engine.discard(listener));
        pair
    }

    /// As [`pair`](Self::pair), over a listener that is there.
    pub(crate) fn pair_of(&self, address: SocketAddr) -> (Token, TcpStream) {
        let before = self.accepted().len();
        let peer = peer::connect(address);
        self.until("a connection to come in", |world| {
            world.accepted().len() > before
        });
        (*self.accepted().last().expect("one came in"), peer)
    }

    /// Starts to connect.
    pub(crate) fn connect(&self, address: SocketAddr) -> Result<Token, torsion_reactor::Error> {
        let token = self.engine.connect(address, None)?;
        self.own_connector(token);
        Ok(token)
    }

    pub(crate) fn own_listener(&self, token: Token) {
        let handle = Handle::new(token, &self.alive);
        self.engine.own_listener(token, handle);
    }

    pub(crate) fn own_connector(&self, token: Token) {
        let handle = Handle::new(token, &self.alive);
        self.engine.own_connector(token, handle);
    }

    /// A stream over a pipe.
    #[cfg(unix)]
    pub(crate) fn open_pipe(
        &self,
        pipe: impl Into<std::os::fd::OwnedFd>,
        reading: bool,
        writing: bool,
    ) -> Token {
        let token = self.engine.open_pipe(pipe.into(), reading, writing);
        let token = token.expect("a pipe that can be waited for");
        self.own_stream(token);
        token
    }

    pub(crate) fn own_stream(&self, token: Token) {
        let handle = Handle::new(token, &self.alive);
        self.engine.own_stream(token, handle);
    }

    pub(crate) fn write(&self, token: Token, bytes: &[u8]) -> Wrote {
        self.engine.write(token, bytes.to_vec())
    }

    /// Has `act` done when the loop is next at its timers.
    pub(crate) fn soon(&self, act: impl FnOnce(&Self) + 'static) {
        let now = self.engine.now();
        self.engine.schedule_soon(now, Box::new(act));
    }

    /// Closes a listener or a connector.
    pub(crate) fn discard(&self, token: Token) -> bool {
        matches!(
            self.engine.discard(token),
            Some(Discarded::Listener(handle) | Discarded::Connector(handle)) if handle.token == token
        )
    }

    /// Has another thread's call made; wakes the loop as a binding does.
    pub(crate) fn call(&self, call: impl FnOnce(&Self) + Send + 'static) {
        if self.engine.ingress().push(Box::new(call)).expect("open") {
            self.engine.waker().wake().expect("a poller");
        }
    }

    /// How many bytes of an open stream wait for the kernel.
    pub(crate) fn queued(&self, token: Token) -> usize {
        let figures = self
            .engine
            .stream(token, torsion_reactor::Stream::statistics);
        figures.expect("it is open").bytes_queued
    }

    // What was seen

    pub(crate) fn note(&self, note: &'static str) {
        self.see(Seen::Note(note));
    }

    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.borrow_mut())
    }

    pub(crate) fn has_seen(&self, wanted: &Seen) -> bool {
        self.seen.borrow().contains(wanted)
    }

    pub(crate) fn count(&self, matches: impl Fn(&Seen) -> bool) -> usize {
        self.seen
            .borrow()
            .iter()
            .filter(|seen| matches(seen))
            .count()
    }

    fn pick<T>(&self, pick: impl Fn(&Seen) -> Option<T>) -> Vec<T> {
        self.seen.borrow().iter().filter_map(pick).collect()
    }

    /// The streams that came in.
    pub(crate) fn accepted(&self) -> Vec<Token> {
        self.pick(|seen| match seen {
            Seen::Accepted(_, stream) => Some(*stream),
            _ => None,
        })
    }

    /// All that was received on a stream.
    pub(crate) fn received(&self, token: Token) -> Vec<u8> {
        self.pick(|seen| match seen {
            Seen::Data(stream, bytes) if *stream == token => Some(Rc::clone(bytes)),
            _ => None,
        })
        .concat()
    }

    /// How a stream ended; fails the test if that was told more than once.
    pub(crate) fn lost(&self, token: Token) -> Option<CloseReason> {
        let reasons = self.pick(|seen| match seen {
            Seen::Lost(stream, reason) if *stream == token => Some(*reason),
            _ => None,
        });
        assert!(reasons.len() <= 1, "told once: {reasons:?}");
        reasons.first().copied()
    }

    /// Takes turns until a stream has ended, and returns how.
    pub(crate) fn until_lost(&self, token: Token) -> CloseReason {
        self.until("a stream to end", |world| world.lost(token).is_some());
        self.lost(token).expect("it is told")
    }

    /// Takes turns until so many bytes have come.
    pub(crate) fn until_received(&self, token: Token, size: usize) {
        let mut total = 0;
        let mut from = 0;
        self.until("bytes", |world| {
            let seen = world.seen.borrow();
            for seen in &seen[from..] {
                if let Seen::Data(stream, bytes) = seen {
                    if *stream == token {
                        total += bytes.len();
                    }
                }
            }
            from = seen.len();
            total >= size
        });
    }

    /// What the panics said.
    pub(crate) fn panics(&self) -> Vec<(Option<Token>, String)> {
        self.pick(|seen| match seen {
            Seen::Panicked(stream, message) => Some((*stream, message.clone())),
            _ => None,
        })
    }

    /// How many handles there are, the engine's and others'.
    pub(crate) fn handles(&self) -> usize {
        self.alive.get()
    }

    /// Waits, without a turn, until so many bytes lie in a stream's socket.
    pub(crate) fn until_arrived(&self, token: Token, size: usize) {
        let mut room = vec![MaybeUninit::uninit(); size];
        let start = self.clock.now();
        loop {
            let arrived = self.engine.stream(token, |stream| {
                stream.socket().expect("open").peek(&mut room).unwrap_or(0)
            });
            if arrived.expect("open") >= size {
                return;
            }
            self.check_patience(start, "bytes to arrive");
            std::thread::yield_now();
        }
    }
}

/// Panics as a hook of a careless user does, without filling the tests' output.
pub(crate) fn panic_on_purpose() -> ! {
    std::panic::resume_unwind(Box::new("on purpose"))
}

/// Memory for a large read.
pub(crate) struct Lease(Vec<MaybeUninit<u8>>);

impl AsMut<[MaybeUninit<u8>]> for Lease {
    fn as_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.0
    }
}
