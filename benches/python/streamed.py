"""The process that `streaming.py` measures: `streamed.py WAY ORIGIN PATH`, with the port of the other end, and a file that is served.

A server prints its port, and runs until it is killed.  A client prints a line when it is ready; for each size that it reads from standard
input it exchanges so much, and prints how much it was.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from streaming import CLIENTS, PIECE, WARM

from torsion.internet import reactor
from torsion.internet.defer import Deferred, ensureDeferred
from torsion.internet.protocol import Protocol
from torsion.internet.task import deferLater
from torsion.internet.threads import deferToThread
from torsion.web import proxy, static
from torsion.web.asgi import ASGIResource
from torsion.web.client import Agent, FileBodyProducer, HTTPConnectionPool, readBody
from torsion.web.fetch import Client
from torsion.web.resource import NOT_DONE_YET, Resource
from torsion.web.server import Site
from torsion.web.wsgi import WSGIResource

REST = 0.3
"""Seconds that a server or a client takes nothing."""


async def pieces(size: int) -> AsyncIterator[bytes]:
    """Give *size* bytes, piece by piece."""
    piece = bytes(PIECE)
    for _ in range(size // PIECE):
        yield piece


# Servers.  The size of what is to be sent is in the query of the request.


class Body(Resource):
    """Reads a body as it comes, and sends one from an asynchronous iterator."""

    isLeaf = streamsBody = True

    async def render_PUT(self, request: Any) -> bytes:
        size = 0
        rested = False
        async for part in request.streamBody():
            size += len(part)
            if not rested and size > WARM:
                rested = True
                await deferLater(reactor, REST)
        return b"%d" % size

    def render_GET(self, request: Any) -> Any:
        return pieces(int(request.args[b"size"][0]))


class Content(Resource):
    """Has a body that is stored."""

    isLeaf = True

    def render_PUT(self, request: Any) -> bytes:
        return b"%d" % request.content.seek(0, 2)


class Whole(Resource):
    """Reads all of a body at once."""

    isLeaf = True

    def render_PUT(self, request: Any) -> bytes:
        return b"%d" % len(request.content.read())


class Pull:
    """A pull producer."""

    def __init__(self, request: Any, left: int) -> None:
        self.request, self.left, self.piece = request, left, bytes(PIECE)

    def resumeProducing(self) -> None:
        self.request.write(self.piece)
        self.left -= PIECE
        if self.left <= 0:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self) -> None:
        pass


class Produced(Resource):
    """Sends a body from a pull producer."""

    isLeaf = True

    def render_GET(self, request: Any) -> int:
        request.registerProducer(Pull(request, int(request.args[b"size"][0])), False)
        return NOT_DONE_YET


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """Take a body, or send one."""
    size, rested, more = 0, False, scope["method"] == "PUT"
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if not rested and size > WARM:
            rested = True
            await asyncio.sleep(REST)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["method"] == "GET":
        async for piece in pieces(int(scope["query_string"].partition(b"=")[2])):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"%d" % size if size else b""})


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    """Take a body, or send one."""
    start_response("200 OK", [])
    if environ["REQUEST_METHOD"] == "PUT":
        size = 0
        while part := environ["wsgi.input"].read(PIECE):
            size += len(part)
        yield b"%d" % size
    else:
        for _ in range(int(environ["QUERY_STRING"].partition("=")[2]) // PIECE):
            yield bytes(PIECE)


def resource(way: str, origin: int, path: str) -> Any:
    """Return what serves a way."""
    match way.partition("-")[0]:
        case "up" | "h2" | "iterator":
            return Body()
        case "content":
            return Content()
        case "whole":
            return Whole()
        case "producer":
            return Produced()
        case "static":
            folder = Resource()
            folder.putChild(b"", static.File(path))
            return folder
        case "proxy":
            return proxy.ReverseProxyResource("127.0.0.1", origin, b"")
        case "asgi":
            return ASGIResource(asgi, lifespan=False)
    assert way.startswith("wsgi-"), way
    return WSGIResource(reactor, reactor.getThreadPool(), wsgi)


def serve(way: str, origin: int, path: str) -> None:
    """Serve, print the port, and run until killed."""
    site = Site(resource(way, origin, path), timeout=None)
    site.streamsBodies = True
    site.maxBodySize = None
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    reactor.callWhenRunning(lambda: print(port.getHost().port, flush=True))
    reactor.run()


# Clients.


class Zeros:
    """A file of so many bytes."""

    def __init__(self, left: int) -> None:
        self.left = left

    def read(self, most: int) -> bytes:
        most = min(most, self.left)
        self.left -= most
        return bytes(most)

    def close(self) -> None:
        pass


class Count(Protocol):
    """Takes a body, and rests once."""

    def __init__(self) -> None:
        self.size, self.rested, self.done = 0, False, Deferred[int]()

    def dataReceived(self, data: bytes) -> None:
        self.size += len(data)
        if not self.rested and self.size > WARM:
            self.rested = True
            self.transport.pauseProducing()
            reactor.callLater(REST, self.transport.resumeProducing)

    def connectionLost(self, reason: Any = None) -> None:
        self.done.callback(self.size)


def by_agent(way: str, url: str) -> Callable[[int], Any]:
    """Return what exchanges so many bytes, and returns how many it were."""
    agent = Agent(reactor, pool=HTTPConnectionPool(reactor))

    async def up(size: int) -> int:
        return int(await readBody(await agent.request(b"PUT", url.encode(), None, FileBodyProducer(Zeros(size)))))

    async def down(size: int) -> int:
        count = Count()
        (await agent.request(b"GET", f"{url}{size}".encode())).deliverBody(count)
        return await count.done

    return up if way == "agent-up" else down


def by_fetch(way: str, url: str) -> Callable[[int], Any]:
    """Return what exchanges so many bytes, and returns how many it were."""
    client = Client(timeout=None)

    async def up(size: int) -> int:
        return int(await (await client.fetch(url, "PUT", body=pieces(size))).read())

    async def down(size: int) -> int:
        total, rested = 0, False
        async for part in await client.fetch(f"{url}{size}"):
            total += len(part)
            if not rested and total > WARM:
                rested = True
                await deferLater(reactor, REST)
        return total

    return up if way == "fetch-up" else down


def ask(way: str, port: int) -> None:
    """Be a client until standard input ends."""
    exchange = (by_agent if way.startswith("agent-") else by_fetch)(way, f"http://127.0.0.1:{port}/?size=")

    async def main() -> None:
        print("ready", flush=True)
        while line := await deferToThread(sys.stdin.readline):
            print(await exchange(int(line)), flush=True)

    ensureDeferred(main()).addErrback(lambda failure: failure.printTraceback()).addBoth(lambda _: reactor.stop())
    reactor.run()


if __name__ == "__main__":
    way, origin, path = sys.argv[1:]
    ask(way, int(origin)) if way in CLIENTS else serve(way, int(origin), path)
