//! Connections in the making: one address each.  Which address, in which order and for how long is the binding's affair.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::address::{self, Address};
use crate::error::Error;
use crate::poller::{Registrar, TcpStream};
use crate::readiness::Readiness;
use crate::token::Token;

/// A socket that connects.
#[derive(Debug)]
pub struct Connector {
    socket: TcpStream,
    address: Address,
    /// Whether connecting has yet to begin: a Unix listener's queue is full, and the system does not tell when it moves on.
    waits: bool,
    pub(crate) readiness: Readiness,
}

/// How a connection in the making stands.
#[derive(Debug)]
pub enum Progress {
    /// It is made.
    Connected,
    /// Not yet; the poller will tell.
    Pending,
    /// Not yet, and it has to be tried again.
    Waiting,
    /// It cannot be made.
    Failed(i32),
}

impl Connector {
    /// Starts to connect to `address`, from `bind` if that is given, which may be `shared`.
    ///
    /// # Errors
    /// What the system says at once: no route, an address that is not of this machine, no descriptor left.
    pub fn start(
        address: SocketAddr,
        bind: Option<SocketAddr>,
        shared: bool,
    ) -> Result<Self, Error> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )
        .map_err(Error::Open)?;
        socket.set_nonblocking(true).map_err(Error::Open)?;
        if shared {
            address::share(&socket).map_err(Error::Open)?;
        }
        if let Some(bind) = bind {
            socket.bind(&bind.into()).map_err(|source| Error::Bind {
                address: bind.into(),
                source,
            })?;
        }
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if in_progress(&error) => {}
            Err(source) => {
                return Err(Error::Connect {
                    address: address.into(),
                    source,
                });
            }
        }
        Ok(Self {
            socket: TcpStream::from_std(socket.into()),
            address: address.into(),
            waits: false,
            readiness: Readiness::default(),
        })
    }

    /// Starts to connect to the Unix socket at `path`.
    ///
    /// # Errors
    /// What the system says at once: nobody listens there, there is no such file, or it is none of ours.
    #[cfg(unix)]
    pub fn start_unix(path: &[u8]) -> Result<Self, Error> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(Error::Open)?;
        socket.set_nonblocking(true).map_err(Error::Open)?;
        let mut connector = Self {
            socket: TcpStream::from_std(std::os::fd::OwnedFd::from(socket).into()),
            address: Address::Unix(path.into()),
            waits: true,
            // Looked at as soon as somebody owns it.
            readiness: Readiness::fresh(),
        };
        match connector.try_unix() {
            Ok(()) => Ok(connector),
            Err(source) => Err(Error::Connect {
                address: connector.address,
                source,
            }),
        }
    }

    /// Connects, unless the listener's queue is full.
    #[cfg(unix)]
    fn try_unix(&mut self) -> io::Result<()> {
        let Address::Unix(path) = &self.address else {
            return Ok(());
        };
        let address = crate::address::unix(path)?;
        match SockRef::from(&self.socket).connect(&address) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if in_progress(&error) => self.waits = false,
            Err(error) => return Err(error),
            Ok(()) => self.waits = false,
        }
        Ok(())
    }

    /// Starts to be told of the outcome.
    ///
    /// # Errors
    /// What the system says.
    pub fn watch(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        #[cfg(unix)]
        if matches!(self.address, Address::Unix(_)) {
            return registrar.watch_inbound(&mut self.socket, token);
        }
        registrar.watch(&mut self.socket, token)
    }

    /// Looks at the outcome after the poller told of a change.
    pub fn progress(&mut self) -> Progress {
        #[cfg(unix)]
        if self.waits {
            return match self.try_unix() {
                Ok(()) if self.waits => Progress::Waiting,
                Ok(()) => Progress::Connected,
                Err(error) => Progress::Failed(error.raw_os_error().unwrap_or(0)),
            };
        }
        match self.socket.take_error() {
            Ok(Some(error)) | Err(error) => {
                return Progress::Failed(error.raw_os_error().unwrap_or(0));
            }
            Ok(None) => {}
        }
        match SockRef::from(&self.socket).peer_addr() {
            Ok(_) => Progress::Connected,
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Progress::Pending,
            Err(error) => Progress::Failed(error.raw_os_error().unwrap_or(0)),
        }
    }

    /// The socket, for the binding's own questions.
    #[must_use]
    pub const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// The connected socket, where to, and what is known of it.
    #[must_use]
    pub fn into_socket(self) -> (TcpStream, Address, Readiness) {
        (self.socket, self.address, self.readiness)
    }
}

/// Whether `error` only says that the outcome comes later.
fn in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        // It has no stable `ErrorKind` in our oldest compiler.
        error.raw_os_error() == Some(libc::EINPROGRESS) || error.kind() == io::ErrorKind::WouldBlock
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::WouldBlock
    }
}
