"""What is typed goes to a server, what that says is printed: ``python examples/stdio.py tcp:localhost:7000 < file``."""

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
    console: Protocol

    def dataReceived(self, data: bytes) -> None:
        self.console.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.console.transport.loseConnection()  # once all is printed


@implementer(IHalfCloseableProtocol)
class Console(Protocol):
    def __init__(self, server: Server) -> None:
        self.closed: Deferred[None] = Deferred()
        self.server = server

    def connectionMade(self) -> None:  # neither is read faster than the other can be written to
        self.transport.registerProducer(self.server.transport, True)
        self.server.transport.registerProducer(self.transport, True)

    def dataReceived(self, data: bytes) -> None:
        self.server.transport.write(data)

    def readConnectionLost(self) -> None:  # the input has ended; the server may have more to say
        self.server.transport.loseWriteConnection()

    def writeConnectionLost(self) -> None:  # nobody reads the output
        self.server.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.server.transport.loseConnection()
        self.closed.callback(None)


async def main(reactor: Any, where: str = "tcp:localhost:7000") -> None:
    server = await connectProtocol(clientFromString(reactor, where), Server())
    server.console = console = Console(server)
    StandardIO(console, reactor=reactor)
    await console.closed


react(main, sys.argv[1:])
