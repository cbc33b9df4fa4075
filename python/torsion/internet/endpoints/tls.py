"""TLS over any endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.internet.endpoints.wrapping import WrapperEndpoint, WrapperServerEndpoint
from torsion.internet.interfaces import ILoggingContext, IProtocol, IProtocolFactory, ITLSTransport
from torsion.internet.transports.stream import log_prefix

if TYPE_CHECKING:
    from torsion.internet.interfaces import (
        IAddress,
        IReactorTime,
        IStreamClientEndpoint,
        IStreamServerEndpoint,
    )
    from torsion.python.failure import Failure

__all__ = ["Securing", "SecuringFactory", "wrapClientTLS", "wrapServerTLS"]


def wrapClientTLS(
    connectionCreator: Any, wrappedEndpoint: IStreamClientEndpoint, clock: IReactorTime | None = None
) -> IStreamClientEndpoint:
    """Secure the connections that an endpoint makes.

    :param connectionCreator: whom to trust, and whose name to look for; see
        :func:`torsion.internet.ssl.optionsForClientTLS`.
    :param wrappedEndpoint: the endpoint.
    :param clock: what puts small writes off, where TLS is done in Python; the reactor by default.
    :returns: an endpoint whose Deferred fires once there is a connection, which is before it is secure: a protocol that
        cares provides ``IHandshakeListener``.
    """
    return WrapperEndpoint(wrappedEndpoint, lambda factory: SecuringFactory(connectionCreator, True, factory, clock))


def wrapServerTLS(
    connectionCreator: Any, wrappedEndpoint: IStreamServerEndpoint, clock: IReactorTime | None = None
) -> IStreamServerEndpoint:
    """Secure the connections that come in at an endpoint.

    :param connectionCreator: which certificate to show; see :class:`torsion.internet.ssl.CertificateOptions`.
    :param wrappedEndpoint: the endpoint.
    :param clock: what puts small writes off, where TLS is done in Python; the reactor by default.
    :returns: an endpoint.
    """
    return WrapperServerEndpoint(
        wrappedEndpoint, lambda factory: SecuringFactory(connectionCreator, False, factory, clock)
    )


@implementer(IProtocolFactory, ILoggingContext)
class SecuringFactory:
    """Makes another factory's protocols, and secures their connections before they hear of them."""

    noisy = False

    def __init__(self, creator: Any, isClient: bool, wrappedFactory: Any, clock: IReactorTime | None = None) -> None:
        self.creator = creator
        self.isClient = isClient
        self.wrappedFactory = wrappedFactory
        self.clock = clock

    def doStart(self) -> None:
        """Pass this on."""
        self.wrappedFactory.doStart()

    def doStop(self) -> None:
        """Pass this on."""
        self.wrappedFactory.doStop()

    def buildProtocol(self, addr: IAddress | None) -> Securing | None:
        """Have the wrapped factory make a protocol; None if it makes none."""
        protocol = self.wrappedFactory.buildProtocol(addr)
        return None if protocol is None else Securing(self, protocol)

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this: the wrapped factory's."""
        return log_prefix(self.wrappedFactory)


@implementer(IProtocol)
class Securing:
    """Stands in for a protocol until its connection is secured.

    Where the transport can do TLS by itself, this steps aside.  Else it stays in between, and has OpenSSL do it.

    :ivar wrappedProtocol: the protocol.
    """

    def __init__(self, factory: SecuringFactory, wrappedProtocol: Any) -> None:
        self.factory = factory
        self.wrappedProtocol = wrappedProtocol
        self.transport: Any = None
        self._between: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Secure the connection, and hand it over."""
        self.transport = transport
        # A wrapper of a transport offers startTLS too, but it means the bytes below the wrapper.
        direct = getattr(transport, "protocol", None) is self
        if direct and _can_secure(transport):
            transport.startTLS(self.factory.creator)
            transport.protocol = self.wrappedProtocol
            self.wrappedProtocol.makeConnection(transport)
            return
        from torsion.internet.tls.factory import TLSMemoryBIOFactory

        factory = self.factory
        memory = TLSMemoryBIOFactory(factory.creator, factory.isClient, _Ready(self.wrappedProtocol), factory.clock)
        self._between = memory.buildProtocol(transport.getPeer())
        if direct:
            transport.protocol = self._between
        self._between.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: :meth:`makeConnection` does it all."""

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this connection: the protocol's."""
        return log_prefix(self.wrappedProtocol)

    def dataReceived(self, data: bytes) -> Any:
        """Pass this on."""
        return self._between.dataReceived(data)

    def connectionLost(self, reason: Failure) -> Any:
        """Pass this on."""
        protocol = self.wrappedProtocol if self._between is None else self._between
        return protocol.connectionLost(reason)


def _can_secure(transport: Any) -> bool:
    return bool(ITLSTransport.providedBy(transport))


class _Ready:
    """A factory whose protocol is there already."""

    noisy = False

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def doStart(self) -> None:
        """Do nothing: whoever made the protocol is started."""

    def doStop(self) -> None:
        """Do nothing, likewise."""

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return that protocol."""
        return self._protocol
