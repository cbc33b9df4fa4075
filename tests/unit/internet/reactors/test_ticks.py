"""How long a reactor's turns take."""

from __future__ import annotations

import sys

import pytest

from torsion.internet.reactors.hosted.asyncio import AsyncioReactor
from torsion.internet.reactors.native import NativeReactor
from torsion.internet.reactors.provides.ticks import Tick
from torsion.logger import globalLogPublisher

WORK = 0.02  # seconds, which no machine needs for a turn that does nothing else


def kinds():
    yield NativeReactor
    if sys.platform != "win32":
        yield AsyncioReactor


@pytest.fixture(params=kinds(), ids=lambda kind: kind.__name__)
def reactor(request):
    made = request.param()
    yield made
    made.disconnectAll()


@pytest.fixture
def logged():
    events: list[dict] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def work(reactor) -> None:
    until = reactor.seconds() + WORK
    while reactor.seconds() < until:
        pass


def run(reactor, *steps) -> None:
    """Make the calls, a turn each, and stop."""
    rest = [*steps, reactor.stop]

    def step() -> None:
        rest.pop(0)()
        if rest:
            reactor.callLater(0, step)

    reactor.callLater(0, step)
    reactor.run(installSignalHandlers=False)


def test_turns_are_told_with_what_they_took(reactor) -> None:
    ticks: list[Tick] = []
    reactor.addTickObserver(ticks.append)
    run(reactor, lambda: work(reactor), lambda: None)
    assert sum(tick.worked >= WORK for tick in ticks) == 1
    assert all(tick.waited >= 0 and tick.worked > 0 and tick.events >= 0 for tick in ticks)
    assert len(ticks) >= 3


def test_waits_are_no_work(reactor) -> None:
    ticks: list[Tick] = []
    reactor.addTickObserver(ticks.append)
    reactor.callLater(WORK, reactor.stop)
    reactor.run(installSignalHandlers=False)
    assert max(tick.worked for tick in ticks) < WORK
    if isinstance(reactor, NativeReactor):
        assert sum(tick.waited for tick in ticks) >= WORK * 0.9  # a hosted one leaves the waiting to the loop


def test_a_turn_within_a_turn_is_part_of_it(reactor) -> None:
    ticks: list[Tick] = []
    reactor.addTickObserver(ticks.append)

    def nest() -> None:
        reactor.callLater(0, work, reactor)
        before = len(ticks)
        reactor.iterate()
        assert len(ticks) == before

    run(reactor, nest, lambda: None)
    assert sum(tick.worked >= WORK for tick in ticks) == 1


def test_whoever_has_had_enough_is_told_no_more(reactor) -> None:
    ticks: list[Tick] = []
    others: list[Tick] = []

    def once(tick: Tick) -> None:
        ticks.append(tick)
        reactor.removeTickObserver(once)

    reactor.addTickObserver(once)
    reactor.addTickObserver(others.append)
    run(reactor, lambda: None, lambda: None, lambda: reactor.removeTickObserver(others.append), lambda: None)
    assert len(ticks) == 1
    assert 2 <= len(others) <= 3
    with pytest.raises(ValueError, match="does not observe"):
        reactor.removeTickObserver(once)


def test_whoever_raises_is_logged_and_told_no_more(reactor, logged) -> None:
    told: list[Tick] = []

    def bad(tick: Tick) -> None:
        told.append(tick)
        raise LookupError("in an observer")

    good: list[Tick] = []
    reactor.addTickObserver(bad)
    reactor.addTickObserver(good.append)
    run(reactor, lambda: None, lambda: None)
    assert len(told) == 1
    assert len(good) >= 2
    [failure] = [event["log_failure"] for event in logged if "log_failure" in event]
    assert failure.check(LookupError)


def test_only_what_can_be_called_observes(reactor) -> None:
    with pytest.raises(TypeError, match="callable with a Tick"):
        reactor.addTickObserver(None)


def test_nothing_is_measured_once_nobody_observes(reactor) -> None:
    calls: list[object] = []

    class Spied:
        def __init__(self, engine) -> None:
            self.engine = engine

        def on_tick(self, observer) -> None:
            calls.append(observer)
            self.engine.on_tick(observer)

    engine, reactor.engine = reactor.engine, Spied(reactor.engine)
    reactor.addTickObserver(print)
    reactor.addTickObserver(print)
    reactor.removeTickObserver(print)
    assert len(calls) == 1
    reactor.removeTickObserver(print)
    assert calls[1:] == [None]
    reactor.engine = engine
