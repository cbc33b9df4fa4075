"""``optionsForClientTLS``: a client that wants to be sure whom it talks to."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.interfaces.tls import IOpenSSLClientConnectionCreator
from torsion.internet.tls.context import CertificateOptions
from torsion.internet.tls.errors import WrongName, make
from torsion.internet.tls.hostnames import is_address, to_ascii
from torsion.internet.tls.openssl import ssl_module
from torsion.internet.tls.opensslcontext import noting_callback
from torsion.internet.tls.trust import platformTrust
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ClientTLSOptions", "optionsForClientTLS"]


@implementer(IOpenSSLClientConnectionCreator)
class ClientTLSOptions:
    """The settings of a client that knows whom it wants to talk to.

    Made by :func:`optionsForClientTLS`.

    :ivar hostname: the server's name, as the program gave it, or its numeric address.
    """

    def __init__(self, hostname: str, ctx: CertificateOptions, sendServerName: bool = True) -> None:
        """Check that servers are who they should be.

        :param hostname: the server's name or numeric address.
        :param ctx: the other settings.
        :param sendServerName: whether to tell the server which host is meant.
        """
        self.hostname = hostname
        self.options = ctx
        self._hostnameIsDnsName = not is_address(hostname)
        # A scope is good on this computer only: no certificate has it.
        self.name = to_ascii(hostname) if self._hostnameIsDnsName else str(ip_address(hostname.partition("%")[0]))
        self.sendServerName = sendServerName

    @property
    def handshakeTimeout(self) -> float | None:
        """After how many seconds to give up a handshake; None for never."""
        return self.options.handshakeTimeout

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {self.hostname}>"

    def clientConnectionForTLS(self, tlsProtocol: Any) -> Any:
        """Make the OpenSSL connection for a connection of *tlsProtocol*'s.

        :raises ImportError: if pyOpenSSL or service_identity is not installed.
        """
        check = _checker(self.name, self._hostnameIsDnsName)
        SSL = ssl_module()
        connection = self.options.clientConnectionForTLS(tlsProtocol)
        if self._hostnameIsDnsName and self.sendServerName:
            connection.set_tlsext_host_name(self.name.encode("ascii"))

        def verify(connection: Any, certificate: Any, number: int, depth: int, good: int) -> bool:
            if not noting_callback(connection, certificate, number, depth, good):
                return False
            if depth:
                return True
            try:
                check(certificate)
            except Exception:  # noqa: BLE001 - OpenSSL would swallow it, and what cannot be checked is not accepted
                note = getattr(connection.get_app_data(), "nameRefused", None)
                if note is not None:
                    note(Failure())
                return False
            return True

        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
        return connection


def _checker(name: str, is_name: bool) -> Any:
    """Return a function that raises if a certificate is not for *name* (RFC 9525)."""
    try:
        from service_identity import CertificateError, VerificationError
        from service_identity.cryptography import extract_patterns
        from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
    except ImportError as missing:
        raise ImportError(
            "this needs service_identity, which is not installed: pip install 'torsion[pyopenssl]'",
            name="service_identity",
        ) from missing

    identity = DNS_ID(name) if is_name else IPAddress_ID(name)

    def check(certificate: Any) -> None:
        found: Sequence[Any] = ()
        try:
            found = extract_patterns(certificate.to_cryptography())
            verify_service_identity(cert_patterns=found, obligatory_ids=[identity], optional_ids=[])
        except VerificationError as wrong:
            names = [_shown(each.pattern) for each in found if hasattr(each, "pattern")]
            raise make(WrongName, wanted=name, names=names, errors=wrong.errors) from wrong
        except CertificateError as wrong:  # it has no names, or impossible ones
            raise make(WrongName, wanted=name) from wrong

    return check


def _shown(pattern: Any) -> str:
    return pattern.decode("ascii", "replace") if isinstance(pattern, bytes) else str(pattern)


def optionsForClientTLS(
    hostname: str,
    trustRoot: Any = None,
    clientCertificate: Any = None,
    acceptableProtocols: Sequence[bytes] | None = None,
    *,
    extraCertificateOptions: Mapping[str, Any] | None = None,
    sendServerName: bool | None = None,
) -> ClientTLSOptions:
    """Return the settings for connections to a server that is to prove that it is *hostname*.

    The server's certificate must lead up to a trusted root and be for that name or address, or else the connection is lost,
    with the reason (:class:`torsion.internet.tls.errors.CertificateRefused` and its subclasses).

    :param hostname: the server's name, in any alphabet, or its numeric address.
    :param trustRoot: whom to trust: :func:`trustRootFromCertificates`, or one certificate; None for what the platform
        trusts.
    :param clientCertificate: a ``PrivateCertificate`` to show, if the server asks for one.
    :param acceptableProtocols: the application protocols to agree upon one of (ALPN), the preferred one first.
    :param extraCertificateOptions: more arguments for :class:`CertificateOptions`.
    :param sendServerName: whether to tell the server which host is meant (SNI), so that it can choose a certificate; None
        for yes.  Anybody on the way can read it.
    :raises TypeError: if *hostname* is not text.
    :raises ValueError: if it cannot be a host's name.
    """
    if not isinstance(hostname, str):
        raise TypeError(f"optionsForClientTLS requires text for host names, not {type(hostname).__name__}")
    extra = dict(extraCertificateOptions or {})
    if clientCertificate is not None:
        extra.update(privateKey=clientCertificate.privateKey, certificate=clientCertificate)
    options = CertificateOptions(
        trustRoot=platformTrust() if trustRoot is None else trustRoot,
        acceptableProtocols=acceptableProtocols,
        **extra,
    )
    return ClientTLSOptions(hostname, options, sendServerName is not False)
