"""Connections that are kept, counted and waited for."""

from __future__ import annotations

import pytest

from torsion.internet.defer import CancelledError
from torsion.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from torsion.web.client import PoolIsFull, RequestTimedOut, RequestTransmissionFailed, ResponseNeverReceived
from unit.web.client.test_protocol import Producer
from unit.web.client.world import OK, World, read


def served(world: World, said: bytes = OK, **how: object) -> None:
    asked = world.get(**how)  # type: ignore[arg-type]  # what get takes
    world.wire.say(said)
    assert read(asked.response).got == b"ok"


def test_a_connection_is_used_again_for_the_same_place() -> None:
    world = World()
    served(world)
    served(world)
    assert len(world.wires) == 1
    served(world, uri=b"https://a/")
    served(world, uri=b"http://a:81/")
    served(world, uri=b"http://b/")
    assert len(world.wires) == 4


def test_without_persistence_the_server_is_told() -> None:
    world = World(persistent=False)
    world.get()
    assert b"Connection: close\r\n" in world.wire.take()
    world.wire.say(OK)
    assert not world.wire.open


@pytest.mark.parametrize(
    "said", [OK.replace(b"Content", b"Connection: close\r\nContent"), OK.replace(b"/1.1", b"/1.0")]
)
def test_a_connection_that_ends_is_not_kept(said: bytes) -> None:
    world = World()
    served(world, said)
    assert not world.wire.open
    served(world)
    assert len(world.wires) == 2


def test_a_connection_that_was_lost_meanwhile_is_not_used() -> None:
    world = World()
    served(world)
    world.wire.lose(ConnectionLost())
    served(world)
    assert len(world.wires) == 2
    world.wire.lose(ConnectionLost())
    assert world.clock.getDelayedCalls() == []
    assert world.pool._places == {}


def test_idle_connections_are_closed_in_time() -> None:
    world = World()
    served(world)
    world.clock.advance(239)
    assert world.wire.open
    world.clock.advance(1)
    assert not world.wire.open


def test_a_server_that_says_how_long_it_waits_is_believed() -> None:
    world = World()
    served(world, OK.replace(b"Content", b"Keep-Alive: max=5, timeout=7\r\nContent"))
    world.clock.advance(5.9)
    served(world)
    assert len(world.wires) == 1
    world.clock.advance(6.1)
    served(world)
    assert len(world.wires) == 2
    assert not world.wires[0].open


def test_so_many_idle_connections_are_kept() -> None:
    world = World()
    asked = [world.get() for _ in range(3)]
    for each, wire in zip(asked, world.wires, strict=True):
        wire.say(OK)
        assert each.answered
    assert [wire.open for wire in world.wires] == [False, True, True]
    assert len(world.clock.getDelayedCalls()) == 2


def test_closing_the_idle_ones() -> None:
    world = World()
    served(world)
    done: list[object] = []
    world.pool.closeCachedConnections().addCallback(done.append)
    assert done == [None]
    assert not world.wire.open
    assert world.clock.getDelayedCalls() == []


# --- again ---------------------------------------------------------------------------------------------------------------


def test_a_request_that_meets_a_stale_connection_is_made_again() -> None:
    world = World()
    served(world)
    asked = world.get()
    world.wire.lose(ConnectionDone())
    assert len(world.wires) == 2
    world.wire.say(OK)
    assert read(asked.response).got == b"ok"


def test_it_is_made_again_once_only() -> None:
    world = World()
    served(world)
    asked = world.get()
    world.wire.lose(ConnectionDone())
    world.wire.lose(ConnectionDone())
    assert len(world.wires) == 2
    assert isinstance(asked.error, ResponseNeverReceived)


def test_a_new_connection_that_fails_is_no_stale_one() -> None:
    world = World()
    asked = world.get()
    world.wire.lose(ConnectionDone())
    assert isinstance(asked.error, ResponseNeverReceived)


def test_what_may_have_done_something_is_not_made_again() -> None:
    world = World()
    served(world)
    asked = world.get(method=b"POST")
    world.wire.lose(ConnectionDone())
    assert isinstance(asked.error, ResponseNeverReceived)
    served(world)
    asked = world.get(method=b"DELETE", body=Producer(1))
    world.wire.lose(ConnectionDone())
    assert isinstance(asked.error, RequestTransmissionFailed)


def test_what_was_cancelled_is_not_made_again() -> None:
    world = World()
    served(world)
    asked = world.get()
    asked.deferred.cancel()
    assert asked.error.reasons[0].check(CancelledError)
    assert len(world.wires) == 1


def test_it_can_be_left_to_the_program() -> None:
    world = World()
    world.pool.retryAutomatically = False
    served(world)
    asked = world.get()
    world.wire.lose(ConnectionDone())
    assert isinstance(asked.error, ResponseNeverReceived)


# --- limits --------------------------------------------------------------------------------------------------------------


def test_so_many_connections_to_a_host_and_the_rest_wait_in_order() -> None:
    world = World()
    world.pool.maxConnectionsPerHost = 2
    asked = [world.get(b"http://a/%d" % number) for number in range(5)]
    world.get(b"http://b/")
    assert len(world.wires) == 3
    for number in range(5):
        wire = world.wires[number % 2]
        assert wire.take().startswith(b"GET /%d " % number)
        wire.say(OK)
        assert asked[number].answered
    assert len(world.wires) == 3


def test_a_connection_that_is_lost_makes_room() -> None:
    world = World(persistent=False)
    world.pool.maxConnectionsPerHost = 1
    asked = [world.get() for _ in range(3)]
    for number in range(3):
        assert len(world.wires) == number + 1
        world.wire.say(OK)
        assert asked[number].answered
    assert world.pool._places == {}


def test_a_connection_that_cannot_be_made_makes_room() -> None:
    world = World(late=True)
    world.pool.maxConnectionsPerHost = 1
    first, second = world.get(), world.get()
    assert len(world.connecting) == 1
    world.connecting[0].errback(ConnectionRefusedError())
    assert isinstance(first.error, ConnectionRefusedError)
    assert len(world.connecting) == 2
    second.deferred.cancel()
    world.connecting[1].errback(ConnectionRefusedError())
    assert world.pool._places == {}


def test_a_request_on_a_stale_connection_keeps_its_turn() -> None:
    world = World()
    world.pool.maxConnectionsPerHost = 1
    served(world)
    first, second = world.get(b"http://a/1"), world.get(b"http://a/2")
    world.wire.lose(ConnectionDone())
    assert len(world.wires) == 2
    assert world.wire.take().startswith(b"GET /1 ")
    world.wire.say(OK)
    assert first.answered
    assert world.wire.take().startswith(b"GET /2 ")
    world.wire.say(OK)
    assert second.answered


def test_waiting_has_an_end() -> None:
    world = World()
    world.pool.maxConnectionsPerHost = 1
    world.pool.maxQueuedPerHost = 2
    world.pool.queueTimeout = 10
    world.get()
    waiting, cancelled = world.get(), world.get()
    assert isinstance(world.get().error, PoolIsFull)
    cancelled.deferred.cancel()
    assert isinstance(cancelled.error, CancelledError)
    world.clock.advance(10)
    assert isinstance(waiting.error, RequestTimedOut)
    assert world.clock.getDelayedCalls() == []
    world.wire.say(OK)
    served(world)
