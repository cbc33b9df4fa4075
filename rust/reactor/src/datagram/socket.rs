//! The socket itself: over UDP, or over a Unix path.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockAddr, SockRef, Type};

use super::Batch;
use crate::address::Address;
use crate::error::Error;
use crate::poller::{Registrar, UdpSocket};
use crate::token::Token;

#[cfg(unix)]
use crate::poller::UnixDatagram;

#[derive(Debug)]
pub(super) enum Socket {
    Udp {
        socket: UdpSocket,
        v6: bool,
    },
    #[cfg(unix)]
    Unix(UnixDatagram),
}

impl Socket {
    pub(super) fn bind(local: &Address, reuse: bool) -> Result<Self, Error> {
        let domain = match local {
            Address::Inet(address) => Domain::for_address(*address),
            Address::Unix(_) => Domain::UNIX,
        };
        let protocol = matches!(local, Address::Inet(_)).then_some(Protocol::UDP);
        let socket = socket2::Socket::new(domain, Type::DGRAM, protocol).map_err(Error::Open)?;
        socket.set_nonblocking(true).map_err(Error::Open)?;
        if reuse {
            socket.set_reuse_address(true).map_err(Error::Open)?;
            // Some systems ask for this one to let several receive what is sent to a group.
            #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
            if let Err(error) = socket.set_reuse_port(true) {
                if error.raw_os_error() != Some(libc::ENOPROTOOPT) {
                    return Err(Error::Open(error));
                }
            }
        }
        if *local != Address::unnamed() {
            to_system(local)
                .and_then(|address| socket.bind(&address))
                .map_err(|source| Error::Bind {
                    address: local.clone(),
                    source,
                })?;
        }
        Self::from_socket(socket).map_err(Error::Open)
    }

    #[cfg(unix)]
    pub(super) fn adopt(socket: std::os::fd::OwnedFd) -> io::Result<Self> {
        let socket = socket2::Socket::from(socket);
        if socket.r#type()? != Type::DGRAM {
            return Err(io::Error::from_raw_os_error(libc::EPROTOTYPE));
        }
        socket.set_nonblocking(true)?;
        Self::from_socket(socket)
    }

    fn from_socket(socket: socket2::Socket) -> io::Result<Self> {
        let address = socket.local_addr()?;
        if address.is_ipv4() || address.is_ipv6() {
            return Ok(Self::Udp {
                v6: address.is_ipv6(),
                socket: UdpSocket::from_std(socket.into()),
            });
        }
        #[cfg(unix)]
        if address.is_unix() {
            return Ok(Self::Unix(UnixDatagram::from_std(socket.into())));
        }
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Lets go of a number that names no socket any more.
    #[cfg(unix)]
    pub(super) fn abandon(self) {
        use std::os::fd::IntoRawFd;
        let _ = match self {
            Self::Udp { socket, .. } => socket.into_raw_fd(),
            Self::Unix(socket) => socket.into_raw_fd(),
        };
    }

    pub(super) fn watch(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        match self {
            Self::Udp { socket, .. } => registrar.watch_reading(socket, token),
            #[cfg(unix)]
            Self::Unix(socket) => registrar.watch_reading(socket, token),
        }
    }

    #[inline]
    pub(super) fn descriptor(&self) -> SockRef<'_> {
        match self {
            Self::Udp { socket, .. } => SockRef::from(socket),
            #[cfg(unix)]
            Self::Unix(socket) => SockRef::from(socket),
        }
    }

    #[inline]
    pub(super) const fn is_inet(&self) -> bool {
        matches!(self, Self::Udp { .. })
    }

    /// Takes up to `asked` datagrams; none is an error, as the system has it.
    pub(super) fn receive(&self, batch: &mut Batch, asked: usize) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Udp { socket, v6 } => super::many::receive(socket, *v6, batch, asked),
            #[cfg(not(target_os = "linux"))]
            Self::Udp { socket, .. } => one_by_one(batch, asked, |room| {
                let (size, from) = socket.recv_from(room)?;
                Ok((size, Address::Inet(from)))
            }),
            #[cfg(unix)]
            Self::Unix(socket) => one_by_one(batch, asked, |room| {
                let (size, from) = socket.recv_from(room)?;
                Ok((size, unix_address(&from)))
            }),
        }
    }

    pub(super) fn send(&self, bytes: &[u8], to: Option<&Address>) -> io::Result<usize> {
        match (self, to) {
            (Self::Udp { socket, .. }, Some(Address::Inet(to))) => socket.send_to(bytes, *to),
            (Self::Udp { socket, .. }, None) => socket.send(bytes),
            (_, Some(to)) => self.descriptor().send_to(bytes, &to_system(to)?),
            (_, None) => self.descriptor().send(bytes),
        }
    }

    /// Sends the first of `datagrams`, and others with it if that is no trouble; returns how many.
    pub(super) fn send_many<C: AsRef<[u8]>>(
        &self,
        datagrams: &[(SocketAddr, C)],
    ) -> io::Result<usize> {
        let [(to, chunk), others @ ..] = datagrams else {
            return Ok(0);
        };
        #[cfg(target_os = "linux")]
        if let (false, Self::Udp { socket, .. }) = (others.is_empty(), self) {
            return super::many::send(socket, datagrams);
        }
        let _ = others;
        self.send(chunk.as_ref(), Some(&Address::Inet(*to)))
            .map(|_| 1)
    }
}

/// Writes an address as the system reads it.
pub(super) fn to_system(address: &Address) -> io::Result<SockAddr> {
    match address {
        Address::Inet(address) => Ok((*address).into()),
        #[cfg(unix)]
        Address::Unix(path) => {
            use std::os::unix::ffi::OsStrExt;
            if path.iter().skip(1).any(|byte| *byte == 0) && !path.starts_with(&[0]) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a path has no NUL in it, of which the system would see only the start",
                ));
            }
            SockAddr::unix(std::ffi::OsStr::from_bytes(path))
        }
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Reads the address of a Unix socket.
#[cfg(unix)]
fn unix_address(address: &std::os::unix::net::SocketAddr) -> Address {
    use std::os::unix::ffi::OsStrExt;
    if let Some(path) = address.as_pathname() {
        return Address::Unix(path.as_os_str().as_bytes().into());
    }
    #[cfg(target_os = "linux")]
    if let Some(name) = std::os::linux::net::SocketAddrExt::as_abstract_name(address) {
        return Address::Unix([&[0], name].concat().into());
    }
    Address::unnamed()
}

/// Takes datagrams with one call for each.
fn one_by_one(
    batch: &mut Batch,
    asked: usize,
    mut receive: impl FnMut(&mut [u8]) -> io::Result<(usize, Address)>,
) -> io::Result<()> {
    let Batch {
        bytes, room, sizes, ..
    } = batch;
    for piece in bytes.chunks_exact_mut(*room).take(asked) {
        match receive(piece) {
            Ok(got) => sizes.push(got),
            // What stands behind some that came is found by the next call.
            Err(_) if !sizes.is_empty() => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
