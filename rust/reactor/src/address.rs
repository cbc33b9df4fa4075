//! Where sockets are: an IP address with a port, or a path or name of a Unix socket.

use std::fmt;
#[cfg(unix)]
use std::io;
use std::net::SocketAddr;

/// The address of one end of a stream.  It takes no more memory than an IP address alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// IPv4 or IPv6.
    Inet(SocketAddr),
    /// A Unix socket: its path as it was given to the system; nothing for a socket that has none, and for what is no
    /// socket; a NUL and a name for one in Linux's abstract namespace.
    Unix(Box<[u8]>),
}

impl Address {
    /// The address of what has none.
    #[must_use]
    pub fn unnamed() -> Self {
        Self::Unix(Box::default())
    }

    /// The IP address and port, if it is one.
    #[must_use]
    pub const fn as_inet(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// Reads what the system says.
    #[must_use]
    pub fn from_system(address: &socket2::SockAddr) -> Self {
        match address.as_socket() {
            Some(address) => Self::Inet(address),
            None => Self::Unix(path_of(address)),
        }
    }
}

#[cfg(unix)]
impl Address {
    /// Reads what the system says of a Unix socket.
    #[must_use]
    pub fn from_unix(address: &std::os::unix::net::SocketAddr) -> Self {
        use std::os::unix::ffi::OsStrExt;
        if let Some(path) = address.as_pathname() {
            return Self::Unix(path.as_os_str().as_bytes().into());
        }
        #[cfg(target_os = "linux")]
        if let Some(name) = std::os::linux::net::SocketAddrExt::as_abstract_name(address) {
            return Self::Unix([&[0], name].concat().into());
        }
        Self::unnamed()
    }
}

/// A Unix socket's path, or its name with a NUL before it, for the system.
///
/// # Errors
/// `ENAMETOOLONG` for one that is too long, `EINVAL` for a path with a NUL in it, at which the system would end it, and for
/// none at all.
#[cfg(unix)]
pub(crate) fn unix(path: &[u8]) -> io::Result<socket2::SockAddr> {
    use std::os::unix::ffi::OsStrExt;
    let named = path.first() == Some(&0);
    if path.is_empty() || (!named && path.contains(&0)) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    socket2::SockAddr::unix(std::ffi::OsStr::from_bytes(path))
        .map_err(|_| io::Error::from_raw_os_error(libc::ENAMETOOLONG))
}

/// Lets others use the same address, of this user's processes, if they say so as well; the system divides connections that
/// come in among those who listen.
///
/// # Errors
/// `Unsupported` where the system knows no such thing.
#[cfg_attr(
    not(unix),
    allow(unused_variables, reason = "there is nothing to be set there")
)]
pub(crate) fn share(socket: &socket2::Socket) -> std::io::Result<()> {
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
    return socket.set_reuse_port(true);
    #[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
    Err(std::io::ErrorKind::Unsupported.into())
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Inet(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(formatter),
            Self::Unix(path) => match path.split_first() {
                None => formatter.write_str("an unnamed socket"),
                // As the system's own tools write abstract names.
                Some((0, name)) => write!(formatter, "@{}", name.escape_ascii()),
                Some(_) => String::from_utf8_lossy(path).fmt(formatter),
            },
        }
    }
}

#[cfg(unix)]
fn path_of(address: &socket2::SockAddr) -> Box<[u8]> {
    use std::os::unix::ffi::OsStrExt;
    if let Some(path) = address.as_pathname() {
        return path.as_os_str().as_bytes().into();
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.as_abstract_namespace() {
        return [&[0], name].concat().into();
    }
    Box::default()
}

#[cfg(not(unix))]
fn path_of(_address: &socket2::SockAddr) -> Box<[u8]> {
    Box::default()
}

#[cfg(test)]
mod tests {
    use super::Address;
    use std::net::{Ipv4Addr, SocketAddr};

    #[test]
    fn the_other_kind_costs_no_memory() {
        assert_eq!(size_of::<Address>(), size_of::<SocketAddr>());
    }

    #[test]
    fn each_kind_is_written_as_its_users_do() {
        let inet = Address::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 80)));
        assert_eq!(inet.to_string(), "127.0.0.1:80");
        assert!(inet.as_inet().is_some());
        for (path, text) in [
            (&b"/run/a b"[..], "/run/a b"),
            (b"", "an unnamed socket"),
            (b"\0name\0\xff", "@name\\x00\\xff"),
        ] {
            let address = Address::Unix(path.into());
            assert_eq!(address.to_string(), text);
            assert_eq!(address.as_inet(), None);
        }
        assert_eq!(Address::unnamed(), Address::Unix(Box::default()));
    }

    #[cfg(unix)]
    #[test]
    fn the_systems_addresses_are_understood() {
        let read = |address: &socket2::SockAddr| Address::from_system(address);
        let inet = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
        assert_eq!(read(&inet.into()), Address::Inet(inet));
        let path = socket2::SockAddr::unix("/run/socket").expect("short enough");
        assert_eq!(read(&path), Address::Unix((*b"/run/socket").into()));
        #[cfg(target_os = "linux")]
        {
            let name = socket2::SockAddr::unix("\0name\0more").expect("short enough");
            assert_eq!(read(&name), Address::Unix((*b"\0name\0more").into()));
        }
    }
}
