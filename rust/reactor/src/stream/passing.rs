//! Descriptors that a stream passes along.

#[cfg(unix)]
use std::os::fd::OwnedFd;

use super::Stream;
#[cfg(unix)]
use super::{Wrote, link::Link, state::Input, unix::UnixSocket};

#[cfg(unix)]
impl<C: AsRef<[u8]>> Stream<C> {
    /// Whether descriptors that come in are wanted.
    pub(super) fn wants_descriptors(&self) -> bool {
        matches!(&self.link, Some(Link::Unix(unix)) if unix.wants())
    }

    /// Says whether somebody takes descriptors that come in.
    pub(crate) fn want_descriptors(&mut self, wanted: bool) {
        if let Some(unix) = self.link.as_mut().and_then(Link::unix) {
            unix.want(wanted);
        }
    }

    /// Whether the last read brought some.
    pub(crate) fn has_received(&self) -> bool {
        matches!(&self.link, Some(Link::Unix(unix)) if unix.has_received())
    }

    /// Takes those; none at all if they were not wanted.
    pub(crate) fn take_received(&mut self) -> Option<Vec<OwnedFd>> {
        self.link.as_mut()?.unix()?.take_received()
    }

    /// Whether the engine is to look again later, as more may lie behind the last read of which the poller will not tell.
    #[inline]
    pub(crate) const fn is_to_be_listed(&mut self) -> bool {
        match &mut self.link {
            Some(Link::Unix(unix)) => unix.is_to_be_listed(),
            _ => false,
        }
    }

    /// Looks; returns whether a read is to be tried.
    pub(crate) fn look_again(&mut self) -> bool {
        let link = self.link.as_mut().and_then(Link::unix);
        if !link.is_some_and(UnixSocket::has_more) {
            return false;
        }
        self.readiness.merge(true, false, false);
        self.wants_input()
    }

    /// Queues a descriptor, which goes with the next byte.  `None`: it cannot be sent over this stream.
    pub(crate) fn pass(&mut self, descriptor: OwnedFd) -> Option<Wrote> {
        let Some(link) = &mut self.link else {
            return Some(Wrote::Ignored);
        };
        let unix = link.unix()?;
        if !self.state.accepts_writes() || self.broken.is_some() {
            return Some(Wrote::Ignored);
        }
        let full = unix.pass(descriptor, self.outbox.len());
        if full && !self.state.apply(Input::OutboxFull).is_empty() {
            return Some(Wrote::Full);
        }
        Some(Wrote::Queued)
    }

    /// Whether descriptors wait for a byte to go with.
    pub(super) fn is_passing(&self) -> bool {
        matches!(&self.link, Some(Link::Unix(unix)) if unix.is_passing())
    }
}

#[cfg(not(unix))]
impl<C> Stream<C> {
    /// There are none.
    pub(super) const fn wants_descriptors(&self) -> bool {
        false
    }

    /// There are none.
    pub(super) const fn is_passing(&self) -> bool {
        false
    }
}
