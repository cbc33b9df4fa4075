//! One connected byte stream: what it reads and writes, its outbox, and where it stands in its life.
//!
//! Nothing here calls upwards: what is owed to the binding is returned, and the engine sees to it.

mod file;
pub(crate) mod link;
mod made;
mod passing;
#[cfg(unix)]
pub(crate) mod pipe;
mod secure;
pub mod state;
#[cfg(unix)]
pub(crate) mod unix;

use std::io;

use socket2::SockRef;

use crate::buffer::inbox::{Appetite, Next, READ_SIZE, Share};
use crate::buffer::outbox::{FLUSH_SHARE, Outbox, Outcome};
use crate::error::CloseReason;
use crate::poller::Registrar;
use crate::readiness::Readiness;
use crate::tls::session::Session;
use crate::token::Token;
use link::{Got, Link};
use state::{Action, Input, State};

pub use link::Room;
pub(crate) use secure::Unsealed;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// The stream takes no more: it is aborted, broken, closed, or our half is shut.  The bytes are dropped.
    Ignored,
    /// They are queued.
    Queued,
    /// They are queued, and the producer is to be told to pause.
    Full,
}

/// What is owed after a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Nothing.
    Nothing,
    /// The producer is to be told to go on.
    Resume,
    /// The protocol is to be told that our half is shut down.
    WriteClosed,
    /// The kernel takes more, after the others have had their turn.
    Yield,
    /// Writing failed: what the peer said before is to be read, and the stream ends behind it.
    Broken,
    /// Everything is sent and our end is said; if the peer does not say its own in this time, the stream is closed without.
    Linger(std::time::Duration),
    /// The stream is to be closed.
    Close(CloseReason),
}

/// What came of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes; and whether to read on.
    Bytes(usize, Next),
    /// The peer closed its half, and the protocol is to be asked whether it goes on.
    End,
    /// Nothing now.
    Nothing,
    /// The connection broke.
    Failed(CloseReason),
}

/// What has gone through a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes received.
    pub bytes_read: u64,
    /// Bytes that the kernel took.
    pub bytes_written: u64,
    /// Bytes that wait for the kernel.
    pub bytes_queued: usize,
}

/// One connected byte stream.
#[derive(Debug)]
pub struct Stream<C> {
    /// `None` once closed.
    link: Option<Link>,
    outbox: Outbox<C>,
    /// Where it is secured.
    tls: Option<Box<Session<C>>>,
    state: State,
    appetite: Appetite,
    pub(crate) readiness: Readiness,
    /// Whether one of its hooks is on the stack.
    pub(crate) busy: bool,
    /// Whether somebody else may hold the socket as well.
    pub(crate) lent: bool,
    /// Whether it is in the engine's list of streams to flush.
    dirty: bool,
    /// Whether the poller knows it.
    watched: bool,
    /// Whether the producer is one that is asked for each piece.
    pull: bool,
    /// What writing failed with, while what the peer said before is still being read.
    broken: Option<i32>,
    /// Why it was closed.
    reason: Option<CloseReason>,
    bytes_read: u64,
    bytes_written: u64,
}

impl<C: AsRef<[u8]>> Stream<C> {
    /// A stream that the poller does not know yet.
    const fn over(link: Link, state: State) -> Self {
        Self {
            link: Some(link),
            outbox: Outbox::new(),
            tls: None,
            state,
            appetite: Appetite::new(),
            readiness: Readiness::fresh(),
            busy: false,
            lent: false,
            dirty: false,
            watched: false,
            pull: false,
            broken: None,
            reason: None,
            bytes_read: 0,
            bytes_written: 0,
        }
    }

    /// Has the poller watch it, unless it is closed or watched already.
    pub(crate) fn watch(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        match &mut self.link {
            Some(link) if !self.watched => {
                self.watched = true;
                link.watch(registrar, token)?;
                self.look_out(registrar, token)
            }
            _ => Ok(()),
        }
    }

    /// Has the poller look out for room to write where it does not do so all the time.
    #[inline]
    pub(crate) fn look_out(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        #[cfg(unix)]
        if let (Some(Link::Unix(unix)), true) = (&mut self.link, self.watched) {
            let blocked = !self.outbox.is_empty() && !self.readiness.writable();
            return unix.look_out(blocked, registrar, token);
        }
        #[cfg(not(unix))]
        let _ = (registrar, token);
        Ok(())
    }

    /// The socket, for the binding's own questions; `None` once closed.  A pipe is asked as if it were one, and answers
    /// with the system's error.
    #[must_use]
    pub fn socket(&self) -> Option<SockRef<'_>> {
        self.link.as_ref().map(Link::descriptor)
    }

    /// Whether it is over a pipe, or what behaves like one.
    pub(crate) const fn is_pipe(&self) -> bool {
        #[cfg(unix)]
        return matches!(self.link, Some(Link::Pipe(_)));
        #[cfg(not(unix))]
        false
    }

    /// What has gone through it.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics {
            bytes_read: self.bytes_read,
            bytes_written: self.bytes_written,
            bytes_queued: self.outbox.len() + self.unsealed(),
        }
    }

    /// Why it was closed; `None` while it is open.
    pub(crate) const fn closed(&self) -> Option<CloseReason> {
        self.reason
    }

    /// Puts it into the engine's list of streams to flush; returns whether it was not there.  While one of its hooks is on
    /// the stack it stays out of the list, as a flush follows that hook.
    pub(crate) const fn soil(&mut self) -> bool {
        !self.busy && !std::mem::replace(&mut self.dirty, true)
    }

    /// It left that list.
    pub(crate) const fn clean(&mut self) {
        self.dirty = false;
    }

    // Reading

    pub(crate) fn pause(&mut self) {
        let _ = self.state.apply(Input::Pause);
    }

    /// Returns whether there is something to read that the poller will not tell of again.
    pub(crate) fn resume(&mut self) -> bool {
        let resumed = !self.state.apply(Input::Resume).is_empty();
        resumed && (self.readiness.readable() || self.is_ripe())
    }

    /// Whether what comes in is wanted.
    #[must_use]
    pub const fn is_reading(&self) -> bool {
        self.state.is_reading()
    }

    /// Makes the outbox full beyond `high_water` bytes from now on.
    pub(crate) const fn set_high_water(&mut self, high_water: u32) {
        self.outbox.set_high_water(high_water);
    }

    /// Whether a read may be tried.
    pub(crate) fn wants_input(&self) -> bool {
        match &self.tls {
            None => self.readiness.readable() && self.state.is_reading(),
            Some(tls) => self.wants_records(tls),
        }
    }

    /// How much memory the binding should lend for the next read, if it should.
    pub(crate) fn lease_size(&self) -> Option<usize> {
        if self.appetite.wants_lease() && !self.wants_descriptors() {
            Some(READ_SIZE)
        } else {
            None
        }
    }

    /// Reads once into `room`.
    pub(crate) fn receive(&mut self, room: Room<'_>, share: &mut Share) -> Received {
        let Some(link) = &mut self.link else {
            return Received::Nothing;
        };
        let size = room.size();
        let answer = link.read(room);
        match (answer, self.broken) {
            (Ok(Got { count: 0, .. }) | Err(_), Some(errno)) => {
                Received::Failed(CloseReason::Lost(errno))
            }
            (Ok(Got { count: 0, .. }), None) => {
                self.readiness.used_readable();
                if self.state.apply(Input::PeerEof).is_empty() {
                    Received::Nothing
                } else {
                    Received::End
                }
            }
            (Ok(Got { count, read_on }), _) => {
                self.appetite.note(count);
                self.bytes_read += count as u64;
                let read_on = read_on || self.readiness.read_on();
                let next = share.after_read(size, count, read_on);
                if next == Next::Wait {
                    self.readiness.used_readable();
                }
                Received::Bytes(count, next)
            }
            (Err(error), None) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readiness.used_readable();
                Received::Nothing
            }
            (Err(error), None) => Received::Failed(CloseReason::from(&error)),
        }
    }

    /// The protocol's answer to [`Received::End`].
    pub(crate) fn peer_closed(&mut self, goes_on: bool) -> Option<CloseReason> {
        let answer = if goes_on {
            Input::EofKept
        } else {
            Input::EofRefused
        };
        close_in(self.state.apply(answer))
    }

    /// Whether it was aborted, or is closed.
    pub(crate) const fn is_over(&self) -> bool {
        self.state.is_aborting() || self.state.is_closed()
    }

    // Closing

    pub(crate) fn lose(&mut self) {
        let _ = self.state.apply(Input::LoseConnection);
    }

    pub(crate) fn lose_write(&mut self) {
        let _ = self.state.apply(Input::LoseWrite);
    }

    pub(crate) fn abort(&mut self) {
        let _ = self.state.apply(Input::Abort);
    }

    /// Notes that a hook raised; returns the reason to close with, unless it is closed already.
    pub(crate) fn hook_raised(&mut self) -> Option<CloseReason> {
        close_in(self.state.apply(Input::HookRaised))
    }

    /// Notes that the socket broke; as [`hook_raised`](Self::hook_raised).
    pub(crate) fn failed(&mut self, errno: i32) -> Option<CloseReason> {
        close_in(self.state.apply(Input::Failed(errno))).map(|reason| self.blame_tls(reason))
    }

    /// Gives the socket back to the system.
    pub(crate) fn close(&mut self, reason: CloseReason, registrar: &Registrar) {
        self.reason = Some(reason);
        self.last_words(reason);
        let unread = self.readiness.readable();
        self.readiness = Readiness::default();
        // Chunks go here, and when they are written, while the engine's state is borrowed: see `Handles::Chunk`.
        self.outbox.clear(drop);
        if let Some(link) = self.link.take() {
            if self.watched && (self.lent || link.is_shared()) {
                link.forget(registrar);
            }
            link.part(self.lent, reason.resets(), unread);
        }
    }

    /// Closes the descriptor and nothing else: the connection goes on with whoever has a duplicate.
    pub(crate) fn release(&mut self, registrar: &Registrar) {
        self.reason = Some(CloseReason::Done);
        self.readiness = Readiness::default();
        self.outbox.clear(drop);
        if let Some(link) = self.link.take() {
            if self.watched {
                link.forget(registrar);
            }
        }
    }

    // Producers

    /// Returns whether the stream still takes anything.
    pub(crate) fn register_producer(&mut self, streaming: bool) -> bool {
        if self.state.is_closed() {
            return false;
        }
        self.pull = !streaming;
        let _ = self.state.apply(if streaming {
            Input::StreamingProducer
        } else {
            Input::PullProducer
        });
        true
    }

    pub(crate) fn unregister_producer(&mut self) {
        self.pull = false;
        let _ = self.state.apply(Input::NoProducer);
    }

    // Writing

    /// Queues `chunk`.
    pub(crate) fn write(&mut self, chunk: C) -> Wrote {
        if !self.state.accepts_writes() || self.broken.is_some() {
            return Wrote::Ignored;
        }
        if self.tls.is_some() {
            return self.write_plain(chunk);
        }
        self.outbox.push_small_or_shared(chunk);
        if self.outbox.is_full() && !self.state.apply(Input::OutboxFull).is_empty() {
            return Wrote::Full;
        }
        Wrote::Queued
    }

    /// As `write` for a chunk made of both, or `None` if making it is cheaper.
    pub(crate) fn write_pair(&mut self, head: &[u8], tail: &[u8]) -> Option<Wrote> {
        if !self.state.accepts_writes() || self.broken.is_some() {
            return Some(Wrote::Ignored);
        }
        if self.tls.is_some() {
            return self.write_plain_pair(head, tail);
        }
        self.outbox.push_pair(head, tail)?;
        if self.outbox.is_full() && !self.state.apply(Input::OutboxFull).is_empty() {
            return Some(Wrote::Full);
        }
        Some(Wrote::Queued)
    }

    /// Writes what the kernel takes; an empty outbox sets off what waited for it.
    pub(crate) fn flush(&mut self) -> Flushed {
        match self.send() {
            Flushed::Nothing
                if self.readiness.has_error() && self.state.is_deaf() && !self.is_lingering() =>
            {
                self.ask_for_error()
            }
            flushed => flushed,
        }
    }

    /// Nothing is read any more and nothing was written, so only this tells that the connection broke.
    fn ask_for_error(&mut self) -> Flushed {
        self.readiness.used_error();
        let error = match &self.link {
            Some(link) => link.take_error(),
            None => Ok(None),
        };
        let errno = match error {
            Ok(None) => return Flushed::Nothing,
            Ok(Some(error)) | Err(error) => error.raw_os_error().unwrap_or(0),
        };
        self.failed(errno).map_or(Flushed::Nothing, Flushed::Close)
    }

    fn send(&mut self) -> Flushed {
        if self.link.is_none() {
            return Flushed::Nothing;
        }
        if self.state.is_aborting() {
            return self.settle();
        }
        if let Some(errno) = self.broken {
            return self.break_off(errno);
        }
        let mut written = 0;
        loop {
            let more = match self.tls {
                None => false,
                Some(_) => match self.seal() {
                    Ok(more) => more,
                    Err(flushed) => return flushed,
                },
            };
            if self.outbox.is_empty() {
                break;
            }
            let (Some(link), true) = (&mut self.link, self.readiness.writable()) else {
                return Flushed::Nothing;
            };
            let flush = self.outbox.flush(link, drop);
            written += flush.written;
            self.bytes_written += flush.written as u64;
            match flush.outcome {
                Outcome::Drained if !more => break,
                Outcome::Drained if written < FLUSH_SHARE => {}
                Outcome::Blocked if link.takes_more() => {
                    if written >= FLUSH_SHARE {
                        return Flushed::Yield;
                    }
                }
                Outcome::Blocked => {
                    self.readiness.used_writable();
                    // A terminal goes on saying so after its far end is gone.
                    return match link.hung_up() {
                        Some(errno) if self.readiness.has_error() => self.break_off(errno),
                        _ => Flushed::Nothing,
                    };
                }
                Outcome::Drained | Outcome::Yielded => return Flushed::Yield,
                Outcome::Failed(error) => {
                    return self.break_off(error.raw_os_error().unwrap_or(0));
                }
            }
        }
        if self.pull && written == 0 {
            // It was asked already and has not answered: asking again would turn the loop round for nothing.
            return Flushed::Nothing;
        }
        self.settle()
    }

    /// Writing failed.  A peer that answers early and closes makes it fail before its answer is read, so the stream goes on
    /// for as long as there is something to read and somebody who reads it.
    fn break_off(&mut self, errno: i32) -> Flushed {
        let waits = match &self.link {
            // What is left in a pipe stays there for as long as nobody wants it.
            Some(link) if link.is_shared() => !self.state.is_deaf(),
            _ => self.state.is_reading(),
        };
        if !waits {
            return self.failed(errno).map_or(Flushed::Nothing, Flushed::Close);
        }
        if self.broken.replace(errno).is_some() {
            return Flushed::Nothing; // what is left is being read
        }
        self.outbox.clear(drop);
        self.readiness.merge(true, false, true);
        Flushed::Broken
    }

    /// The outbox is empty.
    fn settle(&mut self) -> Flushed {
        if self.tls.is_some() && !self.state.is_aborting() {
            if let Some(flushed) = self.settle_tls() {
                return flushed;
            }
        }
        let mut flushed = Flushed::Nothing;
        for action in self.state.apply(Input::Flushed) {
            match action {
                Action::ResumeProducer => flushed = Flushed::Resume,
                Action::DeliverWriteClosed => flushed = Flushed::WriteClosed,
                Action::Close(CloseReason::Done) if self.is_passing() => {
                    flushed = Flushed::Close(CloseReason::Overrun);
                }
                Action::Close(reason) => flushed = Flushed::Close(reason),
                Action::ShutWrite => {
                    if let Some(link) = &self.link {
                        link.shut_write();
                    }
                }
                // The engine flushes after each hook, and the binding lets its producer go when it tells of the end.
                _ => {}
            }
        }
        flushed
    }
}

/// The reason to close with, if that is among `actions`.
fn close_in(actions: state::Actions) -> Option<CloseReason> {
    actions.into_iter().find_map(|action| match action {
        Action::Close(reason) => Some(reason),
        _ => None,
    })
}
