"""A log that programs write to without waiting: ``python examples/unix_datagrams.py serve /tmp/log`` prints what it is sent,
``python examples/unix_datagrams.py say /tmp/log hello`` sends it a message.
"""

import sys
from pathlib import Path
from typing import Any

from torsion.internet.defer import Deferred, maybeDeferred
from torsion.internet.protocol import ConnectedDatagramProtocol, DatagramProtocol
from torsion.internet.task import react
from torsion.python.failure import Failure


class Log(DatagramProtocol):
    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        print(datagram.decode(), flush=True)


class Message(ConnectedDatagramProtocol):
    def __init__(self, text: str) -> None:
        self.text = text

    def startProtocol(self) -> None:
        self.transport.write(self.text.encode())

    def connectionFailed(self, failure: Failure) -> None:
        print("nobody listens:", failure.getErrorMessage())


async def main(reactor: Any, verb: str, path: str, *words: str) -> None:
    if verb == "serve":
        reactor.listenUNIXDatagram(path, Log())
        reactor.addSystemEventTrigger("after", "shutdown", Path(path).unlink)  # the socket's file would stay
        print("listening", flush=True)
        await Deferred()  # which never fires: until the reactor is stopped
    port = reactor.connectUNIXDatagram(path, Message(" ".join(words)))
    await maybeDeferred(port.stopListening)


react(main, sys.argv[1:])
