"""The loop's lag, by a timer and by the longest turn."""

from __future__ import annotations

import pytest

from torsion.application.status.histogram import BOUNDS, Buckets
from torsion.application.status.lag import INTERVAL, SAMPLES, LagMeter
from torsion.internet.reactors.memory import MemoryReactor
from torsion.internet.task import Clock


def seen(meter):
    return [late for _, late in meter.figures()["samples"]]


def test_a_loop_in_time():
    clock = Clock()
    meter = LagMeter(clock)
    meter.start()
    clock.pump([INTERVAL] * 5)
    assert seen(meter) == [0.0] * 5
    assert meter.figures()["max"] == 0


def test_a_loop_that_is_late():
    clock = Clock()
    meter = LagMeter(clock)
    meter.start()
    clock.advance(INTERVAL + 0.5)
    clock.advance(INTERVAL)
    assert seen(meter) == [0.5, 0.0]
    figures = meter.figures()
    assert (figures["max"], figures["histogram"]["sum"], figures["interval"]) == (0.5, 0.5, INTERVAL)


def test_only_the_last_are_kept():
    clock = Clock()
    meter = LagMeter(clock)
    meter.start()
    clock.pump([INTERVAL] * (SAMPLES + 10))
    assert len(seen(meter)) == SAMPLES
    assert sum(meter.figures()["histogram"]["counts"]) == SAMPLES + 10


def test_the_end():
    clock = Clock()
    meter = LagMeter(clock)
    meter.start()
    meter.start()
    assert len(clock.getDelayedCalls()) == 1
    meter.stop()
    meter.stop()
    assert clock.getDelayedCalls() == []


def test_a_turn_between_two_looks_is_seen(monkeypatch):
    """Also if somebody else has asked for the figures meanwhile, by way of the meter."""
    reactor = MemoryReactor()
    meter = LagMeter(reactor)
    tell = reactor.loop
    longest = [0.4, 0.1]
    monkeypatch.setattr(reactor, "loop", lambda: tell()._replace(longest=longest.pop(0) if longest else 0.0))
    meter.start()
    assert meter.look().longest == 0.4
    reactor.advance(2 * INTERVAL)
    assert seen(meter) == [0.4, 0.0]


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (0.001, 0), (0.0011, 1), (10, len(BOUNDS) - 1), (11, len(BOUNDS))]
)
def test_buckets(seconds, bucket):
    buckets = Buckets()
    buckets.add(seconds)
    assert buckets.figures()["counts"].index(1) == bucket
