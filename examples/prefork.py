"""One port, several processes: ``python examples/prefork.py 7007 3`` and then ``nc localhost 7007`` a few times.

A socket is made here and handed to child processes, which adopt it; the system gives each connection to one of them.
"""

import os
import socket
import sys
from typing import Any

from torsion.internet.defer import Deferred, DeferredList
from torsion.internet.protocol import Factory, ProcessProtocol, Protocol
from torsion.internet.task import react
from torsion.python.failure import Failure

SOCKET = 3  # its number in the children


class Greeter(Protocol):
    def connectionMade(self) -> None:
        self.transport.write(b"process %d greets you\r\n" % os.getpid())
        self.transport.loseConnection()


class Worker(ProcessProtocol):
    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def end(self) -> Deferred[None]:
        if self.transport.pid is not None:
            self.transport.signalProcess("TERM")
        return self.ended

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)


async def main(reactor: Any, port: str = "7007", count: str = "3") -> None:
    if port == "worker":
        reactor.adoptStreamPort(SOCKET, socket.AF_INET, Factory.forProtocol(Greeter))
        os.close(SOCKET)  # the reactor has a duplicate
        await Deferred()  # which never fires: until the reactor is stopped
    workers = [Worker() for _ in range(int(count))]
    with socket.create_server(("127.0.0.1", int(port))) as shared:
        print("listening on", shared.getsockname(), flush=True)
        command = [sys.executable, __file__, "worker"]
        files = {0: 0, 1: 1, 2: 2, SOCKET: shared.fileno()}
        for worker in workers:
            reactor.spawnProcess(worker, command[0], command, env=os.environ, childFDs=files)
    reactor.addSystemEventTrigger("before", "shutdown", lambda: DeferredList([worker.end() for worker in workers]))
    await DeferredList([worker.ended for worker in workers])


react(main, sys.argv[1:])
