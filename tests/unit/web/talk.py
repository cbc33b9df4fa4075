"""A site at the other end of a connection in memory."""

from __future__ import annotations

from typing import Any, NamedTuple

from torsion.internet.error import ConnectionDone
from torsion.internet.task import Clock
from torsion.internet.testing import StringTransportWithDisconnection
from torsion.python.failure import Failure
from torsion.web.http_headers import Headers
from torsion.web.resource import Resource
from torsion.web.server import Site


class Answer(NamedTuple):
    """A response, read off the bytes that were written."""

    code: int
    headers: dict[str, list[str]]
    body: bytes
    complete: bool

    def one(self, name: str) -> str | None:
        values = self.headers.get(name.lower(), [])
        assert len(values) < 2, f"{name} is there {len(values)} times"
        return values[0] if values else None


def read_answer(data: bytes, head: bool = False) -> tuple[Answer, bytes]:
    """Return the first response of *data*, and what is behind it."""
    top, end, rest = data.partition(b"\r\n\r\n")
    assert end, f"there is no whole head in {data!r}"
    first, *lines = top.decode("latin-1").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers.setdefault(name.lower(), []).append(value)
    code = int(first.split(" ")[1])
    if head or code in (204, 304):
        return Answer(code, headers, b"", True), rest
    if "content-length" in headers:
        length = int(headers["content-length"][0])
        return Answer(code, headers, rest[:length], len(rest) >= length), rest[length:]
    if headers.get("transfer-encoding") != ["chunked"]:
        return Answer(code, headers, rest, False), b""
    body = b""
    while True:
        size, mark, rest = rest.partition(b"\r\n")
        if not mark:
            return Answer(code, headers, body, False), b""
        length = int(size, 16)
        body += rest[:length]
        rest = rest[length + 2 :]
        if not length:
            return Answer(code, headers, body, True), rest


class Talk:
    """One client, and a site."""

    def __init__(self, root: Any, **keywords: Any) -> None:
        self.clock = Clock()
        self.site = root if isinstance(root, Site) else Site(root, reactor=self.clock, **keywords)
        self.connect()

    def connect(self) -> None:
        self.channel = self.site.buildProtocol(None)
        self.transport = StringTransportWithDisconnection()
        self.transport.protocol = self.channel
        self.channel.makeConnection(self.transport)

    def send(self, target: str = "/", method: str = "GET", headers: Any = (), body: bytes = b"") -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: example.com"]
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.channel.dataReceived("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def written(self) -> bytes:
        return self.transport.value()

    def answer(self, head: bool = False) -> Answer:
        """Return what came of the last request."""
        answer, rest = read_answer(self.transport.value(), head)
        assert rest == b"", f"there is something behind the response: {rest!r}"
        self.transport.clear()
        return answer

    def ask(self, target: str = "/", method: str = "GET", headers: Any = (), body: bytes = b"") -> Answer:
        self.send(target, method, headers, body)
        return self.answer(method == "HEAD")

    def leave(self) -> None:
        """Have the client go."""
        self.transport.connected = False
        self.channel.connectionLost(Failure(ConnectionDone()))


class Fixed(Resource):
    """Answers with what it is given, or with what a function makes of the request."""

    isLeaf = True

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def render_GET(self, request: Any) -> Any:
        return self._answer(request) if callable(self._answer) else self._answer


class Asked:
    """A request for what needs little of one: it keeps what is written."""

    method = b"GET"
    uri = b"/"
    clientproto = b"HTTP/1.1"

    def __init__(self, *postpath: bytes, **headers: bytes) -> None:
        self.prepath: list[bytes] = []
        self.postpath = list(postpath)
        self.requestHeaders = Headers({name.replace("_", "-"): [value] for name, value in headers.items()})
        self.responseHeaders = Headers()
        self.code = 200

    def getHeader(self, name: bytes) -> bytes | None:
        values = self.requestHeaders.getRawHeaders(name)
        return values[-1] if values else None

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.responseHeaders.setRawHeaders(name, [value])

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        self.code = code
