//! What TLS changes about a stream: records instead of bytes are read, and sealed before they are written.
//!
//! Only a stream that has a [`Session`] comes here; for any other it costs a look at an empty pointer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::link::{Got, Room};
use super::state::Input;
use super::{Flushed, Stream, Wrote};
use crate::buffer::inbox::{Next, Piece, Share};
use crate::buffer::outbox::HIGH_WATER;
use crate::error::CloseReason;
use crate::security::{Failure, Peer};
use crate::timer::TimerId;
use crate::tls::TlsConfig;
use crate::tls::session::{FAREWELL_PATIENCE, Session, StartError, Work};

/// What came of reading records.
#[derive(Debug)]
pub(crate) enum Unsealed {
    /// Plaintext, which lies where the records were read; and whether to go on.
    Data(Next),
    /// The handshake is over.
    Secured(Arc<Peer>),
    /// The peer closed its half, and the protocol is to be asked whether it goes on.
    End,
    /// Nothing now; the others come first, if this says so.
    Nothing(Next),
    /// The connection is to be closed.
    Close(CloseReason),
}

impl<C: AsRef<[u8]>> Stream<C> {
    /// Secures the stream: what was written so far is sent as it is, what is read from now on is TLS.  Returns how long the
    /// handshake may take.
    pub(crate) fn start_tls(
        &mut self,
        config: &TlsConfig,
        name: Option<&str>,
    ) -> Result<Duration, StartError> {
        if self.tls.is_some() {
            return Err(StartError::Secure);
        }
        if self.state.is_deaf() || !self.state.accepts_writes() || self.broken.is_some() {
            return Err(StartError::Closing);
        }
        let address = self
            .socket()
            .and_then(|socket| socket.peer_addr().ok())
            .and_then(|address| address.as_socket())
            .map(|address| address.ip());
        let session = Session::start(config, name, address, &mut self.outbox)?;
        let patience = session.patience();
        self.tls = Some(Box::new(session));
        Ok(patience)
    }

    pub(crate) const fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Whether there may be something for the protocol that nobody will speak of.
    pub(super) fn is_ripe(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_ripe())
    }

    /// As [`wants_input`](Self::wants_input), for a secured stream: a handshake goes on whatever the protocol wants, and so
    /// does the wait for the peer's farewell.
    pub(super) fn wants_records(&self, tls: &Session<C>) -> bool {
        let alive = !self.state.is_aborting() && !self.state.is_closed();
        (self.readiness.readable() || tls.is_ripe())
            && (self.state.is_reading() || alive && (tls.is_handshaking() || tls.is_lingering()))
    }

    /// Notes by what the engine looks after this stream; gives back what it noted before.
    pub(crate) fn set_deadline(&mut self, deadline: Option<TimerId>) -> Option<TimerId> {
        self.tls
            .as_mut()
            .and_then(|tls| std::mem::replace(&mut tls.deadline, deadline))
    }

    /// The time that the engine noted has come; returns the reason to close with.
    pub(crate) fn expire(&mut self) -> Option<CloseReason> {
        let tls = self.tls.as_mut()?;
        tls.deadline = None;
        if tls.is_handshaking() {
            tls.time_out(&mut self.outbox);
            self.failed(0)
        } else if tls.is_lingering() {
            self.failed(0).map(in_order)
        } else {
            None
        }
    }

    /// What TLS failed with.
    pub(crate) fn take_failure(&mut self) -> Option<Box<Failure>> {
        self.tls.as_mut().and_then(|tls| tls.take_failure())
    }

    // Reading

    /// Reads once into `room`, and unseals what came.
    pub(crate) fn receive_records(
        &mut self,
        room: &mut [u8],
        pieces: &mut Vec<Piece>,
        share: &mut Share,
    ) -> Unsealed {
        pieces.clear();
        loop {
            let (filled, mut next) = match self.fetch(room, share) {
                Ok(fetched) => fetched,
                Err(unsealed) => return unsealed,
            };
            let Some(tls) = &mut self.tls else {
                return Unsealed::Nothing(Next::Wait);
            };
            let bytes = room.get_mut(..filled).unwrap_or_default();
            let work = tls.work(bytes, pieces, &mut self.outbox);
            if tls.is_ripe() {
                next = Next::Again;
            }
            match work {
                Work::Data if self.state.is_reading() => return Unsealed::Data(next),
                // Nobody wants it any more: it is our end, and only the peer's is waited for.
                Work::Data => pieces.clear(),
                Work::Secured(peer) => return Unsealed::Secured(Arc::from(peer)),
                Work::Closed => return self.peer_farewell(),
                Work::Failed => return self.end(0),
                Work::Nothing => {}
            }
            match next {
                Next::Again => {}
                Next::Wait | Next::Yield => return Unsealed::Nothing(next),
            }
        }
    }

    /// Fills the front of `room` with what was kept, and reads more behind it unless that can be worked on as it is.
    fn fetch(&mut self, room: &mut [u8], share: &mut Share) -> Result<(usize, Next), Unsealed> {
        let nothing = Unsealed::Nothing(Next::Wait);
        let (Some(link), Some(tls)) = (&mut self.link, &mut self.tls) else {
            return Err(nothing);
        };
        let stashed = tls.stashed();
        if tls.is_ripe() {
            tls.unstash(room);
            let next = match self.readiness.readable() {
                true => Next::Again,
                false => Next::Wait,
            };
            return Ok((stashed, next));
        }
        if !self.readiness.readable() {
            return Err(nothing);
        }
        let free = room.get_mut(stashed..).unwrap_or_default();
        let size = free.len();
        match link.read(Room::Buffer(free)) {
            Ok(Got { count: 0, .. }) => Err(self.cut_off()),
            Ok(Got { count, read_on }) => {
                tls.unstash(room);
                self.bytes_read += count as u64;
                let read_on = read_on || self.readiness.read_on();
                let next = share.after_read(size, count, read_on);
                if next == Next::Wait {
                    self.readiness.used_readable();
                }
                Ok((stashed + count, next))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readiness.used_readable();
                Err(nothing)
            }
            Err(error) => Err(self.broke(&error)),
        }
    }

    /// The peer says that it sends no more.
    fn peer_farewell(&mut self) -> Unsealed {
        if self.is_lingering() {
            return self.farewells_said();
        }
        if self.state.apply(Input::PeerEof).is_empty() {
            Unsealed::Nothing(Next::Wait)
        } else {
            Unsealed::End
        }
    }

    /// The connection is lost; `errno` says how, unless TLS does.
    fn end(&mut self, errno: i32) -> Unsealed {
        self.failed(errno)
            .map_or(Unsealed::Nothing(Next::Wait), Unsealed::Close)
    }

    /// The connection ended.
    fn cut_off(&mut self) -> Unsealed {
        self.readiness.used_readable();
        if let Some(errno) = self.broken {
            return self.end(errno);
        }
        let Some(tls) = &mut self.tls else {
            return Unsealed::Nothing(Next::Wait);
        };
        if tls.is_lingering() {
            return self.farewells_said();
        }
        if tls.is_over() {
            return Unsealed::Nothing(Next::Wait);
        }
        if tls.said_farewell() && !tls.is_handshaking() {
            // It heard ours, and did not bother.
            return self.peer_farewell();
        }
        tls.cut_off(&mut self.outbox);
        self.end(0)
    }

    /// The connection broke.
    fn broke(&mut self, error: &io::Error) -> Unsealed {
        if self.is_lingering() {
            return self.farewells_said();
        }
        let errno = self.broken.unwrap_or(CloseReason::from(error).errno());
        self.end(errno)
    }

    pub(super) fn is_lingering(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_lingering())
    }

    /// Both sides have said their end, or the peer will not: that is an orderly end.
    fn farewells_said(&mut self) -> Unsealed {
        self.failed(0)
            .map(in_order)
            .map_or(Unsealed::Nothing(Next::Wait), Unsealed::Close)
    }

    /// If TLS has failed, that is why the connection is lost.
    pub(super) fn blame_tls(&self, reason: CloseReason) -> CloseReason {
        match (reason, &self.tls) {
            (CloseReason::Lost(_), Some(tls)) if tls.has_failed() => CloseReason::Tls,
            _ => reason,
        }
    }

    // Writing

    /// How many bytes wait to be sealed.
    pub(super) fn unsealed(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| tls.pending())
    }

    /// Queues `chunk` to be sealed.
    pub(super) fn write_plain(&mut self, chunk: C) -> Wrote {
        let Some(queue) = self.tls.as_mut().and_then(|tls| tls.queue()) else {
            return Wrote::Ignored;
        };
        queue.push_small_or_shared(chunk);
        self.after_plain()
    }

    /// As `write_plain` for a chunk made of both, or `None` if making it is cheaper.
    pub(super) fn write_plain_pair(&mut self, head: &[u8], tail: &[u8]) -> Option<Wrote> {
        let Some(queue) = self.tls.as_mut().and_then(|tls| tls.queue()) else {
            return Some(Wrote::Ignored);
        };
        queue.push_pair(head, tail)?;
        Some(self.after_plain())
    }

    fn after_plain(&mut self) -> Wrote {
        let full = self.unsealed() + self.outbox.len() > HIGH_WATER as usize;
        if full && !self.state.apply(Input::OutboxFull).is_empty() {
            Wrote::Full
        } else {
            Wrote::Queued
        }
    }

    /// Seals what waits; returns whether something still does that can be sealed once the kernel has taken what there is.
    pub(super) fn seal(&mut self) -> Result<bool, Flushed> {
        let Some(tls) = &mut self.tls else {
            return Ok(false);
        };
        let keys = tls.seal(&mut self.outbox);
        if tls.has_failed() {
            return Err(self.failed(0).map_or(Flushed::Nothing, Flushed::Close));
        }
        Ok(keys && self.unsealed() > 0)
    }

    /// Everything is sent: says our end before it is made.  `None` to go on as any stream does.
    pub(super) fn settle_tls(&mut self) -> Option<Flushed> {
        let tls = self.tls.as_mut()?;
        if tls.pending() > 0 {
            return Some(Flushed::Nothing); // for want of keys
        }
        if !self.state.is_finishing() {
            return None;
        }
        if tls.is_handshaking() {
            // Without anything to say, there is nothing to shake hands for; but who only shuts one half wants the other.
            return (!self.state.is_draining()).then_some(Flushed::Nothing);
        }
        if tls.say_farewell(&mut self.outbox) {
            return Some(self.flush());
        }
        if !self.state.is_draining() || tls.is_over() {
            return None;
        }
        if tls.is_lingering() {
            return Some(Flushed::Nothing);
        }
        tls.linger();
        if let Some(link) = &self.link {
            link.shut_write(); // so that a peer that does not know farewells sees the end, too
        }
        Some(Flushed::Linger(FAREWELL_PATIENCE))
    }

    /// The stream is about to be closed for `reason`: what can be said is said.
    pub(super) fn last_words(&mut self, reason: CloseReason) {
        let (Some(tls), Some(link)) = (&mut self.tls, &mut self.link) else {
            return;
        };
        if matches!(reason, CloseReason::Done | CloseReason::Tls) && self.broken.is_none() {
            tls.last_words(&mut self.outbox);
            if !self.outbox.is_empty() {
                // Whatever the kernel does not take now is lost, as it is for any stream.
                let _ = self.outbox.flush(link, drop);
            }
        }
    }
}

/// After our farewell, whatever ends the connection ends it in order.
const fn in_order(reason: CloseReason) -> CloseReason {
    match reason {
        CloseReason::Lost(_) => CloseReason::Done,
        _ => reason,
    }
}
