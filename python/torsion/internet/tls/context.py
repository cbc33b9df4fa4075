"""``CertificateOptions``: what a program says of its secure connections, for both implementations of TLS."""

from __future__ import annotations

import os
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from zope.interface import implementer

from torsion.internet.interfaces.tls import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
    IOpenSSLServerConnectionCreator,
)
from torsion.internet.tls.ciphers import available_ciphers, native_suites
from torsion.internet.tls.errors import UnsupportedOption
from torsion.internet.tls.formats import as_certificate, as_key, identity, matches
from torsion.internet.tls.opensslcontext import make_connection, make_context
from torsion.internet.tls.settings import HANDSHAKE_TIMEOUT, TLSSettings
from torsion.internet.tls.sni import NameTable, ServerNames
from torsion.internet.tls.trust import OpenSSLCertificateAuthorities, as_trust_root
from torsion.internet.tls.versions import TLSVersion, version_range
from torsion.python.deprecate import getWarningMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torsion.internet.interfaces.tls import IAcceptableCiphers
    from torsion.internet.tls.formats import Identity

__all__ = ["CertificateOptions", "OpenSSLDiffieHellmanParameters"]

_P = ParamSpec("_P")
_S = TypeVar("_S")

_EXCLUSIVE = (
    ("trustRoot", "requireCertificate"),
    ("trustRoot", "verify"),
    ("trustRoot", "caCerts"),
    ("method", "insecurelyLowerMinimumTo"),
    ("method", "raiseMinimumTo"),
    ("method", "lowerMaximumSecurityTo"),
    ("raiseMinimumTo", "insecurelyLowerMinimumTo"),
)
_ANY_METHOD = 7  # OpenSSL.SSL.TLS_METHOD
# The methods of pyOpenSSL that the native implementation can follow: any version, and TLS 1.2 only.
_NATIVE_METHODS = {3: None, 7: None, 8: None, 9: None, 6: (TLSVersion.TLSv1_2, TLSVersion.TLSv1_2)}
_DEFAULT_DEPTH = 9
_SETTINGS_KEPT = 32
_METHOD_IS_OLD = (
    "Passing method to torsion.internet.ssl.CertificateOptions is deprecated, as it was in Twisted 17.1.0: use "
    "insecurelyLowerMinimumTo, raiseMinimumTo and lowerMaximumSecurityTo"
)


def _exclusive(initialise: Callable[Concatenate[_S, _P], None]) -> Callable[Concatenate[_S, _P], None]:
    """Have a constructor refuse arguments that contradict each other, even by their default values."""
    known = signature(initialise)

    @wraps(initialise)
    def checked(self: _S, *args: _P.args, **kwargs: _P.kwargs) -> None:
        given = known.bind(self, *args, **kwargs).arguments
        for one, other in _EXCLUSIVE:
            if one in given and other in given:
                raise TypeError(
                    f"The {one!r} and {other!r} arguments of {type(self).__name__} are mutually exclusive: give one of them"
                )
        initialise(self, *args, **kwargs)

    return cast("Callable[Concatenate[_S, _P], None]", checked)


class OpenSSLDiffieHellmanParameters:
    """A group for Diffie-Hellman key exchange over finite fields, in a file; for OpenSSL only."""

    def __init__(self, parameters: Any) -> None:
        """Use a file.

        :param parameters: its path: a string, or an object that has one as ``path``.
        """
        self._dhFile = parameters

    @classmethod
    def fromFile(cls, filePath: Any) -> OpenSSLDiffieHellmanParameters:
        """Use a PEM file such as ``openssl dhparam`` writes.

        :param filePath: its path: a string, or an object that has one as ``path``.
        """
        return cls(filePath)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator, IOpenSSLContextFactory)
class CertificateOptions:
    """The settings of secure connections, for servers and for clients.

    A client that wants to be sure whom it talks to uses :func:`optionsForClientTLS` instead: these options check whether a
    certificate is good, not whose it is.

    Reactors use these settings with the native implementation.  They go through OpenSSL instead if a subclass overrides one
    of the methods below, or if :meth:`getContext` was called, since the context may then have been changed.
    """

    # A stand-in for OpenSSL.SSL.Context, for tests.
    _contextFactory: Any = None

    @_exclusive
    def __init__(
        self,
        privateKey: Any = None,
        certificate: Any = None,
        method: int | None = None,
        verify: bool = False,
        caCerts: Sequence[Any] | None = None,
        verifyDepth: int = _DEFAULT_DEPTH,
        requireCertificate: bool = True,
        verifyOnce: bool = True,
        enableSingleUseKeys: bool = True,
        enableSessions: bool = False,
        fixBrokenPeers: bool = False,
        enableSessionTickets: bool = False,
        extraCertChain: Sequence[Any] | None = None,
        acceptableCiphers: IAcceptableCiphers | None = None,
        dhParameters: OpenSSLDiffieHellmanParameters | None = None,
        trustRoot: Any = None,
        acceptableProtocols: Sequence[bytes] | None = None,
        raiseMinimumTo: TLSVersion | None = None,
        insecurelyLowerMinimumTo: TLSVersion | None = None,
        lowerMaximumSecurityTo: TLSVersion | None = None,
        contextForServerName: Any = None,
        *,
        keyLogFile: str | None = None,
        handshakeTimeout: float | None = HANDSHAKE_TIMEOUT,
    ) -> None:
        """Say how connections are to be made secure.

        Keys and certificates may be torsion's own, ``cryptography``'s or pyOpenSSL's.

        :param privateKey: this end's key.
        :param certificate: this end's certificate.  A server has to have one, by these or by *contextForServerName*.
        :param method: deprecated: which version to speak, by a constant of pyOpenSSL.
        :param verify: whether to check the peer's certificate against *caCerts*; better use *trustRoot*.
        :param caCerts: certificates to trust if *verify* is true.
        :param verifyDepth: how many certificates may stand between the peer's and a trusted one; OpenSSL only.
        :param requireCertificate: for a server that verifies: whether clients have to show a certificate.
        :param verifyOnce: whether not to ask a client again in a renegotiation; there are none, natively.
        :param enableSingleUseKeys: whether each connection has a key exchange of its own; always so, natively.
        :param enableSessions: whether to remember connections, so that the peer can resume them with less work.
        :param fixBrokenPeers: whether to work around faults of old peers; OpenSSL only.
        :param enableSessionTickets: whether to have the peer remember for us (RFC 5077).
        :param extraCertChain: who issued *certificate*, who issued that, and so on, to be shown along with it.
        :param acceptableCiphers: which cipher suites may be used; None for a good choice.
        :param dhParameters: a group for old peers; OpenSSL only.
        :param trustRoot: whom to trust: :func:`platformTrust`, :func:`trustRootFromCertificates` or one certificate.  The
            peer must then show a good certificate.
        :param acceptableProtocols: the application protocols to agree upon one of (ALPN), the preferred one first.  A
            protocol factory with ``acceptableProtocols`` overrides it.
        :param raiseMinimumTo: the oldest version to speak, if newer than the default.
        :param insecurelyLowerMinimumTo: the oldest version to speak, also if older than the default, TLS 1.2.
        :param lowerMaximumSecurityTo: the newest version to speak.
        :param contextForServerName: a server's certificates by name: a :class:`ServerNames`, such as a
            :class:`CertificateDirectory`; or, for OpenSSL, a function from the name (bytes; None if the client gave none)
            to an ``OpenSSL.SSL.Context``, or to None for these options' own.
        :param keyLogFile: a file to append the keys of all connections to, with which Wireshark can read them; None for the
            one that the environment's ``SSLKEYLOGFILE`` names, if any.
        :param handshakeTimeout: after how many seconds to give up a handshake; None for never.
        :raises ValueError: for settings that do not go together, such as a key without a certificate.
        :raises TypeError: for two arguments that exclude each other, and for things of the wrong kind.
        """
        _check(privateKey, certificate, extraCertChain, verify, caCerts, handshakeTimeout)
        if method is not None:
            getWarningMethod()(_METHOD_IS_OLD, DeprecationWarning, stacklevel=3)
        self.privateKey = privateKey
        self.certificate = certificate
        self.method = _ANY_METHOD if method is None else method
        self.caCerts = caCerts
        self.verifyDepth = verifyDepth
        self.requireCertificate = requireCertificate
        self.verifyOnce = verifyOnce
        self.enableSingleUseKeys = enableSingleUseKeys
        self.enableSessions = enableSessions
        self.fixBrokenPeers = fixBrokenPeers
        self.enableSessionTickets = enableSessionTickets
        self.extraCertChain = list(extraCertChain or ())
        self.dhParameters = dhParameters
        self.acceptableProtocols = _protocols(acceptableProtocols)
        self.keyLogFile = keyLogFile or os.environ.get("SSLKEYLOGFILE") or None
        self.handshakeTimeout = handshakeTimeout
        self.trustRoot = _trust(trustRoot, verify, caCerts)
        self.verify = self.trustRoot is not None
        self.versions = version_range(raiseMinimumTo, insecurelyLowerMinimumTo, lowerMaximumSecurityTo)
        self.cipherNames = _names_of(acceptableCiphers)
        self._explicit_method = method is not None
        self._contextForServerName = contextForServerName
        self._identity = None if privateKey is None else self._checked_identity()
        self._context: Any = None
        self._was_handed_out = False
        self._settings_made: dict[Any, TLSSettings] = {}

    def _checked_identity(self) -> Identity:
        chain = [as_certificate(each) for each in (self.certificate, *self.extraCertChain)]
        key = as_key(self.privateKey)
        if not matches(chain[0], key):
            raise ValueError("privateKey is not the key that certificate is for")
        return identity(chain, key)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what cannot be copied, and is made again when it is needed."""
        return self.__dict__ | {"_context": None, "_was_handed_out": False, "_settings_made": {}}

    # --- for OpenSSL --------------------------------------------------------------------------------------------------

    def getContext(self) -> Any:
        """Return the ``OpenSSL.SSL.Context`` of these settings, the same one each time.

        From then on, reactors use it for these options' connections: it may be changed as you like before the first one.

        :raises ImportError: if pyOpenSSL is not installed.
        """
        self._was_handed_out = True
        return self._own_context()

    def _own_context(self) -> Any:
        if self._context is None:
            self._context = make_context(self)
        return self._context

    def clientConnectionForTLS(self, protocol: Any) -> Any:
        """Make the OpenSSL connection for a client's connection.

        :param protocol: the TLS protocol that asks.
        """
        return make_connection(self._context_to_use(), protocol)

    def serverConnectionForTLS(self, protocol: Any) -> Any:
        """Make the OpenSSL connection for a connection that a server accepted.

        :param protocol: the TLS protocol that asks.
        """
        return make_connection(self._context_to_use(), protocol)

    def _context_to_use(self) -> Any:
        # A subclass may have another idea of what the context is.
        overridden = type(self).getContext is not CertificateOptions.getContext
        return self.getContext() if overridden else self._own_context()

    # --- for the native implementation --------------------------------------------------------------------------------

    def _is_native(self) -> bool:
        """Return whether these are settings as torsion makes them, and nothing that a program has changed."""
        mine = CertificateOptions
        return (
            type(self).getContext is mine.getContext
            and type(self).clientConnectionForTLS is mine.clientConnectionForTLS
            and type(self).serverConnectionForTLS is mine.serverConnectionForTLS
            and not self._was_handed_out
        )

    def settings(
        self,
        client: bool,
        protocols: Sequence[bytes] | None = None,
        check_name: bool = False,
        send_name: bool = True,
    ) -> TLSSettings:
        """Return these settings, as the native implementation needs them.

        :param client: whether this end connects.
        :param protocols: application protocols to agree upon one of, in place of ``acceptableProtocols``.
        :param check_name: whether the peer's certificate must be for the host that is asked for.
        :param send_name: whether to tell the server the host's name.
        :raises UnsupportedOption: for an option that the native implementation lacks; it names the option.
        """
        names = self._contextForServerName
        table = names.table() if isinstance(names, ServerNames) and not client else None
        alpn = self.acceptableProtocols if protocols is None else _protocols(protocols)
        key = (client, alpn, check_name, send_name)
        made = self._settings_made.get(key)
        if made is not None and (table is None or table is made.names_from):
            return made
        made = self._make_settings(client, alpn, check_name, send_name, table)
        if len(self._settings_made) >= _SETTINGS_KEPT:
            self._settings_made.clear()  # a factory that asks for other protocols each time
        self._settings_made[key] = made
        return made

    def _make_settings(
        self, client: bool, alpn: tuple[bytes, ...], check_name: bool, send_name: bool, table: NameTable | None
    ) -> TLSSettings:
        versions = self._native_versions()
        if self.dhParameters is not None:
            raise UnsupportedOption("dhParameters", "Diffie-Hellman over finite fields is not offered")
        if self.verifyDepth != _DEFAULT_DEPTH:
            raise UnsupportedOption("verifyDepth", "the length of a chain of certificates has a fixed limit")
        if not client and self._contextForServerName is not None and table is None:
            raise UnsupportedOption(
                "contextForServerName",
                "a function that returns OpenSSL contexts is of no use here, while a CertificatesByName or a "
                "CertificateDirectory would be",
            )
        suites = None if self.cipherNames is None else native_suites(self.cipherNames)
        if suites is not None and not suites:
            raise UnsupportedOption("acceptableCiphers", f"none of {', '.join(self.cipherNames or ())} is offered")
        identities: tuple[Identity, ...] = () if self._identity is None else (self._identity,)
        if identities and not isinstance(as_key(self.privateKey), _NATIVE_KEYS):
            raise UnsupportedOption("privateKey", "keys may be of RSA, ECDSA or Ed25519")
        pairs: tuple[tuple[str, int], ...] = ()
        if table is not None:
            pairs = tuple((name, place + len(identities)) for name, place in table.names)
            identities += table.identities
        if not client and not identities:
            folder = getattr(self._contextForServerName, "path", None)
            if folder is not None:
                raise ValueError(
                    f"there is no certificate in {folder}: put one there, and its key, in files named *.pem"
                )
            raise ValueError("a server needs a certificate to show: give privateKey and certificate")
        return TLSSettings(
            client=client,
            identities=identities,
            names=pairs,
            roots=None if self.trustRoot is None else self.trustRoot.roots(),
            required=self.requireCertificate,
            check_name=check_name and self.trustRoot is not None,
            send_name=send_name,
            versions=versions,
            suites=suites,
            alpn=alpn,
            tickets=self.enableSessionTickets,
            sessions=self.enableSessions,
            handshake_timeout=self.handshakeTimeout,
            key_log=self.keyLogFile,
            names_from=table,
        )

    def _native_versions(self) -> tuple[int, int]:
        oldest, newest = self.versions
        if self._explicit_method or self.method != _ANY_METHOD:
            if self.method not in _NATIVE_METHODS:
                raise UnsupportedOption("method", "only TLS 1.2 and TLS 1.3 are spoken")
            oldest, newest = _NATIVE_METHODS[self.method] or (oldest, newest)
        if newest < TLSVersion.TLSv1_2:
            raise UnsupportedOption("lowerMaximumSecurityTo", "only TLS 1.2 and TLS 1.3 are spoken")
        if oldest < TLSVersion.TLSv1_2:
            raise UnsupportedOption("insecurelyLowerMinimumTo", "only TLS 1.2 and TLS 1.3 are spoken")
        return int(oldest), int(newest)


def _check(
    privateKey: Any,
    certificate: Any,
    extraCertChain: Sequence[Any] | None,
    verify: bool,
    caCerts: Sequence[Any] | None,
    handshakeTimeout: float | None,
) -> None:
    """Refuse settings that do not go together."""
    if (privateKey is None) != (certificate is None):
        raise ValueError("Specify neither or both of privateKey and certificate")
    if extraCertChain and privateKey is None:
        raise ValueError("extraCertChain goes along with a privateKey and a certificate, and there are none")
    if verify and not caCerts:
        raise ValueError("verify needs caCerts, the certificates to verify by; or use trustRoot alone")
    if handshakeTimeout is not None and not handshakeTimeout > 0:
        raise ValueError(f"handshakeTimeout must be above 0 seconds, or None for no limit, not {handshakeTimeout!r}")


_NATIVE_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)


def _protocols(names: Sequence[bytes] | None) -> tuple[bytes, ...]:
    """Return names of application protocols as they are kept.

    :raises ValueError: for one that is empty or too long (RFC 7301, 3.1).
    """
    found = tuple(names or ())
    for name in found:
        if not isinstance(name, bytes) or not 0 < len(name) < 256:
            raise ValueError(f"{name!r} is no name of an application protocol: these are from 1 to 255 bytes")
    return found


def _trust(trustRoot: Any, verify: bool, caCerts: Sequence[Any] | None) -> Any:
    if trustRoot is not None:
        return as_trust_root(trustRoot)
    return OpenSSLCertificateAuthorities(caCerts or ()) if verify else None


def _names_of(acceptable: IAcceptableCiphers | None) -> tuple[str, ...] | None:
    if acceptable is None:
        return None
    names = tuple(each.fullName for each in acceptable.selectCiphers(available_ciphers()))
    if not names:
        raise ValueError(f"acceptableCiphers={acceptable!r} accepts no cipher suite that there is")
    return names
