//! What can go wrong, as plain data.
//!
//! Nothing here knows how an error is shown to a user: the binding turns [`CloseReason`] and [`Error`] into the
//! exceptions of its language.

use std::fmt;
use std::io;

use crate::address::Address;

/// Why a connection ended.
///
/// It is told exactly once for each connection, as the last thing that is said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// Both sides closed in order.
    Done,
    /// The connection broke; the system's error number tells how, 0 where the system gave none.
    Lost(i32),
    /// This side gave it up without waiting for what was still queued.
    Aborted,
    /// One of the user's hooks raised.
    Raised,
    /// The connection was secured by TLS, and that failed; why is told apart.
    Tls,
    /// Closed in order, but for descriptors that were to be passed with bytes that never came.
    Overrun,
}

impl CloseReason {
    /// Returns the number by which the binding knows this reason: 0 done, 1 lost, 2 aborted, 3 raised, 4 TLS, 5 overrun.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Lost(_) => 1,
            Self::Aborted => 2,
            Self::Raised => 3,
            Self::Tls => 4,
            Self::Overrun => 5,
        }
    }

    /// Returns the system's error number of a [`CloseReason::Lost`], and 0 for every other reason.
    #[must_use]
    pub const fn errno(self) -> i32 {
        match self {
            Self::Lost(errno) => errno,
            Self::Done | Self::Aborted | Self::Raised | Self::Tls | Self::Overrun => 0,
        }
    }

    /// Whether the peer is to see a reset instead of an orderly end.
    #[must_use]
    pub const fn resets(self) -> bool {
        matches!(self, Self::Aborted | Self::Raised)
    }
}

impl From<&io::Error> for CloseReason {
    /// The reason for a connection that ended with this error of its socket.
    fn from(error: &io::Error) -> Self {
        Self::Lost(error.raw_os_error().unwrap_or(0))
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => formatter.write_str("the connection was closed in order"),
            Self::Lost(0) => formatter.write_str("the connection was lost"),
            Self::Lost(errno) => write!(
                formatter,
                "the connection was lost: {}",
                io::Error::from_raw_os_error(*errno)
            ),
            Self::Aborted => formatter.write_str("the connection was aborted by this side"),
            Self::Raised => formatter.write_str("the connection was aborted because a hook raised"),
            Self::Tls => formatter.write_str("the connection's TLS failed"),
            Self::Overrun => formatter.write_str(
                "the connection was closed before a byte followed a descriptor that was to be passed",
            ),
        }
    }
}

/// What an operation of this crate failed with; each kind carries the system's own error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The poller or its waker could not be made, or waiting failed.
    Poll(io::Error),
    /// No socket could be opened.
    Open(io::Error),
    /// A socket could not be bound to this local address.
    Bind {
        /// The address that was asked for.
        address: Address,
        /// What the system answered.
        source: io::Error,
    },
    /// A bound socket could not be made to listen.
    Listen {
        /// The address that was asked for.
        address: Address,
        /// What the system answered.
        source: io::Error,
    },
    /// A connection attempt failed at once or later.
    Connect {
        /// The address that was to be reached.
        address: Address,
        /// What the system answered.
        source: io::Error,
    },
    /// The poller refused to watch a socket.
    Register(io::Error),
}

impl Error {
    /// Returns the system's error behind this one.
    #[must_use]
    pub const fn io(&self) -> &io::Error {
        match self {
            Self::Poll(source) | Self::Open(source) | Self::Register(source) => source,
            Self::Bind { source, .. }
            | Self::Listen { source, .. }
            | Self::Connect { source, .. } => source,
        }
    }

    /// Returns the system's error number, or 0 where there is none.
    #[must_use]
    pub fn errno(&self) -> i32 {
        self.io().raw_os_error().unwrap_or(0)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poll(source) => write!(formatter, "cannot wait for events: {source}"),
            Self::Open(source) => write!(formatter, "cannot open a socket: {source}"),
            Self::Bind { address, source } => {
                write!(formatter, "cannot bind to {address}: {source}")
            }
            Self::Listen { address, source } => {
                write!(formatter, "cannot listen on {address}: {source}")
            }
            Self::Connect { address, source } => {
                write!(formatter, "cannot connect to {address}: {source}")
            }
            Self::Register(source) => {
                write!(formatter, "cannot watch a socket for events: {source}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.io())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn the_codes_are_those_of_the_border() {
        let reasons = [
            CloseReason::Done,
            CloseReason::Lost(104),
            CloseReason::Aborted,
            CloseReason::Raised,
            CloseReason::Tls,
            CloseReason::Overrun,
        ];
        assert_eq!(reasons.map(CloseReason::code), [0, 1, 2, 3, 4, 5]);
        assert_eq!(reasons.map(CloseReason::errno), [0, 104, 0, 0, 0, 0]);
        assert_eq!(
            reasons.map(CloseReason::resets),
            [false, false, true, true, false, false]
        );
    }

    #[test]
    fn a_socket_error_becomes_a_loss_with_its_number() {
        assert_eq!(
            CloseReason::from(&io::Error::from_raw_os_error(104)),
            CloseReason::Lost(104)
        );
        assert_eq!(
            CloseReason::from(&io::Error::other("made up")),
            CloseReason::Lost(0)
        );
    }

    #[test]
    fn reasons_read_as_sentences() {
        assert_eq!(
            CloseReason::Done.to_string(),
            "the connection was closed in order"
        );
        assert_eq!(CloseReason::Lost(0).to_string(), "the connection was lost");
        assert!(
            CloseReason::Lost(104)
                .to_string()
                .starts_with("the connection was lost: ")
        );
        assert!(CloseReason::Aborted.to_string().ends_with("by this side"));
        assert!(CloseReason::Raised.to_string().ends_with("a hook raised"));
        assert!(CloseReason::Tls.to_string().ends_with("TLS failed"));
        assert!(CloseReason::Overrun.to_string().contains("descriptor"));
    }

    #[test]
    fn an_error_names_the_address_and_keeps_its_source() {
        let address = Address::from(std::net::SocketAddr::from(([127, 0, 0, 1], 80)));
        let make = |number| io::Error::from_raw_os_error(number);
        let errors = [
            (Error::Poll(make(1)), "cannot wait"),
            (Error::Open(make(2)), "cannot open"),
            (
                Error::Bind {
                    address: address.clone(),
                    source: make(3),
                },
                "cannot bind to 127.0.0.1:80: ",
            ),
            (
                Error::Listen {
                    address: address.clone(),
                    source: make(4),
                },
                "cannot listen on 127.0.0.1:80: ",
            ),
            (
                Error::Connect {
                    address: address.clone(),
                    source: make(5),
                },
                "cannot connect to 127.0.0.1:80: ",
            ),
            (Error::Register(make(6)), "cannot watch"),
        ];
        for (number, (error, start)) in (1..).zip(&errors) {
            assert_eq!(error.errno(), number);
            assert!(error.to_string().starts_with(start), "{error}");
            assert!(error.source().is_some());
        }
    }
}
