"""Either end of a WebSocket in memory, which sends back what it gets, and frames of one's own making at the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from torsion.internet.task import Clock
from torsion.web.websocket import Settings
from torsion.web.websocket.connection import Connection
from unit.web.websocket.peer import Transport

TEXT, DATA, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x0b\xad\xca\xfe"


def masked(data: bytes, mask: bytes = MASK) -> bytes:
    """Return data under a mask, and what is under it without."""
    size = len(data)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")


class Frame(NamedTuple):
    """A frame; reserved bits as the number that they make."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0

    def encode(self, mask: bool) -> bytes:
        size, bit = len(self.payload), 0x80 if mask else 0
        head = bytes([(0x80 if self.fin else 0) | self.rsv << 4 | self.opcode])
        if size < 126:
            head += bytes([bit | size])
        elif size < 65536:
            head += bytes([bit | 126]) + size.to_bytes(2, "big")
        else:
            head += bytes([bit | 127]) + size.to_bytes(8, "big")
        return head + (MASK + masked(self.payload) if mask else self.payload)


def decode(data: bytes, mask: bool) -> Iterator[Frame]:
    """Read frames, which must all be masked, or none of them."""
    while data:
        first, second = data[0], data[1]
        assert bool(second & 0x80) is mask, "a client masks what it sends, and a server does not"
        size, at = second & 0x7F, 2
        if size > 125:
            more = 2 if size == 126 else 8
            size, at = int.from_bytes(data[at : at + more], "big"), at + more
        key = data[at : at + 4] if mask else b""
        at += len(key)
        payload = data[at : at + size]
        assert len(payload) == size, "a frame is not whole"
        yield Frame(first & 15, masked(payload, key) if mask else payload, bool(first & 0x80), first >> 4 & 7)
        data = data[at + size :]


class End:
    """One end under test; the program there echoes."""

    def __init__(self, client: bool, settings: Settings | None = None, extension: Any = None) -> None:
        self.client = client
        self.heard: list[Any] = []
        self.lost: Any = None
        self.clock = Clock()
        settings = Settings(maxMessageSize=32 << 20, pingInterval=None) if settings is None else settings
        self.connection = Connection(self, client, self.clock, settings)
        self.connection.agree(extension, None)
        self.transport = Transport()
        self.transport.protocol = self.connection
        self.connection.makeConnection(self.transport)

    # --- the program

    def negotiationFinished(self) -> None:
        pass

    def textMessageReceived(self, message: str) -> None:
        self.heard.append(message)
        self.connection.sendTextMessage(message)

    def bytesMessageReceived(self, data: bytes) -> None:
        self.heard.append(data)
        self.connection.sendBytesMessage(data)

    def pongReceived(self, payload: bytes) -> None:
        self.heard.append(("pong", payload))

    def connectionLost(self, reason: Any) -> None:
        assert self.lost is None, "the end came twice"
        self.lost = reason.value

    # --- the peer

    def take(self, data: bytes, step: int | None = None) -> list[Frame]:
        """Feed bytes, so many at a time; return the frames that came back."""
        step = step or max(1, len(data))
        for at in range(0, len(data), step):
            self.connection.dataReceived(data[at : at + step])
        written = self.transport.value()
        self.transport.clear()
        return list(decode(written, self.client))

    def say(self, *frames: Frame, step: int | None = None) -> list[Frame]:
        """Send frames, masked as they must be; return those that came back."""
        return self.take(b"".join(frame.encode(not self.client) for frame in frames), step)

    def fails(self, *frames: Frame, code: int, step: int | None = None) -> list[Frame]:
        """Send what breaks a rule; return what came back before the last word, which has that code."""
        *before, last = self.say(*frames, step=step)
        assert (last.opcode, int.from_bytes(last.payload[:2], "big")) == (CLOSE, code)
        assert self.say(Frame(TEXT, b"after"), Frame(PING)) == [], "nothing counts any more"
        assert "after" not in self.heard
        assert self.transport.half, "the peer can read why"
        self.clock.advance(60)
        assert (type(self.lost).__name__, self.lost.code) == ("WebSocketBroken", code)
        return before
