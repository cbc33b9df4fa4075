"""Applications whose first step is taken at once, on the loop inside the native reactor."""

from __future__ import annotations

import asyncio
from typing import Any

from torsion.internet.defer import Deferred
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.testing import StringTransport
from torsion.interop.asyncio import runnerFor
from torsion.web.asgi import ASGIResource
from torsion.web.server import Site


def test_pipelined_requests_are_answered_in_order_whatever_they_wait_for() -> None:
    """One is answered within the step of another: its own step waits for the next turn, and both are current tasks."""
    tasks: list[Any] = []
    over: Deferred[None] = Deferred()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        tasks.append((scope["path"], asyncio.current_task()))
        body = b""
        while scope["method"] == "POST":
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        if scope["path"] == "/later":
            await asyncio.sleep(0.001)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Path", scope["path"].encode())]})
        await send({"type": "http.response.body", "body": body or b"none"})
        assert asyncio.current_task() is tasks[-1][1] or scope["path"] != "/last"
        if scope["path"] == "/last":
            over.callback(None)

    reactor = NativeReactor()
    site = Site(ASGIResource(application, runnerFor(reactor), reactor, lifespan=False), reactor=reactor)
    transport = StringTransport()

    def begin() -> None:
        channel = site.buildProtocol(None)
        channel.makeConnection(transport)
        get = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"
        chunks = b"POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        length = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ndef"
        channel.dataReceived(get % b"one" + chunks + get % b"later" + length + chunks + get % b"two" + get % b"last")
        over.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    late = reactor.callLater(20, reactor.stop)
    reactor.run(installSignalHandlers=False)
    late.cancel()
    answers = transport.value().split(b"HTTP/1.1 200 OK\r\n")[1:]
    paths = [b"one", b"chunks", b"later", b"length", b"chunks", b"two", b"last"]
    assert [each.lower().split(b"x-path: /")[1].split(b"\r\n")[0] for each in answers] == paths
    assert [each.rpartition(b"\r\n\r\n")[2] for each in answers] == [
        b"none", b"abc", b"none", b"def", b"abc", b"none", b"none",
    ]  # fmt: skip
    assert len({task for _, task in tasks}) == len(paths)
    assert all(task is not None for _, task in tasks)
