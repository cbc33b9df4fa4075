"""A server's channel whose client is in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransport
from torsion.python.failure import Failure
from torsion.web.http import HTTPFactory, Request

GET = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"


class Wire:
    """One connection, with a clock of its own, whose requests are given to a function.

    :ivar asked: the requests, in the order in which they were processed.
    """

    def __init__(self, process: Callable[[Any], object] | None = None, request: Any = Request, **settings: Any) -> None:
        wire = self
        self.asked: list[Any] = []
        self.clock = Clock()

        class Asked(request):  # type: ignore[misc]  # a class that is given
            def process(self) -> None:
                wire.asked.append(self)
                if process is not None:
                    process(self)

        self.factory = HTTPFactory(reactor=self.clock)
        self.factory.requestFactory = Asked
        for name, value in settings.items():
            setattr(self.factory, name, value)
        self.channel = self.factory.buildProtocol(None)
        self.transport = StringTransport()
        self.channel.makeConnection(self.transport)

    def send(self, *data: bytes) -> None:
        for each in data:
            if not self.transport.disconnecting:
                self.channel.dataReceived(each)

    def take(self) -> bytes:
        """Return what was written since."""
        written = self.transport.value()
        self.transport.clear()
        return written

    def leave(self) -> None:
        """Have the client go."""
        self.channel.connectionLost(Failure(ConnectionDone()))

    @property
    def closed(self) -> bool:
        return self.transport.disconnecting or self.transport.disconnected


def say(body: bytes) -> Callable[[Any], None]:
    """Return what answers with *body*."""

    def process(request: Any) -> None:
        request.setHeader(b"content-length", b"%d" % len(body))
        request.write(body)
        request.finish()

    return process


def post(body: bytes, *headers: bytes, target: bytes = b"/") -> bytes:
    lines = [b"POST %b HTTP/1.1" % target, b"Host: example.com", b"Content-Length: %d" % len(body), *headers, b"", b""]
    return b"\r\n".join(lines) + body
