"""A Unix socket over which open files travel: ``python examples/unix.py serve unix:/tmp/files`` and, in another window,
``python examples/unix.py ask unix:/tmp/files /etc/hostname``, which prints what the server has opened.
"""

import os
import sys
from pathlib import Path
from typing import Any

from zope.interface import implementer

from torsion.internet.defer import Deferred
from torsion.internet.endpoints import clientFromString, connectProtocol, serverFromString
from torsion.internet.interfaces import IFileDescriptorReceiver
from torsion.internet.protocol import Factory, Protocol, connectionDone
from torsion.internet.task import react
from torsion.protocols.basic import LineOnlyReceiver
from torsion.python.failure import Failure


class Opener(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line: bytes) -> None:
        try:
            with Path(os.fsdecode(line)).open("rb") as file:
                self.transport.sendFileDescriptor(file.fileno())
            self.transport.write(b"here it is")  # a descriptor goes along with a byte
        except OSError as error:
            self.transport.write(str(error).encode())
        self.transport.loseConnection()


@implementer(IFileDescriptorReceiver)
class Reader(Protocol):
    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def fileDescriptorReceived(self, descriptor: int) -> None:
        with open(descriptor, "rb") as file:  # it is ours, and ours to close
            sys.stdout.buffer.write(file.read())

    def dataReceived(self, data: bytes) -> None:
        print(data.decode(), file=sys.stderr)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended.callback(None)


async def main(reactor: Any, verb: str, where: str, name: str = "") -> None:
    if verb == "serve":
        port = await serverFromString(reactor, where).listen(Factory.forProtocol(Opener))
        print(f"listening on {port.getHost()}", flush=True)
        await Deferred()  # which never fires: until the reactor is stopped
    reader = await connectProtocol(clientFromString(reactor, where), Reader())
    reader.transport.write(os.fsencode(name) + b"\n")
    await reader.ended


react(main, sys.argv[1:])
