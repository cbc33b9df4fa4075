//! The handshake, which rustls drives: records go in, records come out, until there are keys.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::kernel::KernelConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{CommonState, Error, ExtractedSecrets, HandshakeKind};

use super::config::{Role, TlsConfig, iana};
use super::resolve::{Wish, take_wish};
use super::traffic::{Kernel, Traffic};
use crate::security::Peer;

/// A handshake that goes on.
pub(crate) struct Handshake {
    side: Side,
    wish: Wish,
}

enum Side {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// How a handshake stands.
#[derive(Debug)]
pub(crate) enum Step {
    /// It waits for the peer.
    More,
    /// There are keys.
    Done,
    /// The peer has closed.
    Closed,
    /// It failed.  What is to be told to the peer is among what goes out.
    Failed(Error),
}

/// What came of one call to rustls.
enum Turn {
    Again,
    Over(Step),
}

impl Handshake {
    /// Begins one; `name` is whom a client expects.
    pub(crate) fn new(config: &TlsConfig, name: ServerName<'static>) -> Result<Self, Error> {
        let side = match &config.role {
            Role::Server(config) => Side::Server(Box::new(UnbufferedServerConnection::new(
                Arc::clone(config),
            )?)),
            Role::Client { config, .. } => Side::Client(Box::new(UnbufferedClientConnection::new(
                Arc::clone(config),
                name,
            )?)),
        };
        Ok(Self {
            side,
            wish: Wish::default(),
        })
    }

    /// Goes on with `incoming`, whole records, of which those that are worked off are counted in the answer; what is to be
    /// sent is put behind `outgoing`.
    pub(crate) fn feed(&mut self, incoming: &mut [u8], outgoing: &mut Vec<u8>) -> (usize, Step) {
        match &mut self.side {
            Side::Server(connection) => {
                let fed = run(&mut **connection, incoming, outgoing);
                let wish = take_wish();
                if wish.server_name.is_some() || !wish.alpn.is_empty() {
                    self.wish = wish;
                }
                fed
            }
            Side::Client(connection) => run(&mut **connection, incoming, outgoing),
        }
    }

    /// Which application protocols the peer offered.
    pub(crate) fn offered(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.wish.alpn)
    }

    /// Takes the keys, and what is known of the peer.
    pub(crate) fn finish(self) -> Result<(Traffic, Peer), Error> {
        let Self { side, wish } = self;
        match side {
            Side::Server(connection) => {
                let peer = peer_of(&connection, wish.server_name);
                let (secrets, kernel) = connection.dangerous_into_kernel_connection()?;
                Ok((traffic(secrets, kernel, Kernel::Server)?, peer))
            }
            Side::Client(connection) => {
                let peer = peer_of(&connection, None);
                let (secrets, kernel) = connection.dangerous_into_kernel_connection()?;
                Ok((traffic(secrets, kernel, Kernel::Client)?, peer))
            }
        }
    }
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Handshake").finish_non_exhaustive()
    }
}

fn traffic<Data>(
    secrets: ExtractedSecrets,
    kernel: KernelConnection<Data>,
    keep: impl FnOnce(Box<KernelConnection<Data>>) -> Kernel,
) -> Result<Traffic, Error> {
    let (suite, version) = (kernel.negotiated_cipher_suite(), kernel.protocol_version());
    // TLS 1.2 never changes its keys: nothing is left to be asked.
    let kernel = match version {
        rustls::ProtocolVersion::TLSv1_3 => keep(Box::new(kernel)),
        _ => Kernel::None,
    };
    Traffic::new(secrets, suite, kernel)
}

fn peer_of(connection: &CommonState, server_name: Option<Box<str>>) -> Peer {
    Peer {
        certificates: connection
            .peer_certificates()
            .map(|chain| chain.iter().map(|one| Box::from(one.as_ref())).collect())
            .unwrap_or_default(),
        protocol: connection.alpn_protocol().map(Box::from),
        server_name,
        version: connection.protocol_version().map_or(0, u16::from),
        cipher: connection
            .negotiated_cipher_suite()
            .map(|suite| iana(suite.suite()).into_boxed_str())
            .unwrap_or_default(),
        resumed: connection.handshake_kind() == Some(HandshakeKind::Resumed),
    }
}

/// What the connections of both sides have in common, and rustls has no name for.
trait Connection {
    /// Has rustls do one thing; returns how much of `incoming` is worked off as well.
    fn turn(&mut self, incoming: &mut [u8], outgoing: &mut Vec<u8>) -> (usize, Turn);

    /// Whether something is to be sent.
    fn owes(&self) -> bool;
}

impl Connection for UnbufferedServerConnection {
    fn turn(&mut self, incoming: &mut [u8], outgoing: &mut Vec<u8>) -> (usize, Turn) {
        take_turn(self.process_tls_records(incoming), outgoing)
    }

    fn owes(&self) -> bool {
        self.wants_write()
    }
}

impl Connection for UnbufferedClientConnection {
    fn turn(&mut self, incoming: &mut [u8], outgoing: &mut Vec<u8>) -> (usize, Turn) {
        take_turn(self.process_tls_records(incoming), outgoing)
    }

    fn owes(&self) -> bool {
        self.wants_write()
    }
}

fn run(
    connection: &mut impl Connection,
    incoming: &mut [u8],
    outgoing: &mut Vec<u8>,
) -> (usize, Step) {
    let mut used = 0;
    loop {
        let rest = incoming.get_mut(used..).unwrap_or_default();
        let (more, came) = connection.turn(rest, outgoing);
        used += more;
        match came {
            Turn::Again => {}
            Turn::Over(Step::Failed(error)) => {
                // It may owe the peer an alert.  It gets to see the same bytes again, as it keeps its places in them, but
                // is not to look at them: what it owes comes first.
                while connection.owes() {
                    let rest = incoming.get_mut(used..).unwrap_or_default();
                    used += connection.turn(rest, outgoing).0;
                }
                return (used, Step::Failed(error));
            }
            Turn::Over(step) => return (used, step),
        }
    }
}

/// Does what rustls asks for.
fn take_turn<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: &mut Vec<u8>,
) -> (usize, Turn) {
    let UnbufferedStatus { discard, state } = status;
    let turn = match state {
        Err(error) => Turn::Over(Step::Failed(error)),
        Ok(ConnectionState::EncodeTlsData(mut encoding)) => {
            let start = outgoing.len();
            // It says how much room it needs when it is given none.
            if let Err(EncodeError::InsufficientSize(size)) = encoding.encode(&mut []) {
                outgoing.resize(start + size.required_size, 0);
                if encoding.encode(&mut outgoing[start..]).is_err() {
                    outgoing.truncate(start);
                }
            }
            Turn::Again
        }
        Ok(ConnectionState::TransmitTlsData(sent)) => {
            sent.done();
            Turn::Again
        }
        Ok(ConnectionState::BlockedHandshake) => Turn::Over(Step::More),
        Ok(ConnectionState::WriteTraffic(_)) => Turn::Over(Step::Done),
        Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Turn::Over(Step::Closed),
        // Records come one by one, and the keys are taken before the first with data; no early data is allowed.
        Ok(_) => Turn::Over(Step::Failed(Error::HandshakeNotComplete)),
    };
    (discard, turn)
}
