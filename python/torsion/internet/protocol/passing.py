"""A protocol that passes on what it is told to another one, which has the transport itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import directlyProvides, implementer, providedBy

from torsion.internet.interfaces.core import ILoggingContext
from torsion.internet.interfaces.protocol import IFileDescriptorReceiver, IHalfCloseableProtocol, IProtocol
from torsion.internet.interfaces.tls import IHandshakeListener

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = ["PassingProtocol"]

_OPTIONAL = (IFileDescriptorReceiver, IHalfCloseableProtocol, IHandshakeListener, ILoggingContext)
"""What a protocol may be told, or asked, besides what every protocol is."""


@implementer(IProtocol)
class PassingProtocol:
    """Stands before a protocol and passes everything on; a subclass does something besides.

    Unlike a ``ProtocolWrapper`` it is nobody's transport: what the protocol writes does not come by.
    """

    def __init__(self, protocol: Any) -> None:
        """Stand before a protocol.

        :param protocol: the protocol.
        """
        self.passedTo = protocol
        self.transport: Any = None
        directlyProvides(self, [interface for interface in _OPTIONAL if interface in providedBy(protocol)])

    def makeConnection(self, transport: Any) -> None:
        """Pass this on."""
        self.transport = transport
        self.passedTo.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: the protocol's ``makeConnection`` does it all."""

    def connectionLost(self, reason: Failure) -> None:
        """Pass this on."""
        self.passedTo.connectionLost(reason)

    def dataReceived(self, data: bytes) -> Any:
        """Pass this on."""
        return self.passedTo.dataReceived(data)

    def fileDescriptorReceived(self, descriptor: int) -> Any:
        """Pass this on."""
        return self.passedTo.fileDescriptorReceived(descriptor)

    def readConnectionLost(self) -> Any:
        """Pass this on."""
        return self.passedTo.readConnectionLost()

    def writeConnectionLost(self) -> Any:
        """Pass this on."""
        return self.passedTo.writeConnectionLost()

    def handshakeCompleted(self) -> Any:
        """Pass this on."""
        return self.passedTo.handshakeCompleted()

    def logPrefix(self) -> str:
        """Return by what name log lines are to call this: the protocol's."""
        context = ILoggingContext(self.passedTo, None)
        return type(self.passedTo).__name__ if context is None else str(context.logPrefix())
