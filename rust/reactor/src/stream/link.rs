//! What a stream reads and writes: a TCP socket, a Unix socket, or a pipe and what behaves like one.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
#[cfg(unix)]
use std::os::fd::OwnedFd;

use socket2::SockRef;

use crate::buffer::inbox::FAIR_SHARE;
use crate::poller::{Registrar, TcpStream};
use crate::token::Token;

#[cfg(unix)]
use super::{pipe::Pipe, unix::UnixSocket};

/// Memory to read into.
pub enum Room<'a> {
    /// The loop's own.
    Buffer(&'a mut [u8]),
    /// The binding's.
    Lease(&'a mut [MaybeUninit<u8>]),
}

impl Room<'_> {
    /// How much it is.
    pub(super) const fn size(&self) -> usize {
        match self {
            Self::Buffer(bytes) => bytes.len(),
            Self::Lease(memory) => memory.len(),
        }
    }
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Got {
    /// So many bytes; 0 is the end.
    pub(super) count: usize,
    /// Whether more may lie behind them although they did not fill the room.
    pub(super) read_on: bool,
}

/// What a stream reads and writes.
#[derive(Debug)]
pub(crate) enum Link {
    Socket(TcpStream),
    #[cfg(unix)]
    Unix(UnixSocket),
    #[cfg(unix)]
    Pipe(Pipe),
}

impl Link {
    /// Has the poller watch it.
    pub(super) fn watch(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        match self {
            Self::Socket(socket) => registrar.watch(socket, token),
            #[cfg(unix)]
            Self::Unix(unix) => registrar.watch_inbound(&mut unix.socket, token),
            #[cfg(unix)]
            Self::Pipe(pipe) => pipe.watch(registrar, token),
        }
    }

    /// Has the poller forget it, where closing it may not do: somebody else may hold the same pipe, terminal or socket.
    #[cfg_attr(
        not(unix),
        allow(unused_variables, reason = "closing ends the watch there")
    )]
    pub(super) fn forget(&self, registrar: &Registrar) {
        #[cfg(unix)]
        match self {
            Self::Socket(socket) => registrar.forget(socket),
            Self::Unix(unix) => registrar.forget(&unix.socket),
            Self::Pipe(pipe) => registrar.forget(pipe),
        }
    }

    /// The descriptor alone.
    #[cfg(unix)]
    pub(super) fn into_descriptor(self) -> OwnedFd {
        match self {
            Self::Socket(socket) => socket.into(),
            Self::Unix(unix) => unix.socket.into(),
            Self::Pipe(pipe) => pipe.into_descriptor(),
        }
    }

    /// Its descriptor, for the system's questions to sockets, which a pipe answers with an error.
    #[inline]
    pub(super) fn descriptor(&self) -> SockRef<'_> {
        match self {
            Self::Socket(socket) => SockRef::from(socket),
            #[cfg(unix)]
            Self::Unix(unix) => SockRef::from(&unix.socket),
            #[cfg(unix)]
            Self::Pipe(pipe) => SockRef::from(pipe),
        }
    }

    /// Whether it is shared with others by its nature, as the terminal of a shell is.
    #[inline]
    pub(super) const fn is_shared(&self) -> bool {
        match self {
            Self::Socket(_) => false,
            #[cfg(unix)]
            Self::Unix(_) => false,
            #[cfg(unix)]
            Self::Pipe(_) => true,
        }
    }

    /// Reads once.
    #[inline]
    pub(super) fn read(&mut self, room: Room<'_>) -> io::Result<Got> {
        match self {
            Self::Socket(socket) => {
                let count = match room {
                    Room::Buffer(bytes) => again(|| socket.read(bytes)),
                    Room::Lease(memory) => {
                        again(|| socket.try_io(|| SockRef::from(&*socket).recv(memory)))
                    }
                }?;
                Ok(Got {
                    count,
                    read_on: false,
                })
            }
            #[cfg(unix)]
            Self::Unix(unix) => unix.read(room),
            #[cfg(unix)]
            Self::Pipe(pipe) => pipe.read(room),
        }
    }

    /// Whether the last write was cut short for another reason than that the kernel takes no more now.
    #[inline]
    pub(super) fn takes_more(&self) -> bool {
        match self {
            Self::Socket(_) => false,
            #[cfg(unix)]
            Self::Unix(unix) => unix.takes_more(),
            #[cfg(unix)]
            Self::Pipe(pipe) => pipe.takes_more(),
        }
    }

    /// Why it broke, after the poller told of an error.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Self::Socket(socket) => socket.take_error(),
            #[cfg(unix)]
            Self::Unix(unix) => unix.socket.take_error(),
            #[cfg(unix)]
            Self::Pipe(pipe) => pipe.take_error(),
        }
    }

    /// What is wrong with a link that takes no more and of which the poller told an error, where a write does not tell it.
    pub(super) const fn hung_up(&self) -> Option<i32> {
        match self {
            Self::Socket(_) => None,
            #[cfg(unix)]
            Self::Unix(_) => None,
            #[cfg(unix)]
            Self::Pipe(_) => Some(libc::EPIPE),
        }
    }

    /// Sends the end of our half, where there are halves.
    pub(super) fn shut_write(&self) {
        if let Some(socket) = self.socket() {
            // A peer that is gone makes this fail; the next read tells of it.
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    /// Prepares for being closed: tells the peer what closing would tell it but for other holders of the same socket
    /// (`lent`), has it see a reset (`resets`), or throws away what came in and nobody will read (`unread`).  What is left
    /// in a pipe is for whoever else reads it.
    pub(super) fn part(&self, lent: bool, resets: bool, unread: bool) {
        let Some(socket) = self.socket() else { return };
        if lent {
            let _ = socket.shutdown(Shutdown::Both);
        }
        if resets {
            // A socket that cannot be told so is closed all the same.
            let linger = Some(std::time::Duration::ZERO);
            let _ = SockRef::from(socket).set_linger(linger);
        } else if unread {
            forget_input(socket);
        }
    }

    /// The socket, if it is one.
    const fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Socket(socket) => Some(socket),
            #[cfg(unix)]
            Self::Unix(unix) => Some(&unix.socket),
            #[cfg(unix)]
            Self::Pipe(_) => None,
        }
    }
}

#[cfg(unix)]
impl Link {
    /// What descriptors are passed along, if they are.
    pub(super) const fn unix(&mut self) -> Option<&mut UnixSocket> {
        match self {
            Self::Unix(unix) => Some(unix),
            _ => None,
        }
    }
}

impl Write for Link {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.write(bytes),
            #[cfg(unix)]
            Self::Unix(unix) => unix.write(bytes),
            #[cfg(unix)]
            Self::Pipe(pipe) => pipe.write(bytes),
        }
    }

    #[inline]
    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.write_vectored(slices),
            #[cfg(unix)]
            Self::Unix(unix) => unix.write_vectored(slices),
            #[cfg(unix)]
            Self::Pipe(pipe) => pipe.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Throws away what the peer sent and nobody will read.  A socket that is closed with unread input is reset, and the peer
/// then loses what was sent to it and is not there yet: the answer to a request that was too long, say.
fn forget_input(mut socket: &TcpStream) {
    let mut room = [0; 16 * 1024];
    // As much as a stream may read in a turn; a peer that sends more is reset after all.
    for _ in 0..FAIR_SHARE / room.len() {
        if !matches!(socket.read(&mut room), Ok(count) if count > 0) {
            return;
        }
    }
}

/// Does it once more for each signal that came between.
#[inline]
pub(super) fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}
