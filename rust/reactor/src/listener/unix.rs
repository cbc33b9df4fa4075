//! Listeners that are made in ways that only Unix has: at a path, and from a descriptor.

use std::ffi::OsStr;
use std::fs::{Permissions, set_permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use socket2::{Domain, Socket, Type};

use super::{Listener, Queue};
use crate::address::{self, Address};
use crate::error::Error;
use crate::poller::{TcpListener, UnixListener};

impl Listener {
    /// Makes a Unix socket at `path`, gives it the permissions `mode`, and listens.  A path that begins with NUL is a name
    /// in the abstract namespace, where there are no permissions.
    ///
    /// # Errors
    /// What the system says: the path is taken, too long, or in a folder that is not there or not ours.
    pub fn bind_unix(path: &[u8], backlog: i32, mode: u32) -> Result<Self, Error> {
        let bind = |source| Error::Bind {
            address: Address::Unix(path.into()),
            source,
        };
        let name = address::unix(path).map_err(bind)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(Error::Open)?;
        socket.set_nonblocking(true).map_err(Error::Open)?;
        socket.bind(&name).map_err(bind)?;
        match ready(&socket, path, backlog, mode) {
            Ok(()) => {
                let descriptor = OwnedFd::from(socket);
                let socket = UnixListener::from_std(descriptor.into());
                Ok(Self::of(Queue::Unix(socket)))
            }
            Err(source) => {
                if !is_abstract(path) {
                    // It is ours, and of no use to anybody.
                    let _ = std::fs::remove_file(Path::new(OsStr::from_bytes(path)));
                }
                Err(Error::Listen {
                    address: Address::Unix(path.into()),
                    source,
                })
            }
        }
    }

    /// Takes a socket over that listens already.
    ///
    /// # Errors
    /// What the system says of a descriptor that is no socket; `EINVAL` for a socket that does not listen for streams.
    pub fn adopt(descriptor: OwnedFd) -> Result<Self, Error> {
        let socket = Socket::from(descriptor);
        let address = look(&socket).map_err(Error::Open)?;
        Ok(Self::of(if address.is_unix() {
            let descriptor = OwnedFd::from(socket);
            Queue::Unix(UnixListener::from_std(descriptor.into()))
        } else {
            Queue::Inet(TcpListener::from_std(socket.into()))
        }))
    }
}

fn ready(socket: &Socket, path: &[u8], backlog: i32, mode: u32) -> io::Result<()> {
    if !is_abstract(path) {
        // Nobody can connect before it listens.
        set_permissions(
            Path::new(OsStr::from_bytes(path)),
            Permissions::from_mode(mode),
        )?;
    }
    socket.listen(backlog)
}

fn is_abstract(path: &[u8]) -> bool {
    path.first() == Some(&0)
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn listens(socket: &Socket) -> io::Result<bool> {
    socket.is_listener()
}

/// Where the system cannot be asked, accepting tells.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn listens(_socket: &Socket) -> io::Result<bool> {
    Ok(true)
}

fn look(socket: &Socket) -> io::Result<socket2::SockAddr> {
    if socket.r#type()? != Type::STREAM || !listens(socket)? {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    socket.set_nonblocking(true)?;
    socket.local_addr()
}
