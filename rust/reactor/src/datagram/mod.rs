//! One datagram socket, over UDP or a Unix path.
//!
//! Nothing here calls upwards.  What comes in is taken from the kernel many at a time, into a [`Batch`] that all sockets of
//! a loop share; answers to what is being delivered are collected and handed to the kernel together, everything else goes
//! at once.  The kernel keeps what it has received, and what it refuses to send is dropped: that is what datagrams are.

mod batch;
#[cfg(target_os = "linux")]
mod many;
mod socket;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use socket2::SockRef;

use crate::address::Address;
use crate::clock::Time;
use crate::error::Error;
use crate::poller::Registrar;
use crate::readiness::Readiness;
use crate::token::Token;

pub use batch::{BATCH, Batch};
use socket::Socket;

/// How many datagrams one socket delivers in one turn.  A flood on one socket then costs the others this many calls, a
/// tenth of a millisecond with a quick protocol, before they are served again.
pub const DATAGRAMS_PER_TURN: usize = 64;

/// The longest answer that is collected.  No path refuses it for its length (IPv6 asks every link to carry 1280 bytes, of
/// which the headers take 48): of a longer one, the kernel's refusal is to be raised where it is written.
pub const ANSWER_LIMIT: usize = 1232;

/// What came of looking for datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many are in the batch.
    Datagrams(usize),
    /// None is there, or none is wanted.
    Nothing,
    /// Something is to be told.
    Trouble(Trouble),
}

/// What went wrong with an earlier datagram, or with the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The system has this to say of the socket: that a datagram was refused by the peer, say.
    Socket(i32),
    /// This answer could not be sent.
    Unsent(SocketAddr, i32),
}

/// What has gone through a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Datagrams received.
    pub datagrams_read: u64,
    /// Their bytes, as far as there was room for them.
    pub bytes_read: u64,
    /// Datagrams that the kernel took.
    pub datagrams_written: u64,
    /// Their bytes.
    pub bytes_written: u64,
    /// Datagrams that the kernel did not take, for want of room or otherwise, without the writer being told.
    pub datagrams_dropped: u64,
}

/// A datagram socket.
#[derive(Debug)]
pub struct Datagram<C> {
    socket: Socket,
    pub(crate) readiness: Readiness,
    /// Whether its hook is on the stack.
    pub(crate) busy: bool,
    /// Whether nothing is to be delivered for now.
    paused: bool,
    connected: bool,
    /// Whether it is in the engine's list of what to flush.
    dirty: bool,
    /// Whether somebody else may hold the socket as well.
    lent: bool,
    /// How much of a datagram is delivered at most.
    room: usize,
    /// Where the datagram came from that is being delivered.
    serving: Option<SocketAddr>,
    answers: Vec<(SocketAddr, C)>,
    /// When the first of the answers was written.
    since: Time,
    /// What was taken from the kernel when delivery was paused.
    held: VecDeque<(Vec<u8>, Address)>,
    /// What was found while sending, to be told in the socket's own time.
    troubles: VecDeque<Trouble>,
    statistics: Statistics,
}

impl<C: AsRef<[u8]>> Datagram<C> {
    /// Binds a socket to `local`, or leaves a Unix socket without a name, if that is where it stays.
    ///
    /// `reuse` lets other sockets that ask for it as well have the same address.
    ///
    /// # Errors
    /// What the system says: the address is in use, not of this machine, or not allowed.
    pub fn bind(local: &Address, reuse: bool, room: usize) -> Result<Self, Error> {
        Ok(Self::over(Socket::bind(local, reuse)?, room))
    }

    /// Takes a socket that somebody else has made.
    ///
    /// # Errors
    /// What the system says of it; `Unsupported` for another family than IPv4, IPv6 and Unix.
    #[cfg(unix)]
    pub fn adopt(socket: std::os::fd::OwnedFd, room: usize) -> io::Result<Self> {
        let socket = Socket::adopt(socket)?;
        let connected = socket.descriptor().peer_addr().is_ok();
        Ok(Self {
            connected,
            lent: true,
            ..Self::over(socket, room)
        })
    }

    fn over(socket: Socket, room: usize) -> Self {
        Self {
            socket,
            readiness: Readiness::none(),
            busy: false,
            paused: false,
            connected: false,
            dirty: false,
            lent: false,
            room: room.max(1),
            serving: None,
            answers: Vec::new(),
            since: Time::default(),
            held: VecDeque::new(),
            troubles: VecDeque::new(),
            statistics: Statistics::default(),
        }
    }

    /// Starts to be told of datagrams.  Not of room to send: what is refused is dropped, and the kernel would speak of
    /// it after every datagram.
    ///
    /// # Errors
    /// What the system says.
    pub fn watch(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        self.socket.watch(registrar, token)
    }

    /// The socket, for the binding's own questions.
    #[must_use]
    pub fn socket(&self) -> SockRef<'_> {
        self.socket.descriptor()
    }

    /// Somebody else may hold the socket from now on.
    pub(crate) const fn lend(&mut self) {
        self.lent = true;
    }

    /// Where it is bound.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<Address> {
        Ok(Address::from_system(&self.socket().local_addr()?))
    }

    /// Whether it has one peer only.
    #[must_use]
    pub const fn connected(&self) -> bool {
        self.connected
    }

    /// Has one peer only from now on.
    ///
    /// # Errors
    /// What the system says.
    pub fn connect(&mut self, peer: &Address) -> io::Result<()> {
        self.flush_answers();
        self.socket().connect(&socket::to_system(peer)?)?;
        self.connected = true;
        Ok(())
    }

    /// What has gone through.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    // Receiving

    /// Delivers nothing (`paused`), or delivers again.
    pub(crate) const fn pause(&mut self, paused: bool) {
        self.paused = paused;
    }

    /// Whether nothing is to be delivered.
    pub(crate) const fn paused(&self) -> bool {
        self.paused
    }

    /// Takes what there is, `most` datagrams at most.
    pub(crate) fn receive(&mut self, batch: &mut Batch, most: usize) -> Received {
        if let Some(trouble) = self.troubles.pop_front() {
            return Received::Trouble(trouble);
        }
        if self.paused {
            return Received::Nothing;
        }
        batch.clear();
        if !self.held.is_empty() {
            for (bytes, from) in self.held.drain(..) {
                batch.put(bytes, from);
            }
            return Received::Datagrams(batch.len());
        }
        if !self.readiness.readable() {
            return Received::Nothing;
        }
        let asked = batch.prepare(self.room).min(most);
        match self.socket.receive(batch, asked) {
            Ok(()) => {
                // Fewer than asked for were all, but for an error that stood behind them: one that the poller has told
                // of is looked for, and it tells of one that comes later.
                if batch.len() < asked && !self.readiness.has_error() {
                    self.readiness.used_readable();
                }
                self.statistics.datagrams_read += batch.len() as u64;
                self.statistics.bytes_read += batch.total() as u64;
                Received::Datagrams(batch.len())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readiness.used_readable();
                self.readiness.used_error();
                Received::Nothing
            }
            Err(error) => {
                self.readiness.used_error();
                if is_final(&error) {
                    self.readiness.used_readable();
                }
                Received::Trouble(Trouble::Socket(errno_of(&error)))
            }
        }
    }

    /// A datagram is about to be delivered that came from here.
    #[inline]
    pub(crate) const fn serve(&mut self, from: &Address) {
        self.busy = true;
        self.serving = from.as_inet();
    }

    /// Delivery is over for now.
    pub(crate) const fn rest(&mut self) {
        self.busy = false;
        self.serving = None;
    }

    /// Keeps a datagram until delivery goes on.
    pub(crate) fn hold(&mut self, bytes: &[u8], from: &Address) {
        self.held.push_back((bytes.to_vec(), from.clone()));
    }

    // Sending

    /// Hands a datagram to the kernel, behind the answers that were written before it.
    ///
    /// # Errors
    /// What the system says, but for two things: a kernel without room drops the datagram, and what it has to say of an
    /// *earlier* one is told as trouble.
    pub(crate) fn send(&mut self, bytes: &[u8], to: Option<&Address>) -> io::Result<()> {
        self.flush_answers();
        let mut sent = self.socket.send(bytes, to);
        if let Err(error) = &sent {
            let errno = errno_of(error);
            if self.is_refusal(error) {
                self.note(Trouble::Socket(errno));
            }
            if self.may_be_hearsay(error) {
                sent = self.socket.send(bytes, to);
                if sent.is_ok() {
                    self.note(Trouble::Socket(errno));
                }
            }
        }
        match sent {
            Ok(_) => {
                self.count_sent(bytes.len());
                Ok(())
            }
            Err(error) if is_full(&error) || self.is_refusal(&error) => {
                self.statistics.datagrams_dropped += 1;
                Ok(())
            }
            Err(error) => {
                if is_final(&error) {
                    self.note(Trouble::Socket(errno_of(&error)));
                }
                Err(error)
            }
        }
    }

    /// Keeps an answer to the datagram that is being delivered, to be sent with others; gives it back if it is to be sent
    /// at once.  Returns whether the engine is to see to it that it leaves.
    pub(crate) fn answer(&mut self, chunk: C, now: impl FnOnce() -> Time) -> Result<bool, C> {
        let Some(peer) = self.serving else {
            return Err(chunk);
        };
        if !COLLECTS || chunk.as_ref().len() > ANSWER_LIMIT {
            return Err(chunk);
        }
        if self.answers.len() == BATCH {
            self.flush_answers();
        }
        if self.answers.is_empty() {
            self.since = now();
        }
        self.answers.push((peer, chunk));
        Ok(!std::mem::replace(&mut self.dirty, true))
    }

    /// It left the engine's list of what to flush.
    pub(crate) const fn clean(&mut self) {
        self.dirty = false;
    }

    /// When the first of the answers was written that wait.
    #[inline]
    pub(crate) fn waiting_since(&self) -> Option<Time> {
        (!self.answers.is_empty()).then_some(self.since)
    }

    /// Hands the answers to the kernel.
    pub(crate) fn flush_answers(&mut self) {
        if self.answers.is_empty() {
            return;
        }
        let mut answers = std::mem::take(&mut self.answers);
        let mut rest = answers.as_slice();
        let mut again = true;
        while let Some(((peer, _), others)) = rest.split_first() {
            match self.socket.send_many(rest) {
                Ok(sent) => {
                    let (done, left) = rest.split_at(sent.clamp(1, rest.len()));
                    for (_, chunk) in done {
                        self.count_sent(chunk.as_ref().len());
                    }
                    rest = left;
                    again = true;
                }
                Err(error) if self.is_refusal(&error) && again => {
                    self.note(Trouble::Socket(errno_of(&error)));
                    again = false;
                }
                Err(error) => {
                    // The first one is at fault; the others go without it.
                    if is_full(&error) || self.is_refusal(&error) {
                        self.statistics.datagrams_dropped += 1;
                    } else {
                        self.note(Trouble::Unsent(*peer, errno_of(&error)));
                    }
                    rest = others;
                    again = true;
                }
            }
        }
        answers.clear();
        self.answers = answers; // whose memory is used again
    }

    /// Whether something is to be told.
    pub(crate) fn has_trouble(&self) -> bool {
        !self.troubles.is_empty()
    }

    const fn count_sent(&mut self, size: usize) {
        self.statistics.datagrams_written += 1;
        self.statistics.bytes_written += size as u64;
    }

    /// Whether `error` is of the peer that a connected socket has, who refuses datagrams, or has gone: to be told, not to be
    /// raised.
    fn is_refusal(&self, error: &io::Error) -> bool {
        use io::ErrorKind::{ConnectionRefused, ConnectionReset, NotConnected};
        match error.kind() {
            ConnectionRefused => self.socket.is_inet() || self.connected,
            ConnectionReset | NotConnected => self.connected && !self.socket.is_inet(),
            _ => false,
        }
    }

    /// Whether `error` may be what the network says of an earlier datagram, so that it is gone once it is told.
    fn may_be_hearsay(&self, error: &io::Error) -> bool {
        self.socket.is_inet()
            && (self.connected || self.is_refusal(error))
            && !is_full(error)
            && !is_final(error)
    }

    /// Has something told once, however often it is found before that.
    fn note(&mut self, trouble: Trouble) {
        if !self.troubles.contains(&trouble) {
            self.troubles.push_back(trouble);
        }
    }

    /// Closes the socket, unless somebody else did, behind our back: its number may be another's by now.
    #[cfg_attr(
        not(unix),
        allow(unused_variables, reason = "closing ends the watch there")
    )]
    pub(crate) fn end(mut self, registrar: &Registrar) {
        self.flush_answers();
        #[cfg(unix)]
        if self
            .socket()
            .local_addr()
            .is_err_and(|error| is_final(&error))
        {
            self.socket.abandon();
        } else if self.lent {
            registrar.forget(&*self.socket());
        }
    }
}

/// Whether answers are collected: where many datagrams cannot be sent in one call, there is nothing to be had from it.
const COLLECTS: bool = cfg!(target_os = "linux");

/// Whether `error` says that the kernel has no room now.
fn is_full(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ENOBUFS) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}

/// Whether `error` says that there is no socket any more.
fn is_final(error: &io::Error) -> bool {
    #[cfg(unix)]
    if matches!(error.raw_os_error(), Some(libc::EBADF | libc::ENOTSOCK)) {
        return true;
    }
    error.kind() == io::ErrorKind::InvalidInput
}

fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}
