"""The client's handshake: what it asks, and which answers it takes."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("wsproto")

from torsion.internet.defer import Deferred
from torsion.internet.error import ConnectionDone
from torsion.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from torsion.python.failure import Failure
from torsion.web.client import ResponseFailed, readBody
from torsion.web.http_headers import Headers
from torsion.web.websocket import ConnectionRejected, Settings, WebSocketClientEndpoint, WebSocketClosed
from torsion.web.websocket.resource import accept_key
from unit.web.websocket.peer import Keeper, frame


class Client:
    """A client that has asked, and a server's side that a test plays."""

    def __init__(self, url: str = "ws://127.0.0.1/chat?x", **more: Any) -> None:
        self.reactor = MemoryReactorClock()
        self.keeper = Keeper()
        endpoint = WebSocketClientEndpoint.new(self.reactor, url, **more)
        self.result: list[Any] = []
        self.connecting = Deferred.fromCoroutine(endpoint.connect(self))
        self.connecting.addBoth(self.result.append)
        assert self.keeper.told == []
        _, _, factory, *_ = self.reactor.tcpClients[0]
        self.protocol = factory.buildProtocol(None)
        self.transport = StringTransportWithDisconnection()
        self.transport.protocol = self.protocol
        self.protocol.makeConnection(self.transport)
        self.asked = self.transport.value().decode().split("\r\n")
        self.transport.clear()
        keys = [line.partition(": ")[2] for line in self.asked if line.lower().startswith("sec-websocket-key")]
        self.accept = accept_key(keys[0].encode()).decode()

    def buildProtocol(self, url: str) -> Keeper:
        return self.keeper

    def answer(self, *changes: str, leave: str = "", data: bytes = b"") -> None:
        lines = {
            "Upgrade": "Upgrade: websocket",
            "Connection": "Connection: Upgrade",
            "Accept": f"Sec-WebSocket-Accept: {self.accept}",
        }
        lines.pop(leave, None)
        head = "\r\n".join(["HTTP/1.1 101 Switching Protocols", *lines.values(), *changes, "", ""])
        self.protocol.dataReceived(head.encode() + data)


def test_a_server_that_consents() -> None:
    headers = Headers({"Origin": ["https://example.org"]})
    client = Client(settings=Settings(subprotocols=("a", "b")), headers=headers)
    assert client.asked[0] == "GET /chat?x HTTP/1.1"
    assert {"Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade", "Origin: https://example.org"} < set(
        client.asked
    )
    assert "Sec-Websocket-Protocol: a, b" in client.asked
    assert headers.getRawHeaders("upgrade") is None, "the program's headers are its own"
    assert client.keeper.told == ["started"]
    client.answer("Sec-WebSocket-Protocol: b", data=frame(1, b"early", masked=False))
    assert client.result == [client.keeper]
    assert client.keeper.told == ["started", "finished", "early"]
    assert client.keeper.transport.subprotocol == "b"
    client.keeper.transport.sendTextMessage("x")
    assert client.transport.value()[:2] == b"\x81\x81", "a client's frames have masks"
    client.protocol.dataReceived(frame(8, b"\x03\xe8", masked=False))
    assert client.transport.connected, "the server closes first"
    client.reactor.advance(10)
    assert not client.transport.connected
    assert isinstance(client.keeper.lost, WebSocketClosed)
    assert client.reactor.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("changes", "leave", "why"),
    [
        ((), "Upgrade", "something else than a WebSocket"),
        (("Upgrade: h2c",), "Upgrade", "something else than a WebSocket"),
        ((), "Connection", "Connection: Upgrade"),
        ((), "Accept", "does not answer our key"),
        (("Sec-WebSocket-Accept: x",), "Accept", "does not answer our key"),
        (("Sec-WebSocket-Protocol: evil",), "", "sub-protocol"),
        (("Sec-WebSocket-Extensions: x-other",), "", "not offered"),
        (("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7",), "", "not offered"),
        (("Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate",), "", "not offered"),
    ],
)
def test_a_server_that_consents_to_something_else(changes: tuple[str, ...], leave: str, why: str) -> None:
    client = Client()
    client.answer(*changes, leave=leave)
    (failure,) = client.result
    assert failure.check(ResponseFailed)
    assert why in str(failure.value.reasons[0].value)
    assert failure.value is client.keeper.lost
    assert not client.transport.connected
    assert client.reactor.getDelayedCalls() == []


def test_a_server_that_refuses() -> None:
    client = Client()
    client.protocol.dataReceived(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    (failure,) = client.result
    assert failure.check(ConnectionRejected)
    assert "403 Forbidden" in str(failure.value)
    body: list[bytes] = []
    readBody(failure.value.response).addCallback(body.append)
    assert body == [b"no"]
    assert isinstance(client.keeper.lost, ConnectionRejected)


def test_a_server_that_says_nothing_and_one_that_leaves() -> None:
    client = Client(settings=Settings(handshakeTimeout=5))
    client.reactor.advance(5)
    assert len(client.result) == 1
    assert not client.transport.connected
    client = Client()
    client.transport.connected = False
    client.protocol.connectionLost(Failure(ConnectionDone()))
    assert len(client.result) == 1
    assert client.keeper.lost is not None


def test_who_gives_up_closes_the_connection() -> None:
    client = Client()
    client.connecting.cancel()
    assert not client.transport.connected
    assert len(client.result) == 1


@pytest.mark.parametrize(
    "url", ["example.org", "ftp://example.org/", "ws://", "ws://u:p@example.org/", "ws://h/#x", "ws://h/\xe4"]
)
def test_what_is_no_url(url: str) -> None:
    endpoint = WebSocketClientEndpoint.new(MemoryReactorClock(), url)
    result: list[Any] = []
    Deferred.fromCoroutine(endpoint.connect(None)).addErrback(lambda failure: result.append(failure.type))
    assert result == [ValueError]
