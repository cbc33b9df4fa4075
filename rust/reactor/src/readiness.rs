//! What a descriptor may still be asked for.
//!
//! The poller is edge-triggered: it tells of a change once.  So what it told is kept here until a read or a write has
//! used it up, which a short read, a partial write or the kernel's `WouldBlock` shows.

/// Edge-triggered readiness of one descriptor, and whether it waits in the engine's queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness(u8);

impl Readiness {
    const READABLE: u8 = 1;
    const WRITABLE: u8 = 2;
    const READ_ON: u8 = 4;
    const QUEUED: u8 = 8;
    const ERROR: u8 = 16;

    /// Nothing is known.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// The readiness of a fresh socket: writing may be tried at once, reading waits for the poller's word.
    #[must_use]
    pub const fn fresh() -> Self {
        Self(Self::WRITABLE)
    }

    /// Adds what the poller told.  `read_on` (the peer's FIN, a reset, an error, urgent data) implies readable: only a read
    /// tells which of them it was.
    pub const fn merge(&mut self, readable: bool, writable: bool, read_on: bool) {
        if readable {
            self.0 |= Self::READABLE;
        }
        if writable {
            self.0 |= Self::WRITABLE;
        }
        if read_on {
            self.0 |= Self::READABLE | Self::READ_ON;
        }
    }

    /// Notes that the socket has an error to tell of: a read or a write that fails tells it, else it has to be asked for.
    pub const fn note_error(&mut self) {
        self.0 |= Self::ERROR;
    }

    /// Whether the socket has an error to tell of.
    #[must_use]
    pub const fn has_error(self) -> bool {
        self.0 & Self::ERROR != 0
    }

    /// The socket was asked for its error.
    pub const fn used_error(&mut self) {
        self.0 &= !Self::ERROR;
    }

    /// Whether a read may find something.
    #[must_use]
    pub const fn readable(self) -> bool {
        self.0 & Self::READABLE != 0
    }

    /// Whether a write may be taken.
    #[must_use]
    pub const fn writable(self) -> bool {
        self.0 & Self::WRITABLE != 0
    }

    /// Whether something is known to lie behind what can be read: a short read is then not the last.
    #[must_use]
    pub const fn read_on(self) -> bool {
        self.0 & Self::READ_ON != 0
    }

    /// The kernel has nothing more to read.
    pub const fn used_readable(&mut self) {
        self.0 &= !Self::READABLE;
    }

    /// The kernel takes no more.
    pub const fn used_writable(&mut self) {
        self.0 &= !Self::WRITABLE;
    }

    /// Marks the descriptor as queued; returns whether it was not yet.
    pub const fn enqueue(&mut self) -> bool {
        let fresh = self.0 & Self::QUEUED == 0;
        self.0 |= Self::QUEUED;
        fresh
    }

    /// The descriptor left the queue.
    pub const fn dequeue(&mut self) {
        self.0 &= !Self::QUEUED;
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness;

    #[test]
    fn a_short_read_keeps_the_end_in_mind() {
        let mut readiness = Readiness::fresh();
        assert!(!readiness.readable() && readiness.writable());
        readiness.merge(false, false, true);
        assert!(readiness.readable() && readiness.read_on());
        readiness.used_readable();
        assert!(!readiness.readable() && readiness.read_on());
    }

    #[test]
    fn an_error_stays_until_it_was_asked_for() {
        let mut readiness = Readiness::default();
        readiness.note_error();
        readiness.used_readable();
        readiness.used_writable();
        assert!(readiness.has_error());
        readiness.used_error();
        assert_eq!(readiness, Readiness::default());
    }

    #[test]
    fn a_descriptor_is_queued_once() {
        let mut readiness = Readiness::default();
        assert!(readiness.enqueue());
        assert!(!readiness.enqueue());
        readiness.dequeue();
        assert!(readiness.enqueue());
    }
}
