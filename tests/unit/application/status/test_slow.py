"""What was slow is kept, within bounds, and logged, but not without end."""

from __future__ import annotations

from traceback import StackSummary, extract_stack

from torsion.application.status.errors import KEPT
from torsion.application.status.slow import LOG_SECONDS, SlowLog
from torsion.internet.reactors.slow import SlowCallback
from torsion.internet.task import Clock
from torsion.logger import LogLevel, capturedLogs, formatEvent


def slow(name="shop.reserve", duration=0.25):
    return SlowCallback(name, duration, extract_stack())


def test_what_has_ended_is_kept():
    kept = SlowLog(0.1)
    assert kept.figures() == {"threshold": 0.1, "count": 0, "list": []}
    kept.ended(slow())
    (row,) = kept.figures()["list"]
    assert (row["call"], row["seconds"]) == ("shop.reserve", 0.25)
    assert "test_what_has_ended_is_kept" in row["stack"]


def test_the_last_are_kept():
    kept = SlowLog(0.1)
    for number in range(KEPT + 5):
        kept.ended(slow(f"call{number}"))
    figures = kept.figures()
    assert figures["count"] == KEPT + 5
    assert len(figures["list"]) == KEPT
    assert figures["list"][0]["call"] == f"call{KEPT + 4}"


def test_long_names_and_stacks_are_cut():
    kept = SlowLog(0.1)
    deep = StackSummary.from_list(list(extract_stack()) * 2000)
    kept.ended(SlowCallback("x" * 1000, 1.0, deep))
    (row,) = kept.figures()["list"]
    assert len(row["call"]) <= 200
    assert len(row["stack"]) <= 20_000


def test_what_goes_on_is_logged_once_in_a_while():
    clock = Clock()
    kept = SlowLog(0.1, clock.seconds)
    with capturedLogs() as events:
        for _ in range(3):
            kept.noticed(slow())
        clock.advance(LOG_SECONDS)
        kept.noticed(slow())
    first, second = (formatEvent(event) for event in events)
    assert first.startswith("shop.reserve keeps the event loop, for 0.250 s so far; its stack:\n  File")
    assert "(and 2 others since the last such line)" in second
    assert {event["log_level"] for event in events} == {LogLevel.warn}


def test_a_stack_that_cannot_be_shown():
    class Broken:
        def format(self):
            raise OSError("the source has gone")

    kept = SlowLog(0.1)
    kept.ended(SlowCallback("shop.reserve", 1.0, Broken()))
    assert kept.figures()["list"][0]["stack"] == "(the stack cannot be shown)"
