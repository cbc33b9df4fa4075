"""Protocols that stand between a transport and another protocol, and the factories that make them.

They stand here and not among the protocols because TLS, further down in the house, is one of them;
:mod:`torsion.protocols.policies` is where programs find them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zope.interface import alsoProvides, directlyProvides, providedBy

from torsion.internet.interfaces.core import IAddress, ILoggingContext
from torsion.internet.interfaces.protocol import IFileDescriptorReceiver, IHalfCloseableProtocol
from torsion.internet.interfaces.tls import IHandshakeListener, IProtocolNegotiationFactory
from torsion.internet.protocol.client import ClientFactory
from torsion.internet.protocol.protocols import Protocol
from torsion.python.failure import Failure

if TYPE_CHECKING:
    from torsion.internet.interfaces import IConnector

__all__ = ["ProtocolWrapper", "WrappingFactory"]

_OPTIONAL = (IFileDescriptorReceiver, IHalfCloseableProtocol, IHandshakeListener)
"""What a protocol may be told besides what every protocol is."""


def _prefix_of(wrapped: Any, wrapper: str) -> str:
    context = ILoggingContext(wrapped, None)
    name = type(wrapped).__name__ if context is None else context.logPrefix()
    return f"{name} ({wrapper})"


class ProtocolWrapper(Protocol):
    """Stands between a transport and a protocol: the protocol of the one, the transport of the other.

    It passes everything on, in both directions.  A subclass overrides what it wants to do differently.  What else the
    transport can do, the wrapper can do too: unknown attributes are looked up there, and from :meth:`makeConnection` on it
    provides the transport's interfaces.  A protocol that can be told more than most, such as that its connection is half
    closed, is told so through the wrapper.

    :ivar wrappedProtocol: the protocol, or None once the connection is lost.
    """

    disconnecting: bool | int = 0
    """Whether :meth:`loseConnection` was called."""

    wrappedProtocol: Any
    factory: Any

    def __init__(self, factory: WrappingFactory, wrappedProtocol: Any) -> None:
        """Wrap a protocol.

        :param factory: is told when the connection is made and when it is lost.
        :param wrappedProtocol: what to pass everything on to.
        """
        self.wrappedProtocol = wrappedProtocol
        self.factory = factory

    def logPrefix(self) -> str:
        """Return the protocol's prefix for log lines, followed by this class's name."""
        return _prefix_of(self.wrappedProtocol, type(self).__name__)

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, and be the transport of the wrapped protocol."""
        directlyProvides(self, providedBy(transport), *self._hooks())
        Protocol.makeConnection(self, transport)
        self.factory.registerProtocol(self)
        self.wrappedProtocol.makeConnection(self)

    def _hooks(self) -> list[Any]:
        """Return the interfaces of optional hooks that are passed on.

        They are asked for before a wrapped wrapper has a transport, so that it cannot be asked what it provides.  A
        subclass of which its transport and its protocol have different notions of these (TLS: the end of a stream, the
        handshake) overrides this, and returns what it wants to be told itself.
        """
        wrapped = self.wrappedProtocol
        if isinstance(wrapped, ProtocolWrapper):
            return wrapped._hooks()
        return [interface for interface in _OPTIONAL if interface.providedBy(wrapped)]

    # --- as the transport of the wrapped protocol ---------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Pass this on to the transport."""
        self.transport.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Pass this on to the transport."""
        self.transport.writeSequence(data)

    def loseConnection(self) -> None:
        """Pass this on to the transport."""
        self.disconnecting = 1
        self.transport.loseConnection()

    def getPeer(self) -> IAddress:
        """Return where the other end is."""
        address: IAddress = self.transport.getPeer()
        return address

    def getHost(self) -> IAddress:
        """Return where this end is."""
        address: IAddress = self.transport.getHost()
        return address

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Pass this on to the transport."""
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Pass this on to the transport."""
        self.transport.unregisterProducer()

    def stopConsuming(self) -> None:
        """Pass this on to the transport."""
        self.transport.stopConsuming()

    def __getattr__(self, name: str) -> Any:
        """Look up in the transport what this class does not have."""
        return getattr(self.transport, name)

    # --- as the protocol of the transport ----------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Pass this on to the protocol."""
        self.wrappedProtocol.dataReceived(data)

    def readConnectionLost(self) -> None:
        """Pass this on to the protocol; called only if it is an :class:`IHalfCloseableProtocol`."""
        self.wrappedProtocol.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """Pass this on to the protocol; called only if it is an :class:`IHalfCloseableProtocol`."""
        self.wrappedProtocol.writeConnectionLost()

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """Pass this on to the protocol; called only if it is an :class:`IFileDescriptorReceiver`."""
        self.wrappedProtocol.fileDescriptorReceived(descriptor)

    def handshakeCompleted(self) -> None:
        """Pass this on to the protocol; called only if it is an :class:`IHandshakeListener`."""
        self.wrappedProtocol.handshakeCompleted()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # nobody calls it without
        """Pass this on to the protocol, and let go of it."""
        self.factory.unregisterProtocol(self)
        self.wrappedProtocol.connectionLost(reason)
        # The protocol has this wrapper for its transport: without this they would wait for the collector.
        self.wrappedProtocol = None


class WrappingFactory(ClientFactory[Any]):
    """Wraps the protocols that another factory makes; for ports and for connectors.

    :ivar wrappedFactory: the other factory.
    :ivar protocols: the wrappers whose connection stands, as the keys.
    """

    noisy = False
    """A wrapper does not tell the log of its start: the factory within does."""

    protocol: Any = ProtocolWrapper
    """What is called with this factory and the wrapped protocol to make a wrapper."""

    def __init__(self, wrappedFactory: Any) -> None:
        """Wrap the protocols of a factory.

        :param wrappedFactory: the factory.
        """
        self.wrappedFactory = wrappedFactory
        self.protocols: dict[Any, int] = {}
        if IProtocolNegotiationFactory.providedBy(wrappedFactory):
            alsoProvides(self, IProtocolNegotiationFactory)

    def logPrefix(self) -> str:
        """Return the wrapped factory's prefix for log lines, followed by this class's name."""
        return _prefix_of(self.wrappedFactory, type(self).__name__)

    def doStart(self) -> None:
        """Start the wrapped factory, then this one."""
        self.wrappedFactory.doStart()
        ClientFactory.doStart(self)

    def doStop(self) -> None:
        """Stop the wrapped factory, then this one."""
        self.wrappedFactory.doStop()
        ClientFactory.doStop(self)

    def acceptableProtocols(self) -> list[bytes]:
        """Ask the wrapped factory; called only if that is an :class:`IProtocolNegotiationFactory`."""
        protocols: list[bytes] = self.wrappedFactory.acceptableProtocols()
        return protocols

    def startedConnecting(self, connector: IConnector) -> None:
        """Pass this on to the wrapped factory."""
        self.wrappedFactory.startedConnecting(connector)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Pass this on to the wrapped factory."""
        self.wrappedFactory.clientConnectionFailed(connector, reason)

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Pass this on to the wrapped factory."""
        self.wrappedFactory.clientConnectionLost(connector, reason)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Have the wrapped factory make a protocol, and wrap it.

        :returns: the wrapper, or None if the wrapped factory made no protocol: the connection is to be closed.
        """
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)

    def registerProtocol(self, p: Any) -> None:
        """Be told by a wrapper that its connection is made."""
        self.protocols[p] = 1

    def unregisterProtocol(self, p: Any) -> None:
        """Be told by a wrapper that its connection is lost."""
        self.protocols.pop(p, None)  # one whose connection was never made is not there
