"""Servers of HTTP/2 that are slow, or gone."""

from __future__ import annotations

import pytest

pytest.importorskip("h2")

from h2.events import PingReceived

from torsion.internet.error import ConnectionLost
from torsion.web.client import RequestTimedOut, RequestTransmissionFailed, ResponseNeverReceived, Timeouts
from torsion.web.client.http2.limits import PROBE, QUIET
from unit.web.client.http2world import World2
from unit.web.client.test_protocol import Producer
from unit.web.client.world import read


def test_a_server_that_says_nothing_is_left() -> None:
    world = World2(Timeouts(head=5, idle=7))
    asked, post = world.get(), world.get(method=b"POST", body=Producer(5))
    world.server.flush()
    world.clock.advance(5)
    assert isinstance(asked.error, ResponseNeverReceived)
    assert asked.error.reasons[0].check(RequestTimedOut)
    world.get()
    assert len(world.wires) == 1, "it has answered to the settings meanwhile"
    world.clock.advance(2)
    assert isinstance(post.error, RequestTransmissionFailed)
    assert world.wire.open


def test_a_connection_on_which_nothing_comes_is_used_no_more() -> None:
    world = World2(Timeouts(head=5))
    world.get()
    world.server.answer(1)
    world.get()
    world.clock.advance(5)
    world.get()
    assert len(world.wires) == 2


def test_the_idle_time_of_a_body() -> None:
    world = World2(Timeouts(idle=7))
    asked = world.get()
    world.server.answer(1, b"x", end=False)
    reader = read(asked.response)
    world.clock.advance(4)
    world.server.h2.send_data(1, b"y")
    world.server.flush()
    world.clock.advance(4)
    assert reader.end is None
    reader.transport.pauseProducing()
    world.clock.pump([7] * 5)
    assert reader.end is None, "it is us who hold it up"
    reader.transport.resumeProducing()
    world.clock.pump([7, 7])
    assert reader.end.reasons[0].check(RequestTimedOut)
    assert world.clock.getDelayedCalls() == []


def test_a_large_frame_over_a_slow_network() -> None:
    world = World2(Timeouts(idle=7))
    asked = world.get()
    world.server.answer(1, end=False)
    reader = read(asked.response)
    world.server.h2.send_data(1, b"x" * 100)
    for byte in world.server.h2.data_to_send():
        world.clock.advance(1)
        world.wire.say(bytes((byte,)))
    assert reader.got == b"x" * 100


def quiet() -> World2:
    """Return a world with a connection on which nothing has come for a while."""
    world = World2()
    world.get()
    world.server.answer(1)
    world.clock.advance(QUIET)
    return world


def test_a_connection_that_is_dead_is_not_waited_for() -> None:
    world = quiet()
    asked, post = world.get(), world.get(method=b"POST")
    world.clock.advance(PROBE)
    assert world.wire.open, "what has come while the program had no time is read first"
    world.clock.advance(0)
    world.meet()
    assert not world.wires[0].open
    assert len(world.wires) == 2
    assert isinstance(post.error, ResponseNeverReceived), "it may have done something"
    assert post.error.reasons[0].check(ConnectionLost)
    world.server.answer(1, b"there")
    assert read(asked.response).got == b"there"


def test_a_connection_that_is_alive_may_take_its_time() -> None:
    world = quiet()
    asked = [world.get(), world.get()]
    assert len(world.server.of(PingReceived)) == 1
    world.clock.advance(PROBE * 10)
    world.get()
    assert len(world.server.of(PingReceived)) == 2
    world.clock.advance(PROBE - 1)
    world.server.answer(3)
    assert asked[0].response.code == 200
    assert world.wire.open


def test_a_connection_that_is_in_use_is_not_asked_whether_it_is() -> None:
    world = World2()
    world.get()
    world.server.answer(1)
    world.clock.advance(QUIET - 1)
    world.get()
    world.server.answer(3)
    world.clock.advance(QUIET - 1)
    world.get()
    assert not world.server.of(PingReceived)


def test_nothing_is_left_of_a_question_that_was_not_answered() -> None:
    world = quiet()
    world.pool.retryAutomatically = False
    asked = world.get()
    world.wire.lose(ConnectionLost())
    assert isinstance(asked.error, ResponseNeverReceived)
    assert not world.clock.getDelayedCalls()
