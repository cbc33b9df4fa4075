"""The time of day by UDP: ``python examples/udp.py 7004`` serves it, ``python examples/udp.py ask localhost 7004`` asks for it.

Datagrams may get lost: who asks, asks again, and gives up at last.
"""

import sys
from time import asctime
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.protocol import DatagramProtocol
from torsion.internet.task import LoopingCall, react


class TimeOfDay(DatagramProtocol):
    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self.transport.write(asctime().encode(), addr)


class Question(DatagramProtocol):
    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.answer: Deferred[bytes] = Deferred()
        self.asking = LoopingCall(self.ask)

    def startProtocol(self) -> None:
        self.transport.connect(self.host, self.port)  # so that nobody else can answer
        self.asking.start(0.5)

    def ask(self) -> None:
        self.transport.write(b"?")

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if not self.answer.called:
            self.answer.callback(datagram)

    def connectionRefused(self) -> None:  # the other host says that nobody is there
        print("nobody there yet", file=sys.stderr)


async def main(reactor: Any, first: str = "7004", host: str = "localhost", port: str = "7004") -> None:
    if first != "ask":
        serving = reactor.listenUDP(int(first), TimeOfDay(), interface="127.0.0.1")
        print(f"listening on {serving.getHost()}", flush=True)
        await Deferred()  # which never fires: until the reactor is stopped
    question = Question(await reactor.resolve(host), int(port))
    reactor.listenUDP(0, question)
    print((await question.answer.addTimeout(5, reactor)).decode())
    question.asking.stop()


react(main, sys.argv[1:])
