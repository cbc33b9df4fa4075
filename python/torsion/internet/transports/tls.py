"""What connections know of TLS: how a plain one becomes secure, and what a secure one can be asked.

Connections are made secure natively, by rustls, below all that is Python.  Settings that need OpenSSL (see
:mod:`torsion.internet.tls.roads`) put a TLS layer in Python between the native stream and its protocol instead.  A connection
that is secured in its midst stays the same object either way.  Natively it is given another class, which knows more; by
OpenSSL it keeps its class, and the layer becomes its *divert*: what a program asks of its transport is asked of the layer,
and the layer reaches the stream itself by a bypass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from zope.interface import directlyProvidedBy
from zope.interface.declarations import Provides

from torsion.internet.interfaces import INegotiated, IProtocolNegotiationFactory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torsion._native import Stream, TLSContext

    _Stream = Stream
else:
    _Stream = object

__all__ = ["TLS", "Road", "Securable", "Secured", "acceptable_protocols"]


_TWICE = "TLS was started on this connection already"


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
    secure_interface: ClassVar[Any] = INegotiated
    """What it provides, besides, once it is secured."""

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
        if self.diverted is not None:
            raise RuntimeError(_TWICE)
        owner: Any = self.owner
        is_client: bool = bool(normal) == owner.client
        road = owner.reactor.tls.road(contextFactory, is_client)
        secured = self.secured_class
        if road is None or secured is None:
            self._divert(contextFactory, is_client)
            return
        self.start_tls(road.context(acceptable_protocols(getattr(self.protocol, "factory", None))), road.server_name)
        self.__class__ = secured
        if "__provides__" in self.__dict__:  # declared when it was of the other class
            self._provide()

    def _divert(self, contextFactory: Any, is_client: bool) -> None:
        """Put OpenSSL's layer between the stream and its protocol."""
        if self.disconnecting or self.disconnected:
            raise RuntimeError("TLS cannot be started: the connection is closing")
        protocol = self.protocol
        reactor: Any = self.owner.reactor  # type: ignore[attr-defined]  # an owner of streams that has a reactor
        factory = reactor.tls.layer(contextFactory, is_client, getattr(protocol, "factory", None), reactor)
        layer = factory.protocol(factory, protocol, False)
        bypass = self.bypass()
        layer.makeConnection(bypass)
        producer, streaming = self.producer, self.streamingProducer
        if producer is not None:
            self.unregisterProducer()
        self.divert(layer)
        self.protocol = layer
        # As Twisted's transports have them.
        self.__dict__.update(TLS=True, getHandle=layer.getHandle, getPeerCertificate=layer.getPeerCertificate)
        self._provide()
        if producer is not None:
            self.registerProducer(producer, streaming)  # with the layer: what it writes is to be encrypted
            # If it was paused for what was written in the clear, the layer has to know that, or will never let it go on.
            bypass.write(b"")

    def _provide(self) -> None:
        """Declare that it is secure, besides what a program has declared for it."""
        # Not by alsoProvides, for which it would be of the class that it may pass for.
        self.__dict__["__provides__"] = Provides(type(self), directlyProvidedBy(self), self.secure_interface)

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The application protocol that was agreed upon (ALPN, RFC 7301), or None; only a secure connection has this."""
        if self.diverted is None:
            raise AttributeError("negotiatedProtocol: the connection is not secure")
        protocol: bytes | None = self.diverted.negotiatedProtocol
        return protocol


class Secured(_Stream):
    """A secure connection (``ISSLTransport``, ``INegotiated``)."""

    __slots__ = ()

    TLS = True

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:
        """Refuse: the connection is secure already.

        :raises RuntimeError: always.
        """
        raise RuntimeError(_TWICE)

    def getHandle(self) -> Any:
        """Return a :class:`torsion.internet.tls.handle.ConnectionHandle`, which tells of the connection."""
        return self.owner.reactor.tls.handle(self)  # type: ignore[attr-defined]  # an owner of streams that has a reactor

    def getPeerCertificate(self) -> Any:
        """Return the peer's certificate; None if it showed none, or before the handshake is over.

        :returns: an ``OpenSSL.crypto.X509`` where pyOpenSSL is installed, else cryptography's ``Certificate``.
        """
        chain = self.peer_certificates()
        return self.owner.reactor.tls.certificate(chain[0]) if chain else None  # type: ignore[attr-defined]  # an owner of streams that has a reactor

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """The application protocol that was agreed upon (ALPN, RFC 7301); None before the handshake, or if there is none."""
        return self.negotiated_protocol()
