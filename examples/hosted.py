"""torsion inside a program of asyncio's: ``python examples/hosted.py 7003`` and then ``nc localhost 7003``.

One loop runs both: a server of torsion's answers with what a coroutine of asyncio's finds out.
"""

import asyncio
import sys

from torsion.internet.defer import Deferred, ensureDeferred
from torsion.internet.protocol import Factory
from torsion.internet.reactors.hosted.asyncio import AsyncioReactor
from torsion.protocols.basic import LineOnlyReceiver


async def find_out(question: str) -> str:
    """Stand for a library that knows asyncio alone."""
    await asyncio.sleep(0.01)  # as a query would take
    return question.upper()


class Answerer(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line: bytes) -> None:
        ensureDeferred(self.answer(line.decode()))

    async def answer(self, question: str) -> None:
        future = asyncio.ensure_future(find_out(question))
        self.sendLine((await Deferred.fromFuture(future)).encode())


async def main(port: str = "7003") -> None:
    reactor = AsyncioReactor()  # in the loop that runs
    listening = reactor.listenTCP(int(port), Factory.forProtocol(Answerer), interface="127.0.0.1")
    print(f"listening on {listening.getHost()}", flush=True)
    stopped = asyncio.get_running_loop().create_future()
    reactor.addSystemEventTrigger("after", "shutdown", stopped.set_result, None)
    try:
        await asyncio.Event().wait()  # which is never set: until Ctrl-C
    finally:
        reactor.stop()
        await stopped


try:
    asyncio.run(main(*sys.argv[1:]))
except KeyboardInterrupt:
    pass
