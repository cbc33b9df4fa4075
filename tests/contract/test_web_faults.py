"""Sites whose disk, files, programs and clients fail, with real clients, on every reactor."""

from __future__ import annotations

import errno
import os
from contextlib import asynccontextmanager, contextmanager

import pytest

from contract.harness import Peer, nothing_left_open, until
from torsion.internet.defer import Deferred
from torsion.logger import capturedLogs
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET, Site
from torsion.web.static import File

resource = pytest.importorskip("resource")  # POSIX has limits of files' sizes

SIZE = 24 * 1024 * 1024
"""More than any socket takes while nobody reads."""


@pytest.fixture
def folder(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(SIZE)
    (tmp_path / "small").write_bytes(b"small")
    return tmp_path


@asynccontextmanager
async def serving(reactor, root):
    """Yield a site and its port."""
    site = Site(root, reactor=reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    try:
        yield site, port
    finally:
        await port.stopListening()


def ask(target, *headers, method="GET"):
    lines = [f"{method} {target} HTTP/1.1", "Host: example.com", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def answers(reactor, port, request):
    """Return all that comes of a request, on a connection of its own."""
    peer = Peer(port)
    peer.send(request)
    answer = await peer.read_all(reactor)
    peer.close()
    return answer


# --- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_amid_a_file(reactor, run, folder, how):
    async def scenario():
        async with serving(reactor, File(str(folder))) as (site, port):
            peer = Peer(port)
            peer.send(ask("/large"))
            assert (await peer.read(reactor)).startswith(b"HTTP/1.1 200 OK")
            assert site.connections
            getattr(peer, how)()
            await until(reactor, lambda: not site.connections)
            assert (await answers(reactor, port, ask("/small", "Connection: close"))).endswith(b"\r\n\r\nsmall")

    with nothing_left_open():
        run(scenario)


def test_a_file_that_becomes_shorter_while_it_is_sent(reactor, run, folder):
    async def scenario():
        async with serving(reactor, File(str(folder))) as (site, port):
            peer = Peer(port)
            peer.send(ask("/large"))
            got = await peer.read(reactor)
            os.truncate(folder / "large", 10)
            got += await peer.read_all(reactor)
            peer.close()
            head, _, body = got.partition(b"\r\n\r\n")
            assert b"Content-Length: %d\r\n" % SIZE in head + b"\r\n"
            assert len(body) < SIZE  # the connection has ended: the client sees that there was more
            await until(reactor, lambda: not site.connections)

    with nothing_left_open(), capturedLogs() as events:
        run(scenario)
    assert [event for event in events if "shorter" in event["log_format"]]


def test_a_file_that_grows_while_it_is_sent(reactor, run, folder):
    async def scenario():
        async with serving(reactor, File(str(folder))) as (_, port):
            peer = Peer(port)
            peer.send(ask("/large") + ask("/small", "Connection: close"))
            got = await peer.read(reactor)
            with (folder / "large").open("ab") as file:
                file.write(b"more" * 1000)
            got += await peer.read_all(reactor)
            peer.close()
            head, _, body = got.partition(b"\r\n\r\n")
            assert b"Content-Length: %d\r\n" % SIZE in head + b"\r\n"
            assert body[SIZE:].startswith(b"HTTP/1.1 200 OK\r\n")
            assert body.endswith(b"\r\n\r\nsmall")

    with nothing_left_open():
        run(scenario)


# --- bodies that cannot be stored ---------------------------------------------------------------------------------------


class Taking(Resource):
    """Says how long the body was."""

    isLeaf = True

    def render_POST(self, request):
        return b"%d" % len(request.content.read())


@contextmanager
def full_disk(size):
    """Have files end after *size* bytes, as if the disk were full: EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


CHUNK = b"100000\r\n" + bytes(0x100000) + b"\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        ask("/", f"Content-Length: {SIZE}", method="POST") + bytes(SIZE // 2),
        ask("/", "Transfer-Encoding: chunked", method="POST") + CHUNK * 12,
    ],
    ids=["length", "chunks"],
)
def test_a_disk_that_is_full_while_an_upload_is_stored(reactor, run, logged, sent):
    async def scenario():
        async with serving(reactor, Taking()) as (site, port):
            with full_disk(1_000_000):
                peer = Peer(port)
                poured = peer.pour(reactor, sent).addErrback(
                    lambda failure: None
                )  # it may be refused before it is all sent
                got = await peer.read(reactor)
                assert got.startswith(b"HTTP/1.1 507 "), got
                peer.close()
                await poured
                await until(reactor, lambda: not site.connections)
                small = ask("/", "Content-Length: 3", "Connection: close", method="POST") + b"abc"
                assert (await answers(reactor, port, small)).endswith(b"\r\n\r\n3")
            again = ask("/", f"Content-Length: {len(CHUNK)}", "Connection: close", method="POST") + CHUNK
            assert (await answers(reactor, port, again)).endswith(b"\r\n\r\n%d" % len(CHUNK))

    with nothing_left_open():
        run(scenario)
    assert [error.errno for error in logged.take(OSError)] == [errno.EFBIG]


# --- programs ------------------------------------------------------------------------------------------------------------


class Failing(Resource):
    """Fails before, between or behind what it writes."""

    isLeaf = True

    def render_GET(self, request):
        when = request.postpath[0]
        if when != b"before":
            request.write(b"some")
        if when == b"after":
            request.write(b"thing")
            request.finish()
        raise KeyError(when)


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_a_renderer_that_raises(reactor, run, logged, when):
    async def scenario():
        async with serving(reactor, Failing()) as (site, port):
            peer = Peer(port)
            if when == "between":
                peer.send(ask("/between"))
                got = await peer.read_all(reactor)
                assert got.startswith(b"HTTP/1.1 200 OK\r\n")
                assert got.endswith(b"4\r\nsome\r\n")  # and not the last chunk: the client sees that there was more
                await until(reactor, lambda: not site.connections)
            else:
                code, end = (b"500", b"</html>") if when == "before" else (b"200", b"\r\n0\r\n\r\n")
                for _ in range(2):  # the connection goes on
                    peer.send(ask(f"/{when}"))
                    got = b""
                    while not got.rstrip(b"\n").endswith(end.rstrip(b"\n")):
                        got += await peer.read(reactor)
                    assert got.startswith(b"HTTP/1.1 " + code)
            peer.close()

    with nothing_left_open():
        run(scenario)
    assert len(logged.take(KeyError)) == (1 if when == "between" else 2)


def test_a_client_that_leaves_is_told_of_to_who_waits(reactor, run):
    async def scenario():
        told = []
        started = Deferred()

        class Waiting(Resource):
            isLeaf = True

            def render_GET(self, request):
                request.notifyFinish().addErrback(told.append)
                request.write(b"some")
                started.callback(request)
                return NOT_DONE_YET

        async with serving(reactor, Waiting()) as (site, port):
            peer = Peer(port)
            peer.send(ask("/"))
            request = await started
            peer.close()
            await until(reactor, lambda: told)
            request.write(b"more")  # goes nowhere
            await until(reactor, lambda: not site.connections)

    with nothing_left_open():
        run(scenario)
