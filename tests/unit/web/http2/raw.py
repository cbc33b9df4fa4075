"""A client that sends any frames, right or wrong, to a site in memory; it keeps no state of HTTP/2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hpack import Decoder
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from torsion.internet.task import Clock
from torsion.internet.testing import StringTransportWithDisconnection
from torsion.web.resource import Resource
from torsion.web.server import NOT_DONE_YET, Site

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITISED = 0x20

(
    NO_ERROR,
    PROTOCOL,
    INTERNAL,
    FLOW,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    FRAME_SIZE,
    REFUSED,
    CANCEL,
    COMPRESSION,
    _,
    CALM,
) = range(12)

Fields = Iterable[tuple[bytes, bytes]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame as it is sent, whatever sense it makes."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _text(value: bytes) -> bytes:
    if len(value) < 127:
        return bytes((len(value),)) + value
    size, more = len(value) - 127, b""
    while size >= 128:
        more += bytes((size % 128 + 128,))
        size //= 128
    return b"\x7f" + more + bytes((size,)) + value


def block(fields: Fields) -> bytes:
    """Return a block of headers, all literal, of which nobody need remember anything: RFC 7541, 6.2.2."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)


def asking(*more: tuple[bytes, bytes], method: bytes = b"GET", path: bytes = b"/", host: bytes | None = b"h") -> bytes:
    """Return the block of a request."""
    fields = [(b":method", method), (b":scheme", b"http"), (b":path", path)]
    if host is not None:
        fields.append((b":authority", host))
    return block([*fields, *more])


def get(stream: int = 1, *more: tuple[bytes, bytes], **what: Any) -> bytes:
    """Return the frame of a request without a body."""
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, asking(*more, **what))


def post(stream: int = 1, *more: tuple[bytes, bytes], **what: Any) -> bytes:
    """Return the frame of a request whose body is to follow."""
    return frame(HEADERS, END_HEADERS, stream, asking(*more, **{"method": b"POST", **what}))


def settings(*values: tuple[int, int], flags: int = 0) -> bytes:
    return frame(SETTINGS, flags, 0, b"".join(k.to_bytes(2, "big") + v.to_bytes(4, "big") for k, v in values))


def window(stream: int, size: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, size.to_bytes(4, "big"))


def reset(stream: int, code: int = CANCEL) -> bytes:
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


class Page(Resource):
    """What is served where a test has nothing of its own."""

    isLeaf = True

    def render_GET(self, request: Any) -> Any:
        if request.path == b"/later":
            return NOT_DONE_YET
        return b"x" * 5000 if request.path == b"/long" else b"hello"

    def render_POST(self, request: Any) -> bytes:
        return b"%d" % len(request.content.read())


class Raw:
    """A connection to a site, whose greetings are exchanged.

    :ivar heads: the fields of all heads that came, by their streams, in order: of 100 Continue, too.
    :ivar bodies: what came of bodies, by their streams.
    :ivar ended: the streams whose responses are complete.
    """

    def __init__(self, resource: Any = None, greet: bool = True, **site: Any) -> None:
        self.clock = Clock()
        self.site = Site(Page() if resource is None else resource, reactor=self.clock)
        for name, value in site.items():
            setattr(self.site, name, value)
        self.channel = self.site.buildProtocol(None)
        self.transport = StringTransportWithDisconnection()
        self.transport.protocol = self.channel
        self.channel.makeConnection(self.transport)
        self.decoder = Decoder()
        self.heads: dict[int, list[dict[bytes, bytes]]] = {}
        self.bodies: dict[int, bytes] = {}
        self.ended: set[int] = set()
        if greet:
            self.send(PREFACE, settings(), settings(flags=ACK))

    @property
    def connection(self) -> Any:
        return self.channel._successor

    @property
    def closed(self) -> bool:
        return not self.transport.connected

    def send(self, *frames: bytes) -> list[Frame]:
        """Send frames, each by itself, and return those that came back."""
        found = []
        for each in frames:
            if not self.closed:
                self.channel.dataReceived(each)
                found += self.take()
        return found

    def take(self) -> list[Frame]:
        """Return the frames that have come."""
        data = memoryview(self.transport.value())
        self.transport.clear()
        found = []
        while data:
            each, length = Frame.parse_frame_header(data[:9])
            each.parse_body(data[9 : 9 + length])
            data = data[9 + length :]
            found.append(each)
            number = each.stream_id
            if isinstance(each, HeadersFrame):
                assert "END_HEADERS" in each.flags
                self.heads.setdefault(number, []).append(dict(self.decoder.decode(each.data, raw=True)))
                self.bodies.setdefault(number, b"")
            elif type(each).__name__ == "DataFrame":
                self.bodies[number] += each.data
            if "END_STREAM" in each.flags:
                assert number not in self.ended
                self.ended.add(number)
        return found

    def status(self, stream: int = 1) -> bytes | None:
        """Return the last status code of a response; None if there is none."""
        heads = self.heads.get(stream)
        return heads[-1][b":status"] if heads else None


def outcome(raw: Raw, found: list[Frame]) -> str:
    """Return what frames say, in a word: ``goaway 1``, ``reset 1 5``, ``200``, ``pong``, ``ack``."""
    for each in found:
        if isinstance(each, GoAwayFrame):
            assert raw.closed
            return f"goaway {each.error_code}"
    assert not raw.closed
    said = [f"reset {each.stream_id} {each.error_code}" for each in found if isinstance(each, RstStreamFrame)]
    said += [f"{raw.status(number)!s:.6}"[2:5] for number in sorted(raw.ended)]
    said += ["ack" for each in found if isinstance(each, SettingsFrame) and "ACK" in each.flags]
    said += ["pong" for each in found if isinstance(each, PingFrame) and "ACK" in each.flags]
    return ", ".join(said) or "nothing"
