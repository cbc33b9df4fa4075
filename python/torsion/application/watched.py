"""Protocols that tell somebody besides that their connection is lost, and the factories that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import directlyProvides, implementer, providedBy

from torsion.internet.interfaces import (
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    ILoggingContext,
    IProtocol,
    IProtocolFactory,
    IProtocolNegotiationFactory,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torsion.internet.interfaces import IAddress
    from torsion.python.failure import Failure

__all__ = ["Watched", "WatchingFactory"]

_OPTIONAL = (IFileDescriptorReceiver, IHalfCloseableProtocol, IHandshakeListener, ILoggingContext)
"""What a protocol may be told, or asked, besides what every protocol is."""


@implementer(IProtocol)
class Watched:
    """Stands between a transport and a protocol, passes everything on, and tells when the connection is lost.

    The protocol gets the transport itself.

    :ivar reason: why it is lost, or None while it is not.
    """

    def __init__(self, protocol: Any, told: Callable[[Watched, Failure], None]) -> None:
        """Watch a protocol.

        :param protocol: the protocol.
        :param told: called with this and the reason once the connection is lost and the protocol has been told so.
        """
        self._protocol = protocol
        self._told = told
        self.reason: Failure | None = None
        self.transport: Any = None
        directlyProvides(self, [interface for interface in _OPTIONAL if interface in providedBy(protocol)])

    @property
    def protocol(self) -> Any:
        """The protocol."""
        return self._protocol

    def makeConnection(self, transport: Any) -> None:
        """Pass this on."""
        self.transport = transport
        self._protocol.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: the protocol's ``makeConnection`` does it all."""

    def connectionLost(self, reason: Failure) -> None:
        """Pass this on, and tell."""
        self.reason = reason
        try:
            self._protocol.connectionLost(reason)
        finally:
            self._told(self, reason)

    def dataReceived(self, data: bytes) -> Any:
        """Pass this on."""
        return self._protocol.dataReceived(data)

    def fileDescriptorReceived(self, descriptor: int) -> Any:
        """Pass this on."""
        return self._protocol.fileDescriptorReceived(descriptor)

    def readConnectionLost(self) -> Any:
        """Pass this on."""
        return self._protocol.readConnectionLost()

    def writeConnectionLost(self) -> Any:
        """Pass this on."""
        return self._protocol.writeConnectionLost()

    def handshakeCompleted(self) -> Any:
        """Pass this on."""
        return self._protocol.handshakeCompleted()

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this: the protocol's."""
        return str(self._protocol.logPrefix())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._protocol!r}>"


@implementer(IProtocolFactory)
class WatchingFactory:
    """Makes the protocols of another factory, and watches them.

    :ivar latest: the protocol made last, or None.
    """

    def __init__(self, factory: Any, told: Callable[[Watched, Failure], None]) -> None:
        """Watch the protocols of a factory.

        :param factory: the factory.
        :param told: called with the watched protocol and the reason when one has lost its connection.
        """
        self._factory = factory
        self._told = told
        self.latest: Watched | None = None
        optional = (ILoggingContext, IProtocolNegotiationFactory)
        directlyProvides(self, [interface for interface in optional if interface in providedBy(factory)])

    @property
    def noisy(self) -> bool:
        """Whether the factory wants its start in the log."""
        return bool(getattr(self._factory, "noisy", True))

    def buildProtocol(self, addr: IAddress | None) -> Watched | None:
        """Have the factory make a protocol, and watch it.

        :returns: the watched protocol, or None if the factory made none: the connection is to be closed.
        """
        protocol = self._factory.buildProtocol(addr)
        self.latest = None if protocol is None else Watched(protocol, self._told)
        return self.latest

    def doStart(self) -> None:
        """Pass this on."""
        self._factory.doStart()

    def doStop(self) -> None:
        """Pass this on."""
        self._factory.doStop()

    def acceptableProtocols(self) -> list[bytes]:
        """Ask the factory; called only if it is an ``IProtocolNegotiationFactory``."""
        protocols: list[bytes] = self._factory.acceptableProtocols()
        return protocols

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this: the factory's."""
        return str(self._factory.logPrefix())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._factory!r}>"
