"""A WebSocket's server in memory, and wsproto at the other end; frames of one's own making as well."""

from __future__ import annotations

from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.extensions import PerMessageDeflate

from torsion.internet.task import Clock
from torsion.internet.testing import StringTransportWithDisconnection
from torsion.web.resource import Resource
from torsion.web.server import Site
from torsion.web.websocket import WebSocketResource

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASKED = {
    "Host": "example.com",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def frame(opcode: int, payload: bytes = b"", fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """Return a client's frame, with a mask of zeros."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    bit = 0x80 if masked else 0
    if size < 126:
        head = bytes([first, bit | size])
    elif size < 65536:
        head = bytes([first, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, bit | 127]) + size.to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload


class Keeper:
    """A program's side that keeps what it is told."""

    echo = False

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.lost: Any = None

    def negotiationStarted(self, transport: Any) -> None:
        self.transport = transport
        self.told.append("started")

    def negotiationFinished(self) -> None:
        self.told.append("finished")

    def textMessageReceived(self, message: str) -> None:
        if message == "raise":
            raise RuntimeError("as asked")
        self.told.append(message)
        if self.echo:
            self.transport.sendTextMessage(message)

    def bytesMessageReceived(self, data: bytes) -> None:
        self.told.append(data)

    def pongReceived(self, payload: bytes) -> None:
        self.told.append(("pong", payload))

    def connectionLost(self, reason: Any) -> None:
        assert self.lost is None, "the end came twice"
        self.lost = reason.value


class Keepers:
    """Makes them."""

    def __init__(self) -> None:
        self.made: list[Keeper] = []

    def buildProtocol(self, request: Any) -> Any:
        self.made.append(Keeper())
        return self.made[-1]


class Transport(StringTransportWithDisconnection):
    """A transport in memory that can be half-closed."""

    half = False

    def loseWriteConnection(self) -> None:
        self.half = True


class Server:
    """A server with a WebSocket at ``/``."""

    def __init__(self, settings: Any = None, factory: Any = None, **more: Any) -> None:
        self.clock = Clock()
        self.factory = Keepers() if factory is None else factory
        root = Resource()
        root.putChild(b"ws", WebSocketResource(self.factory, settings, **more))
        self.site = Site(root, reactor=self.clock)
        self.channel = self.site.buildProtocol(None)
        self.transport = Transport()
        self.transport.protocol = self.channel
        self.channel.makeConnection(self.transport)

    def ask(self, first: str = "GET /ws HTTP/1.1", data: bytes = b"", **changed: str | None) -> str:
        """Ask for a WebSocket, with headers changed or left out; return the head of the answer."""
        headers = {**ASKED, **{name.replace("_", "-"): value for name, value in changed.items()}}
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        self.channel.dataReceived("\r\n".join([first, *lines, "", ""]).encode() + data)
        written = self.transport.value()
        head, _, rest = written.partition(b"\r\n\r\n")
        self.rest = rest
        self.transport.clear()
        return head.decode()

    @property
    def keeper(self) -> Keeper:
        made: Keeper = self.factory.made[-1]
        return made

    def take(self) -> bytes:
        written = self.transport.value()
        self.transport.clear()
        return written


def open_server(settings: Any = None, **changed: str | None) -> Server:
    server = Server(settings)
    assert server.ask(**changed).startswith("HTTP/1.1 101 Switching Protocols\r\n")
    assert server.keeper.told == ["started", "finished"]
    server.keeper.told.clear()
    return server


class Peer:
    """wsproto as the client of a server."""

    def __init__(self, server: Server, extension: PerMessageDeflate | None = None) -> None:
        self.server = server
        self.connection = Connection(ConnectionType.CLIENT, [extension] if extension else [])

    def send(self, event: Any) -> list[Any]:
        """Send an event; return those that came of it."""
        self.server.channel.dataReceived(self.connection.send(event))
        return self.events()

    def events(self) -> list[Any]:
        self.connection.receive_data(self.server.take())
        return list(self.connection.events())
