"""An echo server: ``python examples/echo.py`` and then ``nc localhost 7000``.  Ctrl-C ends it."""

import sys
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import serverFromString
from torsion.internet.protocol import Factory, Protocol
from torsion.internet.task import react


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


async def main(reactor: Any, where: str = "tcp:7000") -> None:
    port = await serverFromString(reactor, where).listen(Factory.forProtocol(Echo))
    print(f"listening on {port.getHost()}", flush=True)
    await Deferred()  # which never fires: until the reactor is stopped


react(main, sys.argv[1:])
