//! Parts of files on their way into a stream.

use std::fs::File;
use std::io::{self, Write};

#[cfg(target_os = "linux")]
use socket2::SockRef;

use super::link::Link;
use super::state::Input;
use super::{Stream, Wrote};
use crate::buffer::part::{FilePart, Way};

/// How much of a file is read at once where the system cannot send it by itself.
const READ_ROOM: usize = 64 * 1024;

impl<C: AsRef<[u8]>> Stream<C> {
    /// Queues a part of a file.  `None`: it cannot be sent over this stream, which is secured.
    pub(crate) fn write_file(&mut self, part: FilePart) -> Option<Wrote> {
        if !self.state.accepts_writes() || self.broken.is_some() {
            return Some(Wrote::Ignored);
        }
        if self.tls.is_some() {
            return None;
        }
        self.outbox.push_file(part);
        if self.outbox.is_full() && !self.state.apply(Input::OutboxFull).is_empty() {
            return Some(Wrote::Full);
        }
        Some(Wrote::Queued)
    }
}

impl Way for Link {
    /// Has the kernel keep the bytes for the first segment of the file.
    #[inline]
    fn write_before_file(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        if let Self::Socket(socket) = self {
            return SockRef::from(&*socket)
                .send_with_flags(bytes, libc::MSG_MORE | libc::MSG_NOSIGNAL);
        }
        self.write(bytes)
    }

    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        if let Some(socket) = self.bare_socket() {
            let mut at = offset;
            match rustix::fs::sendfile(socket, file, Some(&mut at), count) {
                // What the file system cannot do by itself is done for it.
                Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
                answer => return Ok(answer?),
            }
        }
        let mut room = vec![0; count.min(READ_ROOM)];
        match read_at(file, &mut room, offset)? {
            0 => Ok(0),
            read => match self.write(room.get(..read).unwrap_or_default())? {
                0 => Err(io::ErrorKind::WriteZero.into()),
                taken => Ok(taken),
            },
        }
    }
}

#[cfg(target_os = "linux")]
impl Link {
    /// The socket, unless descriptors are passed along over it: those count the bytes that are written.
    const fn bare_socket(&self) -> Option<&crate::poller::TcpStream> {
        match self {
            Self::Socket(socket) => Some(socket),
            Self::Unix(unix) => unix.bare_socket(),
            Self::Pipe(_) => None,
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, room: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, room, offset)
}

#[cfg(windows)]
fn read_at(file: &File, room: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, room, offset)
}
