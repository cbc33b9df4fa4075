"""The testing kit's laws of protocols hold for a server: however requests are cut, whatever is sent."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from torsion.internet.task import Clock
from torsion.testing.laws import protocol_laws
from torsion.web.resource import Resource
from torsion.web.server import Site

PIECES = [
    b"GET / HTTP/1.1\r\n", b"POST /a?b HTTP/1.1\r\n", b"HEAD * HTTP/1.0\r\n", b"PRI * HTTP/2.0\r\n", b"Host: a\r\n", b"\r\n",
    b"\n", b"\0", b"\xff", b" ", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n",
    b"hello", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"X: " + b"y" * 5000,
]  # fmt: skip


class Echo(Resource):
    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        request.responseHeaders.removeHeader(b"date")  # the second may change between two runs
        return bytes(request.uri)

    def render_POST(self, request: Any) -> bytes:
        request.responseHeaders.removeHeader(b"date")
        return bytes(request.content.read())


def serve() -> Any:
    return Site(Echo(), reactor=Clock(), http2=False).buildProtocol(None)


TestServer = protocol_laws(
    serve,
    st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join),
    limit=100_000,
    how=settings(deadline=None, max_examples=40),
)
