"""TLS over any endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import alsoProvides, implementer

from torsion.internet.endpoints.wrapping import WrapperEndpoint, WrapperServerEndpoint
from torsion.internet.interfaces import ILoggingContext, IProtocol, IProtocolFactory, IProtocolNegotiationFactory
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
        """Secure the connections of a factory.

        :param creator: the settings.
        :param isClient: which role this end plays in the handshake.
        :param wrappedFactory: the factory.
        :param clock: for time limits where TLS is done in Python.
        :raises torsion.internet.tls.errors.UnsupportedOption: for an option that cannot be had.
        :raises TypeError: if *creator* is no settings at all; and whatever its ``getContext`` raises.
        """
        from torsion.internet.tls.roads import choose_road

        self.creator = creator
        self.wrappedFactory = wrappedFactory
        self._road = choose_road(creator, isClient)
        self._isClient = isClient
        self._clock = clock
        self._memory: Any = None
        if IProtocolNegotiationFactory.providedBy(wrappedFactory):
            alsoProvides(self, IProtocolNegotiationFactory)

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

    def acceptableProtocols(self) -> Any:
        """Return the application protocols of the wrapped factory, if it takes part in agreeing upon one."""
        return self.wrappedFactory.acceptableProtocols()

    def secure(self, transport: Any) -> bool:
        """Secure a connection natively, if it and the settings allow that; tell whether they do."""
        if self._road is None or getattr(transport, "secured_class", None) is None:
            return False
        transport.startTLS(self.creator)  # which asks its protocol's factory, this one, for application protocols
        return True

    def layer(self, protocol: Any) -> Any:
        """Return a protocol that does TLS in Python between a transport and *protocol*."""
        if self._memory is None:
            from torsion.internet.tls.factory import TLSMemoryBIOFactory

            self._memory = TLSMemoryBIOFactory(self.creator, self._isClient, self.wrappedFactory, self._clock)
        return self._memory.protocol(self._memory, protocol)


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
        self._above: Any = wrappedProtocol

    def makeConnection(self, transport: Any) -> None:
        """Secure the connection, and hand it over."""
        self.transport = transport
        # A wrapper of a transport can do what that can, but it means the bytes below the wrapper.
        direct = getattr(transport, "protocol", None) is self
        if not (direct and self.factory.secure(transport)):
            self._above = self.factory.layer(self.wrappedProtocol)
        if direct:
            transport.protocol = self._above
        self._above.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: :meth:`makeConnection` does it all."""

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this connection: the protocol's."""
        return log_prefix(self.wrappedProtocol)

    def dataReceived(self, data: bytes) -> Any:
        """Pass this on."""
        return self._above.dataReceived(data)

    def connectionLost(self, reason: Failure) -> Any:
        """Pass this on."""
        return self._above.connectionLost(reason)
