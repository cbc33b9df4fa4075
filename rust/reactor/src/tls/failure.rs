//! Words for what rustls and the record layer find wrong.

use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};

use super::der::written;
use crate::security::{Details, Failure, Kind};

impl Failure {
    /// What the peer said in an alert.
    pub(crate) fn alert(alert: AlertDescription) -> Self {
        Self::new(
            Kind::Alert,
            format!("the peer ended the connection: {}", alert_words(alert)),
        )
        .with(Details::Alert(u8::from(alert)))
    }

    /// A failure of rustls.
    pub(crate) fn from_rustls(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(problem) => of_certificate(problem),
            Error::NoCertificatesPresented => Self::new(
                Kind::NoCertificate,
                "the peer showed no certificate, and one is required",
            ),
            Error::PeerIncompatible(problem) => of_incompatibility(problem),
            Error::NoApplicationProtocol => Self::new(
                Kind::NoProtocol,
                "no application protocol (ALPN) in common with the peer",
            ),
            Error::AlertReceived(alert) => Self::alert(*alert),
            Error::DecryptError => Self::new(
                Kind::Decrypt,
                "a record could not be decrypted: it was tampered with, or made with other keys",
            ),
            Error::PeerSentOversizedRecord
            | Error::InvalidMessage(
                InvalidMessage::MessageTooLarge
                | InvalidMessage::HandshakePayloadTooLarge
                | InvalidMessage::CertificatePayloadTooLarge,
            ) => Self::new(
                Kind::Oversized,
                format!("the peer sent a longer message than TLS allows: {error}"),
            ),
            Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests) => renegotiation(),
            Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol) => {
                Self::new(Kind::NoProtocol, error.to_string())
            }
            Error::InvalidMessage(_)
            | Error::PeerMisbehaved(_)
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. } => Self::new(
                Kind::Malformed,
                format!("the peer broke the rules of TLS: {error}"),
            ),
            _ => Self::new(Kind::Internal, error.to_string()),
        }
    }

    /// What was received first is no TLS: says what it looks like.
    pub(crate) fn not_tls(received: &[u8]) -> Self {
        const SHOWN: usize = 64;
        let looks = if received.starts_with(b"SSH-") {
            "it looks like SSH"
        } else if [
            &b"GET "[..],
            b"POST ",
            b"HEAD ",
            b"PUT ",
            b"OPTIONS ",
            b"CONNECT ",
            b"DELETE ",
            b"PATCH ",
            b"PRI * HTTP",
            b"HTTP/",
        ]
        .iter()
        .any(|start| received.starts_with(start))
        {
            "it looks like HTTP without TLS"
        } else if received.starts_with(b"220") {
            "it looks like a greeting of SMTP or FTP, which begin without TLS"
        } else if received.first().is_some_and(|first| first & 0x80 != 0)
            && received.get(2) == Some(&1)
        {
            "it looks like SSL 2.0, which nobody should use any more"
        } else {
            "it looks like no protocol that is known here"
        };
        Self::new(
            Kind::NotTls,
            format!("what the peer sent is no TLS: {looks}"),
        )
        .with(Details::Received(
            received.get(..SHOWN).unwrap_or(received).to_vec(),
        ))
    }
}

/// The peer asks for a renegotiation again, after it was told that there will be none.
pub(crate) fn renegotiation() -> Failure {
    Failure::new(
        Kind::Renegotiation,
        "the peer insists on a renegotiation, which is not done: it is unsafe, and gone from TLS 1.3",
    )
}

fn of_certificate(problem: &CertificateError) -> Failure {
    use CertificateError as C;
    match problem {
        C::ExpiredContext { not_after, .. } => Failure::new(
            Kind::Expired,
            format!(
                "the peer's certificate, or one that it depends on, expired at {}",
                written(not_after.as_secs())
            ),
        )
        .with(Details::Since(not_after.as_secs())),
        C::Expired => Failure::new(Kind::Expired, "the peer's certificate has expired"),
        C::NotValidYetContext { not_before, .. } => Failure::new(
            Kind::NotYetValid,
            format!(
                "the peer's certificate, or one that it depends on, is valid only from {}",
                written(not_before.as_secs())
            ),
        )
        .with(Details::Until(not_before.as_secs())),
        C::NotValidYet => {
            Failure::new(Kind::NotYetValid, "the peer's certificate is not valid yet")
        }
        C::NotValidForNameContext {
            expected,
            presented,
        } => wrong_name(&expected.to_str(), presented),
        C::NotValidForName => Failure::new(
            Kind::WrongName,
            "the peer's certificate is for another name",
        ),
        C::UnknownIssuer => Failure::new(
            Kind::UnknownIssuer,
            "the peer's certificate was issued by nobody who is trusted here",
        ),
        C::Revoked => Failure::new(Kind::Revoked, "the peer's certificate was revoked"),
        C::BadSignature
        | C::UnsupportedSignatureAlgorithmContext { .. }
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Failure::new(
            Kind::BadSignature,
            format!(
                "a signature of the peer, or in its chain of certificates, is not valid: {problem}"
            ),
        ),
        C::Other(inner) => unusable(&inner.0),
        _ => unusable(problem),
    }
}

fn wrong_name(wanted: &str, presented: &[String]) -> Failure {
    let names: Vec<String> = presented.iter().map(|name| plain_name(name)).collect();
    let found = if names.is_empty() {
        "no names at all".to_owned()
    } else {
        names.join(", ")
    };
    let wanted = wanted.to_owned();
    Failure::new(
        Kind::WrongName,
        format!("the peer's certificate is not for {wanted} but for {found}"),
    )
    .with(Details::Names { wanted, names })
}

fn unusable(problem: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Kind::Unusable,
        format!("the peer's certificate cannot be used: {problem}"),
    )
}

fn of_incompatibility(problem: &PeerIncompatible) -> Failure {
    use PeerIncompatible as P;
    let what = match problem {
        P::NoCipherSuitesInCommon => "suite",
        P::NoKxGroupsInCommon | P::NamedGroupsExtensionRequired | P::KeyShareExtensionRequired => {
            "group"
        }
        P::NoSignatureSchemesInCommon
        | P::NoCertificateRequestSignatureSchemesInCommon
        | P::SignatureAlgorithmsExtensionRequired => "signature",
        P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired
        | P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled => {
            return Failure::new(
                Kind::Version,
                format!("no TLS version in common with the peer: {problem:?}"),
            );
        }
        _ => {
            return Failure::new(
                Kind::Malformed,
                format!("the peer's TLS does not go with ours: {problem:?}"),
            );
        }
    };
    let word = match what {
        "suite" => "cipher suite",
        "group" => "key exchange group",
        _ => "signature scheme",
    };
    Failure::new(
        Kind::NoSharedCipher,
        format!("no {word} in common with the peer"),
    )
    .with(Details::What(what))
}

/// A name as it stands in the certificate, out of the form in which the verifier tells it: `DnsName("example.com")`.
fn plain_name(presented: &str) -> String {
    presented
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .map_or(presented, |inner| inner.trim_matches('"'))
        .to_owned()
}

fn alert_words(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let words = match alert {
        A::UnexpectedMessage => "it got a message that it did not expect",
        A::BadRecordMac => "it could not decrypt a record",
        A::RecordOverflow => "it got a record that was too long",
        A::HandshakeFailure => "it could agree to nothing that was offered",
        A::NoCertificate => "it was shown no certificate",
        A::BadCertificate => "it found our certificate bad",
        A::UnsupportedCertificate => "it does not support our kind of certificate",
        A::CertificateRevoked => "our certificate was revoked",
        A::CertificateExpired => "our certificate has expired, or is not valid yet",
        A::CertificateUnknown => "it did not accept our certificate",
        A::IllegalParameter => "it found a parameter out of range",
        A::UnknownCA => "it does not trust the issuer of our certificate",
        A::AccessDenied => "it denied us access",
        A::DecodeError => "it could not decode a message",
        A::DecryptError => "it found a signature or a check value wrong",
        A::ProtocolVersion => "it does not speak our version of TLS",
        A::InsufficientSecurity => "it found what was offered not secure enough",
        A::InternalError => "it had an internal error",
        A::InappropriateFallback => "it found our fallback to a lower version inappropriate",
        A::UserCanceled => "its user cancelled the handshake",
        A::NoRenegotiation => "it does not renegotiate",
        A::MissingExtension => "it missed an extension",
        A::UnsupportedExtension => "it got an extension that it did not ask for",
        A::UnrecognisedName => "it does not know the server's name that was asked for",
        A::BadCertificateStatusResponse => "it found our proof of the certificate's status bad",
        A::UnknownPSKIdentity => "it does not know the pre-shared key",
        A::CertificateRequired => "it requires a certificate of ours",
        A::NoApplicationProtocol => "it speaks none of the application protocols (ALPN) offered",
        _ => "for a reason that has no name here",
    };
    format!("{words} (alert {}, {alert:?})", u8::from(alert))
}
