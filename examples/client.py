"""A client that sends lines and prints the answers: ``python examples/client.py tcp:localhost:7000 hello world``."""

import sys
from typing import Any

from torsion.internet.defer import DeferredQueue
from torsion.internet.endpoints import clientFromString, connectProtocol
from torsion.internet.protocol import connectionDone
from torsion.internet.task import react
from torsion.protocols.basic import LineOnlyReceiver
from torsion.python.failure import Failure


class Conversation(LineOnlyReceiver):
    """A connection whose lines can be awaited."""

    delimiter = b"\n"

    def __init__(self) -> None:
        self.answers: DeferredQueue[bytes] = DeferredQueue()

    def lineReceived(self, line: bytes) -> None:
        self.answers.put(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.answers.put(f"({reason.getErrorMessage()})".encode())

    async def ask(self, question: bytes) -> bytes:
        self.sendLine(question)
        return await self.answers.get()


async def main(reactor: Any, where: str = "tcp:localhost:7000", *questions: str) -> None:
    talk = await connectProtocol(clientFromString(reactor, where), Conversation())
    for question in questions or ["hello"]:
        print((await talk.ask(question.encode())).decode())
    talk.transport.loseConnection()


react(main, sys.argv[1:])
