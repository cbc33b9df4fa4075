"""What is typed goes to a server, what that says is printed: ``python examples/stdio.py tcp:localhost:7000``.

Works with terminals, pipes and files: ``python examples/stdio.py tcp:localhost:7000 < file``.
"""

import sys
from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import clientFromString, connectProtocol
from torsion.internet.interfaces import IHalfCloseableProtocol
from torsion.internet.protocol import Protocol, connectionDone
from torsion.internet.stdio import StandardIO
from torsion.internet.task import react
from torsion.python.failure import Failure


class Server(Protocol):
    """The connection to the server; what it says goes to the console."""

    def __init__(self, console: "Console") -> None:
        self.console = console

    def dataReceived(self, data: bytes) -> None:
        self.console.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.console.transport.loseConnection()  # once all is printed


@implementer(IHalfCloseableProtocol)
class Console(Protocol):
    """Standard input and output; what is typed goes to the server."""

    def __init__(self) -> None:
        self.closed: Deferred[None] = Deferred()
        self.server = Server(self)

    def connectionMade(self) -> None:
        self.transport.registerProducer(self.server.transport, True)  # neither is read faster
        self.server.transport.registerProducer(self.transport, True)  # than the other can be written to

    def dataReceived(self, data: bytes) -> None:
        self.server.transport.write(data)

    def readConnectionLost(self) -> None:  # the input has ended; the server may have more to say
        self.server.transport.unregisterProducer()
        self.server.transport.loseWriteConnection()

    def writeConnectionLost(self) -> None:  # nobody reads the output
        self.server.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.server.transport.loseConnection()
        self.closed.callback(None)


async def main(reactor: Any, where: str = "tcp:localhost:7000") -> None:
    console = Console()
    await connectProtocol(clientFromString(reactor, where), console.server)
    StandardIO(console, reactor=reactor)
    await console.closed


react(main, sys.argv[1:])
