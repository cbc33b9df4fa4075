//! What is told of TLS, as plain data: who the peer is, or why it failed.

use std::fmt;
use std::time::Duration;

/// What is known of a peer once the handshake is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its chain of certificates in DER, its own first; empty if it showed none.
    pub certificates: Vec<Box<[u8]>>,
    /// The application protocol that was agreed on.
    pub protocol: Option<Box<[u8]>>,
    /// The name that a client asked for.
    pub server_name: Option<Box<str>>,
    /// The version, as on the wire.
    pub version: u16,
    /// The cipher suite's IANA name.
    pub cipher: Box<str>,
    /// Whether a session was taken up again.
    pub resumed: bool,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The peer's certificate has expired.
    Expired,
    /// The peer's certificate is not valid yet.
    NotYetValid,
    /// The peer's certificate is for other names.
    WrongName,
    /// The peer's certificate was issued by nobody whom we trust.
    UnknownIssuer,
    /// The peer's certificate was revoked.
    Revoked,
    /// A signature in the peer's chain, or the peer's own, is wrong.
    BadSignature,
    /// The peer's certificate has another fault.
    Unusable,
    /// The peer showed no certificate where it had to.
    NoCertificate,
    /// No protocol version in common.
    Version,
    /// No cipher suite, group or signature scheme in common.
    NoSharedCipher,
    /// No application protocol in common.
    NoProtocol,
    /// The peer gave up and said why.
    Alert,
    /// The handshake took too long.
    Timeout,
    /// The connection ended without the peer having said so: what came last may be missing.
    Truncated,
    /// The peer closed the connection during the handshake.
    Eof,
    /// What the peer sent first is no TLS.
    NotTls,
    /// A record is longer than allowed.
    Oversized,
    /// The peer insists on a renegotiation.
    Renegotiation,
    /// The peer broke the protocol in another way.
    Malformed,
    /// A record was tampered with, or made with other keys.
    Decrypt,
    /// Anything else.
    Internal,
}

impl Kind {
    /// The word by which the binding knows it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::WrongName => "wrong-name",
            Self::UnknownIssuer => "unknown-issuer",
            Self::Revoked => "revoked",
            Self::BadSignature => "bad-signature",
            Self::Unusable => "unusable",
            Self::NoCertificate => "no-certificate",
            Self::Version => "version",
            Self::NoSharedCipher => "no-shared-cipher",
            Self::NoProtocol => "no-protocol",
            Self::Alert => "alert",
            Self::Timeout => "timeout",
            Self::Truncated => "truncated",
            Self::Eof => "eof",
            Self::NotTls => "not-tls",
            Self::Oversized => "oversized",
            Self::Renegotiation => "renegotiation",
            Self::Malformed => "malformed",
            Self::Decrypt => "decrypt",
            Self::Internal => "internal",
        }
    }
}

/// What else is known about a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Details {
    /// Nothing.
    #[default]
    None,
    /// When the certificate expired, in seconds since the epoch.
    Since(u64),
    /// When the certificate becomes valid, in seconds since the epoch.
    Until(u64),
    /// Whom we wanted, and whom the certificate is for.
    Names {
        /// The name that was asked for.
        wanted: String,
        /// The names in the certificate.
        names: Vec<String>,
    },
    /// What there is none of in common: `suite`, `group` or `signature`.
    What(&'static str),
    /// The alert's number.
    Alert(u8),
    /// How long the handshake was given.
    Time(Duration),
    /// How what was received begins.
    Received(Vec<u8>),
    /// The application protocols that the peer offered.
    Offered(Vec<Vec<u8>>),
}

/// Why a secured connection failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed.
    pub kind: Kind,
    /// A sentence about it.
    pub message: String,
    /// What else is known.
    pub details: Details,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: Details::None,
        }
    }

    pub(crate) fn with(self, details: Details) -> Self {
        Self { details, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
