//! How streams are made: of sockets that were accepted or connected, and of descriptors that are there already.

use super::Stream;
use super::link::Link;
use super::state::State;
use crate::address::Address;
use crate::poller::TcpStream;
use crate::readiness::Readiness;

impl<C: AsRef<[u8]>> Stream<C> {
    /// A stream over a socket that the poller does not know yet.
    pub(crate) const fn new(socket: TcpStream) -> Self {
        Self::over(Link::Socket(socket), State::new())
    }

    /// A stream over a socket with this address.
    pub(crate) fn of(socket: TcpStream, address: &Address) -> Self {
        match address {
            #[cfg(unix)]
            Address::Unix(_) => Self::unix(socket),
            _ => Self::new(socket),
        }
    }

    /// The stream, of which the poller watches the socket already.
    pub(crate) fn watched(self, readiness: Readiness) -> Self {
        Self {
            readiness,
            watched: true,
            ..self
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::OwnedFd;

    use socket2::{SockRef, Type};

    use super::{Address, Link, State, Stream, TcpStream};
    use crate::sink::Wants;
    use crate::stream::pipe::Pipe;
    use crate::stream::unix::UnixSocket;

    impl<C: AsRef<[u8]>> Stream<C> {
        /// A stream over a pipe that the poller does not know yet.
        ///
        /// # Errors
        /// What the system says of a descriptor that cannot be set not to block; it is given back.
        pub(crate) fn pipe(descriptor: OwnedFd, uses: Wants) -> Result<Self, (io::Error, OwnedFd)> {
            let pipe = Pipe::new(descriptor, uses)?;
            Ok(Self::over(
                Link::Pipe(pipe),
                State::one_way(uses.read, uses.write),
            ))
        }

        /// What it was made over.
        pub(crate) fn into_descriptor(self) -> Option<OwnedFd> {
            self.link.map(Link::into_descriptor)
        }

        /// A stream over a connected socket, which somebody else may hold as well.
        ///
        /// # Errors
        /// What the system says; `EINVAL` for a socket that is no connected stream.  The descriptor is given back.
        pub(crate) fn adopt(descriptor: OwnedFd) -> Result<Self, (io::Error, OwnedFd)> {
            let look = || {
                let socket = SockRef::from(&descriptor);
                if socket.r#type()? != Type::STREAM {
                    return Err(io::Error::from_raw_os_error(libc::EINVAL));
                }
                socket.peer_addr()?;
                socket.set_nonblocking(true)?;
                Ok(Address::from_system(&socket.local_addr()?))
            };
            match look() {
                Ok(address) => Ok(Self {
                    lent: true,
                    ..Self::of(TcpStream::from_std(descriptor.into()), &address)
                }),
                Err(error) => Err((error, descriptor)),
            }
        }

        /// A stream over a Unix socket that the poller does not know yet.
        pub(crate) const fn unix(socket: TcpStream) -> Self {
            Self::over(Link::Unix(UnixSocket::new(socket)), State::new())
        }
    }
}
