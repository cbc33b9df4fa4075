//! Certificates for tests, and a TLS peer driven by hand: rustls' own buffered connection over a plain socket.
#![allow(dead_code, reason = "each file of tests uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests; clippy's own exception ends at the #[test] function"
)]

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use torsion_reactor::security::Kind;
use torsion_reactor::tls::{ClientOptions, Identity, ServerOptions, TlsConfig};
use torsion_reactor::{CloseReason, Failure, Peer, Token};

use crate::util::{PATIENCE, Seen, World, peer};

/// The name that the certificates are for.
pub(crate) const NAME: &str = "server.example";

/// An authority and what it vouches for.
pub(crate) struct House {
    params: CertificateParams,
    key: KeyPair,
    /// The authority's own certificate.
    pub(crate) root: Vec<u8>,
}

impl House {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        // Of different names, as else a chain looks as if it led to another house's root.
        let name = format!("authority {:x?}", &key.public_key_raw()[1..9]);
        params.distinguished_name.push(DnType::CommonName, name);
        let root = params.self_signed(&key).expect("a certificate");
        Self {
            root: root.der().to_vec(),
            params,
            key,
        }
    }

    /// A certificate for `names`, changed by `change`.
    pub(crate) fn issue_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        Identity {
            chain: vec![certificate.der().to_vec()],
            key: key.serialize_der(),
        }
    }

    pub(crate) fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// A server's context, with `change` made to its options.
    pub(crate) fn server_with(&self, change: impl FnOnce(&mut ServerOptions)) -> TlsConfig {
        let mut options = ServerOptions {
            identities: vec![self.issue(&[NAME])],
            tickets: true,
            sessions: true,
            ..ServerOptions::default()
        };
        change(&mut options);
        TlsConfig::server(options).expect("a context")
    }

    pub(crate) fn server(&self) -> TlsConfig {
        self.server_with(|_| {})
    }

    /// A client's context, with `change` made to its options.
    pub(crate) fn client_with(&self, change: impl FnOnce(&mut ClientOptions)) -> TlsConfig {
        let mut options = ClientOptions {
            roots: vec![self.root.clone()],
            verify: true,
            check_name: true,
            resumption: true,
            send_name: true,
            ..ClientOptions::default()
        };
        change(&mut options);
        TlsConfig::client(options).expect("a context")
    }

    pub(crate) fn client(&self) -> TlsConfig {
        self.client_with(|_| {})
    }

    /// The peer's side of a client, without a change or with one.
    pub(crate) fn peer_client(&self, versions: Versions) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(self.root.clone()))
            .expect("a root");
        ClientConfig::builder_with_protocol_versions(versions)
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    /// As `peer_client`, with a certificate of its own.
    pub(crate) fn peer_client_as(&self, identity: &Identity) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(self.root.clone()))
            .expect("a root");
        let (chain, key) = parts(identity);
        ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .expect("a certificate")
    }

    /// The peer's side of a server.
    pub(crate) fn peer_server(&self, versions: Versions) -> ServerConfig {
        let (chain, key) = parts(&self.issue(&[NAME]));
        ServerConfig::builder_with_protocol_versions(versions)
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate")
    }

    /// As `peer_server`, one that shows this certificate, whatever is to be said of it.
    pub(crate) fn peer_server_as(&self, identity: &Identity) -> ServerConfig {
        let (chain, key) = parts(identity);
        let key = any_supported_type(&key).expect("a key");
        let mut server = self.peer_server(BOTH);
        server.cert_resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)));
        server
    }

    /// As `peer_server`, one that wants to see a certificate.
    pub(crate) fn peer_server_that_asks(&self) -> ServerConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(self.root.clone()))
            .expect("a root");
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
            .build()
            .expect("a root");
        let (chain, key) = parts(&self.issue(&[NAME]));
        ServerConfig::builder()
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .expect("a certificate")
    }
}

pub(crate) type Versions = &'static [&'static SupportedProtocolVersion];

pub(crate) const BOTH: Versions = &[&TLS13, &TLS12];
pub(crate) const ONLY_12: Versions = &[&TLS12];
pub(crate) const ONLY_13: Versions = &[&TLS13];

fn parts(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = identity
        .chain
        .iter()
        .map(|one| CertificateDer::from(one.clone()))
        .collect();
    let key = PrivateKeyDer::try_from(identity.key.clone()).expect("a key");
    (chain, key)
}

/// A certificate that is its own issuer.
pub(crate) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).expect("a name");
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    Identity {
        chain: vec![certificate.der().to_vec()],
        key: key.serialize_der(),
    }
}

/// Makes a certificate one of long ago.
pub(crate) fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
}

/// Makes a certificate one of the far future.
pub(crate) fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2090, 1, 1);
    params.not_after = date_time_ymd(2091, 1, 1);
}

/// The other side, driven by hand.
pub(crate) struct TlsPeer {
    pub(crate) tls: Connection,
    pub(crate) socket: TcpStream,
    pub(crate) plain: Vec<u8>,
    /// What its TLS said that is wrong.
    pub(crate) error: Option<rustls::Error>,
    /// Whether we said that we send no more.
    pub(crate) farewell: bool,
    /// Whether the socket has ended, and how.
    pub(crate) end: Option<Result<(), ErrorKind>>,
    /// How much of what is to be sent goes out at once; each is its own segment.
    pub(crate) step: Cell<usize>,
    /// Whether it reads.
    pub(crate) reads: bool,
}

impl TlsPeer {
    pub(crate) fn client(config: ClientConfig, socket: TcpStream) -> Self {
        let name = ServerName::try_from(NAME).expect("a name");
        let tls = ClientConnection::new(Arc::new(config), name).expect("a configuration");
        Self::new(Connection::Client(tls), socket)
    }

    pub(crate) fn server(config: ServerConfig, socket: TcpStream) -> Self {
        let tls = ServerConnection::new(Arc::new(config)).expect("a configuration");
        Self::new(Connection::Server(tls), socket)
    }

    fn new(mut tls: Connection, socket: TcpStream) -> Self {
        socket.set_nonblocking(true).expect("a socket");
        socket.set_nodelay(true).expect("a socket");
        tls.set_buffer_limit(None);
        Self {
            tls,
            socket,
            plain: Vec::new(),
            error: None,
            farewell: false,
            end: None,
            step: Cell::new(usize::MAX),
            reads: true,
        }
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.tls.writer().write_all(bytes).expect("memory");
    }

    /// Sends and receives what can be, without waiting.
    pub(crate) fn pump(&mut self) {
        self.send();
        if !self.reads {
            return;
        }
        while self.end.is_none() {
            match self.tls.read_tls(&mut self.socket) {
                Ok(0) => self.end = Some(Ok(())),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // rustls does not take more until it was processed
                Err(error) if error.kind() == ErrorKind::Other => {}
                Err(error) => self.end = Some(Err(error.kind())),
            }
            match self.tls.process_new_packets() {
                Ok(state) => {
                    self.farewell |= state.peer_has_closed();
                    let mut bytes = vec![0; state.plaintext_bytes_to_read()];
                    self.tls
                        .reader()
                        .read_exact(&mut bytes)
                        .expect("they are there");
                    self.plain.extend(bytes);
                }
                Err(error) => {
                    self.error.get_or_insert(error);
                    break;
                }
            }
        }
        self.send();
    }

    fn send(&mut self) {
        while self.tls.wants_write() {
            if self.step.get() == usize::MAX {
                match self.tls.write_tls(&mut self.socket) {
                    Ok(_) => continue,
                    Err(_) => return,
                }
            }
            let mut bytes = Vec::new();
            self.tls.write_tls(&mut bytes).expect("memory");
            for piece in bytes.chunks(self.step.get()) {
                let _ = self.socket.write_all(piece);
            }
        }
    }

    /// Takes turns and pumps until `condition` holds.
    pub(crate) fn until(
        &mut self,
        world: &World,
        what: &str,
        condition: impl Fn(&World, &Self) -> bool,
    ) {
        let start = world.real_time();
        loop {
            self.pump();
            if condition(world, self) {
                return;
            }
            assert!(
                world.real_time().since(start) < PATIENCE,
                "waited for {what}: {:?} {:?}; {:?}",
                self.error,
                self.end,
                world.take_seen()
            );
            world.poll();
        }
    }

    /// Takes turns and pumps until the stream is secured.
    pub(crate) fn until_secured(&mut self, world: &World, token: Token) -> Arc<Peer> {
        self.until(world, "the handshake", |world, _| {
            world.secured(token).is_some()
        });
        self.until(world, "the peer's handshake", |_, peer| {
            !peer.tls.is_handshaking()
        });
        world.secured(token).expect("it is")
    }

    /// Takes turns and pumps until the stream has ended, and returns how.
    pub(crate) fn until_lost(&mut self, world: &World, token: Token) -> CloseReason {
        self.until(world, "the end", |world, _| world.lost(token).is_some());
        world.lost(token).expect("it is told")
    }
}

impl World {
    /// With whom a stream was secured.
    pub(crate) fn secured(&self, token: Token) -> Option<Arc<Peer>> {
        let peers: Vec<_> = self
            .seen
            .borrow()
            .iter()
            .filter_map(|seen| match seen {
                Seen::Secured(stream, peer) if *stream == token => Some(Arc::clone(peer)),
                _ => None,
            })
            .collect();
        assert!(peers.len() <= 1, "told once");
        peers.into_iter().next()
    }

    /// What the TLS of a stream failed with.
    pub(crate) fn failure(&self, token: Token) -> Option<Failure> {
        self.seen.borrow().iter().find_map(|seen| match seen {
            Seen::TlsFailed(stream, failure) if *stream == token => Some(failure.clone()),
            _ => None,
        })
    }

    /// A stream that came in and is a TLS server, and its peer.
    pub(crate) fn tls_pair(&self, config: &TlsConfig, peer: ClientConfig) -> (Token, TlsPeer) {
        let (token, socket) = self.pair();
        self.engine
            .start_tls(token, config, None)
            .expect("it may start");
        (token, TlsPeer::client(peer, socket))
    }

    /// How a TLS server of ours fails that is sent `bytes` and nothing else.
    pub(crate) fn greeted_with(&self, house: &House, bytes: &[u8]) -> Failure {
        let (token, socket) = self.pair();
        self.engine
            .start_tls(token, &house.server(), None)
            .expect("it may start");
        peer::say(&socket, bytes);
        socket.shutdown(Shutdown::Write).expect("a socket");
        self.until_lost(token);
        self.failure(token).expect("it is told")
    }

    /// A stream that is a TLS client, and the server.
    pub(crate) fn tls_client(&self, config: &TlsConfig, peer: ServerConfig) -> (Token, TlsPeer) {
        let (token, socket) = self.plain_client();
        self.engine
            .start_tls(token, config, Some(NAME))
            .expect("it may start");
        (token, TlsPeer::server(peer, socket))
    }

    /// A stream that was connected, and its peer.
    pub(crate) fn plain_client(&self) -> (Token, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address: SocketAddr = listener.local_addr().expect("bound");
        let token = self.connect(address).expect("it listens");
        let (socket, _) = listener.accept().expect("it was called");
        self.until("the connection", |world| {
            world.has_seen(&Seen::Connected(token))
        });
        (token, socket)
    }

    /// How a TLS client of ours fails with this server, and what the server is told.
    pub(crate) fn refusal(
        &self,
        config: &TlsConfig,
        server: ServerConfig,
    ) -> (Failure, Option<rustls::Error>) {
        let (token, mut peer) = self.tls_client(config, server);
        peer.until_lost(self, token);
        peer.until(self, "our alert", |_, peer| peer.error.is_some());
        assert_eq!(self.secured(token), None);
        (self.failure(token).expect("it is told"), peer.error)
    }

    /// Asserts that a stream's TLS failed in this way.
    pub(crate) fn must_have_failed(&self, token: Token, kind: Kind) -> Failure {
        assert_eq!(self.lost(token), Some(CloseReason::Tls));
        let failure = self.failure(token).expect("it is told");
        assert_eq!(failure.kind, kind, "{failure}");
        failure
    }
}

/// Bytes in which every disorder shows.
pub(crate) fn pattern(size: usize) -> Vec<u8> {
    peer::pattern(size)
}
