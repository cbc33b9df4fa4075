//! Listening sockets: accepting a fair share, and living through the end of descriptors.

#[cfg(unix)]
mod unix;

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::address::{self, Address};
use crate::error::Error;
#[cfg(unix)]
use crate::poller::UnixListener;
use crate::poller::{Registrar, TcpListener, TcpStream};
use crate::readiness::Readiness;
use crate::token::Token;

/// How many connections one listener accepts in one turn.  A storm of new connections then costs the others this many
/// accepts (a few microseconds each) before they are served again.
pub const ACCEPTS_PER_TURN: usize = 64;

/// What connections come in at.
#[derive(Debug)]
enum Queue {
    Inet(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    queue: Queue,
    reserve: Reserve,
    /// Whether the owner was told that accepting fails, and not yet seen it work again.
    complained: bool,
    /// How many connections it has accepted.
    accepted: u64,
    /// Whether nothing is to be accepted for now.
    pub(crate) paused: bool,
    pub(crate) readiness: Readiness,
}

/// What came of one accept.
#[derive(Debug)]
pub enum Accepted {
    /// A connection.
    Stream(TcpStream, Address),
    /// Nobody is waiting.
    Nobody,
    /// This one failed (the peer was gone already, say); the next may work.
    Skip,
    /// The socket accepts nothing any more: somebody has shut it who had it as well.
    Broken {
        /// The system's error.
        errno: i32,
        /// Whether this is the first time since it last worked.
        first: bool,
    },
    /// Descriptors or memory have run out; `first` unless the owner was told before.
    Exhausted {
        /// The system's error.
        errno: i32,
        /// Whether this is the first time since it last worked.
        first: bool,
        /// Whether a waiting connection was turned away, so that the queue moves on.
        shed: bool,
    },
}

impl Listener {
    /// Binds to `address` and listens, with room for `backlog` connections that were not accepted yet.  A `shared` one lets
    /// other sockets, of this user's processes, listen on the same port if they are shared as well.
    ///
    /// # Errors
    /// What the system says: the address is in use, not of this machine, or not allowed.
    pub fn bind(address: SocketAddr, backlog: i32, shared: bool) -> Result<Self, Error> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )
        .map_err(Error::Open)?;
        prepare(&socket, shared).map_err(Error::Open)?;
        socket.bind(&address.into()).map_err(|source| Error::Bind {
            address: address.into(),
            source,
        })?;
        socket.listen(backlog).map_err(|source| Error::Listen {
            address: address.into(),
            source,
        })?;
        Ok(Self::of(Queue::Inet(TcpListener::from_std(socket.into()))))
    }

    fn of(queue: Queue) -> Self {
        Self {
            queue,
            reserve: Reserve::hold(),
            complained: false,
            accepted: 0,
            paused: false,
            readiness: Readiness::default(),
        }
    }

    /// Starts to be told of connections.
    ///
    /// # Errors
    /// What the system says.
    pub fn watch(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        match &mut self.queue {
            Queue::Inet(socket) => registrar.watch_reading(socket, token),
            #[cfg(unix)]
            Queue::Unix(socket) => registrar.watch_reading(socket, token),
        }
    }

    /// Ends that.  Closing is not enough where somebody else has the socket as well.
    #[cfg_attr(
        not(unix),
        allow(unused_variables, reason = "closing ends the watch there")
    )]
    pub fn forget(&self, registrar: &Registrar) {
        #[cfg(unix)]
        registrar.forget(&*self.socket());
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<Address> {
        self.socket()
            .local_addr()
            .map(|address| Address::from_system(&address))
    }

    /// The socket, for the binding's own questions.
    #[must_use]
    pub fn socket(&self) -> SockRef<'_> {
        match &self.queue {
            Queue::Inet(socket) => SockRef::from(socket),
            #[cfg(unix)]
            Queue::Unix(socket) => SockRef::from(socket),
        }
    }

    /// How many connections it has accepted; those that it turned away for want of descriptors are none.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Accepts one connection.
    pub fn accept(&mut self) -> Accepted {
        match self.queue.accept() {
            Ok((stream, peer)) => {
                self.complained = false;
                self.accepted += 1;
                self.reserve.hold_again();
                Accepted::Stream(stream, peer)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => {
                    self.readiness.used_readable();
                    Accepted::Nobody
                }
                _ if is_exhaustion(&error) => self.exhausted(&error),
                _ if is_final(&error) => {
                    self.readiness.used_readable();
                    Accepted::Broken {
                        errno: error.raw_os_error().unwrap_or(0),
                        first: !std::mem::replace(&mut self.complained, true),
                    }
                }
                // The connection that was to be accepted has failed, not accepting: Linux passes the network's errors on.
                _ => Accepted::Skip,
            },
        }
    }

    /// Turns the first of the queue away with the reserved descriptor: its peer sees an end instead of silence, and the
    /// queue does not keep the poller awake.
    fn exhausted(&mut self, error: &io::Error) -> Accepted {
        let mut shed = false;
        if self.reserve.release() {
            let first = self.queue.accept().map(drop);
            self.reserve = Reserve::hold();
            match first {
                Ok(()) => shed = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // The system looks for a descriptor before it looks for a connection, and there is none.
                    self.readiness.used_readable();
                    return Accepted::Nobody;
                }
                Err(_) => {}
            }
        }
        let first = !self.complained;
        self.complained = true;
        Accepted::Exhausted {
            errno: error.raw_os_error().unwrap_or(0),
            first,
            shed,
        }
    }
}

impl Queue {
    fn accept(&self) -> io::Result<(TcpStream, Address)> {
        match self {
            Self::Inet(socket) => {
                let (stream, peer) = socket.accept()?;
                Ok((stream, peer.into()))
            }
            #[cfg(unix)]
            Self::Unix(socket) => {
                let (stream, peer) = socket.accept()?;
                let stream = std::os::fd::OwnedFd::from(stream);
                let stream = TcpStream::from_std(stream.into());
                Ok((stream, Address::from_unix(&peer)))
            }
        }
    }
}

/// Whether `error` says that descriptors or memory have run out.
fn is_exhaustion(error: &io::Error) -> bool {
    #[cfg(unix)]
    const EXHAUSTED: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    #[cfg(not(unix))]
    const EXHAUSTED: [i32; 2] = [10_024, 10_055]; // WSAEMFILE, WSAENOBUFS
    error
        .raw_os_error()
        .is_some_and(|errno| EXHAUSTED.contains(&errno))
}

/// Whether `error` says that the socket listens no more.
fn is_final(error: &io::Error) -> bool {
    #[cfg(unix)]
    if matches!(error.raw_os_error(), Some(libc::EBADF | libc::ENOTSOCK)) {
        return true;
    }
    error.kind() == io::ErrorKind::InvalidInput
}

/// Sets what must be set before binding.
fn prepare(socket: &Socket, shared: bool) -> io::Result<()> {
    if shared {
        address::share(socket)?;
    }
    #[cfg(unix)] // on Windows the option would let two servers share the port
    socket.set_reuse_address(true)?;
    // Whether a socket of IPv6 takes IPv4 as well is the system's to say; most do, and programs count on it.
    socket.set_nonblocking(true)
}

/// A descriptor kept for the day when there is no other.
#[derive(Debug)]
struct Reserve(Option<std::fs::File>);

impl Reserve {
    /// Takes a descriptor, if one is to be had.
    fn hold() -> Self {
        #[cfg(unix)]
        return Self(std::fs::File::open("/dev/null").ok());
        #[cfg(not(unix))] // no small table of descriptors there
        Self(None)
    }

    /// Takes one if it has none: another thread may have been quicker when descriptors were few.
    fn hold_again(&mut self) {
        if self.0.is_none() {
            *self = Self::hold();
        }
    }

    /// Gives it back; returns whether there was one.
    fn release(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::{Accepted, Listener};

    #[test]
    fn the_port_is_free_to_choose_and_taken_afterwards() {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let first = Listener::bind(any, 5, false).expect("a free port");
        let taken = first.address().expect("bound").as_inet().expect("IPv4");
        assert_ne!(taken.port(), 0);
        assert!(Listener::bind(taken, 5, false).is_err());
    }

    #[test]
    fn an_empty_queue_is_not_readable() {
        let mut listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), 5, false)
            .expect("a free port");
        listener.readiness.merge(true, false, false);
        assert!(matches!(listener.accept(), Accepted::Nobody));
        assert!(!listener.readiness.readable());
    }
}
