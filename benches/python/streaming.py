"""Whether memory stays flat while a large body streams: `streaming.py [WAY...] [--mib N] [--json]`, MiB of memory that it took.

Each way runs in a process of its own.  At the other end are Python's own `http.client` and `http.server`, and half-way through whoever
takes the body takes nothing until the process that is measured does nothing any more: what does not heed back-pressure has all of the
rest in its memory by then.  The figure is the greatest resident memory during the exchange, less what there was before, after an exchange
of 8 MiB that is not measured.  Linux only, for /proc.

up            a PUT to a resource that reads its body as it comes        up-chunked   the same, of unknown length
content       a PUT to a resource that has `request.content`: a file by then
whole         the same, but all of it is read at once: what it looks like if memory is not flat; measured only when it is asked for
producer      a GET from a pull producer       iterator   from an asynchronous iterator       static   of a file
proxy-up, proxy-down    both through a `ReverseProxyResource`
h2-up, h2-down          both over HTTP/2, with curl, where it is installed
asgi-up, asgi-down      both with an application of ASGI       wsgi-up, wsgi-down   and of WSGI
agent-up, agent-down    a client: `Agent`       fetch-up, fetch-down   and `torsion.web.fetch`
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

MIB = 1 << 20
WARM = 8 * MIB
PIECE = 256 * 1024
PATIENCE = 120
"""Seconds to wait for any one step."""

DOWN = ["producer", "iterator", "static", "proxy-down", "asgi-down", "wsgi-down"]
UP = ["up", "up-chunked", "content", "proxy-up", "asgi-up", "wsgi-up"]
NOT_FLAT = "whole"
CLIENTS = ["agent-up", "agent-down", "fetch-up", "fetch-down"]
HTTP_2 = ["h2-up", "h2-down"]
WAYS = [*UP, *DOWN, *HTTP_2, *CLIENTS]


# The process that is measured.


async def pieces(size: int) -> AsyncIterator[bytes]:
    """Give *size* bytes, piece by piece."""
    piece = bytes(PIECE)
    for _ in range(size // PIECE):
        yield piece


def resource(way: str, origin: int, path: str) -> Any:
    """Return what serves a way: the size of what is to be sent is in the query of the request."""
    from torsion.internet import reactor
    from torsion.internet.task import deferLater
    from torsion.web import proxy, static
    from torsion.web.resource import NOT_DONE_YET, Resource

    class Body(Resource):
        isLeaf = streamsBody = True

        async def render_PUT(self, request: Any) -> bytes:
            size = 0
            rested = False
            async for part in request.streamBody():
                size += len(part)
                if not rested and size > WARM:
                    rested = True
                    await deferLater(reactor, 0.3)
            return b"%d" % size

    class Content(Resource):
        isLeaf = True

        def render_PUT(self, request: Any) -> bytes:
            return b"%d" % request.content.seek(0, 2)

    class Whole(Resource):
        isLeaf = True

        def render_PUT(self, request: Any) -> bytes:
            return b"%d" % len(request.content.read())

    class Iterated(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> Any:
            return pieces(int(request.args[b"size"][0]))

    class Pull:
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
        isLeaf = True

        def render_GET(self, request: Any) -> int:
            request.registerProducer(Pull(request, int(request.args[b"size"][0])), False)
            return NOT_DONE_YET

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        size, rested, more = 0, False, scope["method"] == "PUT"
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
            if not rested and size > WARM:
                rested = True
                await asyncio.sleep(0.3)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["method"] == "GET":
            async for piece in pieces(int(scope["query_string"].partition(b"=")[2])):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"%d" % size if size else b""})

    def wsgi(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        if environ["REQUEST_METHOD"] == "PUT":
            size = 0
            while part := environ["wsgi.input"].read(PIECE):
                size += len(part)
            yield b"%d" % size
        else:
            for _ in range(int(environ["QUERY_STRING"].partition("=")[2]) // PIECE):
                yield bytes(PIECE)

    match way.partition("-")[0]:
        case "up":
            return Body()
        case "h2":
            return Body() if way == "h2-up" else Iterated()
        case "content":
            return Content()
        case "whole":
            return Whole()
        case "producer":
            return Produced()
        case "iterator":
            return Iterated()
        case "static":
            folder = Resource()
            folder.putChild(b"", static.File(path))
            return folder
        case "proxy":
            return proxy.ReverseProxyResource("127.0.0.1", origin, b"")
        case "asgi":
            from torsion.web.asgi import ASGIResource

            return ASGIResource(asgi, lifespan=False)
        case _:
            from torsion.web.wsgi import WSGIResource

            return WSGIResource(reactor, reactor.getThreadPool(), wsgi)


def serve(way: str, origin: int, path: str) -> None:
    """Serve, print the port, and run until killed."""
    from torsion.internet import reactor
    from torsion.web.server import Site

    site = Site(resource(way, origin, path), timeout=None)
    site.streamsBodies = True
    site.maxBodySize = None
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    reactor.callWhenRunning(lambda: print(port.getHost().port, flush=True))
    reactor.run()


def ask(way: str, port: int) -> None:
    """Be a client: for each size that is read from standard input, exchange so much, and print how much it was."""
    from torsion.internet import reactor
    from torsion.internet.defer import Deferred, ensureDeferred
    from torsion.internet.protocol import Protocol
    from torsion.internet.task import deferLater
    from torsion.internet.threads import deferToThread
    from torsion.web.client import Agent, FileBodyProducer, HTTPConnectionPool, readBody
    from torsion.web.fetch import Client

    class Zeros:
        def __init__(self, left: int) -> None:
            self.left = left

        def read(self, most: int) -> bytes:
            most = min(most, self.left)
            self.left -= most
            return bytes(most)

        def close(self) -> None:
            pass

    class Count(Protocol):
        def __init__(self) -> None:
            self.size, self.rested, self.done = 0, False, Deferred[int]()

        def dataReceived(self, data: bytes) -> None:
            self.size += len(data)
            if not self.rested and self.size > WARM:
                self.rested = True
                self.transport.pauseProducing()
                reactor.callLater(0.3, self.transport.resumeProducing)

        def connectionLost(self, reason: Any = None) -> None:
            self.done.callback(self.size)

    agent, client = Agent(reactor, pool=HTTPConnectionPool(reactor)), Client(timeout=None)
    url = f"http://127.0.0.1:{port}/?size="

    async def exchange(size: int) -> int:
        match way:
            case "agent-up":
                producer = FileBodyProducer(Zeros(size))
                return int(await readBody(await agent.request(b"PUT", url.encode(), None, producer)))
            case "agent-down":
                count = Count()
                (await agent.request(b"GET", f"{url}{size}".encode())).deliverBody(count)
                return await count.done
            case "fetch-up":
                return int(await (await client.fetch(url, "PUT", body=pieces(size))).read())
        total, rested = 0, False
        async for part in await client.fetch(f"{url}{size}"):
            total += len(part)
            if not rested and total > WARM:
                rested = True
                await deferLater(reactor, 0.3)
        return total

    async def main() -> None:
        print("ready", flush=True)
        while line := await deferToThread(sys.stdin.readline):
            print(await exchange(int(line)), flush=True)

    ensureDeferred(main()).addErrback(lambda failure: failure.printTraceback()).addBoth(lambda _: reactor.stop())
    reactor.run()


# The other end.


def until_idle(pid: int) -> None:
    """Wait until a process has not been on a core for a while."""
    before, quiet = -1, 0
    for _ in range(PATIENCE * 50):
        tasks = Path(f"/proc/{pid}/task")
        now = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())
        quiet = quiet + 1 if now - before < 100_000 else 0
        if quiet == 5:
            return
        before = now
        time.sleep(0.02)
    sys.exit("it is never idle, although nobody takes what it sends")


class Origin(http.server.ThreadingHTTPServer):
    """A server that sends and takes as much as it is asked to."""

    daemon_threads = True
    rest: Callable[[], None] = staticmethod(lambda: None)

    class RequestHandlerClass(http.server.BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        server: Origin

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            size = int(self.path.rpartition("=")[2])
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            piece = bytes(PIECE)
            for _ in range(size // PIECE):
                self.wfile.write(piece)

        def _lengths(self) -> Iterator[int]:
            """Go through the lengths of what comes."""
            if "content-length" in self.headers:
                left = int(self.headers["content-length"])
                while left:
                    yield min(left, PIECE)
                    left -= min(left, PIECE)
                return
            while size := int(self.rfile.readline(), 16):
                yield size
                self.rfile.readline()
            self.rfile.readline()

        def do_PUT(self) -> None:
            got, rested = 0, False
            for size in self._lengths():
                got += len(self.rfile.read(size))
                if not rested and got > WARM:
                    rested = True
                    self.server.rest()
            self.send_response(200)
            self.send_header("Content-Length", str(len(str(got))))
            self.end_headers()
            self.wfile.write(str(got).encode())

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def put(port: int, size: int, *, chunked: bool) -> int:
    """Send *size* bytes; return how many the server says it has got."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.putrequest("PUT", "/")
    connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size))))
    connection.endheaders()
    piece = b"%x\r\n%b\r\n" % (PIECE, bytes(PIECE)) if chunked else bytes(PIECE)
    for _ in range(size // PIECE):
        connection.send(piece)
    if chunked:
        connection.send(b"0\r\n\r\n")
    got = int(connection.getresponse().read())
    connection.close()
    return got


def get(port: int, size: int, rest: Callable[[], None]) -> int:
    """Take a body, and rest half-way; return how many bytes came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", f"/?size={size}")
    response = connection.getresponse()
    buffer, got, rested = bytearray(PIECE), 0, False
    while count := response.readinto(buffer):
        got += count
        if not rested and got > WARM:
            rested = True
            rest()
    connection.close()
    return got


def by_curl(port: int, size: int, upwards: bool, rest: Callable[[], None]) -> int:
    """Send or take a body over HTTP/2, as `put` and `get` do."""
    command = [
        "curl",
        "-s",
        "-N",
        "--http2-prior-knowledge",
        *(["-T", "-"] if upwards else []),
        f"http://127.0.0.1:{port}/?size={size}",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as curl:
        assert curl.stdin is not None
        assert curl.stdout is not None
        if upwards:
            for _ in range(size // PIECE):
                curl.stdin.write(bytes(PIECE))
            curl.stdin.close()
            return int(curl.stdout.read())
        got, rested = 0, False
        while part := curl.stdout.read1(PIECE):
            got += len(part)
            if not rested and got > WARM:
                rested = True
                rest()
        return got


def memory(pid: int, which: str) -> int:
    """Return bytes of resident memory of a process: now (VmRSS), or at most (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(which)).split()[1]) * 1024


def measure(way: str, size: int) -> float:
    """Return how many MiB of memory a way takes at most, for a body of *size* bytes.

    :raises AssertionError: if a byte is missing.
    """
    origin = Origin()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        file.touch()
        again = [sys.executable, __file__, "--play", way, str(origin.server_address[1]), str(file)]
        child = subprocess.Popen(again, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            said = child.stdout.readline()

            def exchange(size: int) -> int:
                if way in CLIENTS:
                    print(size, file=child.stdin, flush=True)
                    return int(child.stdout.readline())
                if way in HTTP_2:
                    return by_curl(int(said), size, way == "h2-up", origin.rest)
                if way in UP or way == NOT_FLAT:
                    return put(int(said), size, chunked=way == "up-chunked")
                with file.open("r+b") as opened:
                    opened.truncate(size)
                return get(int(said), size, origin.rest)

            assert exchange(WARM) == WARM, way
            origin.rest = lambda: until_idle(child.pid)
            Path(f"/proc/{child.pid}/clear_refs").write_text("5")  # the greatest resident memory counts from here
            before = memory(child.pid, "VmRSS")
            assert exchange(size) == size, way
            return (memory(child.pid, "VmHWM") - before) / MIB
        finally:
            child.kill()
            child.communicate()
            origin.shutdown()
            origin.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("way", nargs="*", help=f"any of {' '.join(WAYS)}; all of them by default")
    parser.add_argument("--mib", type=int, default=2048, help="how large the body is")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--play", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.play:
        way, origin, path = asked.play
        ask(way, int(origin)) if way in CLIENTS else serve(way, int(origin), path)
        return
    if unknown := set(asked.way) - {*WAYS, NOT_FLAT}:
        parser.error(f"no such way: {' '.join(unknown)}")
    figures = {}
    for way in asked.way or [way for way in WAYS if way not in HTTP_2 or shutil.which("curl")]:
        began = time.monotonic()
        figures[way] = measure(way, asked.mib * MIB)
        if not asked.json:
            print(
                f"{way:12}{figures[way]:10.1f} MiB of memory for {asked.mib} MiB, in {time.monotonic() - began:.1f} s",
                flush=True,
            )
    if asked.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
