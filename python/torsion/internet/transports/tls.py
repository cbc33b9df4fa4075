"""What connections know of TLS: how a plain one becomes secure, and what a secure one can be asked.

Connections are made secure natively, by rustls, below all that is Python.  Settings that need OpenSSL (see
:mod:`torsion.internet.tls.roads`) put a TLS layer in Python between the native stream and its protocol instead; a connection
that is promoted in its midst stays the same object either way, and is given another class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from zope.interface import directlyProvides, implementedBy

from torsion.internet.interfaces import IProtocolNegotiationFactory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torsion._native import Stream, TLSContext

    _Stream = Stream
else:
    _Stream = object

__all__ = ["TLS", "Road", "Securable", "Secured", "Wrapped", "acceptable_protocols"]


def acceptable_protocols(factory: object) -> Sequence[bytes] | None:
    """Return the application protocols that *factory* takes part in agreeing upon, or None if it takes no part."""
    if not IProtocolNegotiationFactory.providedBy(factory):
        return None
    return tuple(cast("Any", factory).acceptableProtocols())


class Road(Protocol):
    """How connections are secured natively, by some settings."""

    server_name: str | None
    """Whom a client expects; None if no name is checked or sent."""

    def context(self, protocols: Sequence[bytes] | None = None) -> TLSContext:
        """Return the context for the next connection, which agrees upon *protocols*, or upon those of the settings."""


class TLS(Protocol):
    """What connections ask of their reactor that has to do with TLS: settings and certificates are above their floor."""

    def road(self, contextFactory: Any, isClient: bool) -> Road | None:
        """Return the native way for some settings, or None if they need OpenSSL.  Raises what is wrong with them."""

    def layer(self, contextFactory: Any, isClient: bool, factory: Any, reactor: Any) -> Any:
        """Return a factory that puts OpenSSL between a transport and the protocols of *factory*."""

    def failure(self, kind: str, message: str, details: Mapping[str, Any] | None) -> Exception:
        """Return the exception for what the engine tells of a failure."""

    def certificate(self, der: bytes) -> Any:
        """Return a certificate as programs want it."""

    def handle(self, stream: Stream) -> Any:
        """Return what tells programs of a connection that is secured natively, as OpenSSL's connection would."""


class Securable(_Stream):
    """A plain connection that can be made secure (``ITLSTransport``)."""

    __slots__ = ()

    TLS: ClassVar[bool] = False
    """Whether the connection is secure."""

    secured_class: ClassVar[type[Any] | None] = None
    """What it becomes when it is secured natively; None where nothing is."""
    wrapped_class: ClassVar[type[Any]]
    """What it becomes when it is secured by OpenSSL."""

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:
        """Secure the connection from here on.

        What was written before is sent in the clear, and first.  What is left to be read belongs to TLS; what
        ``dataReceived`` was given already does not.

        :param contextFactory: the settings: ``CertificateOptions``, what ``optionsForClientTLS`` returns, or what
            OpenSSL is to be used with.
        :param normal: whether this end plays the role that it has in TCP, where the connecting end is the client.
        :raises torsion.internet.tls.errors.UnsupportedOption: for an option that the native implementation lacks.
        :raises TypeError: for something that is no settings at all.
        :raises RuntimeError: if the connection is secure already, or closing.
        """
        owner: Any = self.owner
        is_client: bool = bool(normal) == owner.client
        road = owner.reactor.tls.road(contextFactory, is_client)
        secured = self.secured_class
        if road is None or secured is None:
            self._wrap(contextFactory, is_client)
            return
        self.start_tls(road.context(acceptable_protocols(getattr(self.protocol, "factory", None))), road.server_name)
        self.__class__ = secured

    def _wrap(self, contextFactory: Any, is_client: bool) -> None:
        """Put OpenSSL's layer between the stream and its protocol."""
        if self.disconnecting or self.disconnected:
            raise RuntimeError("TLS cannot be started: the connection is closing")
        protocol = self.protocol
        plain = type(self)
        producer, streaming = self.producer, self.streamingProducer
        reactor: Any = self.owner.reactor  # type: ignore[attr-defined]
        factory = reactor.tls.layer(contextFactory, is_client, getattr(protocol, "factory", None), reactor)
        layer = factory.protocol(factory, protocol, False)
        if producer is not None:
            self.unregisterProducer()
        self.__dict__["tls_layer"] = layer
        self.__class__ = self.wrapped_class
        try:
            layer.makeConnection(_Below(self, plain))
        except BaseException:
            self.__class__ = plain
            del self.__dict__["tls_layer"]
            raise
        self.protocol = layer
        if producer is not None:
            self.registerProducer(producer, streaming)  # with the layer: what it writes is to be encrypted


class Secured(_Stream):
    """A secure connection (``ISSLTransport``, ``INegotiated``)."""

    __slots__ = ()

    TLS = True

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:
        """Refuse: the connection is secure already.

        :raises RuntimeError: always.
        """
        raise RuntimeError("TLS was started on this connection already")

    def getHandle(self) -> Any:
        """Return a :class:`torsion.internet.tls.handle.ConnectionHandle`, which tells of the connection."""
        return self.owner.reactor.tls.handle(self)  # type: ignore[attr-defined]

    def getPeerCertificate(self) -> Any:
        """Return the peer's certificate; None if it showed none, or before the handshake is over.

        :returns: an ``OpenSSL.crypto.X509`` where pyOpenSSL is installed, else cryptography's ``Certificate``.
        """
        chain = self.peer_certificates()
        return self.owner.reactor.tls.certificate(chain[0]) if chain else None  # type: ignore[attr-defined]

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The application protocol that was agreed upon (ALPN, RFC 7301); None before the handshake, or if there is none."""
        return self.negotiated_protocol()


class Wrapped(_Stream):
    """A secure connection whose TLS is OpenSSL's, in a layer above the native stream."""

    __slots__ = ()

    TLS = True

    if TYPE_CHECKING:
        tls_layer: Any

    startTLS = Secured.startTLS

    def write(self, data: Any) -> None:
        """Encrypt and send *data*."""
        self.tls_layer.write(data)

    def writeSequence(self, data: Iterable[Any]) -> None:
        """Encrypt and send each of *data*."""
        self.tls_layer.writeSequence(data)

    def loseConnection(self) -> None:
        """Close once everything is sent and both ends have said so."""
        self.tls_layer.loseConnection()

    def abortConnection(self) -> None:
        """Close at once."""
        self.tls_layer.abortConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* be told when to write."""
        self.tls_layer.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.tls_layer.unregisterProducer()

    def stopProducing(self) -> None:
        """The same as :meth:`loseConnection`."""
        self.tls_layer.loseConnection()

    def pauseProducing(self) -> None:
        """Deliver nothing for now."""
        self.tls_layer.pauseProducing()

    def resumeProducing(self) -> None:
        """Deliver again."""
        self.tls_layer.resumeProducing()

    def getHandle(self) -> Any:
        """Return the ``OpenSSL.SSL.Connection``."""
        return self.tls_layer.getHandle()

    def getPeerCertificate(self) -> Any:
        """Return the peer's certificate, an ``OpenSSL.crypto.X509``, or None."""
        return self.tls_layer.getPeerCertificate()

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The application protocol that was agreed upon, or None."""
        protocol: bytes | None = self.tls_layer.negotiatedProtocol
        return protocol


class _Below:
    """The native stream, as the TLS layer above it sees it: under the methods that lead to that layer."""

    def __init__(self, stream: Any, plain: type[Any]) -> None:
        self._stream = stream
        self._plain = plain
        directlyProvides(self, implementedBy(plain))  # type: ignore[no-untyped-call]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._plain, name)
        bind = getattr(found, "__get__", None)
        return found if bind is None else bind(self._stream, self._plain)
