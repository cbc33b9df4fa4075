"""The divert of a stream: who is asked in its stead, and how the stream itself is reached."""

from __future__ import annotations

import gc
import socket
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from torsion import _native
from unit.native.test_engine import Owner, connect

CALLS: list[tuple[str, tuple[Any, ...], str]] = [
    ("write", (b"x",), "write"),
    ("writeSequence", ([b"x"],), "writeSequence"),
    ("loseConnection", (), "loseConnection"),
    ("abortConnection", (), "abortConnection"),
    ("loseWriteConnection", (), "loseWriteConnection"),
    ("pauseProducing", (), "pauseProducing"),
    ("resumeProducing", (), "resumeProducing"),
    ("stopProducing", (), "loseConnection"),
    ("registerProducer", (object(), True), "registerProducer"),
    ("unregisterProducer", (), "unregisterProducer"),
]


class Filter:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.disconnecting = False

    def __getattr__(self, name: str) -> Any:
        if name not in {target for _, _, target in CALLS}:
            raise AttributeError(name)
        return lambda *arguments: self.asked.append((name, arguments))


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def engine(owner: Owner) -> _native.Engine:
    return _native.Engine(owner)


@pytest.fixture
def ends(engine: _native.Engine, owner: Owner) -> Iterator[tuple[socket.socket, Any]]:
    peer, stream = connect(engine, owner)
    with peer:
        yield peer, stream


@pytest.mark.parametrize(("name", "arguments", "asked"), CALLS, ids=[name for name, _, _ in CALLS])
def test_the_filter_is_asked_also_by_methods_that_were_taken_before(ends, name, arguments, asked) -> None:
    _, stream = ends
    before = getattr(stream, name)
    stream.divert(filter := Filter())
    assert stream.diverted is filter
    before(*arguments)
    getattr(stream, name)(*arguments)
    assert filter.asked == [(asked, arguments)] * 2
    stream.bypass().abortConnection()


def test_what_the_filter_raises_reaches_who_asked(ends) -> None:
    _, stream = ends
    stream.divert(filter := Filter())
    filter.write = 1 / 3  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="float"):
        stream.write(b"x")


def test_the_bypass_reaches_the_stream_itself(ends, engine, owner) -> None:
    peer, stream = ends
    stream.divert(filter := Filter())
    bypass = stream.bypass()
    bypass.write(b"one, ")
    bypass.writeSequence([b"two, ", b"three"])
    bypass.loseConnection()
    assert bypass.disconnecting
    assert stream.disconnecting
    while not owner.lost_with:
        engine.turn(0.01)
    received = b""
    while data := peer.recv(100):
        received += data
    assert received == b"one, two, three"
    assert filter.asked == []


def test_the_bypass_can_do_the_rest_as_well(ends, engine, owner) -> None:
    peer, stream = ends
    bypass = stream.bypass()  # without a divert, which changes nothing

    class Producer:
        def __init__(self) -> None:
            self.told: list[str] = []

        def __getattr__(self, name: str) -> Any:
            return lambda: self.told.append(name)

    producer = Producer()
    bypass.registerProducer(producer, True)
    assert stream.producer is producer
    with pytest.raises(RuntimeError, match="never unregistered"):
        bypass.registerProducer(producer, True)
    bypass.unregisterProducer()
    bypass.pauseProducing()
    assert not stream.reading
    bypass.resumeProducing()
    assert stream.reading
    assert bypass.getTcpNoDelay() == stream.getTcpNoDelay()
    assert bypass.peer_address() == stream.peer_address()
    with pytest.raises(AttributeError):
        bypass.no_such_thing
    bypass.stopProducing()
    assert stream.disconnecting
    bypass.abortConnection()
    while not owner.lost_with:
        engine.turn(0.01)
    assert owner.lost_with == [_native.REASON_ABORTED]
    with pytest.raises(ConnectionResetError):
        peer.recv(1)


def test_half_of_the_connection_can_be_closed_below(ends, engine, owner) -> None:
    peer, stream = ends
    told: list[Any] = []
    owner.write_closed = told.append  # type: ignore[method-assign]
    stream.divert(Filter())
    stream.bypass().loseWriteConnection()
    while not told:
        engine.turn(0.01)
    assert peer.recv(1) == b""
    stream.bypass().abortConnection()


def test_a_stream_that_closes_above_is_closing(ends) -> None:
    _, stream = ends
    stream.divert(filter := Filter())
    assert not stream.disconnecting
    filter.disconnecting = True
    assert stream.disconnecting
    assert not stream.bypass().disconnecting
    stream.bypass().abortConnection()


def test_there_is_one_divert_and_it_stays(ends) -> None:
    _, stream = ends
    assert stream.diverted is None
    stream.divert(filter := Filter())
    with pytest.raises(RuntimeError, match="already"):
        stream.divert(Filter())
    assert stream.diverted is filter
    stream.bypass().abortConnection()


def test_the_collector_sees_through_it(engine, owner) -> None:
    peer, stream = connect(engine, owner)
    filter = Filter()
    filter.below = stream.bypass()  # type: ignore[attr-defined]
    stream.divert(filter)
    gone = weakref.ref(filter), weakref.ref(stream)
    filter.below.abortConnection()  # type: ignore[attr-defined]
    while not owner.lost_with:
        engine.turn(0.01)
    peer.close()
    del stream, filter
    gc.collect()
    assert gone[0]() is None


def test_a_stream_is_no_larger_for_it() -> None:
    """What nobody uses costs nothing: idle connections are many."""
    assert _native.Stream.__basicsize__ <= 208


def test_lines_go_through_it(ends) -> None:
    """Senders and receivers of lines have ways of their own to a stream."""
    from torsion.protocols.basic import LineReceiver

    _, stream = ends
    receiver = LineReceiver()
    receiver.transport = stream
    stream.divert(filter := Filter())
    receiver.sendLine(b"a line")
    assert filter.asked == [("write", (b"a line\r\n",))]
    lines: list[bytes] = []

    def received(line: bytes) -> None:
        lines.append(line)
        filter.disconnecting = True

    receiver.lineReceived = received  # type: ignore[method-assign]
    receiver.dataReceived(b"one\r\ntwo\r\n")
    assert lines == [b"one"]
    stream.bypass().abortConnection()
