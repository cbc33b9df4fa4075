"""What the engine promises beyond what the contract tests of reactors see."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from torsion import _native


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.streams: list[Any] = []
        self.lost_with: list[int] = []
        self.blamed: list[BaseException] = []

    def raised(self, source: object, exception: BaseException, /) -> object:
        self.blamed.append(exception)
        return exception

    def accepted(self, stream: Any, address: Any, /) -> None:
        self.streams.append(stream)

    def accept_failed(self, errno: int, /) -> None:
        raise AssertionError(errno)

    def lost(self, stream: Any, code: int, errno: int, reason: object, /) -> None:
        self.lost_with.append(code)

    def eof(self, stream: Any, /) -> bool:
        return False

    def write_closed(self, stream: Any, /) -> None:
        raise AssertionError("nobody asked for that")


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def engine(owner: Owner) -> _native.Engine:
    return _native.Engine(owner)


def connect(engine: _native.Engine, owner: Owner) -> tuple[socket.socket, Any]:
    """Return the two ends of a connection."""
    listener = engine.listen(("127.0.0.1", 0), 5, owner, _native.Stream)
    peer = socket.create_connection(listener.address()[:2])
    peer.settimeout(5)
    while not owner.streams:
        engine.turn(5.0)
    listener.close()
    return peer, owner.streams.pop()


def test_a_stop_is_for_the_run_that_goes_on(engine: _native.Engine) -> None:
    engine.call_later(0, engine.stop)
    engine.run()
    engine.stop()
    before = engine.statistics()
    engine.turn(0.001)
    after = engine.statistics()
    assert after["turns"] == before["turns"] + 1
    assert after["waits"] == before["waits"] + 1, "a turn that is taken by hand waits as it is asked to"


def test_a_call_tells_what_became_of_it(engine: _native.Engine) -> None:
    seen: list[bool] = []
    made = engine.call_later(0, lambda: seen.append(made.called))
    dropped = engine.call_later(60, print)
    assert [(call.called, call.cancelled) for call in (made, dropped)] == [(False, False), (False, False)]
    dropped.cancel()
    engine.turn(0)
    assert [(call.called, call.cancelled) for call in (made, dropped)] == [(True, False), (False, True)]
    assert seen == [True], "while it is being made, it is no longer to come"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a socket is no file, which os.dup wants")
def test_a_duplicate_of_the_descriptor_does_not_hold_the_connection_open(engine: _native.Engine, owner: Owner) -> None:
    peer, stream = connect(engine, owner)
    duplicate = os.dup(stream.fileno())
    try:
        stream.loseConnection()
        while not owner.lost_with:
            engine.turn(5.0)
        assert peer.recv(1) == b""
    finally:
        os.close(duplicate)
        peer.close()
    assert owner.lost_with == [_native.REASON_DONE]


def test_what_was_sent_arrives_though_the_engine_is_closed_with_unread_input(
    engine: _native.Engine, owner: Owner
) -> None:
    peer, stream = connect(engine, owner)
    stream.pauseProducing()
    stream.write(b"goodbye")
    engine.turn()
    peer.sendall(b"nobody will read this")
    engine.turn(0.05)
    engine.close()
    with peer:
        assert peer.recv(100) == b"goodbye"
        assert peer.recv(100) == b""


def test_a_producer_that_is_gone_leaves_no_trace(engine: _native.Engine, owner: Owner) -> None:
    peer, stream = connect(engine, owner)
    stream.registerProducer(producer=object(), streaming=True)
    assert stream.streamingProducer
    stream.unregisterProducer()
    assert (stream.producer, stream.streamingProducer) == (None, False)
    stream.abortConnection()
    while not owner.lost_with:
        engine.turn(5.0)
    peer.close()


@pytest.mark.parametrize("delay", [-1, -0.001, float("inf"), float("nan")])
def test_a_delay_must_be_a_time_to_come(engine: _native.Engine, delay: float) -> None:
    with pytest.raises(ValueError, match="a delay is a number of seconds"):
        engine.call_later(delay, print)


def test_streams_are_not_for_users_to_make(engine: _native.Engine) -> None:
    with pytest.raises(TypeError, match="use reactor"):
        _native.Stream(engine)
