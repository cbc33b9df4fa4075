//! What is agreed on before a connection is made: shared by all connections of one context.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{
    NoClientAuth, NoServerSessionStorage, ServerConfig, ServerSessionMemoryCache,
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, InconsistentKeys, KeyLog, NoKeyLog, SupportedProtocolVersion};

use super::keylog::KeyFile;
use super::resolve::Resolver;
use super::verify::{Check, ClientVerifier, ServerVerifier};

/// How many sessions a context keeps for clients that come back without a ticket.
///
/// Each takes some hundred bytes, more with a client's certificate; most clients hold tickets, which cost the server nothing.
const SESSIONS: usize = 1024;

/// A certificate with those that lead to its issuer, and its key, all in DER.
#[derive(Clone)]
pub struct Identity {
    /// The certificate first, then its issuer's, and so on; the root may be left out.
    pub chain: Vec<Vec<u8>>,
    /// The private key: PKCS#8, PKCS#1 or SEC 1.
    pub key: Vec<u8>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Identity")
            .field("chain", &self.chain.len())
            .finish_non_exhaustive()
    }
}

/// What both roles choose.
#[derive(Clone, Debug)]
pub struct Options {
    /// Application protocols, the preferred one first; empty: none is spoken of.
    pub alpn: Vec<Vec<u8>>,
    /// The lowest and the highest version, as on the wire: 0x0303, 0x0304.
    pub versions: (u16, u16),
    /// Cipher suites by their IANA names, the preferred one first; `None`: all that are good.
    pub suites: Option<Vec<String>>,
    /// Key exchange groups by name, the preferred one first; `None`: all that are good.
    pub groups: Option<Vec<String>>,
    /// Where to write the keys of all sessions.
    pub key_log: Option<PathBuf>,
    /// How long a handshake may take.
    pub handshake_patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            alpn: Vec::new(),
            versions: (0x0303, 0x0304),
            suites: None,
            groups: None,
            key_log: None,
            handshake_patience: Duration::from_secs(30),
        }
    }
}

/// What a server chooses.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Its identities; the first is the default.
    pub identities: Vec<Identity>,
    /// Which of them answers to which name; `*.` stands for one label.
    pub names: Vec<(String, usize)>,
    /// Who may have issued clients' certificates; `None`: clients are not asked for one.
    pub client_roots: Option<Vec<Vec<u8>>>,
    /// Whether a client without a certificate is refused.
    pub client_required: bool,
    /// Whether clients get tickets with which they come back.
    pub tickets: bool,
    /// Whether sessions are kept for clients that come back.
    pub sessions: bool,
    /// The rest.
    pub options: Options,
}

/// What a client chooses.
#[derive(Clone, Debug, Default)]
pub struct ClientOptions {
    /// Who may have issued servers' certificates.
    pub roots: Vec<Vec<u8>>,
    /// Whether servers' certificates are looked at, at all.
    pub verify: bool,
    /// Whether the name in them is, too.
    pub check_name: bool,
    /// What to show to a server that asks.
    pub identity: Option<Identity>,
    /// Whether to come back to sessions.
    pub resumption: bool,
    /// Whether to tell the server its name.
    pub send_name: bool,
    /// The rest.
    pub options: Options,
}

/// Why a context could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A server without any identity, or an identity without a certificate.
    NoCertificate,
    /// The key cannot be used.
    Key(String),
    /// The key is not the certificate's.
    KeyMismatch,
    /// A name stands for an identity that there is not.
    Name(String),
    /// The trusted certificates cannot be used.
    Roots(String),
    /// There is no such cipher suite here.
    Suite(String),
    /// There is no such key exchange group here.
    Group(String),
    /// Nothing is left of versions and suites.
    Versions(String),
    /// The key log cannot be written.
    KeyLog(PathBuf, io::Error),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => {
                formatter.write_str("a certificate is needed, and there is none")
            }
            Self::Key(problem) => write!(formatter, "the private key cannot be used: {problem}"),
            Self::KeyMismatch => {
                formatter.write_str("the private key is not that of the certificate")
            }
            Self::Name(name) => write!(
                formatter,
                "the name {name:?} stands for a certificate that was not given"
            ),
            Self::Roots(problem) => {
                write!(
                    formatter,
                    "the trusted certificates cannot be used: {problem}"
                )
            }
            Self::Suite(name) => write!(
                formatter,
                "there is no cipher suite {name:?} here; there are {}",
                suite_names().join(", ")
            ),
            Self::Group(name) => write!(
                formatter,
                "there is no key exchange group {name:?} here; there are {}",
                group_names().join(", ")
            ),
            Self::Versions(problem) => {
                write!(
                    formatter,
                    "no version of TLS is left to be spoken: {problem}"
                )
            }
            Self::KeyLog(path, error) => {
                write!(
                    formatter,
                    "cannot write keys to {}: {error}",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// One context: what its connections share.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    pub(crate) role: Role,
    pub(crate) handshake_patience: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Role {
    Server(Arc<ServerConfig>),
    Client {
        config: Arc<ClientConfig>,
        /// Whether a connection needs to know the server's name.
        named: bool,
    },
}

impl TlsConfig {
    /// A server's context.
    ///
    /// # Errors
    /// What of the options cannot be used.
    pub fn server(chosen: ServerOptions) -> Result<Self, ConfigError> {
        let options = chosen.options;
        let (provider, versions) = narrow(&options)?;
        let keys = chosen
            .identities
            .into_iter()
            .map(|identity| certify(identity, &provider).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let default = keys.first().ok_or(ConfigError::NoCertificate)?;
        let names = chosen
            .names
            .into_iter()
            .map(|(name, index)| match keys.get(index) {
                Some(key) => Ok((name.to_ascii_lowercase(), Arc::clone(key))),
                None => Err(ConfigError::Name(name)),
            })
            .collect::<Result<HashMap<_, _>, _>>()?;
        let resolver = Resolver::new(Arc::clone(default), names);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| ConfigError::Versions(error.to_string()))?;
        let mut config = match chosen.client_roots {
            None => builder.with_client_cert_verifier(Arc::new(NoClientAuth)),
            Some(roots) => builder.with_client_cert_verifier(Arc::new(ClientVerifier::new(
                roots,
                chosen.client_required,
                &provider,
            )?)),
        }
        .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = options.alpn;
        config.key_log = key_log(options.key_log.as_deref())?;
        config.enable_secret_extraction = true; // the stream protects its records itself
        config.ignore_client_order = options.suites.is_some();
        if chosen.tickets {
            config.ticketer =
                ring::Ticketer::new().map_err(|error| ConfigError::Key(error.to_string()))?;
        }
        if chosen.sessions {
            config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        } else {
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        if !chosen.tickets && !chosen.sessions {
            config.send_tls13_tickets = 0;
        }
        Ok(Self {
            role: Role::Server(Arc::new(config)),
            handshake_patience: options.handshake_patience,
        })
    }

    /// A client's context.
    ///
    /// # Errors
    /// What of the options cannot be used.
    pub fn client(chosen: ClientOptions) -> Result<Self, ConfigError> {
        let options = chosen.options;
        let (provider, versions) = narrow(&options)?;
        let check = match (chosen.verify, chosen.check_name) {
            (false, _) => Check::Nothing,
            (true, false) => Check::Chain,
            (true, true) => Check::ChainAndName,
        };
        let verifier = ServerVerifier::new(chosen.roots, check, &provider);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| ConfigError::Versions(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match chosen.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let key = certify(identity, &provider)?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
            }
        };
        config.alpn_protocols = options.alpn;
        config.key_log = key_log(options.key_log.as_deref())?;
        config.enable_secret_extraction = true;
        config.enable_sni = chosen.send_name;
        if !chosen.resumption {
            config.resumption = Resumption::disabled();
        }
        Ok(Self {
            role: Role::Client {
                config: Arc::new(config),
                named: check == Check::ChainAndName,
            },
            handshake_patience: options.handshake_patience,
        })
    }

    /// Whether connections of this context speak first.
    #[must_use]
    pub const fn is_client(&self) -> bool {
        matches!(self.role, Role::Client { .. })
    }
}

/// The cipher suites that there are, by their IANA names, in the order of preference.
#[must_use]
pub fn suite_names() -> Vec<String> {
    ring::ALL_CIPHER_SUITES
        .iter()
        .map(|suite| iana(suite.suite()))
        .collect()
}

/// The key exchange groups that there are, in the order of preference.
#[must_use]
pub fn group_names() -> Vec<String> {
    ring::ALL_KX_GROUPS
        .iter()
        .map(|group| format!("{:?}", group.name()))
        .collect()
}

/// A suite by its IANA name.
pub(crate) fn iana(suite: rustls::CipherSuite) -> String {
    format!("{suite:?}").replacen("TLS13_", "TLS_", 1)
}

/// Cryptography with nothing but what was chosen, and the versions that this can speak.
fn narrow(
    options: &Options,
) -> Result<(Arc<CryptoProvider>, Vec<&'static SupportedProtocolVersion>), ConfigError> {
    let mut provider = ring::default_provider();
    if let Some(names) = &options.suites {
        provider.cipher_suites = names
            .iter()
            .map(|name| {
                ring::ALL_CIPHER_SUITES
                    .iter()
                    .copied()
                    .find(|suite| iana(suite.suite()) == *name)
                    .ok_or_else(|| ConfigError::Suite(name.clone()))
            })
            .collect::<Result<_, _>>()?;
    }
    if let Some(names) = &options.groups {
        provider.kx_groups = names
            .iter()
            .map(|name| {
                ring::ALL_KX_GROUPS
                    .iter()
                    .copied()
                    .find(|group| format!("{:?}", group.name()).eq_ignore_ascii_case(name))
                    .ok_or_else(|| ConfigError::Group(name.clone()))
            })
            .collect::<Result<_, _>>()?;
    }
    let (lowest, highest) = options.versions;
    let versions: Vec<_> = [&TLS13, &TLS12]
        .into_iter()
        .filter(|version| {
            (lowest..=highest).contains(&u16::from(version.version))
                && provider
                    .cipher_suites
                    .iter()
                    .any(|suite| suite.version().version == version.version)
        })
        .collect();
    if versions.is_empty() {
        return Err(ConfigError::Versions(format!(
            "from {lowest:#06x} to {highest:#06x}, with {} cipher suites",
            provider.cipher_suites.len()
        )));
    }
    if provider.kx_groups.is_empty() {
        return Err(ConfigError::Group(String::new()));
    }
    Ok((Arc::new(provider), versions))
}

/// Joins a certificate and its key.
fn certify(identity: Identity, provider: &CryptoProvider) -> Result<CertifiedKey, ConfigError> {
    if identity.chain.is_empty() {
        return Err(ConfigError::NoCertificate);
    }
    let key = PrivateKeyDer::try_from(identity.key)
        .map_err(|problem| ConfigError::Key(problem.to_owned()))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| ConfigError::Key(error.to_string()))?;
    let chain = identity
        .chain
        .into_iter()
        .map(CertificateDer::from)
        .collect();
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(ConfigError::KeyMismatch)
        }
        // Whatever else there may be about the certificate, such as its age, is for the peer to judge.
        _ => Ok(certified),
    }
}

fn key_log(path: Option<&Path>) -> Result<Arc<dyn KeyLog>, ConfigError> {
    match path {
        None => Ok(Arc::new(NoKeyLog)),
        Some(path) => match KeyFile::open(path) {
            Ok(file) => Ok(Arc::new(file)),
            Err(error) => Err(ConfigError::KeyLog(path.to_owned(), error)),
        },
    }
}
