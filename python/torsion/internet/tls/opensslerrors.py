"""What OpenSSL says of a failure, as the errors of :mod:`torsion.internet.tls.errors`."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from torsion.internet.tls.errors import (
    ALERTS,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRefused,
    CertificateRequired,
    CertificateRevoked,
    HandshakeInterrupted,
    NoApplicationProtocol,
    NoSharedCipher,
    ProtocolVersionMismatch,
    ProtocolViolation,
    RecordTooLong,
    RenegotiationRefused,
    TLSError,
    Truncated,
    UnknownIssuer,
    from_alert,
    make,
    not_tls,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["from_openssl", "is_tls"]

_HANDSHAKE_TYPES = range(20, 24)  # change_cipher_spec, alert, handshake, application_data (RFC 8446, 5.1)

# The numbers of X509_V_ERR_..., from x509_vfy.h, for which there is a class.
_REFUSALS: Mapping[int, type[CertificateRefused]] = {
    2: UnknownIssuer,
    9: CertificateNotYetValid,
    10: CertificateExpired,
    18: UnknownIssuer,
    19: UnknownIssuer,
    20: UnknownIssuer,
    21: UnknownIssuer,
    23: CertificateRevoked,
    27: UnknownIssuer,
}
_REFUSAL_TEXTS: Mapping[int, str] = {
    7: "a signature in its chain is wrong",
    18: "it signs itself",
    19: "its chain ends in a certificate that signs itself and is not trusted",
    22: "its chain is too long",
    24: "it was issued by one that may not issue others",
    25: "its chain is longer than an issuer in it allows",
    26: "it is not for this purpose",
    28: "it is not trusted for this purpose",
    66: "its key is too weak",
    67: "an issuer's key is too weak",
    68: "it is signed with a hash that is too weak",
}

# Parts of OpenSSL's reasons; the first that fits decides.
_REASONS: tuple[tuple[str, type[TLSError]], ...] = (
    ("peer did not return a certificate", CertificateRequired),
    ("no shared cipher", NoSharedCipher),
    ("no ciphers available", NoSharedCipher),
    ("no suitable", NoSharedCipher),
    ("no shared groups", NoSharedCipher),
    ("no shared signature", NoSharedCipher),
    ("unsupported protocol", ProtocolVersionMismatch),
    ("wrong version number", ProtocolVersionMismatch),
    ("wrong ssl version", ProtocolVersionMismatch),
    ("version too low", ProtocolVersionMismatch),
    ("version too high", ProtocolVersionMismatch),
    ("no protocols available", ProtocolVersionMismatch),
    ("unknown protocol", ProtocolVersionMismatch),
    ("inappropriate fallback", ProtocolVersionMismatch),
    ("no application protocol", NoApplicationProtocol),
    ("length too long", RecordTooLong),
    ("excessive message size", RecordTooLong),
    ("no renegotiation", RenegotiationRefused),
    ("renegotiation disabled", RenegotiationRefused),
    ("bad record mac", ProtocolViolation),
    ("unexpected message", ProtocolViolation),
    ("unexpected record", ProtocolViolation),
    ("bad length", ProtocolViolation),
    ("length mismatch", ProtocolViolation),
    ("bad packet", ProtocolViolation),
    ("bad extension", ProtocolViolation),
    ("decode error", ProtocolViolation),
    ("bad change cipher spec", ProtocolViolation),
)
_ALERT_NUMBERS = {name.replace("_", " "): number for number, name in ALERTS.items()}


def is_tls(start: bytes) -> bool:
    """Tell whether bytes could be the beginning of a TLS record, as far as they go."""
    return (not start or start[0] in _HANDSHAKE_TYPES) and (len(start) < 2 or start[1] == 3)


def from_openssl(
    wrong: Exception, start: bytes = b"", secured: bool = False, refusal: tuple[int, int, Any] | None = None
) -> TLSError:
    """Return the error for one of OpenSSL's.

    :param wrong: an ``OpenSSL.SSL.Error``.
    :param start: the first bytes that the peer sent.
    :param secured: whether the handshake was over.
    :param refusal: what OpenSSL told of a certificate: the error's number, the certificate's depth in the chain and the
        certificate; None if it found no fault in any.
    """
    reasons = _reasons(wrong)
    text = "; ".join(reasons)
    if _is_eof(wrong, text):
        return make(Truncated if secured else HandshakeInterrupted, arguments=wrong.args)
    if not secured and not is_tls(start):
        return not_tls(start, wrong.args)
    if "certificate verify failed" in text and refusal is not None:
        return _from_refusal(refusal, wrong.args)
    for reason in reasons:
        name = reason.rpartition("alert ")[2]
        if "alert " in reason and name in _ALERT_NUMBERS:
            return from_alert(_ALERT_NUMBERS[name], wrong.args)
    if "certificate verify failed" in text:
        return make(CertificateRefused, arguments=wrong.args)
    cls = next((cls for part, cls in _REASONS if part in text), TLSError)
    return make(cls, f"{cls.MESSAGE} (OpenSSL: {text or 'no reason given'})", arguments=wrong.args)


def _reasons(wrong: Exception) -> list[str]:
    entries = wrong.args[0] if wrong.args else ()
    if isinstance(entries, (list, tuple)):
        return [str(entry[2]) for entry in entries if len(entry) > 2 and entry[2]]
    return [str(each) for each in wrong.args]


def _is_eof(wrong: Exception, text: str) -> bool:
    return "unexpected eof" in text.lower() or wrong.args == (-1, "Unexpected EOF")


def _from_refusal(refusal: tuple[int, int, Any], arguments: tuple[Any, ...]) -> TLSError:
    number, depth, certificate = refusal
    cls = _REFUSALS.get(number, CertificateRefused)
    details: dict[str, Any] = {"number": number, "depth": depth}
    message = cls.MESSAGE
    own = certificate.to_cryptography()
    if cls is CertificateExpired:
        details["until"] = own.not_valid_after_utc.astimezone(UTC)
        message = f"{message} (until {details['until']:%Y-%m-%d %H:%M} UTC)"
    elif cls is CertificateNotYetValid:
        details["since"] = own.not_valid_before_utc.astimezone(UTC)
        message = f"{message.partition(';')[0]} (since {details['since']:%Y-%m-%d %H:%M} UTC)"
    elif number in _REFUSAL_TEXTS:
        message = f"{message}: {_REFUSAL_TEXTS[number]}"
    elif cls is CertificateRefused:
        message = f"{message} (OpenSSL's verification error {number})"
    return make(cls, message, arguments=arguments, **details)
