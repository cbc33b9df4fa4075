"""Transport layer security: contexts, ciphers, and connections that are or become secure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

from torsion.internet.interfaces.stream import ITCPTransport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from torsion.internet.interfaces.protocol import IProtocolFactory
    from torsion.internet.interfaces.stream import IConnector, IListeningPort


class ISSLTransport(ITCPTransport):
    """A secure connection."""

    def getPeerCertificate() -> Any:
        """Return the peer's certificate (an ``OpenSSL.crypto.X509``), or None if it showed none."""


class INegotiated(ISSLTransport):
    """A secure connection on which both ends can agree upon the protocol to speak (ALPN)."""

    negotiatedProtocol = Attribute(
        """The name of the protocol that was agreed upon (bytes), or None: before the handshake is over, or if the ends
        did not agree upon one."""
    )


class ITLSTransport(ITCPTransport):
    """A plain connection that can be made secure in its midst."""

    def startTLS(contextFactory: Any) -> None:
        """Secure the connection from here on; all that was written before is sent in the clear.

        :param contextFactory: an :class:`IOpenSSLClientConnectionCreator` or
            :class:`IOpenSSLServerConnectionCreator`, according to which end of the connection this is, or an
            :class:`IOpenSSLContextFactory`.
        """


class IHandshakeListener(Interface):
    """A protocol that wants to know when its connection has become secure."""

    def handshakeCompleted() -> None:
        """Be told that the handshake is over and the peer's certificate accepted.

        Called once, after ``connectionMade`` and before the first ``dataReceived``.
        """


class IProtocolNegotiationFactory(Interface):
    """A factory that takes part in agreeing upon the protocol to speak (ALPN)."""

    def acceptableProtocols() -> list[bytes]:
        """Return the names of the protocols that its own protocols can speak, the preferred one first."""


class IOpenSSLServerConnectionCreator(Interface):
    """Knows the settings of secure connections that this end accepts."""

    def serverConnectionForTLS(tlsProtocol: Any) -> Any:
        """Make the OpenSSL connection object for one connection.

        :param tlsProtocol: the TLS protocol that asks for it.
        :returns: an ``OpenSSL.SSL.Connection`` without a socket, in accept state or without a state.
        """


class IOpenSSLClientConnectionCreator(Interface):
    """Knows the settings of secure connections that this end makes."""

    def clientConnectionForTLS(tlsProtocol: Any) -> Any:
        """Make the OpenSSL connection object for one connection.

        :param tlsProtocol: the TLS protocol that asks for it.
        :returns: an ``OpenSSL.SSL.Connection`` without a socket, in connect state or without a state.
        """


class IOpenSSLContextFactory(Interface):
    """Knows the settings of secure connections, in the form of an OpenSSL context."""

    def getContext() -> Any:
        """Return the ``OpenSSL.SSL.Context`` to use, which may be the same one each time."""


class ICipher(Interface):
    """One cipher suite."""

    fullName = Attribute("""The name that the TLS library knows it by (a str).""")


class IAcceptableCiphers(Interface):
    """Tells which cipher suites may be used."""

    def selectCiphers(availableCiphers: Iterable[ICipher]) -> Sequence[ICipher]:
        """Choose from the suites that the TLS library offers.

        :param availableCiphers: what it offers.
        :returns: those that may be used, the preferred one first.
        """


class IReactorSSL(Interface):
    """A reactor that speaks TLS over TCP.

    New code uses TLS endpoints or ``torsion.internet.tls`` with any stream transport.
    """

    def connectSSL(
        host: str,
        port: int,
        factory: IProtocolFactory,
        contextFactory: Any,
        timeout: float,
        bindAddress: tuple[str, int] | None,
    ) -> IConnector:
        """Connect to a TCP port and speak TLS from the first byte.

        :param host: the host's name, or its numeric address.
        :param port: the port's number.
        :param factory: a client factory; told how the attempt ends.
        :param contextFactory: an :class:`IOpenSSLClientConnectionCreator`, or an :class:`IOpenSSLContextFactory`.
        :param timeout: after how many seconds to give up; reactors default to 30.
        :param bindAddress: the numeric address and port of this end; reactors default to none.
        """

    def listenSSL(
        port: int, factory: IProtocolFactory, contextFactory: Any, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """Accept connections and speak TLS from the first byte.

        :param port: the port's number; 0 lets the system choose.
        :param factory: asked for one protocol for each connection.
        :param contextFactory: an :class:`IOpenSSLServerConnectionCreator`, or an :class:`IOpenSSLContextFactory`.
        :param backlog: how many connections the system may keep waiting to be accepted.
        :param interface: the numeric address to listen at; empty means all IPv4 addresses.
        :raises torsion.internet.error.CannotListenError: if the address is taken or may not be used.
        """
