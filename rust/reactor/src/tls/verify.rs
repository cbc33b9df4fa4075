//! Who the peer is: its chain of certificates leads to a root that is trusted, or it shows a trusted certificate itself.

use std::collections::HashSet;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::config::ConfigError;
use super::der;

/// What is looked at in a server's certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: any will do.
    Nothing,
    /// The chain.
    Chain,
    /// The chain and the name.
    ChainAndName,
}

/// The certificates that are trusted.
#[derive(Debug)]
struct Trust {
    /// Those that may vouch for others.
    anchors: RootCertStore,
    /// All of them: each is trusted as itself.
    known: HashSet<Vec<u8>>,
}

impl Trust {
    /// Certificates that cannot be read are left out, as the stores of systems have some.
    fn new(roots: Vec<Vec<u8>>) -> Self {
        let mut trust = Self {
            anchors: RootCertStore::empty(),
            known: HashSet::with_capacity(roots.len()),
        };
        for root in roots {
            let Some(facts) = der::facts(&root) else {
                continue;
            };
            if facts.authority {
                trust
                    .anchors
                    .add_parsable_certificates([CertificateDer::from(root.as_slice())]);
            }
            trust.known.insert(root);
        }
        trust
    }

    /// Whether this very certificate is trusted; an error if it is, but not now.
    fn knows(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Result<bool, Error> {
        if !self.known.contains(certificate.as_ref()) {
            return Ok(false);
        }
        let facts = der::facts(certificate).ok_or(CertificateError::BadEncoding)?;
        let time = now.as_secs();
        if time < facts.not_before {
            return Err(CertificateError::NotValidYetContext {
                time: now,
                not_before: at(facts.not_before),
            }
            .into());
        }
        if time > facts.not_after {
            return Err(CertificateError::ExpiredContext {
                time: now,
                not_after: at(facts.not_after),
            }
            .into());
        }
        Ok(true)
    }
}

/// The verifier does not like authorities that answer for themselves; but what is wrong with one that has issued itself and
/// that we do not know is that we do not know it.
fn stranger(error: Error, certificate: &CertificateDer<'_>) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::Other(_))
            if der::facts(certificate).is_some_and(|facts| facts.self_issued) =>
        {
            CertificateError::UnknownIssuer.into()
        }
        other => other,
    }
}

const fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

/// What rustls has for the signature of one version of TLS.
type VerifySignature = fn(
    &[u8],
    &CertificateDer<'_>,
    &DigitallySignedStruct,
    &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error>;

/// Checks by `verify` the signature that shows that the peer has its certificate's key.
fn check_signature(
    verify: VerifySignature,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    match verify(message, certificate, signed, algorithms) {
        Err(Error::InvalidCertificate(
            CertificateError::Other(_) | CertificateError::BadEncoding,
        )) => check_by_key(message, certificate, signed, algorithms),
        checked => checked,
    }
}

/// The verifier does not take certificates before X.509's version 3; the key in them is as good as any.
fn check_by_key(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let facts = der::facts(certificate).ok_or(CertificateError::BadEncoding)?;
    let key = SubjectPublicKeyInfoDer::from(facts.key);
    verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
}

/// Looks at servers.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    trust: Trust,
    check: Check,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerVerifier {
    pub(crate) fn new(roots: Vec<Vec<u8>>, check: Check, provider: &CryptoProvider) -> Self {
        Self {
            trust: Trust::new(roots),
            check,
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.check == Check::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let known = self.trust.knows(end_entity, now)?;
        if !known {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &self.trust.anchors,
                intermediates,
                now,
                self.algorithms.all,
            )
            .map_err(|error| stranger(error, end_entity))?;
        }
        if self.check == Check::ChainAndName {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(verify_tls12_signature, message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(verify_tls13_signature, message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Looks at clients.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    trust: Trust,
    required: bool,
    /// Names of the issuers, as a hint for clients that have several certificates.
    hints: Vec<DistinguishedName>,
    /// Looks at chains; `None` where nothing that is trusted may vouch for others.
    chains: Option<Arc<dyn ClientCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientVerifier {
    pub(crate) fn new(
        roots: Vec<Vec<u8>>,
        required: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, ConfigError> {
        let trust = Trust::new(roots);
        let chains: Option<Arc<dyn ClientCertVerifier>> = if trust.anchors.is_empty() {
            None
        } else {
            let anchors = Arc::new(trust.anchors.clone());
            let built =
                WebPkiClientVerifier::builder_with_provider(anchors, Arc::clone(provider)).build();
            Some(built.map_err(|error| ConfigError::Roots(error.to_string()))?)
        };
        Ok(Self {
            hints: trust.anchors.subjects(),
            trust,
            required,
            chains,
            algorithms: provider.signature_verification_algorithms,
        })
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.trust.knows(end_entity, now)? {
            return Ok(ClientCertVerified::assertion());
        }
        match &self.chains {
            Some(chains) => chains
                .verify_client_cert(end_entity, intermediates, now)
                .map_err(|error| stranger(error, end_entity)),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(verify_tls12_signature, message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(verify_tls13_signature, message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
