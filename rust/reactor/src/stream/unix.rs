//! Unix sockets: byte streams along which descriptors are passed.
//!
//! A descriptor travels with a byte: it reaches the peer no later than the byte that was written next, and no earlier than
//! the bytes before.  On the way in, a read ends behind the bytes that came with descriptors, though more may lie there, and
//! the poller does not speak of that again.  Only a read that asks for descriptors tells (8 % of what an echo costs).  So a
//! stream whose protocol wants none, and whose peer has sent none so far, is read for bytes alone, and looked at once more
//! when the loop has nothing else to do.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use socket2::SockRef;

use super::link::{Got, Room, again};
use crate::poller::{Registrar, TcpStream};
use crate::token::Token;

/// How many reads in a row have to bring no descriptors before nobody looks for them.
const CAUTION: u8 = 16;

/// How many descriptors one message may carry: what Linux allows.
const MOST: usize = 253;

/// How many descriptors of one stream may wait to be sent before its producer is to pause.
///
/// Each is one of the process's own, of which it has a thousand by default.
pub(crate) const HIGH_WATER: usize = 64;

/// A connected Unix socket.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    /// All that it is used for is the same for every kind of stream socket.
    pub(super) socket: TcpStream,
    /// Whether the poller looks out for room to write.
    outbound: bool,
    /// How many more reads look for descriptors that nobody wants.
    caution: u8,
    /// Whether the last read did not, and may have ended early because of some.
    unsure: bool,
    /// Whether it is in the engine's list of streams to be looked at once more.
    listed: bool,
    /// Only once one was passed, or is wanted.
    passing: Option<Box<Passing>>,
}

/// Descriptors on their way.
#[derive(Debug, Default)]
struct Passing {
    /// Whether somebody takes those that come in.
    wanted: bool,
    /// Those that the last read brought, in their order.
    received: Option<Vec<OwnedFd>>,
    /// Those that are to be sent; each with how many bytes go before it and behind its predecessor.
    waiting: VecDeque<(usize, OwnedFd)>,
    /// The sum of these numbers.
    bytes: usize,
    /// Whether the last write was cut short to end before a descriptor.
    cut: bool,
}

impl UnixSocket {
    pub(crate) const fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            outbound: false,
            caution: CAUTION,
            unsure: false,
            listed: false,
            passing: None,
        }
    }

    /// Has the poller look out for room to write, or not any more.
    ///
    /// # Errors
    /// What the system says.
    #[inline]
    pub(super) fn look_out(
        &mut self,
        wanted: bool,
        registrar: &Registrar,
        token: Token,
    ) -> io::Result<()> {
        if wanted == self.outbound {
            return Ok(());
        }
        self.outbound = wanted;
        registrar.watch_outbound(&mut self.socket, wanted, token)
    }

    // In

    /// Says whether somebody takes descriptors that come in; else they are left to the system, which closes them.
    pub(super) fn want(&mut self, wanted: bool) {
        if wanted || self.passing.is_some() {
            self.passing.get_or_insert_default().wanted = wanted;
        }
    }

    pub(super) fn wants(&self) -> bool {
        self.passing.as_ref().is_some_and(|passing| passing.wanted)
    }

    /// Takes what the last read brought: none at all is what came and nobody wanted.
    pub(super) fn take_received(&mut self) -> Option<Vec<OwnedFd>> {
        self.passing.as_mut()?.received.take()
    }

    pub(super) fn has_received(&self) -> bool {
        matches!(&self.passing, Some(passing) if passing.received.is_some())
    }

    #[inline]
    pub(super) fn read(&mut self, room: Room<'_>) -> io::Result<Got> {
        match room {
            Room::Buffer(bytes) if self.wants() => self.read_all(bytes),
            Room::Buffer(bytes) if self.caution > 0 => self.read_with_care(bytes),
            Room::Buffer(bytes) => {
                let count = again(|| self.socket.read(bytes))?;
                self.unsure = 0 < count && count < bytes.len();
                Ok(Got {
                    count,
                    read_on: false,
                })
            }
            // Memory is lent only where no descriptors are wanted.
            Room::Lease(memory) => Ok(Got {
                count: again(|| SockRef::from(&self.socket).recv(memory))?,
                read_on: true,
            }),
        }
    }

    /// Whether more may lie behind what the last read brought, as [`has_more`](Self::has_more) tells; said once until then.
    #[inline]
    pub(super) const fn is_to_be_listed(&mut self) -> bool {
        self.unsure && !std::mem::replace(&mut self.listed, true)
    }

    /// Whether there is something to read after all.
    pub(super) fn has_more(&mut self) -> bool {
        self.listed = false;
        if !std::mem::replace(&mut self.unsure, false) {
            return false;
        }
        let mut byte = [MaybeUninit::uninit()];
        let more = match SockRef::from(&self.socket).peek(&mut byte) {
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            Ok(_) => true,
        };
        if more {
            self.caution = CAUTION;
        }
        more
    }

    /// Reads bytes, and notices if there were descriptors.
    fn read_with_care(&mut self, bytes: &mut [u8]) -> io::Result<Got> {
        // Room for what may come with any message, but is no descriptor: who the sender is.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let (count, flags) = receive(&self.socket, bytes, &mut control)?;
        let mut read_on = false;
        let mut passed = flags.contains(ReturnFlags::CTRUNC);
        for message in control.drain() {
            read_on = true;
            passed |= matches!(message, RecvAncillaryMessage::ScmRights(_));
        }
        self.caution = if read_on || passed {
            CAUTION
        } else {
            self.caution - 1
        };
        if passed {
            self.passing.get_or_insert_default().received = Some(Vec::new());
        }
        Ok(Got {
            count,
            read_on: read_on || passed,
        })
    }

    /// Reads bytes and descriptors.
    fn read_all(&mut self, bytes: &mut [u8]) -> io::Result<Got> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST), ScmRights(3))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let (count, flags) = receive(&self.socket, bytes, &mut control)?;
        let mut read_on = false;
        let mut received = Vec::new();
        for message in control.drain() {
            read_on = true;
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                received.extend(descriptors);
            }
        }
        if flags.contains(ReturnFlags::CTRUNC) {
            // There is room for all that a message may carry, so it was descriptors that the process had no room for.  Who
            // is told of fewer than there were takes one for another.
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        for descriptor in &received {
            let _ = rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC);
        }
        if !received.is_empty() {
            self.passing.get_or_insert_default().received = Some(received);
        }
        Ok(Got { count, read_on })
    }

    // Out

    /// Sends a descriptor with the byte that follows the `queued` ones; returns whether too many wait now.
    pub(super) fn pass(&mut self, descriptor: OwnedFd, queued: usize) -> bool {
        let passing = self.passing.get_or_insert_default();
        passing
            .waiting
            .push_back((queued.saturating_sub(passing.bytes), descriptor));
        passing.bytes = queued;
        passing.waiting.len() > HIGH_WATER
    }

    /// Whether descriptors wait to be sent.
    pub(super) fn is_passing(&self) -> bool {
        matches!(&self.passing, Some(passing) if !passing.waiting.is_empty())
    }

    /// The socket, if no descriptors were ever to be passed over it.
    #[cfg(target_os = "linux")]
    pub(super) const fn bare_socket(&self) -> Option<&TcpStream> {
        if self.passing.is_none() {
            Some(&self.socket)
        } else {
            None
        }
    }

    pub(super) fn takes_more(&self) -> bool {
        matches!(&self.passing, Some(passing) if passing.cut)
    }
}

impl Passing {
    /// Writes up to the next descriptor, or from it up to the one behind.
    fn write(&mut self, socket: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let carried = match self.waiting.front() {
            Some((0, _)) => {
                1 + self
                    .waiting
                    .iter()
                    .skip(1)
                    .take_while(|next| next.0 == 0)
                    .count()
            }
            _ => 0,
        }
        .min(MOST);
        let limit = match self.waiting.get(carried) {
            // More than one message can carry: the rest goes with the next byte.
            Some((0, _)) => 1,
            Some((ahead, _)) => *ahead,
            None => offered,
        };
        let mut first = Vec::with_capacity(slices.len());
        let mut left = limit;
        for slice in slices {
            let part = slice.get(..left.min(slice.len())).unwrap_or_default();
            first.push(IoSlice::new(part));
            left -= part.len();
        }
        let written = self.send(socket, &first, carried);
        self.cut = matches!(written, Ok(count) if count == limit && count < offered);
        let count = written?;
        if count > 0 {
            self.waiting.drain(..carried);
        }
        if let Some((ahead, _)) = self.waiting.front_mut() {
            *ahead = ahead.saturating_sub(count);
        }
        self.bytes = self.bytes.saturating_sub(count);
        Ok(count)
    }

    fn send(
        &self,
        socket: &TcpStream,
        slices: &[IoSlice<'_>],
        carried: usize,
    ) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors: Vec<BorrowedFd<'_>> = self
            .waiting
            .iter()
            .take(carried)
            .map(|(_, descriptor)| descriptor.as_fd())
            .collect();
        if carried > 0 && !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(io::Error::from_raw_os_error(libc::E2BIG)); // never: there is room for the most
        }
        Ok(sendmsg(socket, slices, &mut control, no_signal())?)
    }
}

impl Write for UnixSocket {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.passing {
            Some(passing) if !passing.waiting.is_empty() => {
                passing.write(&self.socket, &[IoSlice::new(bytes)])
            }
            passing => {
                if let Some(passing) = passing {
                    passing.cut = false;
                }
                self.socket.write(bytes)
            }
        }
    }

    #[inline]
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.passing {
            Some(passing) if !passing.waiting.is_empty() => passing.write(&self.socket, slices),
            passing => {
                if let Some(passing) = passing {
                    passing.cut = false;
                }
                self.socket.write_vectored(slices)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn receive(
    socket: &TcpStream,
    bytes: &mut [u8],
    control: &mut RecvAncillaryBuffer<'_>,
) -> io::Result<(usize, ReturnFlags)> {
    let answer = again(|| {
        let mut slices = [IoSliceMut::new(bytes)];
        Ok(recvmsg(socket, &mut slices, control, for_ourselves())?)
    })?;
    Ok((answer.bytes, answer.flags))
}

/// Descriptors that come in are not for programs that we start.
const fn for_ourselves() -> RecvFlags {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    RecvFlags::empty()
}

/// A peer that is gone is told by an error, not by a signal.
const fn no_signal() -> SendFlags {
    #[cfg(not(target_vendor = "apple"))] // where the standard library sets it for each socket
    return SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    SendFlags::empty()
}
