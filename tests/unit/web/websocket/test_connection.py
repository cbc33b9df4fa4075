"""Messages, limits, time-outs, pressure, and ends."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("wsproto")

from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from torsion.internet.error import ConnectionDone
from torsion.python.failure import Failure
from torsion.web.websocket import Settings, WebSocketBroken, WebSocketClosed
from torsion.web.websocket.settings import PINGS
from unit.web.websocket.peer import Peer, Server, frame, open_server


def closed_with(server: Server) -> int:
    """Return the code of the one frame that was written: a close."""
    written = server.take()
    assert written[:1] == b"\x88"
    assert len(written) == 2 + written[1]
    return int.from_bytes(written[2:4], "big")


def test_messages_come_and_go() -> None:
    server = open_server()
    peer = Peer(server)
    peer.send(TextMessage("Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}"))
    peer.send(BytesMessage(b"\0" * 70_000))
    peer.send(TextMessage("one ", message_finished=False))
    peer.send(TextMessage("two", message_finished=True))
    assert server.keeper.told == ["Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}", b"\0" * 70_000, "one two"]
    transport = server.keeper.transport
    transport.sendTextMessage("x")
    transport.sendBytesMessage(b"y")
    transport.ping(b"z")
    assert peer.events() == [TextMessage("x"), BytesMessage(b"y"), Ping(b"z")]
    assert peer.send(Ping(b"p")) == [Pong(b"p")]
    peer.send(Pong(b"z"))
    assert server.keeper.told[-1] == ("pong", b"z")
    with pytest.raises(ValueError, match="125"):
        transport.ping(b"x" * 126)
    with pytest.raises(UnicodeEncodeError):
        transport.sendTextMessage("\ud800")


def test_messages_in_single_bytes() -> None:
    server = open_server()
    sent = (
        frame(1, "a\N{EURO SIGN}".encode(), fin=False)
        + frame(9, b"!")
        + frame(0, b"b")
        + frame(2, b"\xff" * 200)
        + frame(2)
    )
    for at in range(len(sent)):
        server.channel.dataReceived(sent[at : at + 1])
    assert server.keeper.told == ["a\N{EURO SIGN}b", b"\xff" * 200, b""]
    assert server.take() == b"\x8a\x01!"


def test_compressed_messages() -> None:
    server = open_server(Sec_WebSocket_Extensions="permessage-deflate")
    extension = PerMessageDeflate()
    extension.finalize("permessage-deflate")
    peer = Peer(server, extension)
    for text in ("x" * 100_000, "x" * 100_000, ""):
        peer.send(TextMessage(text))
        assert server.keeper.told.pop() == text
        server.keeper.transport.sendTextMessage(text)
        assert len(server.transport.value()) < 1000
        received = peer.events()
        assert "".join(event.data for event in received) == text


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(1, b"hello", masked=False), 1002),
        (frame(1, b"a", rsv=4), 1002),  # there is no compression
        (frame(1, b"a", rsv=1), 1002),
        (frame(3), 1002),
        (frame(11), 1002),
        (frame(9, b"x" * 126), 1002),
        (frame(9, fin=False), 1002),
        (frame(0), 1002),
        (frame(1, b"a", fin=False) + frame(1, b"b"), 1002),
        (frame(8, b"\x03"), 1002),
        (frame(8, (1005).to_bytes(2, "big")), 1002),
        (frame(8, (999).to_bytes(2, "big")), 1002),
        (frame(1, b"\xff"), 1007),
        (frame(1, b"\xe2\x82"), 1007),
        (frame(1, b"\xed\xa0\x80"), 1007),  # a surrogate
        (frame(1, b"\xe2", fin=False) + frame(0, b"\x28"), 1007),
        (frame(8, (1000).to_bytes(2, "big") + b"\xff"), 1007),
        (b"\x82\xff" + b"\xff" * 8 + bytes(4), 1002),  # a length below zero
        (b"\x82\xfe\x00\x01" + bytes(4) + b"a", 1002),  # a length that is written too long
    ],
)
def test_what_cannot_be_read_ends_it(sent: bytes, code: int) -> None:
    server = open_server()
    server.channel.dataReceived(sent + frame(1, b"later"))
    assert closed_with(server) == code
    assert server.transport.half, "our last word would be lost"
    server.channel.dataReceived(frame(1, b"later"))
    assert "later" not in server.keeper.told
    server.channel.connectionLost(Failure(ConnectionDone()))
    assert isinstance(server.keeper.lost, WebSocketBroken)
    assert server.keeper.lost.code == code
    assert server.clock.getDelayedCalls() == []


def test_who_does_not_leave_is_made_to() -> None:
    server = open_server(Settings(closeTimeout=5))
    server.channel.dataReceived(frame(3))
    server.clock.advance(4)
    assert server.transport.connected
    server.clock.advance(1)
    assert not server.transport.connected
    assert server.clock.getDelayedCalls() == []


def test_large_messages_are_refused() -> None:
    for sent in (
        frame(2, b"x" * 1001),
        frame(2, b"x" * 600, fin=False) + frame(0, b"x" * 401),
        frame(1, "\N{EURO SIGN}".encode() * 334),
        b"\x82\xff" + (2**40).to_bytes(8, "big") + bytes(4) + b"x" * 1001,
    ):
        server = open_server(Settings(maxMessageSize=1000))
        server.channel.dataReceived(frame(2, b"x" * 1000))
        server.channel.dataReceived(sent)
        assert server.keeper.told == [b"x" * 1000]
        assert closed_with(server) == 1009


def test_a_message_of_endless_frames_is_refused() -> None:
    server = open_server(Settings(maxFrames=10))
    server.channel.dataReceived(frame(1, fin=False) + frame(0, fin=False) * 8 + frame(0))
    assert server.keeper.told == [""]
    server.channel.dataReceived(frame(1, fin=False) + frame(0, fin=False) * 10)
    assert closed_with(server) == 1008


def test_a_bomb_is_not_unpacked() -> None:
    server = open_server(Sec_WebSocket_Extensions="permessage-deflate")
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(200_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    sizes: list[int] = []
    connection = server.channel._successor
    real = connection._part
    connection._part = lambda event: (sizes.append(len(event.data)), real(event))
    server.channel.dataReceived(frame(2, bomb[:-4], rsv=4))
    assert closed_with(server) == 1009
    assert sum(sizes) < 5_000_000, "much more was unpacked than a message may have"


def test_compressed_garbage_ends_it() -> None:
    server = open_server(Sec_WebSocket_Extensions="permessage-deflate")
    server.channel.dataReceived(frame(2, b"\xff" * 20, rsv=4))
    assert closed_with(server) in (1002, 1007)


def test_a_flood_of_pings_ends_it() -> None:
    server = open_server()
    server.channel.dataReceived(frame(9, b"!") * PINGS)
    assert server.take() == b"\x8a\x01!" * PINGS
    server.clock.advance(10.5)
    server.channel.dataReceived(frame(9, b"!") * PINGS)
    assert server.take()[-3:] == b"\x8a\x01!"
    server.channel.dataReceived(frame(9, b"!"))
    assert closed_with(server) == 1008


def test_the_peer_closes() -> None:
    for payload, code in ((b"\x03\xe8", 1000), (b"\x0b\xb8gone", 3000), (b"", 1005)):
        server = open_server()
        server.channel.dataReceived(frame(8, payload) + frame(1, b"later"))
        assert server.take() == bytes([0x88, len(payload)]) + payload
        assert not server.transport.connected
        assert isinstance(server.keeper.lost, WebSocketClosed)
        assert server.keeper.lost.code == code
        assert server.keeper.told == []
        assert server.clock.getDelayedCalls() == []
        server.keeper.transport.sendTextMessage("nobody hears this")


def test_we_close() -> None:
    server = open_server()
    peer = Peer(server)
    transport = server.keeper.transport
    for code in (999, 1005, 1006, 1015, 2999, 5000):
        with pytest.raises(ValueError, match="cannot be closed"):
            transport.loseConnection(code)
    transport.loseConnection(3001, "r\N{LATIN SMALL LETTER E WITH ACUTE}" * 100)
    transport.loseConnection()
    transport.sendTextMessage("dropped")
    (event,) = peer.events()
    assert event.code == 3001
    assert len(event.reason.encode()) <= 123
    server.channel.dataReceived(frame(1, b"under way"))
    assert server.keeper.told == []
    server.channel.dataReceived(peer.connection.send(event.response()))
    assert isinstance(server.keeper.lost, WebSocketClosed)
    assert server.clock.getDelayedCalls() == []


def test_a_peer_that_does_not_answer_our_close() -> None:
    server = open_server(Settings(closeTimeout=3))
    server.keeper.transport.loseConnection()
    server.clock.advance(3)
    assert isinstance(server.keeper.lost, WebSocketBroken)
    assert server.keeper.lost.code == 1006


def test_a_connection_that_breaks() -> None:
    server = open_server()
    server.channel.dataReceived(frame(1, b"half", fin=False))
    server.channel.connectionLost(Failure(ConnectionDone()))
    assert isinstance(server.keeper.lost, WebSocketBroken)
    assert server.clock.getDelayedCalls() == []


def test_a_program_that_fails(flush_errors: Callable[..., list[Any]]) -> None:
    server = open_server()
    server.channel.dataReceived(frame(1, b"raise") + frame(1, b"later"))
    assert closed_with(server) == 1011
    assert server.keeper.told == []
    assert flush_errors(RuntimeError)


def test_pings_see_whether_the_peer_is_there() -> None:
    server = open_server(Settings(pingInterval=20, pongTimeout=5))
    server.clock.advance(20)
    ping = server.take()
    assert ping[:2] == b"\x89\x04"
    server.channel.dataReceived(frame(10, ping[2:]))
    assert server.keeper.told == [], "the answer to our own ping is nobody's business"
    server.clock.advance(5)
    server.clock.advance(20)
    assert server.take()[:1] == b"\x89"
    server.channel.dataReceived(frame(1, b"busy"))  # it is there, if it does not answer
    server.clock.advance(5)
    server.clock.advance(20)
    assert server.take()[:1] == b"\x89"
    server.clock.advance(5)
    assert isinstance(server.keeper.lost, WebSocketBroken)
    assert "ping" in str(server.keeper.lost)
    assert server.clock.getDelayedCalls() == []


def test_nothing_is_read_from_a_peer_that_takes_nothing() -> None:
    server = open_server(Settings(stallTimeout=60, pingInterval=None))
    server.keeper.echo = True
    server.channel.dataReceived(frame(1, b"one"))
    brake = server.transport.producer
    brake.pauseProducing()
    assert server.transport.producerState == "paused"
    server.channel.dataReceived(frame(1, b"two"))
    assert server.keeper.told == ["one"]
    brake.resumeProducing()
    assert server.transport.producerState == "producing"
    assert server.keeper.told == ["one", "two"]
    brake.pauseProducing()
    server.clock.advance(60)
    assert not server.transport.connected
    assert "did not take" in str(server.keeper.lost)


class Producer:
    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


def test_a_producer_of_messages() -> None:
    server = open_server()
    transport = server.keeper.transport
    transport.sendTextMessage("before")
    server.transport.producer.pauseProducing()
    producer: Any = Producer()
    transport.attachProducer(producer)
    assert server.transport.producer is producer
    assert server.transport.producerState == "producing", "now the program sees to that"
    assert producer.told == ["pause"], "it was attached while the peer took nothing"
    with pytest.raises(RuntimeError, match="detached"):
        transport.attachProducer(Producer())
    transport.detachProducer()
    assert server.transport.producer is None
    transport.attachProducer(producer)
    transport.loseConnection()
    assert producer.told == ["pause", "stop"]
    assert server.transport.producer is None
    late: Any = Producer()
    transport.attachProducer(late)
    assert late.told == ["stop"]


def test_the_program_may_hold_messages_back() -> None:
    server = open_server(Settings(pingInterval=10, pongTimeout=10))
    connection = server.keeper.transport
    real = server.keeper.textMessageReceived

    def once(message: str) -> None:
        real(message)
        connection.pauseProducing()

    server.keeper.textMessageReceived = once  # type: ignore[method-assign]  # this one only
    server.channel.dataReceived(frame(1, b"one") + frame(1, b"two") + frame(8, b"\x03\xe8"))
    assert server.keeper.told == ["one"]
    assert server.transport.producerState == "paused"
    server.clock.advance(100)
    assert server.keeper.lost is None, "it cannot be heard, so it is not pinged"
    connection.resumeProducing()
    assert server.keeper.told == ["one", "two"]
    assert server.keeper.lost is None
    connection.resumeProducing()
    assert isinstance(server.keeper.lost, WebSocketClosed)


def test_settings_that_cannot_be() -> None:
    for name in (
        "maxMessageSize",
        "maxFrames",
        "pingInterval",
        "pongTimeout",
        "closeTimeout",
        "stallTimeout",
        "maxBacklog",
    ):
        with pytest.raises(ValueError, match=name):
            Settings(**{name: 0})  # type: ignore[arg-type]  # the same for all


def test_the_close_that_says_nothing_is_answered_alike() -> None:
    server = open_server()
    peer = Peer(server)
    (event,) = peer.send(CloseConnection(1000))
    assert event.code == 1000
