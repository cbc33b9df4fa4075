"""Callbacks that take long: noticed while they do, told when they have ended."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Any

import pytest

from contract.flavours import needs
from contract.harness import LIMIT, join, pause, until
from torsion.internet.reactors.slow import SlowCallback, SlowCallbacks

pytestmark = needs("IReactorInspection")

THRESHOLD = 0.01


class Watched:
    """What a watch tells, and a gate that opens when something slow is noticed."""

    def __init__(self, reactor: Any, threshold: float = THRESHOLD) -> None:
        self.told: list[SlowCallback] = []
        self.noticed: list[SlowCallback] = []
        self.threads: list[threading.Thread] = []
        self.gate = threading.Event()
        self.slow = SlowCallbacks(reactor, threshold, self.report, self.notice)

    def report(self, slow: SlowCallback) -> None:
        self.threads.append(threading.current_thread())
        self.told.append(slow)

    def notice(self, slow: SlowCallback) -> None:
        self.noticed.append(slow)
        self.gate.set()

    def block(self) -> None:
        assert self.gate.wait(LIMIT), "nobody has noticed"
        self.gate.clear()


@pytest.fixture
def watched(reactor: Any) -> Any:
    made = Watched(reactor)
    yield made
    made.slow.stop()
    assert not [each for each in threading.enumerate() if each.name == "torsion slow callbacks"]


def test_a_slow_timer_is_told_once_with_its_stack_and_how_long_it_took(reactor, run, watched) -> None:
    async def scenario() -> None:
        watched.slow.start()
        await pause(reactor)
        reactor.callLater(0, watched.block)
        await until(reactor, lambda: watched.told)

    run(scenario)
    [noticed], [told] = watched.noticed, watched.told
    assert told.name == noticed.name == f"{__name__}.Watched.block"
    assert told.duration >= noticed.duration >= THRESHOLD
    assert [frame.name for frame in told.stack][:2] == ["block", "wait"]
    assert told.stack[0].filename == __file__
    assert "self.gate.wait(LIMIT)" in str(told)
    assert watched.threads == [threading.current_thread()]


def test_each_slow_callback_is_told(reactor, run, watched) -> None:
    def other() -> None:
        watched.block()

    async def scenario() -> None:
        watched.slow.start()
        await pause(reactor)
        reactor.callLater(0, watched.block)
        await until(reactor, lambda: watched.told)
        reactor.callLater(0, other)
        await until(reactor, lambda: len(watched.told) > 1)

    run(scenario)
    assert [each.name.rpartition(".")[2] for each in watched.told] == ["block", "other"]
    assert len(watched.noticed) == 2


@needs("IReactorInspection", "IReactorTCP")
def test_a_protocol_that_takes_long_is_told(reactor, run, watched) -> None:
    async def scenario() -> None:
        server, client, port = await join(reactor)
        server.do["dataReceived"] = lambda protocol: watched.block()
        watched.slow.start()
        await pause(reactor)
        client.transport.write(b"slowly")
        await until(reactor, lambda: watched.told)
        await port.stopListening()

    run(scenario)
    [told] = watched.told
    assert told.name.endswith("Recorder.dataReceived")


@needs("IReactorInspection", "kernel")  # in memory, a turn is looked at as a whole
def test_many_callbacks_that_are_quick_are_not_slow_together(reactor, run) -> None:
    """One turn takes longer than the threshold; none of its calls does."""
    threshold, share = 0.25, 0.005
    watched = Watched(reactor, threshold)
    turns: list[int] = []

    def quick() -> None:
        turns.append(reactor.loop().turns)
        until = perf_counter() + share
        while perf_counter() < until:
            pass

    async def scenario() -> None:
        watched.slow.start()
        await pause(reactor)
        for _ in range(int(threshold / share) + 10):
            reactor.callLater(0, quick)
        await pause(reactor)
        await pause(reactor)

    try:
        run(scenario)
    finally:
        watched.slow.stop()
    assert len(set(turns)) == 1
    assert not watched.noticed


def test_waiting_is_not_slow(reactor, run, watched) -> None:
    async def scenario() -> None:
        watched.slow.start()
        await pause(reactor, THRESHOLD * 5)

    run(scenario)
    assert not watched.noticed


def test_whoever_raises_when_told_is_logged_and_told_again(reactor, run, logged) -> None:
    watched = Watched(reactor)

    def report(slow: SlowCallback) -> None:
        watched.report(slow)
        raise LookupError("in a report")

    slow = SlowCallbacks(reactor, THRESHOLD, report, watched.notice)

    async def scenario() -> None:
        slow.start()
        await pause(reactor)
        for count in (1, 2):
            reactor.callLater(0, watched.block)
            await until(reactor, lambda count=count: len(watched.told) == count)

    try:
        run(scenario)
    finally:
        slow.stop()
    assert len(logged.take(LookupError)) == 2


def test_it_can_be_started_and_stopped_again_and_again(reactor, run, watched) -> None:
    slow = watched.slow
    slow.stop()  # which does nothing
    for _ in range(3):
        slow.start()
        slow.start()
        assert slow.running
        assert len([each for each in threading.enumerate() if each.name == "torsion slow callbacks"]) == 1
        slow.stop()
        slow.stop()
        assert not slow.running

    async def scenario() -> None:
        slow.start()
        await pause(reactor)
        reactor.callLater(0, watched.block)
        await until(reactor, lambda: watched.told)
        slow.stop()

    run(scenario)
    assert len(watched.noticed) == 1


@pytest.mark.parametrize("wrong", [0, -1.0, float("inf"), float("nan")])
def test_a_threshold_has_to_be_a_time(reactor, wrong) -> None:
    with pytest.raises(ValueError, match="number of seconds above 0"):
        SlowCallbacks(reactor, wrong, print)


def test_what_cannot_be_watched_is_refused(reactor) -> None:
    with pytest.raises(TypeError, match="no reactor of torsion's"):
        SlowCallbacks(object(), 1, print)
    with pytest.raises(TypeError, match="callable with a SlowCallback"):
        SlowCallbacks(reactor, 1, None)  # type: ignore[arg-type]  # what is refused
