//! The system's readiness queue.  The only file that names mio.
//!
//! Sockets are registered once, for reading and writing, edge-triggered; no call to the kernel follows until they close.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Source;
#[cfg(unix)]
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry};

use crate::sink::Wants;
use crate::token::Token;

pub use mio::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
pub use mio::net::{UnixDatagram, UnixListener};

/// How many events one wait hands over at most; the kernel keeps the others for the next one.
const EVENTS: usize = 1024;

/// Urgent data is told of where it can be: a read stops short of it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const URGENT: Interest = Interest::PRIORITY;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const URGENT: Interest = Interest::READABLE;

/// Names the waker.
const WAKE: mio::Token = mio::Token(Token::reserved(0).to_usize());

/// Names the pipe that signals are written to.
#[cfg(unix)]
const SIGNAL: mio::Token = mio::Token(Token::reserved(1).to_usize());

/// What the poller tells of one descriptor.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Whose descriptor.
    pub token: Token,
    /// Reading may find something.
    pub readable: bool,
    /// Writing may be taken.
    pub writable: bool,
    /// Something lies behind what a short read brings: the end, an error, or what follows urgent data.
    pub read_on: bool,
    /// It has an error to tell of, or takes no more for good.
    pub error: bool,
}

/// Waits for readiness.
#[derive(Debug)]
pub struct Poller {
    poll: Poll,
    events: Events,
    #[cfg(unix)]
    signals: SignalPipe,
}

impl Poller {
    /// Opens a poller with its registrar and waker.
    ///
    /// # Errors
    /// What the system says when descriptors have run out.
    pub fn new() -> io::Result<(Self, Registrar, Waker)> {
        let poll = Poll::new()?;
        let registrar = Registrar::new(poll.registry().try_clone()?);
        let waker = Waker(Arc::new(mio::Waker::new(poll.registry(), WAKE)?));
        #[cfg(unix)]
        let signals = SignalPipe::new(poll.registry())?;
        let poller = Self {
            poll,
            events: Events::with_capacity(EVENTS),
            #[cfg(unix)]
            signals,
        };
        Ok((poller, registrar, waker))
    }

    /// Waits until something is ready, the waker is used, a signal arrives or `timeout` has passed (`None`: for ever).
    ///
    /// # Errors
    /// What the system says; an interruption by a signal is not an error.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            other => other,
        }
    }

    /// Hands what the last wait found to `each`; the waker and the signal pipe are seen to here.  Returns whether one of
    /// these ended the wait: they will not end the next one.
    pub fn drain(&mut self, mut each: impl FnMut(Event)) -> bool {
        let mut woken = false;
        for event in &self.events {
            match event.token() {
                WAKE => woken = true,
                #[cfg(unix)]
                SIGNAL => {
                    woken = true;
                    self.signals.drain();
                }
                mio::Token(packed) => each(Event {
                    token: Token::from_usize(packed),
                    readable: event.is_readable(),
                    // A write to what is closed fails at once, and tells so.
                    writable: event.is_writable() || event.is_write_closed(),
                    read_on: event.is_read_closed() || event.is_error() || event.is_priority(),
                    error: event.is_error() || event.is_write_closed(),
                }),
            }
        }
        self.events.clear();
        woken
    }

    /// Its own descriptor, readable while a wait would end at once; `None` where there is none.
    #[must_use]
    pub fn descriptor(&self) -> Option<i32> {
        #[cfg(unix)]
        return Some(std::os::fd::AsRawFd::as_raw_fd(&self.poll));
        #[cfg(not(unix))]
        None
    }

    /// The descriptor that a byte may be written to from a signal handler to end the wait; `None` where there is none.
    #[must_use]
    pub fn signal_descriptor(&self) -> Option<i32> {
        #[cfg(unix)]
        return Some(self.signals.writer());
        #[cfg(not(unix))]
        None
    }
}

/// Adds descriptors to the poller; usable while the poller waits.
///
/// The system names them by number, and forgets one that is closed, whose number the next may get.  It is no trouble with
/// the engine's own, which it closes itself; a *foreign* one is closed behind its back.  So it is kept here whose each
/// number was last, and nobody ends or changes the watch of another.
#[derive(Debug)]
pub struct Registrar {
    registry: Registry,
    foreign: RefCell<HashMap<i32, Token>>,
}

impl Registrar {
    fn new(registry: Registry) -> Self {
        Self {
            registry,
            foreign: RefCell::default(),
        }
    }

    /// Watches `source` for reading and writing.  Closing it ends the watch.
    ///
    /// # Errors
    /// What the system says, such as that its limit of watches is reached.
    pub fn watch(&self, source: &mut (impl Source + Numbered), token: Token) -> io::Result<()> {
        self.watch_for(
            source,
            token,
            Interest::READABLE | Interest::WRITABLE | URGENT,
        )
    }

    /// Watches `source` for reading only, as a listener wants it.
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    pub fn watch_reading(
        &self,
        source: &mut (impl Source + Numbered),
        token: Token,
    ) -> io::Result<()> {
        self.watch_for(source, token, Interest::READABLE)
    }

    /// Watches a Unix socket for reading only.
    ///
    /// The system tells that it may be written whenever the peer has read something, not just where that was waited for: for
    /// each message there would be an event of no use.
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    #[cfg(unix)]
    pub fn watch_inbound(
        &self,
        source: &mut (impl Source + Numbered),
        token: Token,
    ) -> io::Result<()> {
        self.watch_for(source, token, Interest::READABLE | URGENT)
    }

    /// Watches such a socket for writing as well from now on, or not any more; what is ready now is told of once more.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(unix)]
    pub fn watch_outbound(
        &self,
        source: &mut (impl Source + Numbered),
        wanted: bool,
        token: Token,
    ) -> io::Result<()> {
        let mut interest = Interest::READABLE | URGENT;
        if wanted {
            interest |= Interest::WRITABLE;
        }
        self.registry
            .reregister(source, mio::Token(token.to_usize()), interest)
    }

    fn watch_for(
        &self,
        source: &mut (impl Source + Numbered),
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.registry
            .register(source, mio::Token(token.to_usize()), interest)?;
        #[cfg(unix)]
        {
            let mut foreign = self.foreign.borrow_mut();
            if !foreign.is_empty() {
                foreign.remove(&source.as_raw_fd());
            }
        }
        Ok(())
    }

    /// Watches a pipe for what it is used for; that its other end is gone is told in any case.
    ///
    /// # Errors
    /// As [`watch`](Self::watch); and that it can not be waited for, as a regular file cannot.
    #[cfg(unix)]
    pub fn watch_pipe(&self, pipe: &impl Numbered, uses: Wants, token: Token) -> io::Result<()> {
        let descriptor = pipe.as_raw_fd();
        self.registry.register(
            &mut SourceFd(&descriptor),
            mio::Token(token.to_usize()),
            interest(uses),
        )?;
        self.foreign.borrow_mut().remove(&descriptor);
        Ok(())
    }

    /// Ends the watch of a descriptor that somebody else may hold as well, so that closing it does not.
    #[cfg(unix)]
    pub fn forget(&self, descriptor: &impl Numbered) {
        // A descriptor that is not watched any more is just what is wanted.
        let _ = self
            .registry
            .deregister(&mut SourceFd(&descriptor.as_raw_fd()));
    }

    /// All foreign descriptors are let go of, without a word to the system: what it may still tell of them names nobody.
    pub fn forget_foreign(&self) {
        for (descriptor, _) in self.foreign.borrow_mut().drain() {
            #[cfg(unix)]
            let _ = self.registry.deregister(&mut SourceFd(&descriptor));
            #[cfg(not(unix))]
            let _ = descriptor;
        }
    }

    /// Watches `descriptor`, which is the binding's own, for what is wanted of it.
    ///
    /// # Errors
    /// What the system says: among others that it is closed, watched already, or nothing that can be waited for.
    pub fn watch_foreign(&self, descriptor: i32, wants: Wants, token: Token) -> io::Result<()> {
        #[cfg(unix)]
        self.registry.register(
            &mut SourceFd(&descriptor),
            mio::Token(token.to_usize()),
            interest(wants),
        )?;
        #[cfg(not(unix))]
        return Err(io::ErrorKind::Unsupported.into());
        self.foreign.borrow_mut().insert(descriptor, token);
        Ok(())
    }

    /// Changes what is wanted; what is ready now is told of once more.
    ///
    /// # Errors
    /// What the system says, and `NotFound` if the number is another's by now.
    pub fn rewatch_foreign(&self, descriptor: i32, wants: Wants, token: Token) -> io::Result<()> {
        if !self.is_foreign(descriptor, token) {
            return Err(io::ErrorKind::NotFound.into());
        }
        #[cfg(unix)]
        self.registry.reregister(
            &mut SourceFd(&descriptor),
            mio::Token(token.to_usize()),
            interest(wants),
        )?;
        Ok(())
    }

    /// Ends the watch, unless the number is another's by now.
    pub fn unwatch_foreign(&self, descriptor: i32, token: Token) {
        if self.is_foreign(descriptor, token) {
            self.foreign.borrow_mut().remove(&descriptor);
            // A closed descriptor is refused here; nobody watches it any more.
            #[cfg(unix)]
            let _ = self.registry.deregister(&mut SourceFd(&descriptor));
        }
    }

    fn is_foreign(&self, descriptor: i32, token: Token) -> bool {
        self.foreign.borrow().get(&descriptor) == Some(&token)
    }
}

/// What has a descriptor, where there are such.
#[cfg(unix)]
pub use std::os::fd::AsRawFd as Numbered;

/// What has a descriptor, where there are such.
#[cfg(not(unix))]
pub trait Numbered {}
#[cfg(not(unix))]
impl<T> Numbered for T {}

#[cfg(unix)]
const fn interest(wants: Wants) -> Interest {
    match (wants.read, wants.write) {
        (true, true) => Interest::READABLE.add(Interest::WRITABLE),
        (false, true) => Interest::WRITABLE,
        _ => Interest::READABLE,
    }
}

/// Ends a wait from any thread.
#[derive(Clone, Debug)]
pub struct Waker(Arc<mio::Waker>);

impl Waker {
    /// Ends the wait that is going on, or else the next one.
    ///
    /// # Errors
    /// What the system says; the poller is then gone.
    pub fn wake(&self) -> io::Result<()> {
        self.0.wake()
    }
}

/// A pipe into which the runtime's C signal handler writes one byte for each signal.
#[cfg(unix)]
#[derive(Debug)]
struct SignalPipe {
    writer: mio::unix::pipe::Sender,
    reader: mio::unix::pipe::Receiver,
}

#[cfg(unix)]
impl SignalPipe {
    fn new(registry: &Registry) -> io::Result<Self> {
        let (writer, mut reader) = mio::unix::pipe::new()?;
        registry.register(&mut reader, SIGNAL, Interest::READABLE)?;
        Ok(Self { writer, reader })
    }

    fn writer(&self) -> i32 {
        use std::os::fd::AsRawFd;
        self.writer.as_raw_fd()
    }

    /// Empties the pipe, so that the next signal makes a new edge.
    fn drain(&self) {
        use std::io::Read;
        let mut bytes = [0; 64];
        while matches!((&self.reader).read(&mut bytes), Ok(read) if read == bytes.len()) {}
    }
}
