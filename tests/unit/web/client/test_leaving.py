"""Requests that are given up, at any moment: the others go on, and no connection stays taken."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from torsion.internet.defer import CancelledError, Deferred, ensureDeferred
from torsion.internet.error import ConnectingCancelledError, ConnectionDone
from torsion.web.client import HTTPConnectionPool
from torsion.web.fetch import Client
from unit.web.client.world import OK, Asked, Reader, World, read

PLACE = (b"http", b"a", 80)


class Late(World):
    """Connects when it is told to; who does not want it any more is told as endpoints do."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.attempts: list[tuple[Deferred[Any], Any]] = []
        self.pool.maxConnectionsPerHost = 1

    def connect(self, factory: Any) -> Deferred[Any]:
        made: Deferred[Any] = Deferred(lambda made: made.errback(ConnectingCancelledError(None)))
        self.attempts.append((made, factory))
        return made

    def connected(self) -> None:
        made, factory = self.attempts[-1]
        super().connect(factory).chainDeferred(made)


def test_who_waited_for_a_connection_leaves_while_it_is_made() -> None:
    world = Late()
    world.get()
    world.connected()
    waits, behind = world.get(), world.get()
    world.wire.lose(ConnectionDone())
    assert len(world.attempts) == 2
    waits.deferred.cancel()
    assert isinstance(waits.error, ConnectingCancelledError)
    assert len(world.attempts) == 3, "the place is for the next one that waits"
    world.connected()
    world.wire.say(OK)
    assert behind.response.code == 200
    assert world.pool._places[PLACE].used == 1


def test_a_connection_that_cannot_even_be_tried_makes_room() -> None:
    world = World()
    world.pool.maxConnectionsPerHost = 1
    world.get()
    waits = world.get()

    def connect(factory: Any) -> Any:
        raise RuntimeError("an endpoint of a program")

    world.connect = connect  # type: ignore[method-assign]  # a mistake of a program's endpoint is played
    world.wire.lose(ConnectionDone())
    assert isinstance(waits.error, RuntimeError)
    assert not world.pool._places


class Failing(Reader):
    """A program's protocol that has mistakes."""

    def __init__(self, when: str) -> None:
        super().__init__()
        self.when = when

    def dataReceived(self, data: bytes) -> None:
        if self.when == "data":
            raise RuntimeError("of the program")

    def connectionLost(self, reason: Any = None) -> None:
        raise RuntimeError("of the program")


@pytest.mark.parametrize("when", ["end", "data", "lost"])
def test_a_program_that_fails_keeps_no_connection(when: str, flush_errors: Callable[..., list[Any]]) -> None:
    world = World()
    world.pool.maxConnectionsPerHost = 1
    asked = world.get()
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
    asked.response.deliverBody(Failing(when))
    if when == "lost":
        world.wire.lose(ConnectionDone())
    else:
        world.wire.say(b"body")
    world.wire.take()
    again = world.get()
    assert world.wire.take().startswith(b"GET"), "the connection that is allowed was never given back"
    world.wire.say(OK)
    assert read(again.response).got == b"ok"
    assert flush_errors(RuntimeError)


def test_a_body_that_is_not_waited_for_any_more() -> None:
    world = World()
    client = Client(reactor=world.clock, agent=world.agent)
    fetched = Asked(ensureDeferred(client.fetch("http://a/")))
    world.wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo")
    reading = Asked(ensureDeferred(fetched.response.read()))
    reading.deferred.cancel()
    assert isinstance(reading.error, CancelledError)
    assert not world.wire.open, "it would be read to its end by nobody"


def idle(pool: HTTPConnectionPool) -> bool:
    """Return whether no connection is taken, and nothing waits."""
    kept = sum(len(each) for each in pool._connections.values())
    return all(place.used == kept and not place.waiting for place in pool._places.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_requests_of_which_many_are_given_up(seed: int) -> None:
    chance = Random(seed)
    world = Late()
    world.pool.maxConnectionsPerHost = world.pool.maxPersistentPerHost = 5
    asked: list[Asked] = []
    readers: list[Reader] = []
    tried = 0
    while len(asked) < 1000 or not all(each.answered for each in asked):
        step = chance.randrange(6)
        if step < 2 and len(asked) < 1000:
            asked.append(world.get())
        elif step == 2:
            open_ = [each for each in asked if not each.answered]
            if open_ and chance.random() < 0.5:
                chance.choice(open_).deferred.cancel()
        elif step == 3 and tried < len(world.attempts):
            made, factory = world.attempts[tried]
            tried += 1
            if not made.called:
                World.connect(world, factory).chainDeferred(made)
        else:
            for wire in world.wires:
                if wire.open and b"GET" in wire.value():
                    if chance.random() < 0.1:
                        wire.lose(ConnectionDone())
                    else:
                        wire.take()
                        wire.say(OK)
            for each in asked:
                if each.results and not hasattr(each, "read"):
                    each.read = True  # type: ignore[attr-defined]  # the test's own note
                    if hasattr(each.results[0], "deliverBody"):
                        readers.append(read(each.response))
    assert idle(world.pool)
    assert len(readers) > 100
    world.pool.closeCachedConnections()
    assert not world.pool._places
    assert not any(wire.open for wire in world.wires)
    assert not world.clock.getDelayedCalls()
