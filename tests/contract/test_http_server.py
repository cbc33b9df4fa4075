"""A server of HTTP with real clients, on every reactor."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager

import pytest

from contract.harness import Peer, after, in_thread, nothing_left_open, pause, until
from torsion.internet.defer import Deferred
from torsion.web.http import HTTPFactory, Request

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
PART = b"0123456789abcdef" * 4096


@asynccontextmanager
async def serving(reactor, process, request=Request, **settings):
    """Yield a factory and its port."""
    asked = []

    class Asked(request):
        def process(self):
            asked.append(self)
            process(self)

    factory = HTTPFactory(reactor=reactor)
    factory.requestFactory = Asked
    factory.asked = asked
    for name, value in settings.items():
        setattr(factory, name, value)
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield factory, port
    finally:
        await port.stopListening()


def say(body):
    def process(request):
        request.setHeader(b"content-length", b"%d" % len(body))
        request.write(body)
        request.finish()

    return process


def test_requests_and_answers(reactor, run):
    async def scenario():
        async with serving(reactor, say(b"ok")) as (_, port):
            peer = Peer(port)
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            for number in (1, 16):
                peer.send(GET * number)
                got = b""
                while len(got) < len(answer) * number:
                    got += await peer.read(reactor)
                assert got == answer * number
            peer.send(b"GET / HTTP/1.0\r\n\r\n")
            assert (await peer.read_all(reactor)).endswith(b"ok")
            peer.close()

    with nothing_left_open():
        run(scenario)


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01",
    ],
)
def test_what_is_refused(reactor, run, sent):
    async def scenario():
        async with serving(reactor, say(b"ok")) as (factory, port):
            peer = Peer(port)
            peer.send(sent)
            assert (await peer.read_all(reactor)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
            assert factory.asked == []
            peer.close()
            await until(reactor, lambda: not factory.connections)

    with nothing_left_open():
        run(scenario)


def test_a_client_that_leaves_amid_the_answer(reactor, run):
    async def scenario():
        told = []

        def process(request):
            request.notifyFinish().addErrback(told.append)
            request.write(b"some")

        async with serving(reactor, process) as (factory, port):
            peer = Peer(port)
            peer.send(GET)
            assert (await peer.read(reactor)).startswith(b"HTTP/1.1 200 OK")
            peer.close()
            await until(reactor, lambda: told)
            assert not factory.connections
            factory.asked[0].write(b"more")

    with nothing_left_open():
        run(scenario)


def test_an_answer_is_held_back_by_a_client_that_does_not_read(reactor, run):
    async def scenario():
        class Producer:
            written = 0
            paused = False

            def __init__(self, request):
                self.request = request
                request.registerProducer(self, True)
                self.resumeProducing()

            def resumeProducing(self):
                self.paused = False
                while not self.paused and self.written < 256:
                    self.written += 1
                    self.request.write(PART)
                if self.written == 256 and not self.paused:
                    self.request.unregisterProducer()
                    self.request.finish()

            def pauseProducing(self):
                self.paused = True

            def stopProducing(self):
                self.paused = True

        producers = []
        async with serving(reactor, lambda request: producers.append(Producer(request))) as (_, port):
            peer = Peer(port)
            peer.send(b"GET / HTTP/1.0\r\n\r\n")
            await until(reactor, lambda: producers and producers[0].paused)
            assert producers[0].written < 256
            got = await peer.read_all(reactor)
            assert len(got) == len(b"HTTP/1.0 200 OK\r\n\r\n") + 256 * len(PART)
            peer.close()

    run(scenario)


def test_a_body_is_held_back_by_a_reader_that_is_slow(reactor, run):
    async def scenario():
        class Streamed(Request):
            def headReceived(self):
                self.stream = self.streamBody()

        go = Deferred()
        total = []

        async def read(request):
            await go
            size = 0
            async for part in request.stream:
                size += len(part)
            total.append(size)
            say(b"ok")(request)

        def process(request):
            Deferred.fromCoroutine(read(request))

        async with serving(reactor, process, Streamed) as (factory, port):
            client = socket.create_connection(("127.0.0.1", port.getHost().port))
            client.settimeout(10)

            def send():
                client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (256 * len(PART)))
                for _ in range(256):
                    client.sendall(PART)
                return client.recv(1000)

            answered = in_thread(reactor, send)
            await until(reactor, lambda: factory.asked and factory.asked[0].stream._kept > 64 * 1024)
            kept = factory.asked[0].stream._kept
            await pause(reactor, 0.05)
            assert factory.asked[0].stream._kept == kept < 64 * 1024 + 1024 * 1024
            go.callback(None)
            assert (await answered).startswith(b"HTTP/1.1 200 OK")
            assert total == [256 * len(PART)]
            client.close()
            await until(reactor, lambda: not factory.connections)

    run(scenario)


def test_draining(reactor, run):
    async def scenario():
        async with serving(reactor, lambda request: None) as (factory, port):
            idle, busy = Peer(port), Peer(port)
            busy.send(GET)
            await until(reactor, lambda: factory.asked and len(factory.connections) == 2)
            drained = factory.drain()
            assert await idle.read_all(reactor) == b""
            assert not drained.called
            say(b"ok")(factory.asked[0])
            got = await busy.read_all(reactor)
            assert b"Connection: close\r\n" in got
            assert got.endswith(b"ok")
            busy.close()
            idle.close()
            await after(reactor, drained)

    with nothing_left_open():
        run(scenario)


def test_a_slow_head(reactor, run):
    async def scenario():
        async with serving(reactor, say(b"ok"), timeOut=0.2, headerTimeout=0.1) as (factory, port):
            peer = Peer(port)
            peer.send(GET[:10])
            assert (await peer.read_all(reactor)).startswith(b"HTTP/1.1 408 ")
            peer.close()
            await until(reactor, lambda: not factory.connections)

    with nothing_left_open():
        run(scenario)
