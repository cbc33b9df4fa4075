//! The event loop of torsion: readiness, timers and buffered streams.  It knows nothing of Python.
//!
//! Start in [`engine`]: an [`Engine`] owns everything, a *binding* asks things of it, and [`Engine::turn`] calls the
//! binding's [`Sink`], in an order that is written down there.  Below it, each floor knows only those under it:
//!
//! ```text
//! engine
//! listener  connector  stream    datagram  watch
//! tls
//! poller    ingress
//! buffer    timer      readiness
//! sink
//! token     clock      error     security
//! address
//! ```

#![forbid(unsafe_code)]

pub mod address;
pub mod buffer;
pub mod clock;
pub mod connector;
pub mod datagram;
pub mod engine;
pub mod error;
pub mod ingress;
pub mod listener;
pub mod poller;
pub mod readiness;
pub mod security;
pub mod sink;
pub mod stream;
pub mod timer;
pub mod tls;
pub mod token;
pub mod watch;

pub use socket2::SockRef;

pub use address::Address;
pub use buffer::part::FilePart;
pub use clock::{Clock, Time};
pub use datagram::Datagram;
#[cfg(unix)]
pub use engine::Refused;
pub use engine::{
    Abandoned, Cleared, Discarded, Disconnected, Engine, Held, Holdings, Pulse, Statistics, Work,
};
pub use error::{CloseReason, Error};
pub use ingress::Ingress;
pub use listener::Listener;
pub use poller::Waker;
pub use security::{Failure, Peer};
pub use sink::{Handles, Sink, Tick, Wants};
pub use stream::{Stream, Wrote};
pub use timer::TimerId;
pub use tls::TlsConfig;
pub use token::Token;
pub use watch::Watch;
