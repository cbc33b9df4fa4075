"""What can go wrong with a secure connection, a class for each.

All of them are a :class:`TLSError`, which is both a :class:`torsion.internet.error.ConnectionLost` (a connection that did
not end in order) and a :class:`torsion.internet.error.SSLError` (one that could not be made secure), so that hooks that
look for either find it.  Where pyOpenSSL is loaded they are an ``OpenSSL.SSL.Error``, too, as programs written for Twisted
expect, and :class:`WrongName` is a ``service_identity.VerificationError`` where that is loaded.

The natural reading of a class is that *this* end found the fault.  Where the peer found it, and said so in an alert
(RFC 8446, 6.2), :attr:`TLSError.remote` is true: ``CertificateExpired`` with ``remote`` means that ours has expired.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from torsion.internet.error import CertificateError, ConnectionLost, PeerVerifyError, SSLError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ALERTS",
    "BadCertificateData",
    "BadCertificateFile",
    "CertificateExpired",
    "CertificateNotYetValid",
    "CertificateRefused",
    "CertificateRequired",
    "CertificateRevoked",
    "HandshakeInterrupted",
    "HandshakeRefused",
    "HandshakeTimeout",
    "NoApplicationProtocol",
    "NoSharedCipher",
    "NotTLS",
    "PeerAlert",
    "ProtocolVersionMismatch",
    "ProtocolViolation",
    "RecordTooLong",
    "RenegotiationRefused",
    "TLSError",
    "Truncated",
    "UnknownIssuer",
    "UnsupportedOption",
    "WrongName",
    "bad_file",
    "from_alert",
    "from_native",
    "make",
    "not_tls",
]


class TLSError(ConnectionLost, SSLError):
    """A secure connection could not be made, or broke.

    :ivar remote: whether the peer found the fault and told us.
    :ivar details: what else is known, by name; depends on the class.
    """

    MESSAGE = "A secure connection failed"

    def __init__(
        self, message: str = "", *, remote: bool = False, arguments: tuple[Any, ...] = (), **details: Any
    ) -> None:
        """Tell of a failure.

        :param message: a sentence on what is wrong and what to do; empty for the class's own.
        :param remote: whether the peer found it.
        :param arguments: what to have as ``args`` in place of the message: for OpenSSL's errors, its list of reasons.
        :param details: facts, by name.
        """
        text = message or self.MESSAGE
        # ConnectError would keep a number and a text, and make a sentence of its own of them.
        Exception.__init__(self, *(arguments or (text,)))
        self.osError = None
        self.message = text
        self.remote = remote
        self.details = details

    def __str__(self) -> str:
        return self.message if self.message.endswith((".", "!", "?")) else f"{self.message}."

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # The class may be a mixture that was made here, which pickle would not find: see make().
        return _remake, (_plain(type(self)), self.args), self.__dict__


class PeerAlert(TLSError):
    """The peer broke off and gave a reason that has no class of its own.

    :ivar details: ``alert``, the number; ``name``, its name in RFC 8446.
    """

    MESSAGE = "The peer broke off the secure connection"


class CertificateRefused(TLSError, PeerVerifyError):
    """A certificate was not accepted: for its purpose, its form or a reason that has no class of its own."""

    MESSAGE = "The peer's certificate cannot be accepted"


class CertificateExpired(CertificateRefused):
    """A certificate is past its last day. ``details``: ``until``, a datetime, if known."""

    MESSAGE = "The peer's certificate, or one that it stands on, has expired"


class CertificateNotYetValid(CertificateRefused):
    """A certificate's first day is still to come; or a clock is wrong. ``details``: ``since``, a datetime, if known."""

    MESSAGE = "The peer's certificate, or one that it stands on, is not valid yet; is the clock right?"


class CertificateRevoked(CertificateRefused):
    """A certificate was taken back by who issued it."""

    MESSAGE = "The peer's certificate, or one that it stands on, was revoked"


class UnknownIssuer(CertificateRefused):
    """A certificate was issued by nobody whom this end trusts, or signs itself."""

    MESSAGE = "The peer's certificate was issued by nobody among the trusted roots"


class WrongName(CertificateRefused):
    """A certificate is somebody else's.

    :ivar wanted: the name or address that it should have had.
    :ivar names: those that it has.
    :ivar errors: for callers of service_identity, what that found.
    """

    MESSAGE = "The peer's certificate is for another name"

    def __init__(
        self, message: str = "", *, wanted: str = "", names: Sequence[str] = (), errors: Sequence[Any] = (), **rest: Any
    ) -> None:
        """Tell of a name that does not match, and of those found."""
        self.wanted = wanted
        self.names = tuple(names)
        self.errors = list(errors)
        if not message and wanted:
            found = ", ".join(self.names) if self.names else "no name at all in subjectAltName"
            message = f"The peer's certificate is not for {wanted}: it has {found}"
        super().__init__(message, **rest)


class CertificateRequired(TLSError, CertificateError):
    """The peer should have shown a certificate, and did not; with :attr:`~TLSError.remote`, we should have."""

    MESSAGE = "The peer showed no certificate, and one is required"


class HandshakeRefused(TLSError):
    """The two ends could not agree upon how to speak (the alert ``handshake_failure`` tells no more)."""

    MESSAGE = "The peer refused the handshake; as a rule, no cipher suite, group or kind of key is acceptable to both"


class NoSharedCipher(HandshakeRefused):
    """There is no cipher suite, group or signature algorithm that both ends accept. ``details``: ``what``."""

    MESSAGE = "No cipher suite, group or signature algorithm is acceptable to both ends"


class ProtocolVersionMismatch(TLSError):
    """There is no version of TLS that both ends speak. ``details``: ``offered``, a list of names, if known."""

    MESSAGE = "No version of TLS is acceptable to both ends"


class NoApplicationProtocol(TLSError):
    """There is no application protocol that both ends speak (RFC 7301). ``details``: ``offered``, if known."""

    MESSAGE = "No application protocol (ALPN) is acceptable to both ends"


class HandshakeTimeout(TLSError):
    """The peer did not finish the handshake in time. ``details``: ``seconds``."""

    MESSAGE = "The peer did not finish the TLS handshake in time"


class HandshakeInterrupted(TLSError):
    """The peer closed the connection in the midst of the handshake, without a word."""

    MESSAGE = "The peer closed the connection during the TLS handshake"


class Truncated(TLSError):
    """The connection ended without TLS being closed first: what came last may be missing (RFC 8446, 6.1)."""

    MESSAGE = "The connection ended without a TLS close_notify: data may be missing"


class NotTLS(TLSError):
    """The peer does not speak TLS. ``details``: ``received``, its first bytes; ``speaks``, a guess, or None."""

    MESSAGE = "The peer does not speak TLS"


class RecordTooLong(TLSError):
    """The peer sent a record that is longer than TLS allows (RFC 8446, 5.1)."""

    MESSAGE = "The peer sent a TLS record that is longer than allowed"


class RenegotiationRefused(TLSError):
    """One end wanted to negotiate anew, which TLS 1.3 has not and torsion does not do."""

    MESSAGE = "TLS was to be negotiated anew, which is not supported"


class ProtocolViolation(TLSError):
    """The peer sent what TLS does not allow, or what was changed on the way."""

    MESSAGE = "The peer violated the TLS protocol, or somebody changed what it sent"


# --- settings ----------------------------------------------------------------------------------------------------


class UnsupportedOption(ValueError):
    """A setting cannot be had with the native implementation of TLS.

    :ivar option: its name.
    """

    def __init__(self, option: str, why: str) -> None:
        super().__init__(option, why)
        self.option = option
        self.why = why

    def __str__(self) -> str:
        return (
            f"{self.option}: {self.why}. To have it, use OpenSSL: pass torsion.internet.tls.viaOpenSSL(options) in place "
            f"of the options (pip install 'torsion[pyopenssl]')."
        )


class BadCertificateData(CertificateError, ValueError):
    """Bytes that should be a certificate, a request or a key are none."""

    MESSAGE = "This is no certificate"


class BadCertificateFile(ValueError):
    """A file of certificates or keys is missing or unreadable, holds no such thing, or its key does not fit.

    :ivar path: the file.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


# --- the mixtures ------------------------------------------------------------------------------------------------

_mixtures: dict[tuple[type, tuple[type, ...]], type[Any]] = {}


def bad_file(path: str, why: str) -> BadCertificateFile:
    """Make a :class:`BadCertificateFile` that is an ``OpenSSL.SSL.Error``, too, where pyOpenSSL is loaded."""
    openssl = sys.modules.get("OpenSSL.SSL")
    if openssl is None:
        return BadCertificateFile(path, why)
    key = BadCertificateFile, (openssl.Error,)
    if key not in _mixtures:
        names = {"__module__": __name__, "__qualname__": "BadCertificateFile", "__doc__": BadCertificateFile.__doc__}
        _mixtures[key] = type("BadCertificateFile", (BadCertificateFile, openssl.Error), names)
    made: BadCertificateFile = _mixtures[key](path, why)
    return made


def _with_foreign_bases(cls: type[TLSError]) -> type[TLSError]:
    """Return *cls*, mixed with the exceptions of other libraries that the program may look for.

    Only with those that are loaded: who has not imported ``OpenSSL`` cannot name its ``Error``.
    """
    foreign: list[type] = []
    openssl = sys.modules.get("OpenSSL.SSL")
    if openssl is not None:
        foreign.append(openssl.Error)
    identity = sys.modules.get("service_identity.exceptions")
    if identity is not None and issubclass(cls, WrongName):
        foreign.append(identity.VerificationError)
    if not foreign:
        return cls
    key = cls, tuple(foreign)
    mixture = _mixtures.get(key)
    if mixture is None:
        # A mixture passes for the class itself in what users read.
        names: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
        # VerificationError is an attrs class, which would compare and show only its own field.
        names |= {
            "__str__": cls.__str__,
            "__repr__": cls.__repr__,
            "__eq__": object.__eq__,
            "__hash__": object.__hash__,
        }
        mixture = _mixtures[key] = type(cls.__name__, (cls, *foreign), names)
    return mixture


def _plain(cls: type[Any]) -> type[TLSError]:
    """Return the class of this module that *cls* is, or is a mixture of."""
    found: type[TLSError] = next(each for each in cls.__mro__ if globals().get(each.__name__) is each)
    return found


def _remake(cls: type[TLSError], args: tuple[Any, ...]) -> TLSError:
    return make(cls, arguments=args)


def make(cls: type[TLSError], message: str = "", **kwargs: Any) -> TLSError:
    """Make an error of class *cls* that is an ``OpenSSL.SSL.Error``, too, where pyOpenSSL is loaded.

    :param cls: one of the classes here.
    :param message: what its constructor takes, as *kwargs* are.
    """
    return _with_foreign_bases(cls)(message, **kwargs)


# --- alerts ------------------------------------------------------------------------------------------------------

ALERTS: Mapping[int, str] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}
"""The names of alerts, by number (RFC 8446, 6.2, RFC 5246, 7.2, and RFC 7301)."""

_OF_ALERT: Mapping[int, tuple[type[TLSError], str]] = {
    22: (RecordTooLong, "a record of ours is longer than allowed"),
    40: (HandshakeRefused, "as a rule, no cipher suite, group or kind of key is acceptable to both"),
    42: (CertificateRefused, "our certificate cannot be accepted"),
    43: (CertificateRefused, "our certificate is of a kind that it does not support"),
    44: (CertificateRevoked, "our certificate was revoked"),
    45: (CertificateExpired, "our certificate, or one that it stands on, has expired or is not valid yet"),
    46: (CertificateRefused, "our certificate cannot be accepted"),
    48: (UnknownIssuer, "it does not trust who issued our certificate, or we sent no intermediate certificate"),
    49: (CertificateRefused, "our certificate is good, but not allowed in"),
    70: (ProtocolVersionMismatch, "no version of TLS is acceptable to both ends"),
    71: (NoSharedCipher, "what we offer is not secure enough"),
    100: (RenegotiationRefused, "it does not renegotiate"),
    112: (WrongName, "it does not serve the host name that we asked for"),
    116: (CertificateRequired, "it requires a certificate of us, and we showed none"),
    120: (NoApplicationProtocol, "no application protocol (ALPN) is acceptable to both ends"),
}


def from_alert(number: int, arguments: tuple[Any, ...] = ()) -> TLSError:
    """Return the error for an alert that the peer sent.

    :param number: the alert's.
    :param arguments: what to have as the error's ``args``.
    """
    name = ALERTS.get(number, f"alert {number}")
    cls, text = _OF_ALERT.get(number, (PeerAlert, ""))
    message = f"The peer broke off with the TLS alert {name}" + (f": {text}" if text else "")
    return make(cls, message, remote=True, arguments=arguments, alert=number, name=name)


# --- what the native implementation tells ------------------------------------------------------------------------

_OF_KIND: Mapping[str, type[TLSError]] = {
    "expired": CertificateExpired,
    "not-yet-valid": CertificateNotYetValid,
    "wrong-name": WrongName,
    "unknown-issuer": UnknownIssuer,
    "revoked": CertificateRevoked,
    "bad-signature": CertificateRefused,
    "unusable": CertificateRefused,
    "no-certificate": CertificateRequired,
    "version": ProtocolVersionMismatch,
    "no-shared-cipher": NoSharedCipher,
    "no-protocol": NoApplicationProtocol,
    "timeout": HandshakeTimeout,
    "truncated": Truncated,
    "eof": HandshakeInterrupted,
    "not-tls": NotTLS,
    "oversized": RecordTooLong,
    "renegotiation": RenegotiationRefused,
    "malformed": ProtocolViolation,
    "decrypt": ProtocolViolation,
    "internal": TLSError,
}
_VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1.0", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
_GREETINGS = (
    (b"HTTP/", "HTTP, as a server"),
    (b"SSH-", "SSH"),
    (b"220", "SMTP or FTP"),
    (b"+OK", "POP3"),
    (b"* OK", "IMAP"),
    (b"<?xml", "XML"),
    (b"PROXY ", "the PROXY protocol"),
    (b"\r\n\r\n\0\r\nQUIT\n", "the PROXY protocol"),
)
_METHODS = (
    b"GET ",
    b"POST ",
    b"HEAD ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"PATCH ",
    b"TRACE ",
    b"PRI * HTTP",
)


def not_tls(received: bytes, arguments: tuple[Any, ...] = ()) -> TLSError:
    """Return the error for a peer whose first bytes are no TLS.

    :param received: these bytes, or the first of them.
    :param arguments: what to have as the error's ``args``.
    """
    received = bytes(received[:64])
    speaks = next((name for start, name in _GREETINGS if received.startswith(start)), None)
    if speaks is None and received.startswith(_METHODS):
        speaks = "HTTP, as a client"
    guess = f", but {speaks}" if speaks else ""
    message = f"The peer does not speak TLS{guess}: it began with {received[:24]!r}"
    return make(NotTLS, message, arguments=arguments, received=received, speaks=speaks)


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def from_native(kind: str, message: str, details: Mapping[str, Any] | None) -> TLSError:
    """Return the error for what the native implementation of TLS tells of a failure.

    :param kind: which failure; an unknown one becomes a :class:`TLSError` as such.
    :param message: what the implementation says of it.
    :param details: facts, by name, as the border documents them.
    """
    facts = dict(details or {})
    cls = _OF_KIND.get(kind)
    if kind == "alert" and "alert" in facts:
        return from_alert(facts["alert"])
    if kind == "not-tls":
        return not_tls(facts.get("received", b""))
    if cls is None:
        return make(TLSError, f"{TLSError.MESSAGE}: {message or kind}", **facts)
    text = cls.MESSAGE
    if cls is WrongName:
        return make(WrongName, "" if facts.get("wanted") else text, **facts)
    if kind == "timeout" and "seconds" in facts:
        text = f"The peer did not finish the TLS handshake within {facts['seconds']:g} seconds"
    for name in ("since", "until"):
        if name in facts:
            facts[name] = _date(facts[name])
            text = f"{text.partition(';')[0]} ({name} {facts[name]:%Y-%m-%d %H:%M} UTC)"
    if kind == "version" and facts.get("offered"):
        facts["offered"] = [_VERSIONS.get(each, hex(each)) for each in facts["offered"]]
        text = f"{text}: the peer offers {', '.join(facts['offered'])}"
    if kind in {"unusable", "bad-signature", "malformed", "decrypt", "internal", "no-shared-cipher"} and message:
        text = f"{text}: {message}"
    return make(cls, text, **facts)
