"""Time and turns of a web server's connections, by the clocks of real reactors."""

from __future__ import annotations

from contextlib import asynccontextmanager

from contract.harness import Peer, pause
from torsion.web.resource import Resource
from torsion.web.server import Site

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
PERIOD = 0.6
"""The seconds of a time-out: longer than a busy machine takes to come back to us."""


class Hello(Resource):
    """Answers with a word, and notes who asked."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def render_GET(self, request):
        self.asked.append(request.uri)
        return b"hello"


@asynccontextmanager
async def serving(reactor, **settings):
    root = Hello()
    port = reactor.listenTCP(0, Site(root, reactor=reactor, **settings), interface="127.0.0.1")
    try:
        yield root, port
    finally:
        await port.stopListening()


async def answer(reactor, peer):
    got = b""
    while not got.endswith(b"hello"):
        part = await peer.read(reactor)
        assert part, "the connection was closed"
        got += part


def test_each_request_puts_the_end_of_an_idle_connection_off(reactor, run):
    async def scenario():
        async with serving(reactor, timeout=PERIOD) as (root, port):
            peer = Peer(port)
            begun = reactor.seconds()
            while reactor.seconds() - begun < 2 * PERIOD or len(root.asked) < 30:
                peer.send(GET)
                await answer(reactor, peer)
                last = reactor.seconds()
                await pause(reactor, PERIOD / 20)
            assert await peer.read(reactor) == b""  # it is closed at last
            waited = reactor.seconds() - last
            assert PERIOD * 0.9 <= waited < PERIOD + 5
            peer.close()

    run(scenario)


def test_a_client_that_asks_for_thousands_does_not_keep_others_waiting(reactor, run):
    async def scenario():
        async with serving(reactor) as (root, port):
            greedy, other = Peer(port), Peer(port)
            for peer in (greedy, other):
                peer.send(GET)
                await answer(reactor, peer)
            greedy.send(GET.replace(b"/ ", b"/g ") * 1000)
            other.send(GET.replace(b"/ ", b"/o "))
            await answer(reactor, other)
            assert root.asked.index(b"/o") < 200
            got = 0
            while got < 1000:
                got += (await greedy.read(reactor)).count(b"hello")
            greedy.close()
            other.close()

    run(scenario)
