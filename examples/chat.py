"""A chat server by lines: ``python examples/chat.py``, then ``nc localhost 6000`` in two windows.  Ctrl-C ends it.

``torsion chat`` is the same with names, limits and a clean end.
"""

import sys
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import serverFromString
from torsion.internet.protocol import Factory, connectionDone
from torsion.internet.task import react
from torsion.protocols.basic import LineOnlyReceiver
from torsion.python.failure import Failure


class Talk(LineOnlyReceiver):
    delimiter = b"\n"

    def connectionMade(self) -> None:
        self.factory.talkers.add(self)

    def lineReceived(self, line: bytes) -> None:
        name = str(self.transport.getPeer().port).encode()
        for talker in self.factory.talkers - {self}:
            talker.sendLine(name + b": " + line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.factory.talkers.remove(self)


class Room(Factory):
    protocol = Talk

    def __init__(self) -> None:
        self.talkers: set[Talk] = set()


async def main(reactor: Any, where: str = "tcp:6000") -> None:
    port = await serverFromString(reactor, where).listen(Room())
    print(f"listening on {port.getHost()}", flush=True)
    await Deferred()  # which never fires: until the reactor is stopped


react(main, sys.argv[1:])
