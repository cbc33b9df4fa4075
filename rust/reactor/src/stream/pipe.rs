//! Pipes, FIFOs, terminals and whatever else is a stream of bytes, can be waited for and is no socket.

use std::io::{self, IoSlice, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::link::{Got, Room, again};
use crate::poller::Registrar;
use crate::sink::Wants;
use crate::token::Token;

/// A byte stream of one or two ways over any descriptor that can be waited for.
///
/// How much of it is ready is nobody's promise: a terminal gives out a line at a time, a pipe of packets one packet.  So it
/// is read and written until the system says that there is no more.
#[derive(Debug)]
pub(crate) struct Pipe {
    descriptor: OwnedFd,
    uses: Wants,
    /// Whether the last write left something that the kernel did not refuse.
    cut: bool,
}

impl Pipe {
    /// Takes a descriptor over, and has its calls not block.
    ///
    /// # Errors
    /// What the system says of one that is not open; it is given back.
    pub(crate) fn new(descriptor: OwnedFd, uses: Wants) -> Result<Self, (io::Error, OwnedFd)> {
        if let Err(error) = rustix::io::ioctl_fionbio(&descriptor, true) {
            return Err((error.into(), descriptor));
        }
        Ok(Self {
            descriptor,
            uses,
            cut: false,
        })
    }

    pub(super) fn into_descriptor(self) -> OwnedFd {
        self.descriptor
    }

    pub(super) fn watch(&self, registrar: &Registrar, token: Token) -> io::Result<()> {
        registrar.watch_pipe(self, self.uses, token)
    }

    pub(super) fn read(&self, room: Room<'_>) -> io::Result<Got> {
        let read = match room {
            Room::Buffer(bytes) => again(|| Ok(rustix::io::read(self, &mut *bytes)?)),
            Room::Lease(memory) => again(|| Ok(rustix::io::read(self, &mut *memory)?.0.len())),
        };
        let count = match read {
            // How the near end of a terminal pair tells that nobody has the far end open any more.
            Err(error) if error.raw_os_error() == Some(libc::EIO) && self.is_terminal() => 0,
            other => other?,
        };
        Ok(Got {
            count,
            read_on: true,
        })
    }

    pub(super) const fn takes_more(&self) -> bool {
        self.cut
    }

    /// The poller told of an error: nobody reads any more.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self
            .uses
            .write
            .then(|| io::Error::from_raw_os_error(libc::EPIPE)))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = rustix::io::write(&*self, bytes);
        self.note(written, bytes.len())
    }

    pub(super) fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = rustix::io::writev(&*self, slices);
        self.note(written, slices.iter().map(|slice| slice.len()).sum())
    }

    fn note(&mut self, written: rustix::io::Result<usize>, offered: usize) -> io::Result<usize> {
        self.cut = written.is_ok_and(|count| 0 < count && count < offered);
        Ok(written?)
    }

    fn is_terminal(&self) -> bool {
        self.descriptor.is_terminal()
    }
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl AsRawFd for Pipe {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}
