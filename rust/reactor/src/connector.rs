//! Connections in the making: one address each.  Which address, in which order and for how long is the binding's affair.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

use crate::error::Error;
use crate::poller::{Registrar, TcpStream};
use crate::readiness::Readiness;
use crate::token::Token;

/// A socket that connects.
#[derive(Debug)]
pub struct Connector {
    socket: TcpStream,
    pub(crate) readiness: Readiness,
}

/// How a connection in the making stands.
#[derive(Debug)]
pub enum Progress {
    /// It is made.
    Connected,
    /// Not yet.
    Pending,
    /// It cannot be made.
    Failed(i32),
}

impl Connector {
    /// Starts to connect to `address`, from `bind` if that is given.
    ///
    /// # Errors
    /// What the system says at once: no route, an address that is not of this machine, no descriptor left.
    pub fn start(address: SocketAddr, bind: Option<SocketAddr>) -> Result<Self, Error> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )
        .map_err(Error::Open)?;
        socket.set_nonblocking(true).map_err(Error::Open)?;
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
            readiness: Readiness::default(),
        })
    }

    /// Starts to be told of the outcome.
    ///
    /// # Errors
    /// What the system says.
    pub fn watch(&mut self, registrar: &Registrar, token: Token) -> io::Result<()> {
        registrar.watch(&mut self.socket, token)
    }

    /// Looks at the outcome after the poller told of a change.
    pub fn progress(&self) -> Progress {
        match self.socket.take_error() {
            Ok(Some(error)) | Err(error) => {
                return Progress::Failed(error.raw_os_error().unwrap_or(0));
            }
            Ok(None) => {}
        }
        match self.socket.peer_addr() {
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

    /// The connected socket, and what is known of it.
    #[must_use]
    pub fn into_socket(self) -> (TcpStream, Readiness) {
        (self.socket, self.readiness)
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
