//! TLS within a stream: rustls makes the connection, and its record protection works in the loop's own buffers.
//!
//! * [`config`]: what is agreed on before: certificates, roots, versions, suites.
//! * `session`: one connection's state, which lies in its [`Stream`](crate::stream::Stream).
//! * `handshake`: the part that rustls drives.
//! * `traffic`: the part after it: records are opened where they were read and sealed into the memory that is sent.
//! * `verify` and `resolve`: who the peer is, and as whom we answer.

pub mod config;
pub mod der;
mod failure;
pub(crate) mod handshake;
pub mod keylog;
pub(crate) mod resolve;
pub(crate) mod session;
pub(crate) mod traffic;
pub(crate) mod verify;

pub use config::{
    ClientOptions, ConfigError, Identity, Options, ServerOptions, TlsConfig, group_names,
    suite_names,
};
pub use session::StartError;
