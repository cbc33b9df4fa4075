"""``torsion echo``: a server that sends back whatever comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from torsion.application.draining import DrainingFactory
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import Protocol
from torsion.tap.serving import Server, ServerOptions

if TYPE_CHECKING:
    from torsion.internet.interfaces import IAddress
    from torsion.python.failure import Failure

__all__ = ["Echo", "EchoFactory", "Options", "makeService"]


@implementer(IHalfCloseableProtocol)
class Echo(Protocol):
    """Sends back whatever comes in; reads no faster than the peer does, so that little is kept for it."""

    factory: EchoFactory
    transport: Any

    def connectionMade(self) -> None:
        """Let the connection stop itself reading while the peer does not take its answers."""
        self.transport.registerProducer(self.transport, True)
        self.factory.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        """Finish: the peer sends no more, but wants its answers."""
        self.finish()

    def writeConnectionLost(self) -> None:
        """Do nothing: this side closes both ways at once."""

    def finish(self) -> None:
        """Close once all is sent."""
        self.transport.unregisterProducer()  # which would be waited for
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Be gone."""
        self.factory.closed(self)


class EchoFactory(DrainingFactory):
    """Makes an :class:`Echo` for each connection."""

    def buildProtocol(self, addr: IAddress | None) -> Echo:
        """Make one."""
        protocol = Echo()
        protocol.factory = self
        return protocol


class Options(ServerOptions):
    """Where to listen."""

    longdesc = "A server to send back whatever comes in. SIGINT and SIGTERM end it."


def makeService(options: Options) -> Server:
    """Make the service that *options* ask for."""
    return Server("echo", options["listen"], EchoFactory(), options["drain"])
