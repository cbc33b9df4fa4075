"""Signals that come twice: whether somebody is in a hurry, or they were only passed on."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from torsion.application.runner import signals
from torsion.application.runner.signals import ECHO_SECONDS, Signals


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(signals, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def asked():
    """What a run was asked to do."""
    return []


@pytest.fixture
def handle(asked):
    run = SimpleNamespace(
        state="ready", status=0, reload=None, restart=None, asked=lambda: None, stuck=lambda: None,
        stop=lambda: asked.append("stop"), abort=lambda: asked.append("abort"),
        reactor=SimpleNamespace(callFromThread=lambda function, *arguments: function(*arguments)),
    )  # fmt: skip
    handlers = Signals(run)
    handlers._looping = True
    return lambda number: handlers._handle(number, None)


@pytest.mark.parametrize(
    ("numbers", "between", "expected"),
    [
        ([signal.SIGTERM], 0, ["stop"]),
        ([signal.SIGTERM, signal.SIGTERM], 0, ["stop"]),
        ([signal.SIGTERM] * 5, ECHO_SECONDS * 0.3, ["stop", "abort"]),
        ([signal.SIGTERM, signal.SIGTERM], ECHO_SECONDS, ["stop", "abort"]),
        ([signal.SIGTERM, signal.SIGINT], 0, ["stop", "abort"]),
    ],
)
def test_the_same_signal_at_once_is_the_same(clock, asked, handle, numbers, between, expected):
    for number in numbers:
        handle(number)
        clock.now += between
    assert asked == expected
